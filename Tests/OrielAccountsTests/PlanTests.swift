import CertificateTransparency
import MerkleTree
import OrielStore
import Synchronization
import Testing

@testable import OrielAccounts

/// A database that notes which statements read a table from end to end.
private struct ExplainedDatabase: SQLDatabase {
  final class Notes: Sendable {
    let scans = Mutex<Set<String>>([])
    let statements = Mutex<Set<String>>([])
  }

  struct Connection: SQLConnection {
    let inner: any SQLConnection
    let notes: Notes

    func execute(_ sql: String, _ arguments: [SQLValue]) throws {
      try explain(sql, arguments)
      try inner.execute(sql, arguments)
    }

    func query(_ sql: String, _ arguments: [SQLValue]) throws -> [SQLRow] {
      try explain(sql, arguments)
      return try inner.query(sql, arguments)
    }

    private func explain(_ sql: String, _ arguments: [SQLValue]) throws {
      notes.statements.withLock { _ = $0.insert(sql) }
      for row in try inner.query("EXPLAIN QUERY PLAN " + sql, arguments) {
        guard let step = row.text(3), step.hasPrefix("SCAN "), !step.contains("CONSTANT ROW"),
          !step.contains("json_each"),
          !step.contains("(subquery")
        else { continue }
        notes.scans.withLock { _ = $0.insert("\(step): \(sql)") }
      }
    }
  }

  let inner: any SQLDatabase
  let notes = Notes()

  func transaction<Value: Sendable>(
    _ body: @escaping @Sendable (any SQLConnection) throws -> Value
  ) async throws -> Value {
    try await inner.transaction { [notes] in try body(Connection(inner: $0, notes: notes)) }
  }

  func read<Value: Sendable>(
    _ body: @escaping @Sendable (any SQLConnection) throws -> Value
  ) async throws -> Value {
    try await inner.read { [notes] in try body(Connection(inner: $0, notes: notes)) }
  }
}

@Suite("Statements")
struct PlanTests {
  @Test("no operation reads a table from end to end", arguments: Operation.all)
  func operations(operation: Operation) async throws {
    let neighbours = try await Neighbours()
    let database = ExplainedDatabase(inner: neighbours.registry.database)
    let now = neighbours.registry.now
    let store = AccountStore(database, now: { now })
    _ = try await operation.run(Accounts(store), neighbours.owner, neighbours)
    #expect(database.notes.scans.withLock { $0 } == [])
    #expect(database.notes.statements.withLock { $0.count } > 1)
  }

  @Test("no search reads a table from end to end, however its conditions are combined")
  func searches() async throws {
    let neighbours = try await Neighbours()
    let database = ExplainedDatabase(inner: neighbours.registry.database)
    let search = IssuanceSearch(database)
    for conditions in 0..<(1 << 8) {
      func has(_ bit: Int) -> Bool { conditions & 1 << bit != 0 }
      var query = IssuanceQuery()
      if has(0) { query.name = .atOrBelow("alpha.example") }
      if has(1) { query.publicKey = .zero }
      if has(2) { query.issuerKey = .zero }
      if has(3) { query.serial = "1" }
      if has(4) { query.certificate = .zero }
      if has(5) { (query.from, query.before) = (0, 1) }
      if has(6) { query.account = neighbours.owner.account.value }
      if has(7) { query.issuance = neighbours.issuance }
      _ = try await search.page(query, after: SearchCursor(firstSeen: .max, number: 0))
      _ = try await search.count(query)
    }
    #expect(database.notes.scans.withLock { $0 } == [])
  }

  @Test("nor does a history, signing in, or what the service asks all the time")
  func service() async throws {
    let neighbours = try await Neighbours()
    let registry = neighbours.registry
    let session = try await registry.session("owner@alpha.example")
    let token = try await registry.accounts.addToken(neighbours.owner, name: "t", scopes: [.read]).secret
    let database = ExplainedDatabase(inner: registry.database)
    let now = registry.now
    let store = AccountStore(database, now: { now })
    let (signIn, service, accounts) = (SignIn(store), AccountService(store), Accounts(store))
    for levels in [Set<VerdictLevel>(), [.unexplained], [.known, .expected]] {
      for states in [Set<Judgement.State>(), [.new]] {
        for domain in [nil, neighbours.domain] {
          var filter = HistoryFilter()
          (filter.levels, filter.states, filter.from) = (levels, states, 1)
          let cursor = HistoryCursor("9999999999999-9-9")
          _ = try await accounts.history(neighbours.owner, of: domain, filter, after: cursor)
          filter.name = .atOrBelow("alpha.example")
          _ = try await accounts.historyCount(neighbours.owner, of: domain, filter)
        }
      }
    }
    let link = try #require(try await signIn.requestLink(address: "owner@alpha.example", client: "c"))
    _ = try await signIn.signIn(link.secret, client: "c")
    _ = try await signIn.actor(session: session)
    _ = try await signIn.actor(token: token)
    _ = try await signIn.sessions(session)
    _ = try await service.routes(for: "alpha.example")
    for addressee in try await service.addressees(of: neighbours.domain) {
      _ = try await signIn.unsubscribe(addressee.unsubscribeCode)
    }
    _ = try await service.mute(of: neighbours.domain, issuer: .zero, names: [])
    _ = try await service.inventory(of: neighbours.domain)
    try await service.judge(neighbours.issuance, for: neighbours.domain, .known, isProven: true, reasons: "[]")
    try await service.bounced("hear@alpha.example", reason: "no")
    try await service.sweep()
    _ = try await store.generation()
    #expect(database.notes.scans.withLock { $0 } == [])
  }
}
