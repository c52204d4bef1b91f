import CertificateTransparency
import Foundation
import MerkleTree
import OrielVerdicts
import TestWorld
import Testing

@Suite struct VerdictEngineTests {
  @Test(arguments: VerdictCase.all) func `a case of the table has its verdict`(_ row: VerdictCase) {
    var situation = Situation()
    row.arrange(&situation)
    let verdict = situation.verdict
    let codes = verdict.reasons.map(\.code)
    #expect(verdict.level == row.level, "\(codes)")
    #expect(verdict.isProven == row.isProven)
    #expect(codes.first == row.codes.first)
    #expect(Set(row.codes).isSubset(of: codes), "\(codes)")
    #expect(Set(row.absent).isDisjoint(with: codes), "\(codes)")
    #expect(Set(codes).count == codes.count)
  }

  @Test func `every reason is in some case of the table`() {
    let codes = VerdictCase.all.flatMap { row in
      var situation = Situation()
      row.arrange(&situation)
      return situation.verdict.reasons.map(\.code)
    }
    #expect(Set(codes) == Set(Reason.samples.map(\.code)))
  }

  @Test(arguments: VerdictCase.all) func `the first reason of a verdict speaks for it`(_ row: VerdictCase) {
    var situation = Situation()
    row.arrange(&situation)
    let verdict = situation.verdict
    let speaks: Reason.Direction = [.known, .expected].contains(verdict.level) ? .for : .against
    #expect(verdict.reasons.first?.speaks == speaks)
  }

  /// Whatever is the case, an inventory turns everything but what is in it into unexplained.
  @Test(arguments: VerdictCase.all) func `an inventory that is given leaves no middle ground`(_ row: VerdictCase) {
    var situation = Situation()
    row.arrange(&situation)
    let before = situation.verdict
    situation.inventory.isGiven = true
    #expect(situation.verdict.level == (before.level == .known ? .known : .unexplained))
  }

  /// Whatever comes together, what is always unexplained is never expected, and no verdict is without a reason for it.
  @Test func `cases put together keep the rules`() throws {
    let always: Set = [
      "denied", "key-denied", "unreadable", "unknown-issuer", "new-name", "wildcard-where-none", "other-CA",
      "CA-not-allowed", "CA-unresolved", "not-in-inventory", "impossible-name",
    ]
    var generator = SeededGenerator(seed: 11)
    var levels: [Verdict.Level: Int] = [:]
    for _ in 0..<5000 {
      var situation = Situation()
      for _ in 0..<(1 + generator.next() % 3) {
        VerdictCase.all[Int(generator.next() % UInt64(VerdictCase.all.count))].arrange(&situation)
      }
      let verdict = situation.verdict
      let codes = Set(verdict.reasons.map(\.code))
      levels[verdict.level, default: 0] += 1
      let first = try #require(verdict.reasons.first)
      #expect((first.speaks == .for) == [.known, .expected].contains(verdict.level))
      #expect(
        (verdict.level == .known) == !codes.isDisjoint(with: ["told-certificate", "claimed", "key-bound-to-names"])
          || codes.contains("denied"))
      if verdict.level == .expected { #expect(codes.isDisjoint(with: always), "\(codes)") }
      if verdict.level == .expected { #expect(verdict.isProven == verdict.reasons.contains { $0.isToldKey }) }
      if situation.inventory.isGiven { #expect([.known, .unexplained].contains(verdict.level)) }
      if verdict.level == .noHistory { #expect(!situation.hasBaseline) }
    }
    #expect(Verdict.Level.allCases.allSatisfy { levels[$0, default: 0] > 100 }, "\(levels)")
  }

  @Test func `the order of the history makes no difference`() {
    var generator = SeededGenerator(seed: 7)
    for row in VerdictCase.all {
      var situation = Situation()
      row.arrange(&situation)
      let verdict = situation.verdict
      situation.accepted.shuffle(using: &generator)
      #expect(situation.verdict.level == verdict.level, "\(row.what)")
      #expect(situation.verdict.isProven == verdict.isProven, "\(row.what)")
    }
  }

  @Test func `times of any size are judged`() {
    let times: [Int64?] = [nil, .min, .min + 1, -1, 0, 1, 1 << 40, .max - 1, .max]
    for start in times {
      for end in times {
        for seen in times.compactMap({ $0 }) {
          var situation = Situation()
          situation.issuance.notBefore = start
          situation.issuance.notAfter = end
          situation.issuance.firstSeen = seen
          situation.accepted.append(situation.issuance.accepted(isTold: false))
          situation.confirmCAA([.issue("alpha.example")])
          situation.caa.confirmedAt = seen
          let verdict = situation.verdict
          #expect(verdict.reasons.allSatisfy { !$0.sentence.isEmpty })
        }
      }
    }
  }
}

@Suite struct ReasonTests {
  @Test func `every reason has a code of its own`() {
    #expect(Set(Reason.samples.map(\.code)).count == Reason.samples.count)
  }

  @Test(arguments: Reason.samples) func `a reason is a sentence`(_ reason: Reason) throws {
    let sentence = reason.sentence
    #expect(sentence.hasSuffix(".") && sentence.first?.isUppercase == true, "\(sentence)")
    #expect(!sentence.contains("Optional") && !sentence.contains("  "))
    let stored = StoredReason(reason)
    #expect(try JSONDecoder().decode(StoredReason.self, from: JSONEncoder().encode(stored)) == stored)
  }

  @Test func `a sentence says what was compared with what`() {
    #expect(
      Situation().verdict.reasons.map(\.sentence) == [
        "A certificate of 2026-09-29 that you accepted is for the same names.",
        "It renews the certificate that ends on 2026-12-28, 30 days before that; this is when renewals come here.",
        "Earlier certificates that you accepted for this domain came from Alpha Trust as well.",
        "Its key is on none of the certificates that you accepted.",
      ])
  }

  @Test func `a hostile name can't pose as something else`() {
    let hostile = "a.example.com\u{202e}\u{1b}[2J\r\n" + String(repeating: "x", count: 10_000)
    for reason in [
      Reason.newName([hostile]), .unknownIssuer(name: hostile), .unreadable(problems: [hostile]),
      .keyBoundToNames([hostile], source: hostile), .otherCA(ca: hostile, before: [hostile]),
    ] {
      let sentence = reason.sentence
      #expect(sentence.unicodeScalars.allSatisfy { !$0.isDeceptive })
      #expect(sentence.count < 1000)
    }
  }

  @Test(arguments: Reason.samples) func `a CA is told facts about the certificate, and nothing else`(
    _ reason: Reason
  ) throws {
    let evidence = StoredReason(reason).evidence
    #expect((evidence != nil) == ["impossible-name"].contains(reason.code))
    let words = (evidence ?? "").lowercased().split { !$0.isLetter }
    #expect(!words.contains { ["you", "your", "yours", "we", "our", "accepted", "inventory"].contains($0) })
    #expect(evidence?.hasSuffix(".") ?? true && evidence?.first?.isUppercase ?? true)
    // What an older version stored of it is told no more, either.
    let json = #"{"code":"\#(reason.code)","speaks":"against","sentence":"It is odd.","statement":"It is odd."}"#
    let stored = try JSONDecoder().decode(StoredReason.self, from: Data(json.utf8))
    #expect((stored.evidence != nil) == (evidence != nil))
  }

  @Test func `no sentence has two full stops, and what is one is not many`() {
    let name = "Old Authority Inc."
    for reason in [
      Reason.otherCA(ca: "A", before: ["B", name]), .caNotAllowed(ca: name, allowed: [name]), .newName([name]),
      .caaForbids(ca: name, allowed: [name]), .unknownIssuer(name: name), .impossibleName([name]),
    ] {
      for text in [reason.sentence, reason.statement ?? ""] { #expect(!text.contains(".."), "\(text)") }
    }
    #expect(
      Reason.notInInventory(certificates: 1, keys: 1).sentence.hasSuffix("which holds 1 certificate and 1 key."))
    #expect(Reason.caaForbids(ca: "A", allowed: [name]).statement == nil)
  }

  @Test func `a zero byte in a name is spelt out, and what it does`() {
    #expect(
      Reason.impossibleName(["shop.example\0.evil.test"]).sentence
        == #"It has what can't be the name of a host: shop.example\u{0}.evil.test. "#
        + "A program that stops reading at the zero byte takes that for another name.")
  }

  @Test(
    arguments: [
      ("www.example.com", true), ("*.example.com", true), ("_srv.example.com", true), ("?.example.com", true),
      ("bücher.example", true), ("a@b.example", true), ("https://a.example/x?y=z", true), ("2001:db8::1", true),
      ("a.example\0.b", false), ("a\n.example", false), ("\u{202e}moc.example", false), ("=cmd|calc.example", false),
      ("a b.example", false), ("\"x\".example", false), ("<b>.example", false),
    ])
  func `a name that nothing can have is always unexplained`(_ name: String, _ isPossible: Bool) {
    for hasBaseline in [true, false] {
      var situation = Situation()
      situation.accepted.append(Situation.accepted([name], from: 120))
      situation.issue([name])
      situation.hasBaseline = hasBaseline
      let verdict = situation.verdict
      #expect((verdict.reasons.first?.code == "impossible-name") == !isPossible)
      if !isPossible { #expect(verdict.level == .unexplained) }
    }
  }

  @Test func `of many names the first few are told`() {
    let names = (1...100).map { "n\($0).example.com" }
    #expect(
      Reason.newName(names).sentence
        == "No certificate that you accepted is for n1.example.com, n2.example.com, n3.example.com, n4.example.com, "
        + "n5.example.com and 95 more.")
  }
}

extension Reason {
  var isToldKey: Bool { if case .sameKeyRenewal(_, isTold: true) = self { true } else { false } }

  /// One of each.
  static let samples: [Reason] = [
    .claimed, .toldCertificate(source: "a"), .keyBoundToNames(["a", "b"], source: "a"), .caAllowed(ca: "A"),
    .caaAllows(ca: "A", domain: "a", parameters: ["accounturi"]), .sameCA(ca: "A"), .sameNames(since: nil),
    .sameKeyRenewal(since: 0, isTold: false), .usualRhythm(previousEnds: 0, daysLeft: -1),
    .caChangeAnnounced(ca: "A", confirmedAt: 0), .denied, .keyDenied, .caNotAllowed(ca: "A", allowed: ["B"]),
    .caaForbids(ca: "A", allowed: []), .notInInventory(certificates: 1, keys: 2), .keyForOtherNames(["a"]),
    .unreadable(problems: []), .unknownIssuer(name: nil), .unresolvedCA(name: "A"), .otherCA(ca: "A", before: []),
    .newName(["a"]), .wildcardWhereNone(["*.a"]), .newIssuer(ca: "A"), .newKey, .otherSetOfNames(isOne: true),
    .impossibleName(["a\0b"]), .otherCAForNames(before: []), .unusualTime(latestEnds: nil), .alreadyRenewed(at: 0),
    .longerLifetime(days: 2, before: 1), .oddDates, .caaUnconfirmed(ca: "A"), .caaChanged(ca: "A"), .noBaseline,
  ]
}

@Suite struct CAARuleTests {
  struct Row: Sendable, CustomTestStringConvertible {
    let records: [CAARecord]
    let name: String
    /// The code of the reason about CAA; nil if there is none.
    let code: String?
    var testDescription: String { "\(records.map { "\($0.tag) \"\($0.value)\"" }) for \(name)" }
  }

  static let rows: [Row] = [
    Row(records: [.issue("alpha.example")], name: "example.com", code: "caa-allows"),
    Row(records: [.issue("ALPHA.example.")], name: "example.com", code: "caa-allows"),
    Row(records: [CAARecord(tag: "ISSUE", value: " alpha.example ; ")], name: "example.com", code: "caa-allows"),
    Row(records: [.issue("alpha.example; accounturi=https://a/1")], name: "example.com", code: "caa-allows"),
    Row(records: [.issue("alpha.example"), .issue("beta.example")], name: "example.com", code: "caa-allows"),
    Row(records: [.issue("alpha.example"), .issue(";")], name: "example.com", code: "caa-allows"),
    Row(records: [.issue("alpha.example")], name: "*.example.com", code: "caa-allows"),
    Row(records: [.issue(";"), .wild("alpha.example")], name: "*.example.com", code: "caa-allows"),
    Row(records: [.issue("beta.example"), .wild("alpha.example")], name: "example.com", code: "caa-forbids"),
    Row(records: [.issue("alpha.example"), .wild("beta.example")], name: "*.example.com", code: "caa-forbids"),
    Row(records: [.wild("beta.example")], name: "example.com", code: nil),
    Row(records: [.wild("beta.example")], name: "*.example.com", code: "caa-forbids"),
    Row(records: [.issue("")], name: "example.com", code: "caa-forbids"),
    Row(records: [.issue("alpha.example garbage")], name: "example.com", code: "caa-forbids"),
    Row(records: [.issue("alpha.example; garbage")], name: "example.com", code: "caa-forbids"),
    Row(records: [.issue("xalpha.example")], name: "example.com", code: "caa-forbids"),
    Row(records: [CAARecord(flags: 128, tag: "tbs", value: "x")], name: "example.com", code: "caa-forbids"),
    Row(
      records: [CAARecord(flags: 128, tag: "issue", value: "alpha.example")], name: "example.com", code: "caa-allows"),
    Row(records: [CAARecord(flags: 0, tag: "tbs", value: "x")], name: "example.com", code: nil),
    Row(records: [], name: "example.com", code: nil),
  ]

  @Test(arguments: rows) func `records allow and forbid as RFC 8659 has it`(_ row: Row) {
    var situation = Situation()
    situation.issue([row.name])
    situation.confirmCAA(row.records)
    #expect(situation.verdict.reasons.map(\.code).first { $0.hasPrefix("caa-") } == row.code)
  }

  @Test func `what records ask for beyond the CA is told`() {
    var situation = Situation()
    situation.confirmCAA([.issue("alpha.example; accounturi=https://a/1; validationmethods=dns-01")])
    #expect(
      situation.verdict.reasons.first
        == .caaAllows(ca: "Alpha Trust", domain: "alpha.example", parameters: ["accounturi", "validationmethods"]))
  }
}
