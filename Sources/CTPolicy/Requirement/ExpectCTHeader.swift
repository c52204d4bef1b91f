public import CertificateTransparency

/// The value of an `Expect-CT` header field (RFC 9163, section 2.1).
public struct ExpectCTHeader: Hashable, Sendable {
  /// How closely to keep to the grammar.
  public enum Reading: Hashable, Sendable {
    /// As the RFC asks: a field that breaks a rule has no effect.
    case strict
    /// Forgiving of what sites got wrong: semicolons for commas, spaces around `=`, a `report-uri` without quotes, a
    /// value for `enforce`, directives given twice (the first counts).
    case lenient
  }

  /// Seconds for which the host is to be remembered; 0 forgets it.
  public let maxAge: UInt64
  public let enforce: Bool
  public let reportURI: String?
  /// What was wrong, if read leniently.
  public let faults: [String]

  public static let maximumByteCount = 8192

  /// Reads the value of the field.
  ///
  /// - Throws: ``CertificateTransparency/FormatError`` with the byte where reading stopped.
  public init(_ value: String, reading: Reading = .strict) throws(FormatError) {
    let text = Array(value.utf8)
    guard text.count <= ExpectCTHeader.maximumByteCount else {
      throw FormatError("Expect-CT", at: ExpectCTHeader.maximumByteCount, "the field is too long")
    }
    var parser = DirectiveParser(text: text, isLenient: reading == .lenient)
    var found: [String: String?] = [:]
    while let directive = try parser.next() {
      if found[directive.name] != nil {
        try parser.fault("\(directive.name) is given twice")
      } else {
        found[directive.name] = .some(directive.value)
      }
    }
    guard case .some(.some(let age)) = found["max-age"], !age.isEmpty, age.utf8.allSatisfy({ 0x30...0x39 ~= $0 })
    else { throw FormatError("Expect-CT", at: parser.position, "max-age=SECONDS is required") }
    maxAge = UInt64(age) ?? .max
    if case .some(.some) = found["enforce"] { try parser.fault("enforce takes no value") }
    enforce = found["enforce"] != nil
    if let given = found["report-uri"] {
      guard let uri = given, ExpectCTHeader.isAbsolute(uri) else {
        throw FormatError("Expect-CT", at: parser.position, "report-uri takes an absolute URI")
      }
      reportURI = uri
    } else {
      reportURI = nil
    }
    faults = parser.faults
  }

  private static func isAbsolute(_ uri: String) -> Bool {
    let scheme = uri.utf8.prefix { $0 != UInt8(ascii: ":") }
    guard scheme.count < uri.utf8.count - 1, let first = scheme.first, 0x41...0x5a ~= first & 0xdf else { return false }
    return scheme.allSatisfy { DirectiveParser.isToken($0) } && uri.utf8.allSatisfy { 0x21...0x7e ~= $0 }
  }
}

/// Reads `name`, `name=token` and `name="quoted string"` between commas (RFC 9110, section 5.6).
struct DirectiveParser {
  private let text: [UInt8]
  private let isLenient: Bool
  private(set) var position = 0
  private(set) var faults: [String] = []

  init(text: [UInt8], isLenient: Bool) {
    self.text = text
    self.isLenient = isLenient
  }

  mutating func fault(_ reason: String) throws(FormatError) {
    guard isLenient else { throw FormatError("Expect-CT", at: position, reason) }
    faults.append(reason)
  }

  static func isToken(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
    default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
  }

  private var byte: UInt8? { position < text.count ? text[position] : nil }
  private var atSeparator: Bool { byte == UInt8(ascii: ",") || (isLenient && byte == UInt8(ascii: ";")) }

  private mutating func skipSpace() {
    while byte == 0x20 || byte == 0x09 { position += 1 }
  }

  private mutating func take(while condition: (UInt8) -> Bool) -> String {
    let start = position
    while let byte, condition(byte) { position += 1 }
    return String(decoding: text[start..<position], as: UTF8.self)
  }

  /// The next directive, its name in lower case; nil at the end. Empty list elements are passed over.
  mutating func next() throws(FormatError) -> (name: String, value: String?)? {
    skipSpace()
    while atSeparator {
      if byte == UInt8(ascii: ";") { try fault("directives are separated by commas, not semicolons") }
      position += 1
      skipSpace()
    }
    guard byte != nil else { return nil }
    let name = take(while: DirectiveParser.isToken)
    guard !name.isEmpty else { throw FormatError("Expect-CT", at: position, "expected the name of a directive") }
    let end = position
    skipSpace()
    var value: String?
    if byte == UInt8(ascii: "=") {
      position += 1
      if position - 1 > end || byte == 0x20 || byte == 0x09 { try fault("no space may stand around =") }
      skipSpace()
      value = try self.value()
      skipSpace()
    }
    guard byte == nil || atSeparator else {
      throw FormatError("Expect-CT", at: position, "expected a comma")
    }
    return (HostFilter.lowercased(name), value)
  }

  private mutating func value() throws(FormatError) -> String {
    if byte == UInt8(ascii: "\"") { return try quoted() }
    let token = take(while: DirectiveParser.isToken)
    guard let byte, isLenient, !atSeparator, byte > 0x20 else {
      guard !token.isEmpty else { throw FormatError("Expect-CT", at: position, "expected a value") }
      return token
    }
    try fault("a value that is no token needs quotes")
    return token + take { $0 > 0x20 && $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: ";") }
  }

  private mutating func quoted() throws(FormatError) -> String {
    position += 1
    var content: [UInt8] = []
    while let byte, byte != UInt8(ascii: "\"") {
      position += 1
      if byte == UInt8(ascii: "\\"), let escaped = self.byte {
        content.append(escaped)
        position += 1
      } else {
        content.append(byte)
      }
    }
    guard byte != nil else { throw FormatError("Expect-CT", at: position, "the quoted string does not end") }
    position += 1
    return String(decoding: content, as: UTF8.self)
  }
}
