import CertificateTransparency
import Foundation
import MerkleTree
import OrielVerdicts

/// What a verdict costs, by the number of names, for a domain with a history of a year.
struct VerdictBenchmark {
  private static let day: Int64 = 86_400
  private static let start: Int64 = 1_800_000_000

  func run() {
    print("verdict, µs of processor:")
    for count in [1, 10, 100] {
      for (what, judged, knowledge) in VerdictBenchmark.cases(count) {
        let rounds = 20_000 / count
        var level = Verdict.Level.known
        let seconds = best {
          for _ in 0..<rounds { level = VerdictEngine.judge(judged, by: knowledge).level }
        }
        print("  \(count) names, \(what): \(text(seconds * 1e6 / Double(rounds), 1)) (\(level.rawValue))")
      }
    }
  }

  /// A renewal that continues, one whose key was told of, and one by another CA.
  private static func cases(_ count: Int) -> [(String, JudgedIssuance, DomainKnowledge)] {
    let names = (0..<count).map { "host\($0).department\($0 % 7).shop.example" }
    let (issuer, key) = (hash("issuer"), hash("key"))
    var accepted: [AcceptedIssuance] = []
    for renewal in 0..<6 {
      let from = start + Int64(renewal) * 60 * day
      accepted.append(
        AcceptedIssuance(
          names: names, issuerKeyHash: issuer, owner: "Honest Trust", publicKey: hash("key \(renewal)"),
          notBefore: from, notAfter: from + 90 * day, isTold: false))
    }
    for host in 0..<1000 {
      let from = start + Int64(host % 300) * day
      accepted.append(
        AcceptedIssuance(
          names: ["host\(host).other.shop.example"], issuerKeyHash: issuer, owner: "Honest Trust",
          publicKey: hash("key of \(host)"), notBefore: from, notAfter: from + 90 * day, isTold: true))
    }
    let caa = CAAKnowledge(
      confirmed: CAAPolicy([CAARecord(flags: 0, tag: "issue", value: "honest.example")]), previous: nil,
      confirmedAt: nil, seen: CAAPolicy([CAARecord(flags: 0, tag: "issue", value: "honest.example")]))
    let knowledge = { (inventory: KnownInventory) in
      DomainKnowledge(
        item: "shop.example", inventory: inventory, allowedOwners: ["Honest Trust"], caa: caa, hasBaseline: true,
        accepted: accepted)
    }
    let told = KnownInventory([
      InventoryEntry(kind: .key, hash: key, names: names, notAfter: nil, source: "certbot")
    ])
    let from = start + 6 * 60 * day
    let judged = { (owner: String) in
      JudgedIssuance(
        id: IssuanceID(hash("issuance")), names: names, matchedNames: names, issuerKeyHash: hash(owner),
        issuerName: "CN=R1", owner: CAOwner(owner, caaDomains: owner == "Honest Trust" ? ["honest.example"] : []),
        publicKey: key, notBefore: from, notAfter: from + 90 * day, firstSeen: from)
    }
    return [
      ("renewed", judged("Honest Trust"), knowledge(KnownInventory())),
      ("told", judged("Honest Trust"), knowledge(told)),
      ("other CA", judged("Bargain Certificates"), knowledge(KnownInventory())),
    ]
  }

  private static func hash(_ text: String) -> SHA256Hash { SHA256Hash.hash(Array(text.utf8)) }
}
