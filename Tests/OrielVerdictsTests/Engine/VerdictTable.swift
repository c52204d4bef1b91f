import CertificateTransparency
import MerkleTree
import OrielVerdicts
import Testing

/// A row of the table of cases: what is so, and what follows.
struct VerdictCase: Sendable, CustomTestStringConvertible {
  let what: String
  let level: Verdict.Level
  let isProven: Bool
  /// The codes that must be among the reasons, the first of them as the first reason.
  let codes: [String]
  /// Codes that must not be there.
  let absent: [String]
  let arrange: @Sendable (inout Situation) -> Void

  init(
    _ what: String, _ level: Verdict.Level, proven: Bool = false, _ codes: [String], not absent: [String] = [],
    _ arrange: @escaping @Sendable (inout Situation) -> Void = { _ in }
  ) {
    (self.what, self.level, isProven, self.codes, self.absent) = (what, level, proven, codes, absent)
    self.arrange = arrange
  }

  var testDescription: String { what }

  static let all =
    told + denied + given + continuity + timing + unexplained + rules + announcements + firstDays
    + withoutOwners

  static let told: [VerdictCase] = [
    VerdictCase("a certificate of the inventory", .known, proven: true, ["told-certificate", "same-CA"]) {
      $0.tell(certificate: $0.issuance.id)
    },
    VerdictCase(
      "a certificate of the inventory, although all else is odd", .known, proven: true,
      ["told-certificate", "other-CA", "new-name", "unreadable"]
    ) {
      $0.issue(["new.example.com"])
      $0.issue(by: Situation.beta)
      $0.issuance.isReadable = false
      $0.tell(certificate: $0.issuance.id)
    },
    VerdictCase("a key bound to all names", .known, proven: true, ["key-bound-to-names"]) {
      $0.tell(key: $0.issuance.publicKey)
    },
    VerdictCase("a key bound to more names", .known, proven: true, ["key-bound-to-names"]) {
      $0.tell(key: $0.issuance.publicKey, names: Situation.names + ["mail.example.com"])
    },
    VerdictCase("a bound key for a new name", .known, proven: true, ["key-bound-to-names", "new-name"]) {
      $0.issue(["new.example.com"])
      $0.tell(key: $0.issuance.publicKey, names: ["new.example.com"])
    },
    VerdictCase("a bound key at another CA", .known, proven: true, ["key-bound-to-names", "other-CA"]) {
      $0.issue(by: Situation.beta)
      $0.tell(key: $0.issuance.publicKey)
    },
    VerdictCase("a key bound to the wildcard above", .known, proven: true, ["key-bound-to-names"]) {
      $0.issue(["a.example.com"])
      $0.tell(key: $0.issuance.publicKey, names: ["*.example.com"])
    },
    VerdictCase("a wildcard covers one label only", .unexplained, ["new-name", "key-for-other-names"]) {
      $0.issue(["a.b.example.com"])
      $0.tell(key: $0.issuance.publicKey, names: ["*.example.com"])
    },
    VerdictCase("a wildcard does not cover its parent", .unexplained, ["new-name", "key-for-other-names"]) {
      $0.accepted = [Situation.accepted(["*.example.com"], from: 120)]
      $0.issue(["example.com"])
      $0.tell(key: $0.issuance.publicKey, names: ["*.example.com"])
    },
    VerdictCase(
      "no name covers a wildcard", .unexplained, ["wildcard-where-none", "key-for-other-names"],
      not: ["key-bound-to-names"]
    ) {
      $0.issue(["*.example.com"])
      $0.tell(key: $0.issuance.publicKey, names: ["a.example.com", "example.com"])
    },
    VerdictCase("a key bound to some of the names", .unexplained, ["new-name", "key-for-other-names"]) {
      $0.issue(Situation.names + ["new.example.com"])
      $0.tell(key: $0.issuance.publicKey)
    },
    VerdictCase("names are compared without case and final dot", .known, proven: true, ["key-bound-to-names"]) {
      $0.issue(["EXAMPLE.com.", "www.Example.Com"])
      $0.tell(key: $0.issuance.publicKey)
    },
    VerdictCase("only the names that hit the item need a binding", .known, proven: true, ["key-bound-to-names"]) {
      $0.issuance.names = Situation.names + ["example.org"]
      $0.tell(key: $0.issuance.publicKey)
    },
    VerdictCase("an item about keys has all names to cover", .unexplained, ["new-name", "key-for-other-names"]) {
      $0.issuance.matchedNames = []
      $0.issuance.names = Situation.names + ["example.org"]
      $0.tell(key: $0.issuance.publicKey)
    },
    VerdictCase("a bound key in a certificate that can't be read", .unexplained, ["unreadable"]) {
      $0.issuance.isReadable = false
      $0.tell(key: $0.issuance.publicKey)
    },
    VerdictCase("a bound key and no names at all", .unexplained, ["unreadable"], not: ["key-bound-to-names"]) {
      $0.issue([])
      $0.tell(key: $0.issuance.publicKey)
    },
    VerdictCase("this was me", .known, proven: true, ["claimed", "other-CA", "new-name"]) {
      $0.issue(["new.example.com"])
      $0.issue(by: Situation.beta)
      $0.answers.claimed = [$0.issuance.id]
    },
    VerdictCase("known before any baseline", .known, proven: true, ["told-certificate"], not: ["no-baseline"]) {
      ($0.hasBaseline, $0.accepted) = (false, [])
      $0.tell(certificate: $0.issuance.id)
    },
  ]

  static let denied: [VerdictCase] = [
    VerdictCase("this was not me", .unexplained, ["denied"]) { $0.answers.denied = [$0.issuance.id] },
    VerdictCase("not me, although in the inventory", .unexplained, ["denied"]) {
      $0.tell(certificate: $0.issuance.id)
      $0.answers.denied = [$0.issuance.id]
    },
    VerdictCase("not me, before any baseline", .unexplained, ["denied"]) {
      ($0.hasBaseline, $0.accepted) = (false, [])
      $0.answers.denied = [$0.issuance.id]
    },
    VerdictCase("the key of one that was not me", .unexplained, ["key-denied"]) {
      $0.answers.deniedKeys = [Situation.hash("new key")]
    },
    VerdictCase("a bound key of one that was not me", .unexplained, ["key-denied"], not: ["key-bound-to-names"]) {
      $0.tell(key: $0.issuance.publicKey)
      $0.answers.deniedKeys = [Situation.hash("new key")]
    },
    VerdictCase("a told certificate with such a key", .known, proven: true, ["told-certificate", "key-denied"]) {
      $0.tell(certificate: $0.issuance.id)
      $0.answers.deniedKeys = [Situation.hash("new key")]
    },
  ]

  static let given: [VerdictCase] = [
    VerdictCase(
      "usual in every way, but missing from the inventory", .unexplained,
      ["not-in-inventory", "same-CA", "same-names", "usual-rhythm", "new-key"]
    ) { $0.inventory.isGiven = true },
    VerdictCase(
      "with the key of an accepted one, but missing from the inventory", .unexplained,
      ["not-in-inventory", "same-key-renewal"]
    ) {
      $0.inventory.isGiven = true
      $0.issuance.publicKey = Situation.hash("key of day 120")
    },
    VerdictCase("allowed by CAA, but missing from the inventory", .unexplained, ["not-in-inventory", "caa-allows"]) {
      $0.inventory.isGiven = true
      $0.confirmCAA([.issue("alpha.example")])
    },
    VerdictCase("in the inventory", .known, proven: true, ["told-certificate"], not: ["not-in-inventory"]) {
      $0.inventory.isGiven = true
      $0.tell(certificate: $0.issuance.id)
    },
    VerdictCase("its key in the inventory for other names", .unexplained, ["not-in-inventory", "key-for-other-names"]) {
      $0.inventory.isGiven = true
      $0.tell(key: $0.issuance.publicKey, names: ["example.com"])
    },
    VerdictCase("an inventory needs no baseline", .unexplained, ["not-in-inventory"]) {
      $0.inventory.isGiven = true
      ($0.hasBaseline, $0.accepted) = (false, [])
    },
    VerdictCase("an announced CA, but missing from the inventory", .unexplained, ["not-in-inventory"]) {
      $0.inventory.isGiven = true
      $0.issue(by: Situation.beta)
      $0.confirmCAA([.issue("beta.example")], on: 170)
    },
  ]

  static let continuity: [VerdictCase] = [
    VerdictCase(
      "same CA, same names, usual rhythm, new key", .expected,
      ["same-names", "usual-rhythm", "same-CA", "new-key"]),
    VerdictCase("the key of a told one", .expected, proven: true, ["same-key-renewal", "same-CA"]) {
      $0.issuance.publicKey = Situation.hash("key of day 120")
    },
    VerdictCase("the key of a told one, whenever", .expected, proven: true, ["same-key-renewal", "already-renewed"]) {
      $0.issuance.publicKey = Situation.hash("key of day 0")
      $0.issue(on: 125)
    },
    VerdictCase("the key of one that was merely expected", .expected, ["same-key-renewal"]) {
      $0.accepted.append(Situation.accepted(from: 180, key: "new key", isTold: false))
      $0.issue(on: 240)
    },
    VerdictCase("such a key at another time", .unexplained, ["already-renewed", "same-key-renewal"]) {
      $0.accepted.append(Situation.accepted(from: 180, key: "new key", isTold: false))
      $0.issue(on: 190)
    },
    VerdictCase("a told key for fewer names", .expected, proven: true, ["same-key-renewal"]) {
      $0.issue(["www.example.com"])
      $0.issuance.publicKey = Situation.hash("key of day 120")
    },
    VerdictCase("a told key for names of another certificate", .unexplained, ["other-CA-for-names"]) {
      $0.accepted.append(
        Situation.accepted(["mail.example.com"], from: 120, owner: Situation.beta, issuer: nil, key: "mail"))
      $0.issue(["mail.example.com"])
      $0.issuance.publicKey = Situation.hash("key of day 120")
    },
    VerdictCase("a told key at another CA", .unexplained, ["other-CA"], not: ["same-key-renewal"]) {
      $0.issue(by: Situation.beta)
      $0.issuance.publicKey = Situation.hash("key of day 120")
    },
    VerdictCase("another issuing key of the same owner", .expected, ["same-names", "new-issuer", "same-CA"]) {
      $0.issuance.issuerKeyHash = Situation.hash("alpha issuing key 2")
    },
    VerdictCase(
      "a zero byte behind a known name", .unexplained, ["impossible-name"], not: ["other-set-of-names", "new-name"]
    ) {
      $0.issuance.names = ["example.com\0.evil.test"]
      $0.issuance.matchedNames = ["example.com"]
    },
    VerdictCase("a zero byte, and nothing confirmed yet", .unexplained, ["impossible-name"]) {
      $0.hasBaseline = false
      $0.accepted = []
      $0.issuance.names = ["example.com\0.evil.test"]
      $0.issuance.matchedNames = ["example.com"]
    },
    VerdictCase("fewer names, new key", .unexplained, ["other-set-of-names", "new-key"]) {
      $0.issue(["www.example.com"])
    },
    VerdictCase("known names put together anew", .unexplained, ["other-set-of-names", "new-key"]) {
      $0.accepted.append(Situation.accepted(["mail.example.com"], from: 100))
      $0.issue(Situation.names + ["mail.example.com"])
    },
    VerdictCase("names in another order", .expected, ["same-names"]) { $0.issue(Situation.names.reversed()) },
    VerdictCase("strangers' names on the same certificate", .expected, ["same-names"]) {
      $0.issuance.names = Situation.names + ["example.org"]
    },
    VerdictCase("another CA of the domain for names it never had", .unexplained, ["other-CA-for-names", "same-CA"]) {
      $0.accepted.append(Situation.accepted(["mail.example.com"], from: 100, owner: Situation.beta, issuer: nil))
      $0.issue(by: Situation.beta)
    },
  ]

  static let timing: [VerdictCase] = [
    VerdictCase("a month after the last one", .unexplained, ["unusual-time", "new-key"]) { $0.issue(on: 155) },
    VerdictCase("some days early", .expected, ["same-names", "usual-rhythm"]) { $0.issue(on: 172) },
    VerdictCase("some days late", .expected, ["same-names", "usual-rhythm"]) { $0.issue(on: 190) },
    VerdictCase("soon after the last one ended", .expected, ["same-names", "usual-rhythm"]) { $0.issue(on: 215) },
    VerdictCase("long after the last one ended", .unexplained, ["unusual-time", "new-key"]) { $0.issue(on: 300) },
    VerdictCase("the second renewal where one was due", .unexplained, ["already-renewed", "new-key"]) {
      $0.accepted.append(Situation.accepted(from: 179, isTold: false))
    },
    VerdictCase("the renewal of a second host", .expected, ["same-names", "usual-rhythm"]) {
      $0.accepted += [Situation.accepted(from: 121), Situation.accepted(from: 179)]
    },
    VerdictCase("half the lifetime of before", .expected, ["same-names", "usual-rhythm"]) {
      $0.issue(on: 180, for: 45)
    },
    VerdictCase("after the change to 45 days", .expected, ["same-names", "usual-rhythm"]) {
      $0.accepted.append(Situation.accepted(from: 180, days: 45))
      $0.issue(on: 210, for: 45)
    },
    VerdictCase("a year instead of three months", .unexplained, ["longer-lifetime", "new-key", "usual-rhythm"]) {
      $0.issue(on: 180, for: 365)
    },
    VerdictCase("after a single certificate, in its second half", .expected, ["same-names", "usual-rhythm"]) {
      $0.accepted = [Situation.accepted(from: 120)]
      $0.issue(on: 170)
    },
    VerdictCase("after a single certificate, in its first half", .unexplained, ["unusual-time", "new-key"]) {
      $0.accepted = [Situation.accepted(from: 120)]
      $0.issue(on: 160)
    },
    VerdictCase("dates that can't be read", .unexplained, ["odd-dates", "new-key"]) { $0.issuance.notAfter = nil },
    VerdictCase("dates the wrong way round", .unexplained, ["odd-dates", "new-key"]) { $0.issue(on: 180, for: -1) },
    VerdictCase("seen days before it begins", .unexplained, ["odd-dates", "new-key"]) {
      $0.issuance.firstSeen -= 10 * Situation.day
    },
    VerdictCase("odd dates do no harm to a told key", .expected, proven: true, ["same-key-renewal", "odd-dates"]) {
      $0.issuance.notBefore = nil
      $0.issuance.publicKey = Situation.hash("key of day 120")
    },
  ]

  static let unexplained: [VerdictCase] = [
    VerdictCase("a new name", .unexplained, ["new-name"]) { $0.issue(["new.example.com"]) },
    VerdictCase("a new name beside the old ones", .unexplained, ["new-name"]) {
      $0.issue(Situation.names + ["new.example.com"])
    },
    VerdictCase("a new name below an accepted wildcard", .unexplained, ["new-name"], not: ["wildcard-where-none"]) {
      $0.accepted = [Situation.accepted(["*.example.com"], from: 120)]
      $0.issue(["shop.example.com"])
    },
    VerdictCase("a wildcard where there was none", .unexplained, ["wildcard-where-none"], not: ["new-name"]) {
      $0.issue(["*.example.com"])
    },
    VerdictCase("another wildcard than before", .unexplained, ["wildcard-where-none"]) {
      $0.accepted = [Situation.accepted(["*.example.com"], from: 120)]
      $0.issue(["*.www.example.com"])
    },
    VerdictCase("a wildcard as before", .expected, ["same-names"]) {
      $0.accepted = [Situation.accepted(["*.example.com"], from: 120)]
      $0.issue(["*.example.com"])
    },
    VerdictCase("a redacted name counts as a wildcard", .unexplained, ["wildcard-where-none"]) {
      $0.issue(["?.example.com"])
    },
    VerdictCase("another CA than ever before", .unexplained, ["other-CA", "new-key"]) { $0.issue(by: Situation.beta) },
    VerdictCase("another CA on the owner's list", .unexplained, ["other-CA", "CA-allowed"]) {
      $0.issue(by: Situation.beta)
      $0.allowed = ["Alpha Trust", "Beta Certificates"]
    },
    VerdictCase("a told key for a new name", .unexplained, ["new-name"]) {
      $0.issue(["new.example.com"])
      $0.issuance.publicKey = Situation.hash("key of day 120")
    },
    VerdictCase("unreadable", .unexplained, ["unreadable"]) {
      $0.issuance.isReadable = false
      $0.issuance.problems = ["names: not all of them can be read"]
    },
    VerdictCase("an issuer that nobody knows", .unexplained, ["unknown-issuer"]) { $0.issue(by: nil) },
    VerdictCase("an issuer that nobody knows, of a familiar name", .unexplained, ["unknown-issuer"]) {
      $0.issue(by: nil)
      $0.issuance.issuerName = "CN=Issuing 1,O=Alpha Trust"
    },
    VerdictCase("no issuer at all", .unexplained, ["unknown-issuer"]) {
      $0.issuance.owner = nil
      $0.issuance.issuerKeyHash = nil
    },
    VerdictCase("the first certificate ever", .unexplained, ["new-name", "other-CA"]) { $0.accepted = [] },
  ]
}
