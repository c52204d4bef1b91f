import CertificateTransparency
import MerkleTree
import OrielStore

extension Accounts {
  /// The inventory of a domain, what was removed from it included, in the order in which it was added.
  package func inventory(
    _ actor: Actor, of domain: DomainID, after cursor: InventoryID? = nil, limit: Int = 50
  ) async throws -> [InventoryEntry] {
    try await look(actor, .read) { turn in
      _ = try turn.domain(domain)
      return try turn.connection.query(
        Inventory.select + " WHERE domain_id = ? AND id > ? ORDER BY id LIMIT ?",
        [.integer(domain.value), .integer(cursor?.value ?? 0), .integer(Int64(max(1, min(limit, 1000))))]
      ).map(InventoryEntry.init(row:))
    }
  }

  /// When a log last showed each of several entries, as far as one has: milliseconds since 1970.
  package func lastSightings(
    _ actor: Actor, of domain: DomainID, _ entries: [InventoryEntry]
  ) async throws -> [InventoryID: Int64] {
    try await look(actor, .read) { turn in
      _ = try turn.domain(domain)
      var times: [InventoryID: Int64] = [:]
      for entry in entries.prefix(1000) {
        let rows =
          try entry.kind == .certificate
          ? turn.connection.query(
            "SELECT max(timestamp) FROM sightings WHERE issuance_id = ?", [.blob(entry.hash.bytes)])
          : turn.connection.query(
            """
            SELECT i.first_seen FROM issuances i JOIN judgements j ON j.issuance = i.number AND j.domain_id = ?
            WHERE i.spki_sha256 = ? ORDER BY i.first_seen DESC, i.number DESC LIMIT 1
            """, [.integer(domain.value), .blob(entry.hash.bytes)])
        times[entry.id] = rows.first?.integer(0)
      }
      return times
    }
  }

  /// Says what belongs to the owner, and where that is known from.
  package func addInventory(
    _ actor: Actor, to domain: DomainID, _ entries: [NewInventoryEntry], source: String
  ) async throws {
    try await run(actor, .write, changing: .settings) { turn in
      let domain = try turn.domain(domain)
      let source = try Words.checked(source, .note)
      let count = try turn.count(
        "SELECT count(*) FROM inventory WHERE domain_id = ?", [.integer(domain.id.value)])
      guard count + entries.count <= store.limits.inventory else {
        throw AccountError.refused(
          field: .hash, reason: "an inventory has at most \(store.limits.inventory) certificates and keys")
      }
      let inventory = Inventory(connection: turn.connection, now: turn.now)
      let isByProgram = if case .token = actor.means { true } else { false }
      for entry in entries {
        guard entry.kind == .certificate || !entry.names.isEmpty else {
          throw AccountError.refused(field: .name, reason: "say for which names the key may be used")
        }
        guard entry.names.count <= 1000, entry.names.allSatisfy({ $0.utf8.count <= 512 }) else {
          throw AccountError.refused(field: .name, reason: "at most 1,000 names of 512 bytes each, please")
        }
        try inventory.add(entry, to: domain.id, source: source, isByProgram: isByProgram)
      }
      try turn.audit(
        "added \(counted(entries.count, "entry", "entries")) to the inventory of \(domain.item) (\(source))")
    }
  }

  /// Takes an entry out; it is kept and shown as removed.
  package func removeInventory(_ actor: Actor, _ id: InventoryID, of domain: DomainID) async throws {
    try await run(actor, .write, changing: .settings) { turn in
      let domain = try turn.domain(domain)
      let rows = try turn.connection.query(
        "UPDATE inventory SET removed_at = coalesce(removed_at, ?) WHERE id = ? AND domain_id = ? RETURNING hash",
        [.integer(turn.now), .integer(id.value), .integer(domain.id.value)])
      guard let hash = rows.first?.blob(0).flatMap({ SHA256Hash($0) }) else { throw AccountError.notFound }
      try turn.audit("removed \(hash.hex) from the inventory of \(domain.item)")
    }
  }

  /// The mutes that have not ended, the next to end first.
  package func mutes(_ actor: Actor, of domain: DomainID) async throws -> [Mute] {
    try await look(actor, .read) { turn in
      _ = try turn.domain(domain)
      return try Mute.load(turn.connection, domain, now: turn.now)
    }
  }

  /// Stops deliveries until a time, at most a year away. What is muted is recorded and shown all the same.
  package func mute(_ actor: Actor, _ domain: DomainID, _ rule: Mute.Rule, until: Int64) async throws -> Mute {
    try await run(actor, .write, changing: .settings) { turn in
      let domain = try turn.domain(domain)
      guard until > turn.now, until - turn.now <= Mute.longest else {
        throw AccountError.refused(field: .until, reason: "give an end between now and a year from now")
      }
      let mutes = try Mute.load(turn.connection, domain.id, now: turn.now)
      guard mutes.count < store.limits.mutes else {
        throw AccountError.refused(field: .rule, reason: "a domain has at most \(store.limits.mutes) mutes")
      }
      var rule = rule
      if case .name(let name) = rule { rule = .name(try SearchName(parsing: name).description) }
      let rows = try turn.connection.query(
        "INSERT INTO mutes (domain_id, kind, value, until, created_at) VALUES (?, ?, ?, ?, ?) RETURNING id",
        [
          .integer(domain.id.value), .text(rule.kind), .text(rule.value), .integer(until), .integer(turn.now),
        ])
      guard let id = rows.first?.integer(0) else { throw UnreadableRow(table: "mutes") }
      let what = rule == .domain ? "" : " (\(rule.kind) \(rule.value))"
      try turn.audit("muted \(domain.item)\(what) until \(Timestamp(milliseconds: UInt64(until)))")
      return Mute(id: MuteID(id), rule: rule, until: until, createdAt: turn.now)
    }
  }

  package func unmute(_ actor: Actor, _ id: MuteID, of domain: DomainID) async throws {
    try await run(actor, .write, changing: .settings) { turn in
      let domain = try turn.domain(domain)
      let rows = try turn.connection.query(
        "DELETE FROM mutes WHERE id = ? AND domain_id = ? RETURNING id",
        [.integer(id.value), .integer(domain.id.value)])
      guard !rows.isEmpty else { throw AccountError.notFound }
      try turn.audit("ended a mute of \(domain.item)")
    }
  }
}

extension Mute {
  fileprivate static let longest: Int64 = 366 * 86_400_000

  /// The mutes in force. One that ends later than any could was set by a clock that was ahead, and is not.
  static func load(_ connection: any SQLConnection, _ domain: DomainID, now: Int64) throws -> [Mute] {
    try connection.query(
      """
      SELECT id, kind, value, until, created_at FROM mutes WHERE domain_id = ? AND until > ? AND until <= ?
      ORDER BY until, id
      """, [.integer(domain.value), .integer(now), .integer(now + longest)]
    ).map { row in
      guard let id = row.integer(0), let until = row.integer(3),
        let rule = Rule(kind: row.text(1) ?? "", value: row.text(2) ?? "")
      else { throw UnreadableRow(table: "mutes") }
      return Mute(id: MuteID(id), rule: rule, until: until, createdAt: row.integer(4) ?? 0)
    }
  }
}

extension Mute.Rule {
  fileprivate init?(kind: String, value: String) {
    switch kind {
    case "domain": self = .domain
    case "issuer":
      guard let hash = SHA256Hash(hex: value) else { return nil }
      self = .issuer(hash)
    case "name": self = .name(value)
    default: return nil
    }
  }

  fileprivate var kind: String {
    switch self {
    case .domain: "domain"
    case .issuer: "issuer"
    case .name: "name"
    }
  }

  fileprivate var value: String {
    switch self {
    case .domain: ""
    case .issuer(let hash): hash.hex
    case .name(let name): name
    }
  }

  /// Whether an issuance is meant. Several names must all be: one of them may be the news.
  func covers(issuer: SHA256Hash?, names: [String]) -> Bool {
    switch self {
    case .domain: true
    case .issuer(let hash): hash == issuer
    case .name(let name):
      !names.isEmpty
        && names.allSatisfy { other in
          name.hasPrefix("=") ? other == name.dropFirst() : other == name || other.hasSuffix("." + name)
        }
    }
  }
}
