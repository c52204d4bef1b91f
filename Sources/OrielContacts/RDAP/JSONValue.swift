import Foundation

/// Any JSON, for documents whose form can't be relied on.
enum JSONValue {
  case object([String: JSONValue])
  case array([JSONValue])
  case string(String)
  case other

  static let byteLimit = 1 << 20

  /// Nil for what is no JSON, or too much of it.
  static func read(_ bytes: [UInt8]) -> JSONValue? {
    guard bytes.count <= byteLimit else { return nil }
    return (try? JSONSerialization.jsonObject(with: Data(bytes))).map(JSONValue.init)
  }

  private init(_ value: Any) {
    switch value {
    case let text as String: self = .string(text)
    case let list as [Any]: self = .array(list.map(JSONValue.init))
    case let object as [String: Any]: self = .object(object.mapValues(JSONValue.init))
    default: self = .other
    }
  }

  subscript(_ key: String) -> JSONValue? {
    guard case .object(let object) = self else { return nil }
    return object[key]
  }

  var text: String? {
    guard case .string(let text) = self else { return nil }
    return text
  }

  /// The elements of an array; empty for anything else.
  var elements: [JSONValue] {
    guard case .array(let list) = self else { return [] }
    return list
  }

  /// The values of an object in the order of their keys, or the elements of an array.
  var members: [JSONValue] {
    guard case .object(let object) = self else { return elements }
    return object.sorted { $0.key < $1.key }.map(\.value)
  }

  /// The texts in an array, or the text itself.
  var texts: [String] { text.map { [$0] } ?? elements.compactMap(\.text) }
}
