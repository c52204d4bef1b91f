import Foundation
import OrielWatchlist
import TestWorld
import Testing

@testable import OrielContacts

struct CAALookupTests {
  private typealias Record = NameServerDouble.Record

  private func lookUp(
    _ name: String, timeout: Duration = .seconds(5), tries: Int = 1, limit: Duration = .seconds(60),
    _ script: @escaping @Sendable (NameServerDouble.Query) -> NameServerDouble.Reply
  ) async throws -> (CAAResult, [NameServerDouble.Query]) {
    let server = try NameServerDouble(script)
    defer { server.stop() }
    let lookup = CAALookup(
      .init(servers: [try NameServer("127.0.0.1:\(server.port)")], timeout: timeout, tries: tries, limit: limit))
    return (await lookup.records(for: try DomainName(name)), server.asked)
  }

  @Test("the name's own records decide, and nobody above is asked")
  func own() async throws {
    let (result, asked) = try await lookUp("www.example.test") { query in
      .records([
        .caa(query.name, "issue", "letsencrypt.org; validationmethods=dns-01"),
        .caa(query.name, "Iodef", "mailto:a@b.test"),
      ])
    }
    let expected = CAASet(
      name: "www.example.test",
      records: [
        CAARecord(flags: 0, tag: "iodef", value: "mailto:a@b.test"),
        CAARecord(flags: 0, tag: "issue", value: "letsencrypt.org; validationmethods=dns-01"),
      ])
    #expect(result == .found(expected))
    #expect(asked.map(\.name) == ["www.example.test"])
    #expect(asked.allSatisfy { $0.type == 257 && !$0.isTCP })
  }

  @Test("without records of its own, those of the nearest name above decide, up to the top level")
  func climbing() async throws {
    let (result, asked) = try await lookUp("a.b.example.test") { query in
      switch query.name {
      case "a.b.example.test": .code(3)
      case "b.example.test": .records([])
      default: .records([.caa(query.name, "issue", ";")])
      }
    }
    #expect(
      result == .found(CAASet(name: "example.test", records: [CAARecord(flags: 0, tag: "issue", value: ";")])))
    #expect(asked.map(\.name) == ["a.b.example.test", "b.example.test", "example.test"])
    let (none, all) = try await lookUp("a.example.test") { _ in .records([]) }
    #expect(none == .noRecords)
    #expect(all.map(\.name) == ["a.example.test", "example.test", "test"])
  }

  @Test("an alias has the records of what it stands for; the names above that have no say")
  func aliases() async throws {
    let (result, asked) = try await lookUp("www.example.test") { query in
      .records([
        .caa("cdn.other.test", "issue", "ca.test"), .alias("mid.other.test", "cdn.other.test"),
        .alias(query.name, "MID.other.test"), .caa("stray.test", "issue", "evil.test"),
      ])
    }
    let record = CAARecord(flags: 0, tag: "issue", value: "ca.test")
    #expect(result == .found(CAASet(name: "www.example.test", alias: "cdn.other.test", records: [record])))
    #expect(asked.count == 1)

    let (above, names) = try await lookUp("www.example.test") { query in
      query.name == "www.example.test"
        ? .records([.alias(query.name, "cdn.other.test")]) : .records([.caa(query.name, "issue", "ca.test")])
    }
    #expect(above == .found(CAASet(name: "example.test", records: [record])))
    #expect(names.map(\.name) == ["www.example.test", "example.test"])
  }

  @Test("aliases that the server does not follow are followed, a circle of them is not known")
  func aliasesFollowed() async throws {
    let (result, asked) = try await lookUp("www.example.test") { query in
      query.name == "www.example.test"
        ? .authoritative([.alias(query.name, "cdn.other.test")])
        : .authoritative([.caa(query.name, "issue", "ca.test")])
    }
    let record = CAARecord(flags: 0, tag: "issue", value: "ca.test")
    #expect(result == .found(CAASet(name: "www.example.test", alias: "cdn.other.test", records: [record])))
    #expect(asked.map(\.name) == ["www.example.test", "cdn.other.test"])

    let (circle, _) = try await lookUp("a.test") { query in
      .authoritative([.alias(query.name, query.name == "a.test" ? "b.test" : "a.test")])
    }
    #expect(circle == .notKnown(CAAFailure(name: "a.test", reason: .tooManyAliases)))
  }

  @Test("a truncated answer is asked for again over TCP")
  func truncation() async throws {
    let many = (0..<200).map { Record.caa("example.test", "issue", "ca\($0).test") }
    let (result, asked) = try await lookUp("example.test") { $0.isTCP ? .records(many) : .truncated }
    guard case .found(let set) = result else {
      Issue.record("\(result)")
      return
    }
    #expect(set.records.count == 200)
    #expect(asked.map(\.isTCP) == [false, true])
  }

  @Test("a server that knows no EDNS is asked without")
  func noEDNS() async throws {
    let (result, asked) = try await lookUp("example.test", tries: 2) { query in
      query.hasEDNS ? .code(1) : .records([.caa(query.name, "issue", "ca.test")])
    }
    #expect(asked.map(\.hasEDNS) == [true, false])
    guard case .found = result else {
      Issue.record("\(result)")
      return
    }
  }

  @Test(
    "a failure anywhere on the way up is not known, never none",
    arguments: [
      (NameServerDouble.Reply.code(2), CAAFailure.Reason.serverFailure), (.code(5), .refused),
      (.silence, .timedOut), (.garbage([]), .timedOut), (.garbage([1, 2, 3]), .timedOut),
      (.garbage([UInt8](repeating: 0xff, count: 300)), .timedOut),
      // An answer is said to be there, but it is not.
      (.raw(flags: 0x8180, answers: 1, []), .unreadable),
      // A tag that ends beyond the record; no tag; a record that ends beyond the message.
      (.raw(flags: 0x8180, answers: 1, [0xc0, 0x0c, 1, 1, 0, 1, 0, 0, 0, 9, 0, 3, 0, 9, 0x61]), .unreadable),
      (.raw(flags: 0x8180, answers: 1, [0xc0, 0x0c, 1, 1, 0, 1, 0, 0, 0, 9, 0, 2, 0, 0]), .unreadable),
      (.raw(flags: 0x8180, answers: 1, [0xc0, 0x0c, 1, 1, 0, 1, 0, 0, 0, 9, 1, 0, 0, 0]), .unreadable),
      // A name that points to itself; more records than there can be.
      (.raw(flags: 0x8180, answers: 1, [0xc0, 0x1e, 0xc0, 0x1e, 0xc0, 0x20]), .unreadable),
      (.raw(flags: 0x8180, answers: 65535, [0xc0, 0x0c]), .unreadable),
    ])
  func failures(reply: NameServerDouble.Reply, reason: CAAFailure.Reason) async throws {
    // Where silence is not what is tried, slowness must not look like it.
    let isSilent = reason == .timedOut
    for failing in ["www.example.test", "test"] {
      let (result, _) = try await lookUp(
        "www.example.test", timeout: isSilent ? .milliseconds(150) : .seconds(20), tries: isSilent ? 4 : 1
      ) { query in
        query.name == failing ? reply : .records([])
      }
      #expect(result == .notKnown(CAAFailure(name: failing, reason: reason)))
    }
  }

  @Test("several servers are asked in turn: one that fails leaves the other's answer")
  func severalServers() async throws {
    let bad = try NameServerDouble { _ in .code(2) }
    let good = try NameServerDouble { .records([.caa($0.name, "issue", "ca.test")]) }
    defer {
      bad.stop()
      good.stop()
    }
    let servers = try [bad, good].map { try NameServer("127.0.0.1:\($0.port)") }
    let result = await CAALookup(.init(servers: servers)).records(for: try DomainName("a.test"))
    guard case .found = result else {
      Issue.record("\(result)")
      return
    }
    #expect(bad.names.contains("a.test"))
    let all = await CAALookup(.init(servers: [servers[0], servers[0]])).records(for: try DomainName("a.test"))
    #expect(all == .notKnown(CAAFailure(name: "a.test", reason: .unreachable)))
  }

  @Test("all of it has a limit of time, and silence is asked again before giving up")
  func limits() async throws {
    let (limited, _) = try await lookUp("a.test", timeout: .seconds(50), limit: .milliseconds(100)) { _ in .silence }
    #expect(limited == .notKnown(CAAFailure(name: "a.test", reason: .timedOut)))
    let server = try NameServerDouble { _ in .silence }
    defer { server.stop() }
    let lookup = CAALookup(
      .init(servers: [try NameServer("127.0.0.1:\(server.port)")], timeout: .milliseconds(50), tries: 3))
    let silent = await lookup.records(for: try DomainName("a.test"))
    #expect(silent == .notKnown(CAAFailure(name: "a.test", reason: .timedOut)))
    while server.asked.count < 3 { try await Task.sleep(for: .milliseconds(5)) }
    #expect(server.asked.count == 3)
  }

  @Test("a look-up nobody waits for any more ends")
  func cancellation() async throws {
    let server = try NameServerDouble { _ in .silence }
    defer { server.stop() }
    let lookup = CAALookup(
      .init(
        servers: [try NameServer("127.0.0.1:\(server.port)")], timeout: .seconds(60), tries: 3, limit: .seconds(600)))
    let name = try DomainName("a.test")
    let task = Task { await lookup.records(for: name) }
    while server.asked.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
    task.cancel()
    #expect(await task.value == .notKnown(CAAFailure(name: "a.test", reason: .cancelled)))
  }

  @Test("many look-ups at once each get their own answer")
  func concurrency() async throws {
    let server = try NameServerDouble { .records([.caa($0.name, "issue", $0.name)]) }
    defer { server.stop() }
    let lookup = CAALookup(.init(servers: [try NameServer("127.0.0.1:\(server.port)")], timeout: .seconds(2), tries: 5))
    try await withThrowingTaskGroup(of: (String, CAAResult).self) { group in
      for number in 0..<40 {
        let name = try DomainName("n\(number).test")
        group.addTask { (name.ascii, await lookup.records(for: name)) }
      }
      for try await (name, result) in group {
        let record = CAARecord(flags: 0, tag: "issue", value: name)
        #expect(result == .found(CAASet(name: name, records: [record])))
      }
    }
  }

  @Test("no random answer traps, hangs, or is taken for none")
  func randomAnswers() async throws {
    var generator = SeededGenerator(seed: 11)
    var replies: [NameServerDouble.Reply] = []
    for _ in 0..<150 {
      var bytes: [UInt8] = [0xc0, 0x0c, 1, 1, 0, 1, 0, 0, 0, 9, 0, 8, 0, 5] + Array("issuex".utf8)
      for _ in 0..<Int.random(in: 1...5, using: &generator) {
        bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(in: 0...255, using: &generator)
      }
      replies.append(.raw(flags: 0x8180, answers: 2, bytes))
    }
    for reply in replies {
      let (result, _) = try await lookUp("test", timeout: .milliseconds(300)) { _ in reply }
      guard case .notKnown = result else {
        Issue.record("\(reply) gave \(result)")
        continue
      }
    }
  }
}

struct CAASetTests {
  private func set(_ lines: [(UInt8, String, String)]) -> CAASet {
    CAASet(name: "a.test", records: lines.map { CAARecord(flags: $0.0, tag: $0.1, value: $0.2) })
  }

  @Test(
    "records permit whom RFC 8659 says they do",
    arguments: [
      ([(0, "issue", "ca.test")], CAASet.Permission.only(["ca.test"]), CAASet.Permission.only(["ca.test"])),
      (
        [(0, "issue", "CA.test"), (0, "issue", "b.test; a=b")], .only(["ca.test", "b.test"]),
        .only(["ca.test", "b.test"])
      ),
      ([(0, "issue", "ca.test"), (0, "issuewild", ";")], .only(["ca.test"]), .only([])),
      ([(0, "issuewild", "ca.test")], .anybody, .only(["ca.test"])),
      ([(0, "iodef", "mailto:a@b.test")], .anybody, .anybody),
      ([(0, "issue", ";")], .only([]), .only([])), ([(0, "issue", "")], .only([]), .only([])),
      ([(0, "issue", "%%%")], .only([]), .only([])), ([(0, "issue", "ca.test; bad")], .only([]), .only([])),
      ([(0, "issue", "-ca.test")], .only([]), .only([])),
      ([(0, "issue", " ca.test ")], .only(["ca.test"]), .only(["ca.test"])),
      ([(0, "issue", "ca.test"), (0, "tbs", "x")], .only(["ca.test"]), .only(["ca.test"])),
      ([(0, "issue", "ca.test"), (128, "tbs", "x")], .only([]), .only([])),
      ([(128, "issue", "ca.test")], .only(["ca.test"]), .only(["ca.test"])),
    ] as [([(UInt8, String, String)], CAASet.Permission, CAASet.Permission)])
  func permission(lines: [(UInt8, String, String)], plain: CAASet.Permission, wildcard: CAASet.Permission) {
    #expect(set(lines).permission(isWildcard: false) == plain)
    #expect(set(lines).permission(isWildcard: true) == wildcard)
  }

  @Test("parameters are read, and shown records can't deceive")
  func parameters() throws {
    let record = CAARecord(
      flags: 128, tag: "issue", value: "ca.test; accounturi=https://ca.test/a?b=c;validationmethods = dns-01 ;")
    #expect(record.issuer.domain == "ca.test")
    #expect(
      record.issuer.parameters.map { "\($0.tag)=\($0.value)" } == [
        "accounturi=https://ca.test/a?b=c", "validationmethods=dns-01",
      ])
    #expect(record.isCritical)
    #expect(
      CAARecord(flags: 0, tag: "ISSUE", value: "a\"\u{202e}\nb\\").description == "0 issue \"a\\\"\u{fffd} b\\\\\"")
    let reports = set([(0, "iodef", "mailto:a@b.test"), (0, "iodef", "https://b.test"), (0, "iodef", "mailto:x")])
    let stored = try JSONDecoder().decode(CAASet.self, from: JSONEncoder().encode(reports))
    #expect(stored == reports)
  }

  @Test(
    "a name server is an address and a port",
    arguments: [
      ("127.0.0.1", "127.0.0.1:53"), ("127.0.0.1:5353", "127.0.0.1:5353"), ("::1", "[::1]:53"), ("[::1]:5", "[::1]:5"),
      ("[::1]", "[::1]:53"), ("localhost:53", nil), ("127.0.0.1:0", nil), ("127.0.0.1:70000", nil), ("", nil),
      ("[::1]x", nil), ("1.2.3.4,5.6.7.8", nil), ("[127.0.0.1", nil), ("a:b:c", nil),
    ] as [(String, String?)])
  func nameServers(text: String, expected: String?) {
    #expect((try? NameServer(text))?.description == expected)
  }
}
