import Foundation
public import MerkleTree

/// The policies that would exempt a certificate or what a CA issues, ready to be deployed.
public struct PolicySuggestion: Hashable, Sendable {
  /// Which of the three conditions of `…DisabledForCas` a listed key would meet for this chain.
  public enum Condition: Hashable, Sendable {
    /// The first: it is the key of the certificate itself.
    case leaf
    /// The second: a CA whose name constraints permit named organisations only.
    case constrainedAuthority
    /// The third: a CA that names the same organisation as the certificate.
    case sameOrganisation
    /// None, for this reason: listing the key changes nothing in Chrome. (Firefox asks for no more than the key.)
    case none(String)
    /// Only the hash is known, not its certificate.
    case unknown
  }

  /// One key that could be listed.
  public struct Key: Hashable, Sendable {
    public let hash: SHA256Hash
    /// The subject whose key it is; nil if only the hash is known.
    public let subject: String?
    public let condition: Condition

    /// `sha256/…`
    public var pin: String { KeyPin.text(hash) }
  }

  /// Every key of the chain, that of the leaf first.
  public let keys: [Key]

  /// The keys that would have an effect in Chrome, by preference that of the leaf alone: it exempts the least.
  public var recommended: [Key] {
    let useful = keys.filter { key in
      if case .none = key.condition { false } else { true }
    }
    return Array(useful.prefix(1))
  }

  /// For a chain: each of its keys, and what listing it would do.
  public init(_ chain: VerifiedChain) {
    let rule = OrganisationRule(platform: .chrome, leaf: chain.leaf)
    keys = chain.certificates.enumerated().compactMap { index, certificate in
      guard let hash = certificate.publicKeyHash else { return nil }
      let condition: Condition =
        switch index == 0 ? .leafKey : rule.exemption(below: certificate) {
        case .leafKey: .leaf
        case .constrainedAuthority: .constrainedAuthority
        case .some: .sameOrganisation
        case nil: .none(rule.miss(below: certificate).1)
        }
      return Key(hash: hash, subject: certificate.subject, condition: condition)
    }
  }

  /// For a pin: `sha256/…`, bare Base64, or `pin-sha256="…"` as in an HPKP header; nil if it is none.
  public init?(pin: String) {
    guard let hash = KeyPin.hash(pin) else { return nil }
    keys = [Key(hash: hash, subject: nil, condition: .unknown)]
  }

  /// Chrome's managed policy, as JSON.
  public func chromePolicy(_ keys: [Key]? = nil) -> String {
    json([PolicyEntry.List.chromeCAs.rawValue: (keys ?? recommended).map(\.pin)])
  }

  /// Firefox's `policies.json`.
  public func firefoxPolicy(_ keys: [Key]? = nil) -> String {
    let hashes = (keys ?? recommended).map { KeyPin.base64($0.hash) }.joined(separator: ",")
    let preference = ["Value": hashes, "Status": "locked"]
    return json(["policies": ["Preferences": [PolicyEntry.List.firefoxKeys.rawValue: preference]]])
  }

  /// Apple's payload inside a configuration profile, as an XML property list.
  ///
  /// - Parameter organisation: what its identifiers begin with, in reverse DNS order.
  public func appleProfile(_ keys: [Key]? = nil, organisation: String = "com.example") -> String {
    let hashes = (keys ?? recommended).map { Data($0.hash.bytes) }
    let type = "com.apple.security.certificatetransparency"
    let payload: [String: Any] = [
      "DisabledForCerts": hashes.map { ["Algorithm": "sha256", "Hash": $0] as [String: Any] },
      "PayloadType": type, "PayloadVersion": 1, "PayloadIdentifier": "\(organisation).ct.payload",
      "PayloadUUID": identifier(hashes, "payload"),
    ]
    let profile: [String: Any] = [
      "PayloadContent": [payload], "PayloadType": "Configuration", "PayloadVersion": 1,
      "PayloadDisplayName": "Certificate Transparency exemptions", "PayloadIdentifier": "\(organisation).ct",
      "PayloadUUID": identifier(hashes, "profile"),
    ]
    let data = try? PropertyListSerialization.data(fromPropertyList: profile, format: .xml, options: 0)
    return String(decoding: data ?? Data(), as: UTF8.self)
  }

  /// A UUID that is the same for the same keys, so that a profile made again replaces the one before.
  private func identifier(_ hashes: [Data], _ label: String) -> String {
    let hex = SHA256Hash.hash(Array(hashes.joined()) + Array(label.utf8)).hex.uppercased()
    let digits = Array(hex.prefix(12) + "8" + hex.dropFirst(13).prefix(3) + "8" + hex.dropFirst(17).prefix(15))
    return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(digits[$0]) }.joined(separator: "-")
  }

  private func json(_ object: [String: Any]) -> String {
    let data = try? JSONSerialization.data(
      withJSONObject: object, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
    return String(decoding: data ?? Data(), as: UTF8.self)
  }
}
