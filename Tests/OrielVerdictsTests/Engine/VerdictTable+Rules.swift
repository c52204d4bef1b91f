import CertificateTransparency
import MerkleTree
import OrielVerdicts

/// What the owner allows, announces and has yet to confirm.
extension VerdictCase {
  static let rules: [VerdictCase] = [
    VerdictCase("on the owner's list", .expected, ["CA-allowed", "same-CA"]) { $0.allowed = ["Alpha Trust"] },
    VerdictCase("not on the owner's list", .unexplained, ["CA-not-allowed", "same-CA"]) {
      $0.allowed = ["Beta Certificates"]
    },
    VerdictCase("allowed by confirmed CAA", .expected, ["caa-allows", "same-CA"]) {
      $0.confirmCAA([.issue("alpha.example")])
    },
    VerdictCase("forbidden by confirmed CAA", .unexplained, ["caa-forbids", "same-CA"]) {
      $0.confirmCAA([.issue("beta.example")])
    },
    VerdictCase("nobody may issue", .unexplained, ["caa-forbids"]) { $0.confirmCAA([.issue(";")]) },
    VerdictCase("CAA without a word on issuing", .expected, ["same-names"], not: ["caa-allows"]) {
      $0.confirmCAA([CAARecord(tag: "iodef", value: "mailto:a@example.com")])
    },
    VerdictCase("on the list although CAA forbids it", .expected, ["CA-allowed", "caa-forbids"]) {
      $0.allowed = ["Alpha Trust"]
      $0.confirmCAA([.issue("beta.example")])
    },
    VerdictCase("not on the list, but allowed by CAA", .expected, ["caa-allows"], not: ["CA-not-allowed"]) {
      $0.allowed = ["Beta Certificates"]
      $0.confirmCAA([.issue("alpha.example")])
    },
    VerdictCase("allowed by confirmed CAA, not by that of today", .expected, ["caa-allows", "caa-changed"]) {
      $0.confirmCAA([.issue("alpha.example")])
      $0.caa.seen = CAAPolicy([.issue("beta.example")])
    },
    VerdictCase("allowed by the CAA of today alone", .unexplained, ["caa-forbids", "caa-unconfirmed"]) {
      $0.confirmCAA([.issue("beta.example")])
      $0.caa.seen = CAAPolicy([.issue("alpha.example")])
    },
    VerdictCase("CAA that was seen but never confirmed allows nothing", .unexplained, ["other-CA"]) {
      $0.issue(by: Situation.beta)
      $0.caa.seen = CAAPolicy([.issue("beta.example")])
    },
    VerdictCase("CAA that was seen but never confirmed forbids nothing", .expected, ["same-names"]) {
      $0.caa.seen = CAAPolicy([.issue("beta.example")])
    },
    VerdictCase("issuewild forbids the wildcard", .unexplained, ["caa-forbids"]) {
      $0.accepted = [Situation.accepted(["*.example.com"], from: 120)]
      $0.issue(["*.example.com"])
      $0.confirmCAA([.issue("alpha.example"), .wild(";")])
    },
    VerdictCase("allowed by CAA and history, but a new name", .unexplained, ["new-name", "caa-allows"]) {
      $0.issue(["new.example.com"])
      $0.confirmCAA([.issue("alpha.example")])
    },
    VerdictCase("allowed, but not continuing anything", .unexplained, ["already-renewed", "new-key", "CA-allowed"]) {
      $0.allowed = ["Alpha Trust"]
      $0.issue(on: 130)
    },
    VerdictCase("a told key, but the CA is not allowed", .unexplained, ["CA-not-allowed", "same-key-renewal"]) {
      $0.allowed = ["Beta Certificates"]
      $0.issuance.publicKey = Situation.hash("key of day 120")
    },
  ]

  static let announcements: [VerdictCase] = [
    VerdictCase(
      "the first certificate of an announced CA", .expected, ["caa-allows", "CA-change-announced", "new-key"],
      not: ["other-CA"]
    ) {
      $0.issue(by: Situation.beta)
      $0.confirmCAA([.issue("beta.example")], on: 170)
    },
    VerdictCase("an announced CA need not wait for a renewal", .expected, ["caa-allows", "CA-change-announced"]) {
      $0.issue(by: Situation.beta)
      $0.issue(on: 131)
      $0.confirmCAA([.issue("alpha.example"), .issue("beta.example")], on: 130)
    },
    VerdictCase("with a told key, the change is proven", .expected, proven: true, ["same-key-renewal", "caa-allows"]) {
      $0.issue(by: Situation.beta)
      $0.issuance.publicKey = Situation.hash("key of day 120")
      $0.confirmCAA([.issue("beta.example")], on: 170)
    },
    VerdictCase("an announced CA for a new name", .unexplained, ["new-name", "other-CA"]) {
      $0.issue(by: Situation.beta)
      $0.issue(["new.example.com"])
      $0.confirmCAA([.issue("beta.example")], on: 170)
    },
    VerdictCase("an announced CA a second time at once", .unexplained, ["unusual-time", "new-key"]) {
      $0.accepted.append(Situation.accepted(from: 175, owner: Situation.beta, issuer: nil, isTold: false))
      $0.issue(by: Situation.beta)
      $0.confirmCAA([.issue("beta.example")], on: 170)
    },
    VerdictCase("an announced CA for the second host", .expected, ["caa-allows", "CA-change-announced"]) {
      $0.accepted.append(Situation.accepted(from: 121))
      $0.accepted.append(Situation.accepted(from: 175, owner: Situation.beta, issuer: nil, isTold: false))
      $0.issue(by: Situation.beta)
      $0.confirmCAA([.issue("beta.example")], on: 170)
    },
    VerdictCase("the announced CA's next renewal", .expected, ["caa-allows", "same-names", "usual-rhythm"]) {
      $0.accepted.append(Situation.accepted(from: 180, owner: Situation.beta, issuer: nil, isTold: false))
      $0.issue(by: Situation.beta)
      $0.issue(on: 240)
      $0.confirmCAA([.issue("beta.example")], on: 170)
    },
    VerdictCase("long after the announcement", .unexplained, ["other-CA"]) {
      $0.accepted += [180, 240, 300].map { Situation.accepted(from: $0) }
      $0.issue(by: Situation.beta)
      $0.issue(on: 360)
      $0.confirmCAA([.issue("alpha.example"), .issue("beta.example")], on: 170)
    },
    VerdictCase("confirmed since nobody knows when", .unexplained, ["other-CA"]) {
      $0.issue(by: Situation.beta)
      $0.confirmCAA([.issue("beta.example")])
    },
    VerdictCase("a CA that the records named before as well", .unexplained, ["other-CA", "caa-allows"]) {
      $0.issue(by: Situation.beta)
      $0.confirmCAA([.issue("beta.example")], on: 170, after: [.issue("alpha.example"), .issue("beta.example")])
    },
    VerdictCase("announced by the first records there are", .expected, ["caa-allows", "CA-change-announced"]) {
      $0.issue(by: Situation.beta)
      $0.confirmCAA([.issue("beta.example")], on: 170, after: [])
    },
    VerdictCase("the old CA after the change", .unexplained, ["caa-forbids"]) {
      $0.confirmCAA([.issue("beta.example")], on: 170)
    },
    VerdictCase("CAA that names nobody announces nobody", .unexplained, ["other-CA"]) {
      $0.issue(by: Situation.beta)
      $0.confirmCAA([], on: 170)
    },
  ]

  static let firstDays: [VerdictCase] = [
    VerdictCase("before any baseline", .noHistory, ["no-baseline"], not: ["new-name", "other-CA"]) {
      ($0.hasBaseline, $0.accepted) = (false, [])
    },
    VerdictCase("before a baseline is confirmed, though some are told", .noHistory, ["no-baseline"]) {
      $0.hasBaseline = false
    },
    VerdictCase("a new name before the baseline", .noHistory, ["new-name", "no-baseline"]) {
      $0.hasBaseline = false
      $0.issue(["new.example.com"])
    },
    VerdictCase("unreadable before the baseline", .unexplained, ["unreadable"]) {
      ($0.hasBaseline, $0.accepted) = (false, [])
      $0.issuance.isReadable = false
    },
    VerdictCase("an unknown issuer before the baseline", .noHistory, ["no-baseline"]) {
      ($0.hasBaseline, $0.accepted) = (false, [])
      $0.issue(by: nil)
    },
    VerdictCase("not on the list before the baseline", .unexplained, ["CA-not-allowed"]) {
      ($0.hasBaseline, $0.accepted) = (false, [])
      $0.allowed = ["Beta Certificates"]
    },
    VerdictCase("forbidden by CAA before the baseline", .unexplained, ["caa-forbids"]) {
      ($0.hasBaseline, $0.accepted) = (false, [])
      $0.confirmCAA([.issue("beta.example")])
    },
  ]

  /// What can be said when CCADB can't be asked, or does not know the issuer.
  static let withoutOwners: [VerdictCase] = [
    VerdictCase("the same issuing key as before", .expected, ["same-names", "same-CA"]) {
      $0.issuance.owner = nil
      $0.accepted = [60, 120].map { Situation.accepted(from: $0, owner: nil) }
    },
    VerdictCase("another issuing key than before", .unexplained, ["unknown-issuer"]) {
      $0.issue(by: nil, key: "alpha issuing key 2")
      $0.accepted = [60, 120].map { Situation.accepted(from: $0, owner: nil) }
    },
    VerdictCase("the owner known from an earlier certificate", .expected, ["CA-allowed", "same-CA"]) {
      $0.issuance.owner = nil
      $0.allowed = ["Alpha Trust"]
    },
    VerdictCase("a rule that can't be checked", .unexplained, ["CA-unresolved"], not: ["caa-forbids"]) {
      $0.issuance.owner = nil
      $0.confirmCAA([.issue("alpha.example")])
    },
    VerdictCase("a rule that can't be checked before the baseline", .noHistory, ["CA-unresolved", "no-baseline"]) {
      ($0.hasBaseline, $0.accepted) = (false, [])
      $0.issuance.owner = nil
      $0.confirmCAA([.issue("alpha.example")])
    },
    VerdictCase("the owner found out later", .expected, ["same-names", "same-CA"]) {
      $0.accepted = [60, 120].map { Situation.accepted(from: $0, owner: nil) }
    },
    VerdictCase("a history of which the CA is not known", .unexplained, ["other-CA", "other-CA-for-names"]) {
      $0.accepted = [60, 120].map { Situation.accepted(from: $0, owner: nil, issuer: nil) }
    },
    VerdictCase("zero stands for an issuer that is not known", .unexplained, ["unknown-issuer"]) {
      $0.issuance = JudgedIssuance(
        id: $0.issuance.id, names: Situation.names, matchedNames: Situation.names, issuerKeyHash: .zero,
        issuerName: nil, owner: nil, publicKey: nil, notBefore: nil, notAfter: nil, firstSeen: 0)
      $0.accepted = [Situation.accepted(from: 120, owner: nil, issuer: .zero)]
    },
  ]
}
