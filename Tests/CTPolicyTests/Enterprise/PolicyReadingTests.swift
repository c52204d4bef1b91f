import CTPolicy
import Foundation
import MerkleTree
import TestWorld
import Testing

@Suite struct PolicyReadingTests {
  static let hash = SHA256Hash.hash(Array("key".utf8))
  static var pin: String { KeyPin.text(hash) }
  static var base64: String { String(pin.dropFirst(7)) }

  static let chrome = """
    { "HomepageLocation": "https://intranet.example", "ShowHomeButton": true,
      "CertificateTransparencyEnforcementDisabledForUrls": ["shop.example", ".exact.example", 5],
      "CertificateTransparencyEnforcementDisabledForCas": ["\(pin)", "sha1/AAAA"],
      "CertificateTransparencyEnforcementDisabledForLegacyCas": ["\(pin)"] }
    """
  static let firefox = """
    { "policies": { "DisableTelemetry": true, "Preferences": {
      "browser.startup.page": { "Value": 1 },
      "security.pki.certificate_transparency.mode": { "Value": 1, "Status": "locked" },
      "security.pki.certificate_transparency.disable_for_hosts": "shop.example,.exact.example",
      "security.pki.certificate_transparency.disable_for_spki_hashes": { "Value": "\(base64), \(base64)" } } } }
    """

  static func profile(_ payload: [String: Any], format: PropertyListSerialization.PropertyListFormat) throws -> [UInt8]
  {
    let payload = payload.merging(["PayloadType": "com.apple.security.certificatetransparency"]) { $1 }
    let other: [String: Any] = ["PayloadType": "com.apple.wifi.managed", "DisabledForDomains": ["wifi.example"]]
    let list: [String: Any] = ["PayloadType": "Configuration", "PayloadContent": [other, payload]]
    return [UInt8](try PropertyListSerialization.data(fromPropertyList: list, format: format, options: 0))
  }

  static var apple: [String: Any] {
    [
      "DisabledForDomains": ["shop.example", ".all.example"],
      "DisabledForCerts": [["Algorithm": "sha256", "Hash": Data(hash.bytes)] as [String: Any]],
    ]
  }

  static func summary(_ policies: EnterprisePolicies) -> [String] {
    policies.entries.map { "\($0.list) \($0.text)" }
  }

  @Test("Chrome's managed policies are read, with what is wrong in them as warnings")
  func readChrome() throws {
    let policies = try EnterprisePolicies(chromeJSON: Array(Self.chrome.utf8), file: "managed.json")
    #expect(
      Self.summary(policies) == [
        "chromeURLs shop.example", "chromeURLs .exact.example", "chromeCAs \(Self.pin)", "chromeCAs sha1/AAAA",
        "chromeLegacyCAs \(Self.pin)",
      ])
    let warnings = policies.warnings.map(\.description)
    #expect(warnings.count == 3)
    #expect(warnings[0] == "managed.json, CertificateTransparencyEnforcementDisabledForUrls[2]: expected a string")
    #expect(warnings[1].contains("`sha1/AAAA` is ignored"))
    #expect(warnings[2].contains("obsolete"))
    #expect(try EnterprisePolicies(Array(Self.chrome.utf8), file: "managed.json") == policies)
  }

  @Test("Firefox's policies.json is read, preferences plain or as an object")
  func readFirefox() throws {
    let policies = try EnterprisePolicies(firefoxJSON: Array(Self.firefox.utf8), file: "policies.json")
    #expect(policies.firefoxMode == 1)
    #expect(
      Self.summary(policies) == [
        "firefoxHosts shop.example", "firefoxHosts .exact.example", "firefoxKeys \(Self.base64)",
        "firefoxKeys  \(Self.base64)",
      ])
    #expect(policies.entries[2].meaning == .key(Self.hash))
    #expect(policies.warnings.map(\.key) == ["security.pki.certificate_transparency.disable_for_spki_hashes"])
    #expect(try EnterprisePolicies(Array(Self.firefox.utf8), file: "policies.json") == policies)
  }

  @Test(
    "an Apple profile is read, XML and binary; payloads of other types are passed over",
    arguments: [PropertyListSerialization.PropertyListFormat.xml, .binary])
  func readApple(format: PropertyListSerialization.PropertyListFormat) throws {
    let policies = try EnterprisePolicies(try Self.profile(Self.apple, format: format), file: "ct.mobileconfig")
    #expect(
      Self.summary(policies) == [
        "appleDomains shop.example", "appleDomains .all.example", "appleKeys \(Self.base64)",
      ])
    #expect(policies.entries[2].meaning == .key(Self.hash))
    #expect(policies.warnings.isEmpty)
  }

  @Test("a payload on its own is read as well")
  func readPayload() throws {
    let payload = Self.apple.merging(["PayloadType": "com.apple.security.certificatetransparency"]) { $1 }
    let bytes = [UInt8](try PropertyListSerialization.data(fromPropertyList: payload, format: .xml, options: 0))
    #expect(try EnterprisePolicies(bytes, file: "payload.plist").entries.count == 3)
  }

  @Test("a signed profile is opened where it can be, and refused with what to do where it can't")
  func signed() throws {
    let profile = try Self.profile(Self.apple, format: .xml)
    func wrapped(_ content: (inout DERWriter) -> Void) -> [UInt8] {
      DERWriter.build { der in
        der.sequence { info in
          info.identifier("1.2.840.113549.1.7.2")
          info.context(0) { outer in
            outer.sequence { data in
              data.integer([1])
              data.set { _ in }
              data.sequence { inner in
                inner.identifier("1.2.840.113549.1.7.1")
                content(&inner)
              }
              data.set { _ in }
            }
          }
        }
      }
    }
    let policies = try EnterprisePolicies(wrapped { $0.context(0) { $0.octetString(profile) } }, file: "signed")
    #expect(policies.entries.count == 3)
    #expect(policies.warnings.map(\.reason) == ["the profile is signed; its signature was not checked"])
    for broken in [
      wrapped { _ in }, wrapped { $0.context(0) { $0.nested(0x24) { $0.octetString(profile) } } }, [0x30, 0],
    ] {
      let error = #expect(throws: PolicyFileError.self) { try EnterprisePolicies(broken, file: "signed.mobileconfig") }
      #expect(error?.description.contains("openssl cms -verify") == true)
      #expect(error?.file == "signed.mobileconfig")
    }
  }

  struct Fault: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// The key of the error, or of the only warning.
    let key: String
    let isError: Bool

    init(_ text: String, _ key: String, isError: Bool = false) {
      testDescription = text
      self.key = key
      self.isError = isError
    }
  }

  static let prefix = "CertificateTransparencyEnforcementDisabledFor"
  static let faults = [
    Fault("", "", isError: true),
    Fault("[]", "", isError: true),
    Fault("{", "", isError: true),
    Fault("not a policy", "", isError: true),
    Fault("{\"policies\": []}", "policies", isError: true),
    Fault("<?xml version=\"1.0\"?><plist version=\"1.0\"><array/></plist>", "", isError: true),
    Fault("<?xml version=\"1.0\"?><plist version=\"1.0\"><dict/></plist>", "PayloadContent", isError: true),
    Fault("( old, style )", "", isError: true),
    Fault("bplist00", "", isError: true),
    Fault("{\"\(prefix)Urls\": \"shop.example\"}", "\(prefix)Urls"),
    Fault("{\"\(prefix)Cas\": {\"a\": 1}}", "\(prefix)Cas"),
    Fault("{\"\(prefix)Urls\": [null]}", "\(prefix)Urls[0]"),
    Fault("{\"\(prefix)Urls\": [\"*\"]}", "\(prefix)Urls"),
    Fault("{\"\(prefix)Urls\": [\"https:///\"]}", "\(prefix)Urls"),
    Fault("{\"policies\": {\"Preferences\": 1}}", "policies.Preferences"),
    Fault(
      "{\"policies\": {\"Preferences\": {\"security.pki.certificate_transparency.mode\": true}}}",
      "policies.Preferences.security.pki.certificate_transparency.mode"),
    Fault(
      "{\"policies\": {\"Preferences\": {\"security.pki.certificate_transparency.mode\": {\"Value\": 3}}}}",
      "policies.Preferences.security.pki.certificate_transparency.mode"),
    Fault(
      "{\"policies\": {\"Preferences\": {\"security.pki.certificate_transparency.mode\": {\"Status\": \"locked\"}}}}",
      "policies.Preferences.security.pki.certificate_transparency.mode"),
    Fault(
      "{\"policies\": {\"Preferences\": {\"security.pki.certificate_transparency.disable_for_hosts\": [\"a.b\"]}}}",
      "policies.Preferences.security.pki.certificate_transparency.disable_for_hosts"),
  ]

  @Test("a fault is told with its file and key, an error only where the file is of no use", arguments: faults)
  func faulty(fault: Fault) throws {
    let bytes = Array(fault.testDescription.utf8)
    if fault.isError {
      let error = #expect(throws: PolicyFileError.self) { try EnterprisePolicies(bytes, file: "the file") }
      #expect(error?.key == fault.key)
      #expect(error?.description.hasPrefix("the file") == true && error?.expected.isEmpty == false)
    } else {
      let policies = try EnterprisePolicies(bytes, file: "the file")
      #expect(policies.warnings.map(\.key) == [fault.key])
      #expect(policies.firefoxMode == nil)
      let chain = try chain(Draft(), .root)
      for platform in PolicyPlatform.allCases {
        #expect(policies.exemption(on: platform, host: "shop.example", chain: chain).exemption == nil)
      }
    }
  }

  @Test("faults of a payload are warnings", arguments: ["DisabledForDomains", "DisabledForCerts", "Algorithm", "Hash"])
  func faultyPayload(key: String) throws {
    var payload = Self.apple
    switch key {
    case "Algorithm":
      payload["DisabledForCerts"] = [["Algorithm": "sha1", "Hash": Data(Self.hash.bytes)] as [String: Any]]
    case "Hash": payload["DisabledForCerts"] = [["Algorithm": "sha256", "Hash": Self.base64]]
    default: payload[key] = "text"
    }
    let policies = try EnterprisePolicies(try Self.profile(payload, format: .xml), file: "f")
    #expect(policies.warnings.count == 1)
    #expect(policies.warnings[0].key.hasPrefix("PayloadContent[1].") && policies.warnings[0].key.contains(key))
    #expect(!policies.entries.isEmpty)
  }

  @Test("files merge in their order, up to a bound")
  func merging() throws {
    var policies = try EnterprisePolicies(Array(Self.chrome.utf8), file: "a")
    try policies.merge(try EnterprisePolicies(Array(Self.firefox.utf8), file: "b"))
    #expect(policies.entries.count == 9 && policies.firefoxMode == 1 && policies.warnings.count == 4)
    let many =
      "{\"\(Self.prefix)Urls\": [" + [String](repeating: "\"a.example\"", count: 65_537).joined(separator: ",") + "]}"
    #expect(throws: PolicyFileError.self) { try EnterprisePolicies(Array(many.utf8), file: "many") }
  }
}
