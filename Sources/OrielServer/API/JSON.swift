import CertificateTransparency
import Foundation

/// A JSON value.
enum JSON: Hashable, Sendable, Encodable, ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral,
  ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral
{
  case null
  case flag(Bool)
  case integer(Int64)
  case number(Double)
  case text(String)
  case list([JSON])
  case object([String: JSON])

  /// What is nil is absent.
  init(dictionaryLiteral elements: (String, JSON?)...) {
    self = .object(
      Dictionary(elements.compactMap { name, value in value.map { (name, $0) } }, uniquingKeysWith: { $1 }))
  }

  init(arrayLiteral elements: JSON...) { self = .list(elements) }
  init(stringLiteral value: String) { self = .text(value) }
  init(booleanLiteral value: Bool) { self = .flag(value) }
  init(integerLiteral value: Int64) { self = .integer(value) }

  /// RFC 3339, of milliseconds since 1970.
  static func time(_ time: Int64) -> JSON {
    .text(Timestamp(milliseconds: UInt64(clamping: max(0, min(time, 253_402_300_799_999)))).description)
  }

  /// RFC 3339, of seconds since 1970; certificates may be older.
  static func time(seconds: Int64?) -> JSON? {
    guard let seconds, seconds >= -62_135_596_800, seconds < 253_402_300_800 else { return nil }
    return .text(CertificateTime.text(seconds))
  }

  static func texts(_ texts: some Sequence<String>) -> JSON { .list(texts.map { .text($0) }) }

  subscript(_ name: String) -> JSON? {
    if case .object(let fields) = self { return fields[name] }
    return nil
  }

  var text: String? {
    if case .text(let text) = self { return text }
    return nil
  }

  var flag: Bool? {
    if case .flag(let flag) = self { return flag }
    return nil
  }

  var integer: Int64? {
    if case .integer(let value) = self { return value }
    return nil
  }

  var list: [JSON]? {
    if case .list(let list) = self { return list }
    return nil
  }

  /// Milliseconds since 1970, of a time in RFC 3339.
  var time: Int64? { text.flatMap { Timestamp(rfc3339: $0) }.map { Int64(clamping: $0.milliseconds) } }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .flag(let flag): try container.encode(flag)
    case .integer(let value): try container.encode(value)
    case .number(let value): try container.encode(value)
    case .text(let text): try container.encode(text)
    case .list(let list): try container.encode(list)
    case .object(let fields): try container.encode(fields)
    }
  }

  /// One line, its keys sorted.
  func encoded() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(self).map { $0 }
  }
}
