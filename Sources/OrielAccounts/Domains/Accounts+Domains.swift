import OrielStore
import OrielWatchlist

extension Accounts {
  /// Domains by item, those after `cursor`, with the beginning of the item that was asked for.
  package func domains(
    _ actor: Actor, startingWith prefix: String = "", after cursor: String? = nil, limit: Int = 50
  ) async throws -> [Domain] {
    try await look(actor, .read) { turn in
      // U+10FFFF sorts behind everything that an item can go on with.
      try turn.connection.query(
        Domain.select + " WHERE account_id = ? AND item > ? AND item >= ? AND item < ? ORDER BY item LIMIT ?",
        [
          turn.account, .text(cursor ?? ""), .text(prefix), .text(prefix + "\u{10FFFF}"),
          .integer(Int64(max(1, min(limit, 1000)))),
        ]
      ).map(Domain.init(row:))
    }
  }

  /// How many domains there are, and how many of them are on.
  package func domainCount(_ actor: Actor) async throws -> (all: Int, on: Int) {
    try await look(actor, .read) { turn in
      let row = try turn.connection.query(
        "SELECT count(*), sum(is_on) FROM domains WHERE account_id = ?", [turn.account]
      ).first
      return (Int(row?.integer(0) ?? 0), Int(row?.integer(1) ?? 0))
    }
  }

  package func domain(_ actor: Actor, _ id: DomainID) async throws -> Domain {
    try await look(actor, .read) { try $0.domain(id) }
  }

  /// Adds a domain, which is off.
  package func addDomain(_ actor: Actor, item text: String) async throws -> Domain {
    try await run(actor, .write) { turn in
      let item = try store.item(text)
      guard try turn.count("SELECT count(*) FROM domains WHERE account_id = ?", [turn.account]) < store.limits.domains
      else {
        throw AccountError.refused(field: .item, reason: "an account has at most \(store.limits.domains) domains")
      }
      guard let id = try turn.insert(item, source: .dashboard) else {
        throw AccountError.refused(field: .item, reason: "\(item) is there already")
      }
      try turn.audit("added \(item)")
      return try turn.domain(id)
    }
  }

  package func change(_ actor: Actor, _ id: DomainID, _ change: DomainChange) async throws -> Domain {
    let isWatch = change.isOn != nil || change.watchesLookalikes != nil
    return try await run(actor, .write, changing: isWatch ? .watch : .settings) { turn in
      let domain = try turn.editableDomain(
        id, besides: !isWatch && change.delivery.isEmpty && change.lookalikeDelivery == nil, changing: change.settings)
      // Whoever runs the service may say so before anything has been seen, as they can in the configuration file.
      if change.isBaselineConfirmed == true, actor.means != .machine { try turn.requireBaseline(of: domain) }
      try turn.apply(change, to: domain)
      return try turn.domain(id)
    }
  }

  /// Confirms the CAA records that were found last, which must be those that the owner saw.
  package func confirmCAA(_ actor: Actor, _ id: DomainID, _ records: [String]) async throws {
    try await run(actor, .write, changing: .settings) { turn in
      let domain = try turn.editableDomain(id, besides: true, changing: [.caa])
      guard domain.seenCAA == records else {
        throw AccountError.refused(field: .caa, reason: "the records have changed meanwhile: look at them again")
      }
      try turn.confirm(caa: records, of: domain)
    }
  }

  /// Removes a domain, with its recipients, inventory and history.
  package func removeDomain(_ actor: Actor, _ id: DomainID) async throws {
    try await run(actor, .write, changing: .watch) { turn in
      let domain = try turn.editableDomain(id)
      try turn.forgetLookalikes(of: domain)
      try turn.connection.execute("DELETE FROM domains WHERE id = ?", [.integer(id.value)])
      try turn.audit("removed \(domain.item)")
    }
  }
}

extension AccountStore {
  /// Reads an item that an account may watch.
  func item(_ text: String) throws -> WatchedItem {
    let item: WatchedItem
    do {
      item = try WatchedItem(
        parsing: text, allowPublicSuffix: limits.allowsPublicSuffixes, publicSuffixes: publicSuffixes)
    } catch WatchedItemError.publicSuffix(let name) {
      // To allow them is for whoever runs the service.
      throw AccountError.refused(
        field: .item, reason: "“\(name.ascii)” is a public suffix: everybody's names are below it; watch your own")
    } catch {
      throw AccountError.refused(field: .item, reason: "\(error)")
    }
    let isBroad =
      switch item {
      case .everything, .issuer: true
      case .addresses(let range): range.prefixLength < 16
      case .subtree, .exact, .publicKey: false
      }
    if isBroad, !limits.allowsBroadItems {
      throw AccountError.refused(
        field: .item,
        reason: "\(item) would bring other people's certificates: watch names, keys or addresses of your own")
    }
    return item
  }
}

extension Turn {
  /// Nil if it is there already.
  func insert(_ item: WatchedItem, source: Domain.Source) throws -> DomainID? {
    let times = DeliveryTimes()
    return try connection.query(
      """
      INSERT INTO domains (id, account_id, item, source, is_on, unexplained, expected, known, no_history, created_at)
      VALUES (\(AccountStore.next("domain", in: "domains")), ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING id
      """,
      [
        account, .text(item.description), .text(source.rawValue), .integer(source == .config ? 1 : 0),
        .text(times.unexplained.rawValue), .text(times.expected.rawValue), .text(times.known.rawValue),
        .text(times.noHistory.rawValue), .integer(now),
      ]
    ).first?.integer(0).map { DomainID($0) }
  }

  /// - Parameters:
  ///   - besides: whether the change is one that the configuration file need not say anything of.
  ///   - settings: what of that is to be changed.
  func editableDomain(
    _ id: DomainID, besides: Bool = false, changing settings: Set<Domain.Setting> = []
  ) throws -> Domain {
    let domain = try domain(id)
    guard domain.source == .dashboard || besides && settings.isDisjoint(with: domain.configured) else {
      throw AccountError.refused(
        field: .domain, reason: "\(domain.item) is set in the configuration file: change it there")
    }
    return domain
  }

  func apply(_ change: DomainChange, to domain: Domain) throws {
    let id = SQLValue.integer(domain.id.value)
    if let isOn = change.isOn, isOn != domain.isOn {
      try connection.execute("UPDATE domains SET is_on = ? WHERE id = ?", [.integer(isOn ? 1 : 0), id])
      try audit("turned \(domain.item) \(isOn ? "on" : "off")")
    }
    var times = domain.delivery
    for (level, time) in change.delivery { times[level] = time }
    if times != domain.delivery {
      try connection.execute(
        "UPDATE domains SET unexplained = ?, expected = ?, known = ?, no_history = ? WHERE id = ?",
        [
          .text(times.unexplained.rawValue), .text(times.expected.rawValue), .text(times.known.rawValue),
          .text(times.noHistory.rawValue), id,
        ])
      let words = VerdictLevel.allCases.map { "\($0.rawValue) \(times[$0].rawValue)" }.joined(separator: ", ")
      try audit("deliveries for \(domain.item): \(words)")
    }
    try apply(lookalikes: change, to: domain)
    if let isConfirmed = change.isBaselineConfirmed, isConfirmed != (domain.baselineConfirmedAt != nil) {
      try connection.execute(
        "UPDATE domains SET baseline_confirmed_at = ?, baseline_changed_at = ? WHERE id = ?",
        [isConfirmed ? .integer(now) : .null, .integer(now), id])
      try connection.execute(
        "UPDATE baseline SET is_confirmed = ? WHERE domain_id = ?", [.integer(isConfirmed ? 1 : 0), id])
      try audit("\(isConfirmed ? "confirmed" : "took back") the baseline of \(domain.item)")
    }
    if let isComplete = change.isInventoryComplete, isComplete != domain.isInventoryComplete {
      try connection.execute(
        "UPDATE domains SET is_inventory_complete = ? WHERE id = ?", [.integer(isComplete ? 1 : 0), id])
      try audit("the inventory of \(domain.item) is \(isComplete ? "complete" : "not complete")")
    }
    if let owners = change.allowedOwners {
      guard owners.count <= 50 else {
        throw AccountError.refused(field: .owners, reason: "at most 50 CA owners, please")
      }
      let checked = try owners.map { try Words.checked($0, .owners, most: 200) }
      guard checked != domain.allowedOwners else { return }
      try connection.execute(
        "UPDATE domains SET allowed_owners = ? WHERE id = ?", [.text(try TextList.encode(checked)), id])
      try audit("CA owners allowed for \(domain.item): \(checked.joined(separator: ", "))")
    }
  }

  /// - Parameter records: nil to take back what was confirmed before.
  func confirm(caa records: [String]?, of domain: Domain) throws {
    try connection.execute(
      "UPDATE domains SET caa_previous = caa, caa_confirmed_at = ?, caa = ? WHERE id = ?",
      [
        records == nil ? .null : .integer(now), .optional(try records.map(TextList.encode)),
        .integer(domain.id.value),
      ])
    let words = records.map { "confirmed the CAA records of \(domain.item): \($0.joined(separator: ", "))" }
    try audit(words ?? "took back the CAA records of \(domain.item)")
  }
}

extension Domain {
  static let select = """
    SELECT id, account_id, item, source, is_on, unexplained, expected, known, no_history, lookalikes,
      baseline_confirmed_at, allowed_owners, caa, caa_seen, created_at, is_inventory_complete, lookalike_delivery,
      configured FROM domains
    """

  init(row: SQLRow) throws {
    func time(_ column: Int) throws -> DeliveryTime {
      guard let time = row.text(column).flatMap(DeliveryTime.init(rawValue:)) else {
        throw UnreadableRow(table: "domains")
      }
      return time
    }
    guard let id = row.integer(0), let account = row.integer(1), let item = row.text(2),
      let source = row.text(3).flatMap(Source.init(rawValue:))
    else { throw UnreadableRow(table: "domains") }
    var delivery = DeliveryTimes()
    delivery.unexplained = try time(5)
    delivery.expected = try time(6)
    delivery.known = try time(7)
    delivery.noHistory = try time(8)
    self.init(
      id: DomainID(id), account: AccountID(account), item: item, source: source, isOn: row.integer(4) == 1,
      delivery: delivery, watchesLookalikes: row.integer(9) == 1, lookalikeDelivery: try time(16),
      baselineConfirmedAt: row.integer(10),
      allowedOwners: try TextList.decode(row.text(11) ?? "[]"), confirmedCAA: try row.text(12).map(TextList.decode),
      seenCAA: try row.text(13).map(TextList.decode), createdAt: row.integer(14) ?? 0,
      isInventoryComplete: row.integer(15) == 1,
      configured: Set(try TextList.decode(row.text(17) ?? "[]").compactMap(Setting.init(rawValue:))))
  }
}
