import CertificateTransparency
import Foundation
import MerkleTree

/// A certificate of an alert, with the field names of `docs/watch-json.md`.
struct CertificateJSON: Sendable, Encodable {
  /// How much is told.
  struct Extent: Sendable {
    let names: Int
    let others: Int
    /// The most bytes of a certificate that is sent along.
    let certificateSize: Int

    static let whole = Extent(names: 500, others: 50, certificateSize: 64 << 10)
    static let brief = Extent(names: 25, others: 5, certificateSize: 0)
  }

  struct Certificate: Sendable, Encodable {
    let entryType: String
    let sha256: String
    let pem: String?
  }

  struct Sighting: Sendable, Encodable {
    let logId: String
    let log: String
    let index: UInt64
    let timestamp: String
  }

  struct Earlier: Sendable, Encodable {
    let issuer: String
    let issuerKeySha256: String
    let notBefore: String?
    let firstSeen: String
  }

  struct Verdict: Sendable, Encodable {
    struct Reason: Sendable, Encodable {
      let code: String
      let speaks: String
      let sentence: String
    }

    struct Step: Sendable, Encodable {
      let title: String
      let why: String
      let addressee: String?
      let contacts: [String]
      let notes: [String]
    }

    let level: String
    let isProven: Bool
    let reasons: [Reason]
    let steps: [Step]

    init(_ verdict: CertificateVerdict, _ extent: Extent) {
      level = verdict.level.rawValue
      isProven = verdict.isProven
      reasons = verdict.reasons.prefix(extent.others).map {
        Reason(code: $0.code, speaks: $0.isFor ? "for" : "against", sentence: $0.sentence.bounded)
      }
      steps = verdict.steps.filter { $0.fits != .no }.prefix(extent.certificateSize > 0 ? extent.others : 0).map {
        step in
        Step(
          title: step.title.bounded, why: step.why.bounded, addressee: step.addressee?.bounded,
          contacts: step.contacts.prefix(extent.others).map(\.bounded),
          notes: step.notes.prefix(extent.others).map(\.bounded))
      }
    }
  }

  let item: String
  let matchedNames: [String]
  let alsoMatches: [String]
  let issuance: String
  let dnsNames: [String]
  let ipAddresses: [String]
  let emailAddresses: [String]
  let uris: [String]
  let commonNames: [String]
  let subject: String?
  let issuer: String?
  let issuerOrganisation: String?
  let issuerKeySha256: String
  let notBefore: String?
  let notAfter: String?
  let serial: String?
  let keyType: String?
  let spkiSha256: String?
  let certificates: [Certificate]
  let sightings: [Sighting]
  let problems: [String]
  let earlier: [Earlier]
  let earlierCount: Int
  let verdict: Verdict?
  /// How many elements each list has lost; absent where none has.
  let omitted: [String: Int]?

  init(_ alert: CertificateAlert, _ extent: Extent) {
    let facts = alert.facts
    var omitted: [String: Int] = [:]
    func part<Element>(_ list: [Element], _ key: String, _ limit: Int) -> ArraySlice<Element> {
      if list.count > limit { omitted[key] = list.count - limit }
      return list.prefix(limit)
    }
    func names(_ list: [String], _ key: String) -> [String] { part(list, key, extent.names).map(\.bounded) }
    func names(_ key: String, _ sources: FoundName.Source...) -> [String] {
      names(sources.flatMap { facts.text(of: $0) }.uniqued(), key)
    }
    item = alert.item.bounded
    matchedNames = names(alert.matchedNames, "matched_names")
    alsoMatches = names(alert.otherItems, "also_matches")
    if alert.otherItemCount > alsoMatches.count { omitted["also_matches"] = alert.otherItemCount - alsoMatches.count }
    issuance = alert.issuance.description
    dnsNames = names("dns_names", .dnsName)
    ipAddresses = names("ip_addresses", .ipAddress)
    emailAddresses = names("email_addresses", .email, .smtpUTF8Mailbox)
    uris = names("uris", .uri)
    commonNames = names("common_names", .commonName)
    subject = facts.subject?.description.bounded
    issuer = facts.issuer?.description.bounded
    issuerOrganisation = facts.issuer?.organisation?.bounded
    issuerKeySha256 = alert.issuerKeyHash.hex
    notBefore = facts.notBefore.map(CertificateJSON.time)
    notAfter = facts.notAfter.map(CertificateJSON.time)
    serial = facts.serialNumber?.bounded
    keyType = facts.keyType?.description.bounded
    spkiSha256 = facts.publicKeyHash?.hex
    certificates = part(alert.certificates, "certificates", extent.others).map { certificate in
      let pem = certificate.der.count <= extent.certificateSize ? certificate.pem : nil
      return Certificate(entryType: certificate.entryType, sha256: certificate.sha256.hex, pem: pem)
    }
    sightings = part(alert.sightings, "sightings", extent.others).map {
      Sighting(
        logId: $0.logID.base64, log: $0.log.bounded, index: $0.index, timestamp: $0.timestamp.description)
    }
    problems = part(alert.problems, "problems", extent.others).map(\.bounded)
    earlier = part(alert.earlier, "earlier", extent.others).map {
      Earlier(
        issuer: $0.issuer.bounded, issuerKeySha256: $0.issuerKeyHash.hex,
        notBefore: $0.notBefore.map(CertificateJSON.time), firstSeen: $0.firstSeen.description)
    }
    earlierCount = alert.earlierCount
    verdict = alert.verdict.map { Verdict($0, extent) }
    self.omitted = omitted.isEmpty ? nil : omitted
  }

  /// RFC 3339; certificates may also be older than 1970.
  static func time(_ seconds: Int64) -> String {
    CertificateTime.text(seconds)
  }
}

extension CertificateAlert.Certificate {
  /// Whether the whole certificate is here, and not the TBSCertificate of a leaf alone.
  var isWhole: Bool {
    let bytes = der.span
    guard let fields = CertificateFields(certificate: 0..<bytes.count, in: bytes) else { return false }
    return fields.isComplete
  }

  /// RFC 7468; nil for what is no certificate.
  var pem: String? { isWhole ? PEM.encode(der) : nil }
}
