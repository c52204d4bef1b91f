import Foundation
public import MerkleTree

/// A file of policies or roots that can't be used: which one, where in it, and what was expected there.
public struct PolicyFileError: Error, Hashable, Sendable, CustomStringConvertible {
  public let file: String
  /// The path of the key (`policies.Preferences`); empty for the file as a whole.
  public let key: String
  public let expected: String

  public init(_ file: String, _ key: String, _ expected: String) {
    self.file = file
    self.key = key
    self.expected = expected
  }

  public var description: String { "\(file)\(key.isEmpty ? "" : ", \(key)"): expected \(expected)" }
}

/// Something in a file that was passed over, as browsers would.
public struct PolicyWarning: Hashable, Sendable, CustomStringConvertible {
  public let file: String
  public let key: String
  public let reason: String

  public init(_ file: String, _ key: String, _ reason: String) {
    self.file = file
    self.key = key
    self.reason = reason
  }

  public var description: String { "\(file)\(key.isEmpty ? "" : ", \(key)"): \(reason)" }
}

/// `sha256/` and the Base64 of the SHA-256 of a SubjectPublicKeyInfo (RFC 7469, section 2.4).
public enum KeyPin {
  /// Reads `sha256/…`, bare Base64, or `pin-sha256="…"` from an HPKP header; nil if it is none.
  public static func hash(_ text: some StringProtocol) -> SHA256Hash? {
    let text = text.trimmingCharacters(in: .whitespaces)
    return tagged(text) ?? bare(text) ?? pin(text)
  }

  /// Reads exactly `pin-sha256="…"`, its quotes optional (RFC 7469, section 2.1.1).
  static func pin(_ text: String) -> SHA256Hash? {
    let parts = text.trimmingCharacters(in: .whitespaces).split(separator: "=", maxSplits: 1)
    guard parts.count == 2, HostFilter.lowercased(parts[0]) == "pin-sha256" else { return nil }
    return bare(parts[1].trimmingCharacters(in: ["\""]))
  }

  /// Reads exactly `sha256/…`, as Chrome's policies have it.
  static func tagged(_ text: String) -> SHA256Hash? {
    text.hasPrefix("sha256/") ? bare(text.dropFirst("sha256/".count)) : nil
  }

  /// Reads exactly Base64 with its padding, as Firefox's preferences have it.
  static func bare(_ text: some StringProtocol) -> SHA256Hash? {
    guard text.utf8.count == 44 else { return nil }
    return Data(base64Encoded: String(text)).flatMap { SHA256Hash(Array($0)) }
  }

  /// Base64 without a tag.
  static func base64(_ hash: SHA256Hash) -> String { Data(hash.bytes).base64EncodedString() }

  /// `sha256/…`
  public static func text(_ hash: SHA256Hash) -> String { "sha256/" + base64(hash) }
}

/// JSON of which only some keys matter.
enum PolicyJSON {
  /// The object that fills a file.
  static func object(_ bytes: [UInt8], file: String) throws(PolicyFileError) -> [String: Any] {
    guard let object = try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any] else {
      throw PolicyFileError(file, "", "a JSON object")
    }
    return object
  }

  /// A JSON boolean; a number is none.
  static func boolean(_ value: Any) -> Bool? {
    guard let number = value as? NSNumber, isBoolean(number) else { return nil }
    return number.boolValue
  }

  /// A JSON number without a fraction; a boolean is none.
  static func integer(_ value: Any) -> Int? {
    guard let number = value as? NSNumber, !isBoolean(number) else { return nil }
    return Int(exactly: number.doubleValue)
  }

  private static func isBoolean(_ number: NSNumber) -> Bool {
    ["c", "B"].contains(String(cString: number.objCType))
  }
}
