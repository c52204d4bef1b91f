import CertificateTransparency
import MerkleTree
import OrielVerdicts

/// A domain with three certificates in a row, and the renewal that comes next; tests change what they are about.
struct Situation {
  static let day: Int64 = 86_400
  static let start: Int64 = 1_780_272_000
  static let names = ["example.com", "www.example.com"]
  static let alpha = CAOwner("Alpha Trust", caaDomains: ["alpha.example"])
  static let beta = CAOwner("Beta Certificates", caaDomains: ["beta.example"])
  static let alphaKey = hash("alpha issuing key")

  static func hash(_ text: String) -> SHA256Hash { SHA256Hash.hash(Array(text.utf8)) }
  static func time(_ days: Int64) -> Int64 { start + days * day }

  var issuance = JudgedIssuance(
    id: IssuanceID(hash("id")), names: names, matchedNames: names, issuerKeyHash: alphaKey,
    issuerName: "CN=Issuing 1,O=Alpha Trust", owner: alpha, publicKey: hash("new key"), notBefore: time(180),
    notAfter: time(270), firstSeen: time(180) + 60)
  var inventory = KnownInventory()
  var allowed: Set<String> = []
  var caa = CAAKnowledge()
  var hasBaseline = true
  var accepted: [AcceptedIssuance] = [0, 60, 120].map { accepted(from: $0) }
  var answers = OwnerAnswers()

  static func accepted(
    _ names: [String] = names, from day: Int64, days: Int64 = 90, owner: CAOwner? = alpha,
    issuer: SHA256Hash? = alphaKey, key: String? = nil, isTold: Bool = true
  ) -> AcceptedIssuance {
    AcceptedIssuance(
      names: names, issuerKeyHash: issuer, owner: owner?.name, publicKey: hash(key ?? "key of day \(day)"),
      notBefore: time(day), notAfter: time(day + days), isTold: isTold)
  }

  mutating func issue(_ names: [String]) { (issuance.names, issuance.matchedNames) = (names, names) }

  mutating func issue(on day: Int64, for days: Int64 = 90) {
    issuance.notBefore = Situation.time(day)
    issuance.notAfter = Situation.time(day + days)
    issuance.firstSeen = Situation.time(day) + 60
  }

  /// The issuance comes from another CA.
  mutating func issue(by owner: CAOwner?, key: String = "beta issuing key") {
    issuance.owner = owner
    issuance.issuerKeyHash = Situation.hash(key)
  }

  mutating func tell(certificate id: IssuanceID) {
    inventory.add(InventoryEntry(kind: .certificate, hash: id.hash, names: [], notAfter: nil, source: "certbot: a.pem"))
  }

  mutating func tell(key: SHA256Hash?, names: [String] = names) {
    inventory.add(
      InventoryEntry(kind: .key, hash: key ?? .zero, names: names, notAfter: nil, source: "certbot: a.pem"))
  }

  /// Confirms CAA records, as a change on some day where one is given.
  mutating func confirmCAA(
    _ records: [CAARecord], on day: Int64? = nil, after previous: [CAARecord] = [.issue("alpha.example")]
  ) {
    caa.confirmed = CAAPolicy(records)
    caa.previous = day.map { _ in CAAPolicy(previous) }
    caa.confirmedAt = day.map(Situation.time)
  }

  var knowledge: DomainKnowledge {
    DomainKnowledge(
      item: "example.com", inventory: inventory, allowedOwners: allowed, caa: caa, hasBaseline: hasBaseline,
      accepted: accepted, answers: answers)
  }

  var verdict: Verdict { VerdictEngine.judge(issuance, by: knowledge) }
}

extension CAARecord {
  static func issue(_ value: String) -> CAARecord { CAARecord(tag: "issue", value: value) }
  static func wild(_ value: String) -> CAARecord { CAARecord(tag: "issuewild", value: value) }
}
