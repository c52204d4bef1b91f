import CertificateTransparency
import Foundation
import MerkleTree
import OrielAccounts
import OrielStore
import OrielVerdicts
import TestSupport

@testable import OrielServer

/// A program that speaks to the API with a token.
struct Program: Sendable {
  let client: RawClient
  let token: Secret?

  init(_ port: Int, _ token: Secret?) {
    client = RawClient(port: port)
    self.token = token
  }

  func send(
    _ method: String, _ path: String, _ body: String? = nil, type: String? = "application/json",
    headers: [(String, String)] = []
  ) async throws -> RawClient.Reply {
    var all = headers
    if let token { all.append(("Authorization", "Bearer \(token.text)")) }
    if body != nil, let type { all.append(("Content-Type", type)) }
    return try await client.request(method, path, headers: all, body: body.map { Array($0.utf8) })
  }

  /// Below `/api/v1`.
  func api(_ method: String, _ path: String, _ body: String? = nil) async throws -> RawClient.Reply {
    try await send(method, APIResponder.root + path, body)
  }

  func get(_ path: String) async throws -> RawClient.Reply { try await send("GET", path) }
}

extension RawClient.Reply {
  /// The body as JSON, by a schema.
  func json(_ schema: Schema) throws -> Document { try Document.read(Array(body.utf8), by: schema) }

  /// Whatever JSON it is.
  var object: [String: Any] { (try? JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any]) ?? [:] }

  /// The fields that a problem names.
  var refusedFields: [String] {
    (object["errors"] as? [[String: Any]] ?? []).compactMap { $0["field"] as? String }
  }

  var items: [[String: Any]] { object["items"] as? [[String: Any]] ?? [] }

  /// The body without what a transfer in chunks adds to it; nil if it was broken off.
  var whole: String? {
    guard header("transfer-encoding") == "chunked" else { return body }
    var (rest, text) = (Array(body.utf8)[...], [UInt8]())
    while let end = rest.firstRange(of: [13, 10]) {
      guard let count = Int(String(decoding: rest[..<end.lowerBound], as: UTF8.self), radix: 16) else { return nil }
      if count == 0 { return String(decoding: text, as: UTF8.self) }
      text += rest[end.upperBound...].prefix(count)
      rest = rest[end.upperBound...].dropFirst(count + 2)
    }
    return nil
  }
}

/// An account with one of everything, as programs meet it.
struct Premises: Sendable {
  let dashboard: Dashboard
  let owner: Actor
  let session: Secret
  let domain: DomainID
  let issuance: IssuanceID
  /// With the scope admin.
  let token: Secret
  /// What stands in paths.
  let ids: [String: String]

  init(_ dashboard: Dashboard, _ name: String = "Alpha", item: String = "alpha.example") async throws {
    self.dashboard = dashboard
    let accounts = dashboard.accounts
    (owner, session) = try await dashboard.account(name)
    domain = try await dashboard.domain(owner, item)
    issuance = try await dashboard.sight(
      ["www." + item, item], for: domain, item: item, .unexplained, [.newName(["www." + item])])
    let recipient = try await accounts.addRecipient(owner, to: domain, address: "hear@" + item).recipient.id
    let member = try await accounts.addMember(owner, address: "second@" + item, role: .member).member.id
    let entry = NewInventoryEntry(kind: .key, hash: SHA256Hash.hash([1]), names: [item], notAfter: 2_000_000_000)
    try await accounts.addInventory(owner, to: domain, [entry], source: "test")
    guard let inventory = try await accounts.inventory(owner, of: domain).first?.id else { throw CancellationError() }
    let mute = try await accounts.mute(owner, domain, .name("old." + item), until: dashboard.now + Dashboard.day).id
    token = try await accounts.addToken(owner, name: "admin", scopes: [.admin]).secret
    let other = try await accounts.addToken(owner, name: "other", scopes: [.read]).token.id
    ids = [
      "domain": "\(domain)", "recipient": "\(recipient)", "member": "\(member)", "entry": "\(inventory)",
      "mute": "\(mute)", "token": "\(other)", "issuance": "\(issuance)",
    ]
    _ = try await dashboard.service.foundCAA([#"0 issue "ca.example""#], for: domain)
    let account = owner.account.value
    let recipientName = "domain:\(domain)"
    let now = dashboard.now
    try await dashboard.database.transaction { [issuance] connection in
      try connection.execute(
        "INSERT INTO alerts (key, kind, issuance_id, item, created_at, routed) VALUES (?, 'certificate', ?, ?, ?, 1)",
        [.text("alert of \(name)"), .blob(issuance.hash.bytes), .text(item), .integer(now)])
      try connection.execute(
        """
        INSERT INTO lookalikes (owner, item, registrable, name, reason, sentence, rating, first_seen, last_seen)
        VALUES (?, ?, 'a1pha.example', 'www.a1pha.example', 'digits', 'A digit looks like a letter.', 85, ?, ?)
        """, [.integer(account), .text(item), .integer(now), .integer(now)])
      try connection.execute(
        "INSERT INTO lookalike_issuances VALUES ((SELECT max(id) FROM lookalikes), (SELECT max(number) FROM issuances))"
      )
      try connection.execute(
        """
        INSERT INTO deliveries (alert_id, recipient, target, state, attempts, next_attempt, last_attempt, words)
        VALUES ((SELECT max(id) FROM alerts), ?, ?, 'delivered', 1, 0, ?, '250 ok')
        """, [.text(recipientName), .text("domain-mail:hear@" + item), .integer(now)])
    }
  }

  func token(_ scopes: Set<Scope>) async throws -> Secret {
    try await dashboard.accounts.addToken(owner, name: "of \(scopes.count)", scopes: scopes).secret
  }

  /// The path of an operation, with our own things in it.
  func path(_ operation: APIOperation) -> String {
    ids.reduce(operation.path) { $0.replacing("{\($1.key)}", with: $1.value) }
  }
}

extension Dashboard {
  /// The operations that the server has.
  func operations() throws -> [APIOperation] {
    let parts = WebServer.Parts(accounts: store, database: database, now: { 0 }, sendLetter: { _, _ in })
    return try APIResponder(Site(parts, WebServer.Settings())).operations
  }
}
