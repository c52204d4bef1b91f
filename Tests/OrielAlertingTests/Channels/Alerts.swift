import CertificateTransparency
import Foundation
import MerkleTree
import OrielAlerting
import OrielStore
import TestWorld

/// Alerts to send.
enum Alerts {
  static let time = Timestamp(milliseconds: 1_770_000_000_000)

  /// About a certificate that was issued for this test.
  static func certificate(
    _ names: [String] = ["www.shop.example", "shop.example"], matched: [String]? = nil, item: String = "shop.example",
    earlier: [CertificateAlert.Earlier] = [], organisation: String? = nil
  ) throws -> CertificateAlert {
    var request = CertificateRequest(names)
    request.issuerOrganisation = organisation
    let pair = try TestAuthority().issue(request)
    let facts = CertificateFacts(certificate: pair.certificate)
    return CertificateAlert(
      item: item, matchedNames: matched ?? names, issuance: pair.issuanceID, issuerKeyHash: pair.issuerKeyHash,
      facts: facts,
      certificates: [
        .init(entryType: "x509", sha256: SHA256Hash.hash(pair.certificate), der: pair.certificate),
        .init(entryType: "precert", sha256: SHA256Hash.hash(pair.precertificate), der: pair.precertificate),
      ],
      sightings: [.init(log: "Example Log 1", logID: LogID(SHA256Hash.hash([1])), index: 7, timestamp: time)],
      problems: [], earlier: earlier, earlierCount: earlier.count)
  }

  static func delivery(_ content: Alert.Content) -> Delivery {
    Delivery(id: "d-1", alert: Alert(id: "a1-b2", createdAt: time, content: content))
  }

  static let heartbeat = delivery(
    .heartbeat(HeartbeatAlert(logCount: 40, watchedCount: 3, since: time, certificateCount: 12)))

  static func logHealth(_ state: String) -> Alert.Content {
    .logHealth(
      LogHealthAlert(
        log: "Example Log 1", operatorName: "Example", state: state, since: time, reason: "a root that does not fit"))
  }

  /// What was made of a certificate, with all of it a stranger's words.
  static func verdict(
    _ level: CertificateVerdict.Level, isProven: Bool = false, words: String = "Some reason."
  ) -> CertificateVerdict {
    let steps = [
      CertificateVerdict.Step(
        title: "Report it", why: "Only the CA can revoke it. \(words)", addressee: "Some Trust \(words)",
        contacts: ["problems@trust.example", "https://trust.example/report"], notes: ["A note. \(words)"])
    ]
    return CertificateVerdict(
      level: level, isProven: isProven,
      reasons: [
        .init(code: "new-name", isFor: false, sentence: words),
        .init(code: "same-CA", isFor: true, sentence: "The same CA as before."),
      ], steps: level == .unexplained ? steps : [])
  }

  static func judged(_ level: CertificateVerdict.Level, isProven: Bool = false) throws -> CertificateAlert {
    var alert = try certificate()
    alert.verdict = verdict(level, isProven: isProven)
    return alert
  }

  static func lookalike(_ name: String = "sh0p.example", unicode: String? = nil, rating: Int = 85) throws
    -> LookalikeAlert
  {
    LookalikeAlert(
      certificate: try certificate([name], item: "shop.example"),
      lookalike: StoredLookalike(
        owner: 7, item: "shop.example", registrable: name, name: name, unicode: unicode, reason: "confusable",
        sentence: "\(name) has characters that pass for those of shop.example.", rating: rating))
  }

  static let caaChange = Alert.Content.caaChange(
    CAAChangeAlert(
      item: "shop.example", before: [], now: [#"0 issue "ca.example""#], seenAt: time))

  /// One of each kind.
  static func all() throws -> [Alert.Content] {
    let found = try certificate()
    return [
      .certificate(found), .digest([found, found]), .followUp(found, log: "Example Log 1", reason: "a wrong root"),
      logHealth("frozen"), .canary(CanaryAlert(name: "canary.shop.example", due: time, lastSeen: nil)),
      .sample(found), caaChange, .lookalike(try lookalike()),
      .summary([found], .daily, lookalikes: [try lookalike()]), .digest([], lookalikes: [try lookalike()]),
      .heartbeat(HeartbeatAlert(logCount: 40, watchedCount: 3, since: time, certificateCount: 12)),
    ]
  }
}

/// A JSON object, read back.
struct JSONObject {
  let fields: [String: Any]

  struct NotAnObject: Error {}

  init(_ bytes: [UInt8]) throws {
    guard let fields = try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any] else {
      throw NotAnObject()
    }
    self.fields = fields
  }

  private init(_ fields: [String: Any]) { self.fields = fields }

  subscript(_ key: String) -> JSONObject? { (fields[key] as? [String: Any]).map { JSONObject($0) } }
  func text(_ key: String) -> String? { fields[key] as? String }
  func number(_ key: String) -> Int? { fields[key] as? Int }
  func texts(_ key: String) -> [String]? { fields[key] as? [String] }
  func objects(_ key: String) -> [JSONObject]? { (fields[key] as? [[String: Any]])?.map { JSONObject($0) } }
}
