import CTPolicy
import CertificateTransparency
import OrielCheck
import TestWorld
import Testing

@Suite("The choice of logs")
struct LogChoiceTests {
  private typealias World = SubmissionWorld

  private static func names(_ logs: [LogDescription]) -> Set<String> {
    Set(logs.map { String($0.description.prefix { $0 != " " }) })
  }

  private static func choose(
    _ logs: [SubmissionLog], _ policies: [BrowserPolicy] = BrowserPolicy.current,
    for certificate: PresentedCertificate? = nil, excluding excluded: [SubmissionLog] = []
  ) throws -> LogChoice {
    LogChoice(
      for: try certificate ?? World.certificate(), policies: World.enforced(logs, policies), asOf: World.time,
      excluding: Set(excluded.map(\.logID)))
  }

  @Test("takes two logs of two operators for all of today's policies, and ranks the others")
  func usual() throws {
    let choice = try LogChoiceTests.choose(World.usual)
    #expect(choice.chosen.count == 2)
    #expect(Set(choice.chosen.map(\.operatorName)).count == 2)
    // Apple's text asks for a log of RFC 6962.
    #expect(choice.chosen.contains { !$0.isTiled })
    #expect(choice.unreachable.isEmpty)
    let (chosen, others) = (LogChoiceTests.names(choice.chosen), LogChoiceTests.names(choice.alternates))
    #expect(chosen.isDisjoint(with: others) && chosen.union(others) == ["a", "a2", "b", "c", "d"])
  }

  @Test("passes over logs that take no such certificate, or do not count")
  func closed() throws {
    let before = LogDescription.TemporalInterval(startInclusive: World.days(-400), endExclusive: World.days(80))
    let fitting = LogDescription.TemporalInterval(startInclusive: World.days(80), endExclusive: World.days(300))
    let closed = [
      SubmissionLog("shard", of: "S") { $0.interval = before },
      SubmissionLog("retired", of: "R") { ($0.state, $0.since) = (.retired, World.days(-1)) },
      SubmissionLog("readonly", of: "O") { ($0.state, $0.since) = (.readonly(finalTreeHead: nil), World.days(-1)) },
      SubmissionLog("pending", of: "P") { $0.state = .pending },
      SubmissionLog("rejected", of: "J") { $0.state = .rejected },
      SubmissionLog("other", of: "T") { $0.state = .other("new") },
    ]
    let open = [World.a.with { $0.interval = fitting }, World.b]
    let choice = try LogChoiceTests.choose(closed + open)
    #expect(LogChoiceTests.names(choice.chosen) == ["a", "b"])
    #expect(choice.alternates.isEmpty)
    let none = try LogChoiceTests.choose(closed)
    #expect(none.chosen.isEmpty && none.unreachable == BrowserPolicy.current)
  }

  @Test("prefers logs that are usable, and that no list ends before the certificate does")
  func preferences() throws {
    for change in [
      { $0.state = .qualified }, { ($0.state, $0.since) = (.retired, World.days(40)) },
      { ($0.state, $0.since) = (.readonly(finalTreeHead: nil), World.days(40)) },
    ] as [@Sendable (inout SubmissionLog) -> Void] {
      let worse = [World.a2.with(change), World.d.with(change)]
      let choice = try LogChoiceTests.choose(worse + [World.b, World.c], [.chrome, .firefox])
      #expect(LogChoiceTests.names(choice.chosen) == ["b", "c"])
      #expect(LogChoiceTests.names(choice.alternates) == ["a2", "d"])
    }
    // Better a log that will be retired than none.
    let retiring = World.b.with { ($0.state, $0.since) = (.retired, World.days(40)) }
    let choice = try LogChoiceTests.choose([World.a, retiring], [.chrome])
    #expect(LogChoiceTests.names(choice.chosen) == ["a", "b"] && choice.unreachable.isEmpty)
  }

  @Test("asks only for what is missing")
  func missing() throws {
    let certificate = try World.certificate()
    let one = certificate.delivering([try World.a.item(certificate)])
    let choice = try LogChoiceTests.choose(World.usual, for: one)
    #expect(choice.chosen.count == 1 && choice.chosen.first?.operatorName != "Anchor")
    let both = one.delivering(one.deliveredItems + [try World.b.item(certificate)])
    #expect(try LogChoiceTests.choose(World.usual, for: both).chosen.isEmpty)
    let refused = try LogChoiceTests.choose(World.usual, excluding: [World.a, World.a2])
    #expect(refused.chosen.allSatisfy { $0.operatorName != "Anchor" } && refused.chosen.count == 2)
    let excluded = try LogChoiceTests.choose(World.usual, excluding: World.usual)
    #expect(excluded.chosen.isEmpty && excluded.alternates.isEmpty)
  }

  @Test("serves every policy where embedded SCTs are too few, and those that do not add them up too")
  func beside() throws {
    let certificate = try World.certificate(embedded: [World.a])
    let choice = try LogChoiceTests.choose(World.usual, for: certificate)
    #expect(choice.unreachable.isEmpty)
    #expect(choice.chosen.count == 2 && Set(choice.chosen.map(\.operatorName)).count == 2)
    #expect(choice.chosen.allSatisfy { $0.logID != World.a.logID })
  }

  @Test("says which policy no delivery can satisfy: Firefox asks for the issuer's certificate")
  func unreachable() throws {
    var certificate = try World.certificate()
    certificate.issuers = []
    #expect(try LogChoiceTests.choose(World.usual, for: certificate).unreachable == [.firefox])
    // Nothing at all is reached by one operator alone.
    #expect(try LogChoiceTests.choose([World.a, World.a2], [.chrome, .firefox]).unreachable == [.chrome, .firefox])
  }

  @Test("serves each policy by its own list, with as many logs as that takes")
  func ownLists() throws {
    let e = SubmissionLog("e", of: "Eider")
    let policies = [
      EnforcedPolicy(.chrome, logs: World.view([World.a, World.b, e])),
      EnforcedPolicy(.firefox, logs: World.view([World.c, World.d, e])),
    ]
    let certificate = try World.certificate()
    let choice = LogChoice(for: certificate, policies: policies, asOf: World.time)
    #expect(choice.chosen.count == 3 && choice.chosen.contains { $0.logID == e.logID })
    let without = LogChoice(
      for: certificate, policies: policies, asOf: World.time, excluding: [e.logID])
    #expect(LogChoiceTests.names(without.chosen) == ["a", "b", "c", "d"])
    #expect(without.unreachable.isEmpty)
  }

  @Test("does as well as all logs together, and no smaller set does", arguments: 0..<12 as Range<UInt64>)
  func fewest(_ seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let states: [(LogDescription.State, Int64)] = [
      (.usable, -10), (.qualified, -10), (.retired, 30), (.retired, -5), (.readonly(finalTreeHead: nil), 20),
    ]
    let logs = (0..<5).map { number in
      let (state, since) = states[Int.random(in: 0..<8, using: &generator) % states.count]
      return SubmissionLog("\(number)", of: "Operator \(Int.random(in: 0..<3, using: &generator))") {
        ($0.isTiled, $0.state, $0.since) = (Bool.random(using: &generator), state, World.days(since))
      }
    }
    let policies = BrowserPolicy.current.map { policy in
      EnforcedPolicy(policy, logs: World.view(logs.filter { _ in Int.random(in: 0..<5, using: &generator) > 0 }))
    }
    let embedded = Bool.random(using: &generator) ? [logs[0]] : []
    let certificate = try World.certificate(embedded: embedded)
    let choice = LogChoice(for: certificate, policies: policies, asOf: World.time)
    func standings(_ chosen: [SubmissionLog]) throws -> [EnforcedPolicy.Standing] {
      World.standings(certificate.delivering(try chosen.map { try $0.item(certificate) }), policies)
    }
    let chosen = logs.filter { log in choice.chosen.contains { $0.logID == log.logID } }
    let open = logs.filter { log in (choice.chosen + choice.alternates).contains { $0.logID == log.logID } }
    let reached = try standings(chosen)
    let best = try standings(open)
    #expect(reached == best)
    #expect(choice.unreachable == zip(policies, reached).filter { $1 == .fails }.map(\.0.policy))
    for mask in 0..<(1 << open.count) where mask.nonzeroBitCount < chosen.count {
      let subset = open.indices.filter { mask >> $0 & 1 == 1 }.map { open[$0] }
      let smaller = try standings(subset)
      #expect(zip(smaller, reached).contains { $0 < $1 })
    }
  }

  @Test("weighs hundreds of logs, and logs of one operator, without end")
  func many() throws {
    let many = (0..<300).map { SubmissionLog("m\($0)", of: "Operator \($0 % 40)") }
    let choice = try LogChoiceTests.choose(many)
    #expect(choice.chosen.count == 2 && choice.alternates.count == 298)
    let one = (0..<100).map { SubmissionLog("o\($0)", of: "One") } + [World.c]
    #expect(try LogChoiceTests.choose(one).chosen.contains { $0.logID == World.c.logID })
  }

  @Test("chooses nothing for what is no certificate, or has expired")
  func unreadable() throws {
    for leaf in [[], [0x30], Array("hello".utf8)] as [[UInt8]] {
      #expect(try LogChoiceTests.choose(World.usual, for: PresentedCertificate(leaf: leaf)).chosen.isEmpty)
    }
    let late = LogChoice(
      for: try World.certificate(), policies: World.enforced(World.usual), asOf: World.days(91))
    #expect(late.chosen.isEmpty && late.unreachable == BrowserPolicy.current)
  }
}
