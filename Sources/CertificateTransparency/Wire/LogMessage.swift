import MerkleTree

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// A JSON object that a client and a log exchange (RFC 6962, section 4). Members that it does not know are ignored.
public protocol LogMessage: Codable, Hashable, Sendable {}

extension LogMessage {
  /// Decodes a JSON text.
  ///
  /// - Throws: a `FormatError` if it is no JSON, lacks a member, or a member is not what RFC 6962 says.
  public init(json: [UInt8]) throws(FormatError) { self = try JSONText.decode(Self.self, from: json) }

  /// The JSON text, its members in the order of their names.
  ///
  /// - Throws: a `FormatError` if a part has no encoding.
  public func json() throws(FormatError) -> [UInt8] { try JSONText.encode(self) }
}

/// JSON coding with errors of one kind.
enum JSONText {
  /// - Parameter name: what people call it, if not by the type.
  static func decode<Value: Decodable>(
    _ type: Value.Type, named name: String? = nil, from bytes: [UInt8]
  ) throws(FormatError) -> Value {
    do {
      return try JSONDecoder().decode(type, from: Data(bytes))
    } catch let error as FormatError {
      throw error
    } catch {
      throw FormatError(name ?? "\(type)", at: 0, reason(of: error))
    }
  }

  static func encode(_ value: some Encodable, pretty: Bool = false) throws(FormatError) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if pretty { encoder.outputFormatting.insert(.prettyPrinted) }
    do {
      return [UInt8](try encoder.encode(value))
    } catch let error as FormatError {
      throw error
    } catch {
      throw FormatError("\(type(of: value))", at: 0, "\(error)")
    }
  }

  /// In plain words, why JSON could not be decoded.
  static func reason(of error: any Error) -> String {
    switch error {
    case let error as FormatError: error.description
    case DecodingError.keyNotFound(let key, let context): "\(path(context.codingPath + [key])) is missing"
    case DecodingError.valueNotFound(_, let context): "\(path(context.codingPath)) is null"
    case DecodingError.typeMismatch(_, let context), DecodingError.dataCorrupted(let context):
      context.codingPath.isEmpty ? context.debugDescription : "\(path(context.codingPath)): \(context.debugDescription)"
    default: "\(error)"
    }
  }

  private static func path(_ keys: [any CodingKey]) -> String {
    keys.map { key in key.intValue.map { "[\($0)]" } ?? key.stringValue }.joined(separator: ".")
  }
}

/// A whole number of JSON. Of one that does not fit, Foundation would say that the text is no JSON, and not where.
@propertyWrapper
struct WholeNumber<Value: FixedWidthInteger & Codable & Sendable>: Codable, Sendable {
  var wrappedValue: Value

  init(wrappedValue: Value) { self.wrappedValue = wrappedValue }

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    do {
      wrappedValue = try container.decode(Value.self)
    } catch let error as DecodingError {
      throw error
    } catch {
      let found = (try? container.decode(Double.self)).map { ": \($0)" } ?? ""
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "not a whole number from \(Value.min) to \(Value.max)\(found)")
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(wrappedValue)
  }
}

extension KeyedDecodingContainer {
  func decodeNumber<Value: FixedWidthInteger & Codable & Sendable>(forKey key: Key) throws -> Value {
    try decode(WholeNumber<Value>.self, forKey: key).wrappedValue
  }

  func decodeBase64(forKey key: Key) throws -> [UInt8] {
    guard let bytes = Base64.decode(try decode(String.self, forKey: key)) else { throw corrupted(key, "not base64") }
    return bytes
  }

  func decodeBase64List(forKey key: Key) throws -> [[UInt8]] {
    try decode([String].self, forKey: key).map { text in
      guard let bytes = Base64.decode(text) else { throw corrupted(key, "not base64") }
      return bytes
    }
  }

  func decodeHash(forKey key: Key) throws -> SHA256Hash {
    guard let hash = SHA256Hash(try decodeBase64(forKey: key)) else { throw corrupted(key, "not 32 bytes") }
    return hash
  }

  func decodeHashList(forKey key: Key) throws -> [SHA256Hash] {
    try decodeBase64List(forKey: key).map { bytes in
      guard let hash = SHA256Hash(bytes) else { throw corrupted(key, "not 32 bytes") }
      return hash
    }
  }

  func corrupted(_ key: Key, _ reason: String) -> DecodingError {
    DecodingError.dataCorruptedError(forKey: key, in: self, debugDescription: reason)
  }
}

extension KeyedEncodingContainer {
  mutating func encodeBase64(_ bytes: [UInt8], forKey key: Key) throws { try encode(Base64.encode(bytes), forKey: key) }

  mutating func encodeBase64(_ list: [[UInt8]], forKey key: Key) throws {
    try encode(list.map { Base64.encode($0) }, forKey: key)
  }

  mutating func encodeBase64(_ list: [SHA256Hash], forKey key: Key) throws {
    try encode(list.map { Base64.encode($0.bytes) }, forKey: key)
  }
}
