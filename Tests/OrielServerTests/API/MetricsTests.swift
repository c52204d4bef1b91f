import Dispatch
import Foundation
import OrielAccounts
import OrielStore
import Synchronization
import TestSupport
import TestWorld
import Testing

@testable import OrielServer

/// A database that keeps those waiting who count all accounts.
private final class HeldCounts: SQLDatabase {
  private struct Connection: SQLConnection {
    let inner: any SQLConnection
    let owner: HeldCounts

    func execute(_ sql: String, _ arguments: [SQLValue]) throws { try inner.execute(sql, arguments) }
    func query(_ sql: String, _ arguments: [SQLValue]) throws -> [SQLRow] {
      if sql.hasPrefix("SELECT count(*) FROM accounts") { owner.hold() }
      return try inner.query(sql, arguments)
    }
  }

  private let inner: any SQLDatabase
  private let counts = Mutex(0)
  private let gate = DispatchSemaphore(value: 0)

  init(_ inner: any SQLDatabase) { self.inner = inner }

  var count: Int { counts.withLock { $0 } }
  func release() { for _ in 0..<10 { gate.signal() } }

  private func hold() {
    counts.withLock { $0 += 1 }
    gate.wait()
  }

  func transaction<Value: Sendable>(
    _ body: @escaping @Sendable (any SQLConnection) throws -> Value
  ) async throws -> Value { try await inner.transaction(body) }

  func read<Value: Sendable>(
    _ body: @escaping @Sendable (any SQLConnection) throws -> Value
  ) async throws -> Value { try await inner.read { try body(Connection(inner: $0, owner: self)) } }
}

@Suite("The figures of the service")
struct MetricsTests {
  @Test("On this machine they are open; from elsewhere, or where a proxy may be, they need a token of their own")
  func protection() async throws {
    let dashboard = try await Dashboard()
    let all = try await Premises(dashboard)
    let (metrics, read) = (try await all.token([.metrics]), try await all.token([.read]))
    try await dashboard.serve { port in
      #expect(try await Program(port, nil).get("/metrics").status == 200)
      #expect(try await Program(port, metrics).get("/metrics").status == 200)
      #expect(try await Program(port, read).get("/metrics").status == 403)
      // What a proxy adds, or a page that calls itself by another name.
      for header in [("X-Forwarded-For", "192.0.2.1"), ("Forwarded", "for=192.0.2.1"), ("Via", "1.1 proxy")] {
        let reply = try await Program(port, nil).send("GET", "/metrics", headers: [header])
        #expect(reply.status == 401 && reply.header("www-authenticate") != nil)
      }
      let peer = RawClient(port: port, host: "evil.example")
      #expect(try await peer.request("GET", "/metrics").status == 401)
    }
    for isPublic in [true, false] {
      try await dashboard.serve({ settings, _ in
        settings.publicURL = isPublic ? "https://oriel.example" : nil
        settings.trustsForwarded = !isPublic
      }) { port in
        var statuses: [Int] = []
        for token in [nil, all.token, metrics] {
          statuses.append(try await Program(port, token).get("/metrics").status)
        }
        #expect(statuses == [401, 403, 200])
      }
    }
  }

  @Test("A token of another account than the operator's does not open them, and is told why")
  func otherAccounts() async throws {
    let dashboard = try await Dashboard()
    let (all, other) = (try await Premises(dashboard), try await Premises(dashboard, "Beta", item: "beta.example"))
    let (own, foreign) = (try await all.token([.metrics]), try await other.token([.metrics]))
    try await dashboard.serve { port in
      #expect(try await Program(port, own).get("/metrics").status == 200)
      let reply = try await Program(port, foreign).get("/metrics")
      #expect(reply.status == 403 && "\(reply.object["detail"] ?? "")".contains("only the operator's account"))
      let browser = try await Program(port, nil).send(
        "GET", "/metrics", headers: [("Cookie", "oriel-\(port)=\(other.session.text)"), ("Via", "1.1 proxy")])
      #expect(browser.status == 403)
    }
    // The number is nobody else's when the account is gone.
    _ = try await AlertStore(dashboard.database).alarm(
      "configuration-account", state: "\(all.owner.account)", now: dashboard.now, alert: nil)
    try await dashboard.service.removeAccount(all.owner.account)
    try await dashboard.serve { (port: Int) async throws in
      #expect(try await Program(port, foreign).get("/metrics").status == 403)
      #expect(try await Program(port, own).get("/metrics").status == 401)
    }
  }

  @Test("Those who ask at the same time wait for one count")
  func atOnce() async throws {
    let dashboard = try await Dashboard()
    _ = try await Premises(dashboard)
    let database = HeldCounts(dashboard.database)
    let arrived = Mutex(0)
    try await dashboard.serve({ _, parts in
      parts.database = database
      // Asked once all figures are there.
      parts.statuses = {
        arrived.withLock { $0 += 1 }
        return []
      }
    }) { port in
      try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<3 { group.addTask { try await Program(port, nil).get("/metrics").status } }
        while database.count == 0 { try await Task.sleep(for: .milliseconds(1)) }
        // Time for the others to ask; what they find out does not depend on it.
        try await Task.sleep(for: .milliseconds(100))
        database.release()
        for try await status in group { #expect(status == 200) }
      }
    }
    #expect(database.count == 1 && arrived.withLock { $0 } == 3)
  }

  @Test("They are what Prometheus reads, whatever a log calls itself, and say what there is")
  func text() async throws {
    let dashboard = try await Dashboard()
    _ = try await Premises(dashboard)
    let hostile = "a \"quoted\u{301}\" \\ name\nwith lines} 5"
    let log = try TestLog(.rfc6962, name: hostile).description(url: "https://h.example/", operatorName: "\"\\\n")
    _ = try await FollowingStore(dashboard.database).register([log], start: "start", now: dashboard.now)
    let text = try await dashboard.serve { port in
      let reply = try await Program(port, nil).get("/metrics")
      #expect(reply.header("content-type")?.hasPrefix("text/plain; version=0.0.4") == true)
      return reply.body
    }
    var types: Set<String> = []
    for line in text.split(separator: "\n") {
      if let type = line.wholeMatch(of: #/# TYPE ([a-z_]+) (gauge|counter)/#) {
        #expect(types.insert(String(type.1)).inserted, "\(line)")
      } else if !line.starts(with: "# HELP ") {
        let sample = try #require(
          line.wholeMatch(
            of: #/([a-z_]+)(?:\{[a-z_]+="(?:[^"\\\n]|\\["\\n])*"(?:,[a-z_]+="(?:[^"\\\n]|\\["\\n])*")*\})? -?[0-9.e+]+/#
              .matchingSemantics(.unicodeScalar)), "\(line)")
        #expect(types.contains(String(sample.1)), "\(line)")
      }
    }
    for line in [
      "oriel_accounts 1", "oriel_domains{is_on=\"true\"} 1", "oriel_judgements{level=\"unexplained\"} 1",
      "oriel_deliveries{channel=\"mail\",state=\"delivered\"} 1", "operator=\"\\\"\\\\\\n\"",
      "state=\"current\"} 1",
    ] { #expect(text.contains(line), "\(line)") }
    if FileManager.default.fileExists(atPath: "/proc/self/statm") {
      #expect(text.contains("process_resident_memory_bytes "))
    }
  }
}
