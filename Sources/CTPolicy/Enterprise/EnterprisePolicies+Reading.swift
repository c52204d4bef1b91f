import CertificateTransparency
import Foundation

extension EnterprisePolicies {
  /// Reads a policy file of any of the three kinds, told apart by its content.
  ///
  /// - Throws: ``PolicyFileError``, as ``init(chromeJSON:file:)``, ``init(firefoxJSON:file:)`` and
  ///   ``init(appleProfile:file:)`` do.
  public init(_ bytes: [UInt8], file: String) throws(PolicyFileError) {
    guard bytes.first(where: { $0 > 0x20 }) == UInt8(ascii: "{") else {
      try self.init(appleProfile: bytes, file: file)
      return
    }
    let object = try EnterprisePolicies.object(bytes, file: file)
    if object["policies"] != nil {
      try self.init(firefox: object, file: file)
    } else {
      try self.init(chrome: object, file: file)
    }
  }

  private static func object(_ bytes: [UInt8], file: String) throws(PolicyFileError) -> [String: Any] {
    try checkSize(bytes, file)
    return try PolicyJSON.object(bytes, file: file)
  }

  private static func checkSize(_ bytes: [UInt8], _ file: String) throws(PolicyFileError) {
    guard bytes.count <= maximumByteCount else {
      throw PolicyFileError(file, "", "at most \(maximumByteCount) bytes, found \(bytes.count)")
    }
  }

  /// Reads a file of Chrome's managed policies: a JSON object of which the three lists about CT matter.
  ///
  /// A value of the wrong type is a warning, and has no effect.
  ///
  /// - Throws: ``PolicyFileError`` if it is no JSON object, or too large.
  public init(chromeJSON bytes: [UInt8], file: String) throws(PolicyFileError) {
    try self.init(chrome: EnterprisePolicies.object(bytes, file: file), file: file)
  }

  private init(chrome object: [String: Any], file: String) throws(PolicyFileError) {
    for list in [PolicyEntry.List.chromeURLs, .chromeCAs, .chromeLegacyCAs] {
      guard let value = object[list.rawValue] else { continue }
      if list == .chromeLegacyCAs {
        warn(file, list.rawValue, "obsolete: Chrome and Edge have ignored this list since version 131")
      }
      try addStrings(value, to: list, key: list.rawValue, file: file)
    }
  }

  private mutating func addStrings(
    _ value: Any, to list: PolicyEntry.List, key: String, file: String
  ) throws(PolicyFileError) {
    guard let items = value as? [Any] else { return warn(file, key, "expected a list of strings") }
    for (index, item) in items.enumerated() {
      if let text = item as? String {
        try add(PolicyEntry(text, in: list, file: file))
      } else {
        warn(file, "\(key)[\(index)]", "expected a string")
      }
    }
  }

  /// Reads Firefox's `policies.json`: the three preferences about CT under `policies.Preferences`, each given plainly or
  /// as `{"Value": …}`.
  ///
  /// - Throws: ``PolicyFileError`` if it is no JSON object with `policies`, or too large.
  public init(firefoxJSON bytes: [UInt8], file: String) throws(PolicyFileError) {
    try self.init(firefox: EnterprisePolicies.object(bytes, file: file), file: file)
  }

  private init(firefox object: [String: Any], file: String) throws(PolicyFileError) {
    guard let policies = object["policies"] as? [String: Any] else {
      throw PolicyFileError(file, "policies", "an object")
    }
    guard let value = policies["Preferences"] else { return }
    guard let preferences = value as? [String: Any] else {
      warn(file, "policies.Preferences", "expected an object")
      return
    }
    let prefix = "policies.Preferences."
    let modeKey = "security.pki.certificate_transparency.mode"
    if let value = preference(modeKey, in: preferences, file) {
      if let mode = PolicyJSON.integer(value), 0...2 ~= mode {
        firefoxMode = mode
      } else {
        warn(file, prefix + modeKey, "expected 0, 1 or 2")
      }
    }
    for list in [PolicyEntry.List.firefoxHosts, .firefoxKeys] {
      guard let value = preference(list.rawValue, in: preferences, file) else { continue }
      guard let text = value as? String else {
        warn(file, prefix + list.rawValue, "expected a string, with commas between entries")
        continue
      }
      for entry in text.split(separator: ",") { try add(PolicyEntry(String(entry), in: list, file: file)) }
    }
  }

  private mutating func preference(_ name: String, in preferences: [String: Any], _ file: String) -> Any? {
    guard let value = preferences[name] else { return nil }
    guard let object = value as? [String: Any] else { return value }
    if object["Value"] == nil { warn(file, "policies.Preferences.\(name)", "expected a Value") }
    return object["Value"]
  }

  /// Reads an Apple configuration profile (`.mobileconfig`), XML or binary, or one payload of type
  /// `com.apple.security.certificatetransparency` on its own.
  ///
  /// The profile inside a signed one is read too; its signature is not checked, which is a warning.
  ///
  /// - Throws: ``PolicyFileError`` if it is no property list, too large, or signed in a way that can't be opened.
  public init(appleProfile bytes: [UInt8], file: String) throws(PolicyFileError) {
    try EnterprisePolicies.checkSize(bytes, file)
    var list = bytes
    if bytes.first == DERTag.sequence {
      guard let inner = SignedProfile.content(bytes) else {
        throw PolicyFileError(
          file, "",
          "a property list; a signed profile must be opened first: "
            + "openssl cms -verify -noverify -inform DER -in FILE -out PLAIN")
      }
      list = inner
      warn(file, "", "the profile is signed; its signature was not checked")
    }
    let profile = try ProfileReader.dictionary(list, file: file)
    let type = "com.apple.security.certificatetransparency"
    if profile["PayloadType"] as? String == type {
      try addPayload(profile, at: "", file: file)
      return
    }
    guard let payloads = profile["PayloadContent"] as? [Any] else {
      throw PolicyFileError(file, "PayloadContent", "an array of payloads")
    }
    for (index, item) in payloads.enumerated() {
      guard let payload = item as? [String: Any] else {
        warn(file, "PayloadContent[\(index)]", "expected a dictionary")
        continue
      }
      guard payload["PayloadType"] as? String == type else { continue }
      try addPayload(payload, at: "PayloadContent[\(index)].", file: file)
    }
  }

  private mutating func addPayload(
    _ payload: [String: Any], at path: String, file: String
  ) throws(PolicyFileError) {
    if let domains = payload["DisabledForDomains"] {
      try addStrings(domains, to: .appleDomains, key: path + "DisabledForDomains", file: file)
    }
    guard let certificates = payload["DisabledForCerts"] else { return }
    let key = path + "DisabledForCerts"
    guard let items = certificates as? [Any] else { return warn(file, key, "expected an array of dictionaries") }
    for (index, item) in items.enumerated() {
      guard let fields = item as? [String: Any] else {
        warn(file, "\(key)[\(index)]", "expected a dictionary of Algorithm and Hash")
        continue
      }
      guard fields["Algorithm"] as? String == "sha256" else {
        warn(file, "\(key)[\(index)].Algorithm", "expected sha256")
        continue
      }
      guard let hash = fields["Hash"] as? Data else {
        warn(file, "\(key)[\(index)].Hash", "expected data")
        continue
      }
      try add(PolicyEntry(hash.prefix(128).base64EncodedString(), in: .appleKeys, file: file))
    }
  }
}
