import CTPolicy
import CertificateTransparency
import MerkleTree
import TestWorld
import Testing

@Suite struct CTRequirementTests {
  static let leaf = Draft("leaf", [[.utf8("Acme")]])
  static let ev = "2.23.140.1.1"

  static func time(_ text: String) throws -> Timestamp { try #require(Timestamp(rfc3339: text + "T00:00:00Z")) }

  static func requirement(
    _ era: CTRequirement.Era = .current, on platform: PolicyPlatform = .chrome,
    _ change: (inout CTRequirement) throws -> Void
  ) rethrows -> CTRequirement {
    var requirement = CTRequirement(platform: platform, era: era)
    try change(&requirement)
    return requirement
  }

  struct Cell: Sendable, CustomTestStringConvertible {
    let publicity: RootPublicity
    let compliance: Compliance
    let code: String
    /// With the leaf's key listed.
    let exempt: String
    var testDescription: String { "\(publicity), \(compliance.rawValue)" }
  }

  static let matrix: [Cell] =
    RootPublicity.allCases.flatMap { publicity in
      Compliance.allCases.map { compliance in
        let (code, exempt) =
          switch (publicity, compliance) {
          case (.local, _): ("not-required-local-root", "not-required-local-root")
          case (_, .complies): ("pass-complies", "pass-complies")
          case (_, .notTimely): ("pass-stale-log-list", "pass-stale-log-list")
          case (.public, _): ("blocked", "not-required-exempt")
          case (.unknown, _): ("could-not-tell-unknown-root", "not-required-exempt")
          }
        return Cell(publicity: publicity, compliance: compliance, code: code, exempt: exempt)
      }
    }

  @Test("the root settles it first, then compliance, and exemptions come last", arguments: matrix)
  func outcomes(cell: Cell) throws {
    let chain = try chain(Self.leaf, .root)
    func code(_ requirement: CTRequirement) -> String {
      requirement.evaluate(
        host: "shop.example", chain: chain, publicity: cell.publicity, compliance: cell.compliance
      ).outcome.code
    }
    #expect(code(CTRequirement()) == cell.code)
    let exempting = try Self.requirement { $0.policies = try policies((.chromeCAs, Self.leaf.pin)) }
    #expect(code(exempting) == cell.exempt)
    #expect(code(Self.requirement { $0.isEnforcementOff = true }) == "not-required-enforcement-off")
  }

  struct FixedDelegate: RequireCTDelegate {
    let level: CTRequirementLevel
    func isCTRequired(host: String, chain: VerifiedChain) -> CTRequirementLevel {
      host == "shop.example" ? level : .default
    }
  }

  @Test(
    "a delegate is asked where CT is not complied with, and goes before the policies",
    arguments: CTRequirementLevel.allCases)
  func delegates(level: CTRequirementLevel) throws {
    let chain = try chain(Self.leaf, .root)
    let requirement = try Self.requirement {
      $0.delegate = FixedDelegate(level: level)
      $0.policies = try policies((.chromeURLs, "shop.example"))
    }
    func code(_ host: String, _ compliance: Compliance) -> String {
      requirement.evaluate(host: host, chain: chain, publicity: .public, compliance: compliance).outcome.code
    }
    let expected = [
      CTRequirementLevel.required: "blocked", .notRequired: "not-required-delegate", .default: "not-required-exempt",
    ]
    #expect(code("shop.example", .notEnoughSCTs) == expected[level])
    #expect(code("shop.example", .complies) == "pass-complies")
    #expect(code("other.example", .notEnoughSCTs) == "blocked")
  }

  struct EraRow: Sendable, CustomTestStringConvertible {
    let era: String
    let notBefore: String
    var isEV = false
    var isSymantec = false
    let code: String
    var testDescription: String {
      "\(era), not before \(notBefore)\(isEV ? ", EV" : "")\(isSymantec ? ", Symantec" : "")"
    }
  }

  static let eras = [
    EraRow(era: "2014-12-31", notBefore: "140101000000Z", isEV: true, code: "not-required-before-enforcement"),
    EraRow(era: "2015-01-01", notBefore: "140101000000Z", isEV: true, code: "ev-status-stripped"),
    EraRow(era: "2015-01-01", notBefore: "140101000000Z", code: "not-required-before-enforcement"),
    EraRow(era: "2016-05-31", notBefore: "160531000000Z", isSymantec: true, code: "not-required-before-enforcement"),
    EraRow(era: "2016-06-01", notBefore: "160531235959Z", isSymantec: true, code: "not-required-before-rule"),
    EraRow(era: "2016-06-01", notBefore: "160601000000Z", isSymantec: true, code: "blocked"),
    EraRow(era: "2016-06-01", notBefore: "160601000000Z", isEV: true, isSymantec: true, code: "blocked"),
    EraRow(era: "2016-06-01", notBefore: "160531235959Z", isEV: true, isSymantec: true, code: "ev-status-stripped"),
    EraRow(era: "2016-06-01", notBefore: "160601000000Z", code: "not-required-before-enforcement"),
    EraRow(era: "2018-04-30", notBefore: "180501000000Z", code: "not-required-before-enforcement"),
    EraRow(era: "2018-05-01", notBefore: "180501000000Z", code: "blocked"),
    EraRow(era: "2018-05-01", notBefore: "180430235959Z", code: "not-required-before-rule"),
    EraRow(era: "2018-05-01", notBefore: "180430235959Z", isEV: true, code: "ev-status-stripped"),
    EraRow(era: "2018-05-01", notBefore: "180430235959Z", isSymantec: true, code: "blocked"),
    EraRow(era: "2024-11-11", notBefore: "180430235959Z", code: "not-required-before-rule"),
    EraRow(era: "2024-11-12", notBefore: "180430235959Z", code: "blocked"),
    EraRow(era: "2026-01-01", notBefore: "260101000000Z", code: "blocked"),
    EraRow(era: "current", notBefore: "140101000000Z", code: "blocked"),
  ]

  @Test("each rule holds from its day on, in the eras that had begun by then", arguments: eras)
  func gates(row: EraRow) throws {
    var leaf = Self.leaf
    leaf.notBefore = row.notBefore
    leaf.policies = row.isEV ? ["2.23.140.1.2.2", Self.ev] : []
    let chain = try chain(leaf, .root)
    let era: CTRequirement.Era = row.era == "current" ? .current : .asOf(try Self.time(row.era))
    let requirement = Self.requirement(era) {
      var root = RootStores.Root()
      root.evPolicies = [Self.ev]
      $0.roots.add(root, hash: Draft.root.hash)
      if row.isSymantec { $0.roots.symantec.roots = [Draft.root.hash] }
    }
    func evaluate(_ requirement: CTRequirement, _ compliance: Compliance = .notEnoughSCTs) -> CTRequirementResult {
      requirement.evaluate(host: "shop.example", chain: chain, publicity: .public, compliance: compliance)
    }
    let result = evaluate(requirement)
    #expect(result.outcome.code == row.code)
    #expect(result.losesEVStatus == (row.isEV && row.era != "2014-12-31"))
    #expect(evaluate(requirement, .complies).losesEVStatus == false)
    guard row.isSymantec, row.code == "blocked", row.era < "2018" else { return }
    var exempting = requirement
    exempting.roots.symantec.exempt = [leaf.hash]
    #expect(evaluate(exempting).outcome.code == (row.isEV ? "ev-status-stripped" : "not-required-before-enforcement"))
  }

  @Test("a certificate whose dates can't be read leaves it open, in eras that need them")
  func unreadable() throws {
    var leaf = Self.leaf
    leaf.notBefore = "never"
    let chain = try chain(leaf, .root)
    func code(_ era: CTRequirement.Era) -> String {
      CTRequirement(era: era).evaluate(host: "x", chain: chain, publicity: .public, compliance: .notEnoughSCTs)
        .outcome.code
    }
    #expect(code(.current) == "blocked")
    #expect(code(.asOf(try Self.time("2019-01-01"))) == "could-not-tell-unreadable-certificate")
  }

  @Test("an exempted EV certificate passes today, but is no EV certificate any more")
  func exemptedEV() throws {
    let requirement = try Self.requirement { $0.policies = try policies((.chromeURLs, "shop.example")) }
    let result = requirement.evaluate(
      host: "shop.example", chain: try chain(Self.leaf, .root), publicity: .public, compliance: .notDiverseSCTs,
      isEV: true)
    #expect(result.outcome.code == "not-required-exempt" && result.losesEVStatus)
  }

  @Test("a blocked connection names the exemptions that nearly apply")
  func nearestMisses() throws {
    let requirement = try Self.requirement { $0.policies = try policies((.chromeURLs, ".shop.example")) }
    let result = requirement.evaluate(
      host: "www.shop.example", chain: try chain(Self.leaf, .root), publicity: .public, compliance: .notEnoughSCTs)
    #expect(result.outcome.description == "blocked: net::ERR_CERTIFICATE_TRANSPARENCY_REQUIRED")
    #expect(result.nearestMisses.map(\.code) == [.hostNotCovered])
  }

  @Test("the list of legacy CAs counts in its era alone, for marked roots")
  func legacy() throws {
    for (day, code) in [
      ("2018-05-28", "blocked"), ("2018-05-29", "not-required-exempt"), ("2024-11-11", "not-required-exempt"),
      ("2024-11-12", "blocked"),
    ] {
      let requirement = try Self.requirement(.asOf(try Self.time(day))) {
        $0.policies = try policies((.chromeLegacyCAs, Draft.root.pin))
        var root = RootStores.Root()
        root.isLegacy = true
        $0.roots.add(root, hash: Draft.root.hash)
      }
      var chain = try chain(Self.leaf, .root)
      let result = requirement.evaluate(host: "x", chain: chain, publicity: .public, compliance: .notEnoughSCTs)
      #expect(result.outcome.code == code, "\(day)")
      var current = requirement
      current.era = .current
      chain = try VerifiedChain([Self.leaf.der, Draft.root.der])
      let now = current.evaluate(host: "x", chain: chain, publicity: .public, compliance: .notEnoughSCTs)
      #expect(now.outcome == .blocked && now.nearestMisses.map(\.code) == [.legacyNotHonoured])
    }
  }

  @Test("Firefox's mode and Apple's date are theirs alone")
  func platforms() throws {
    let chain = try chain(Self.leaf, .root)
    func code(_ requirement: CTRequirement) -> String {
      requirement.evaluate(host: "x", chain: chain, publicity: .public, compliance: .notEnoughSCTs).outcome.code
    }
    for mode in [nil, 0, 1, 2] as [Int?] {
      let expected = mode == 0 || mode == 1 ? "not-required-firefox-mode" : "blocked"
      #expect(code(Self.requirement(on: .firefox) { $0.policies.firefoxMode = mode }) == expected)
      #expect(code(Self.requirement { $0.policies.firefoxMode = mode }) == "blocked")
    }
    #expect(code(CTRequirement(platform: .apple)) == "blocked")
    for (platform, last, first) in [
      (PolicyPlatform.apple, "2018-10-15", "2018-10-16"), (.firefox, "2025-02-03", "2025-02-04"),
      (.android, "2025-06-09", "2025-06-10"),
    ] {
      let before = CTRequirement(platform: platform, era: .asOf(try Self.time(last)))
      #expect(code(before) == "not-required-before-enforcement")
      #expect(code(CTRequirement(platform: platform, era: .asOf(try Self.time(first)))) == "blocked")
    }
    var old = Self.leaf
    for (day, expected) in [("181015235959Z", "not-required-before-rule"), ("181016000000Z", "blocked")] {
      old.notBefore = day
      let result = CTRequirement(platform: .apple).evaluate(
        host: "x", chain: try VerifiedChain([old.der, Draft.root.der]), publicity: .public,
        compliance: .notEnoughSCTs, isEV: true)
      #expect(result.outcome.code == expected && !result.losesEVStatus)
    }
  }

  @Test("a wish by Expect-CT blocks in the era of Expect-CT, while it lasts, and only if it enforces")
  func expectCT() throws {
    var old = Self.leaf
    old.notBefore = "180101000000Z"
    let chain = try chain(old, .root)
    func code(_ day: String, _ header: String, noted: String) throws -> String {
      let requirement = try Self.requirement(.asOf(try Self.time(day))) {
        _ = $0.transportSecurity.note(expectCT: header, host: "shop.example", at: try Self.time(noted))
      }
      return requirement.evaluate(host: "SHOP.example", chain: chain, publicity: .public, compliance: .notEnoughSCTs)
        .outcome.code
    }
    #expect(try code("2018-02-01", "max-age=864000, enforce", noted: "2018-01-30") == "blocked")
    #expect(try code("2018-02-01", "max-age=864000", noted: "2018-01-30") == "not-required-before-enforcement")
    #expect(try code("2018-02-20", "max-age=864000, enforce", noted: "2018-01-30") == "not-required-before-enforcement")
    #expect(try code("2017-09-04", "max-age=864000, enforce", noted: "2017-09-01") == "not-required-before-enforcement")
    #expect(try code("2022-10-25", "max-age=864000, enforce", noted: "2022-10-24") == "not-required-before-rule")
  }
}
