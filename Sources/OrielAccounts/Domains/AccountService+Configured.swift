import OrielStore
import OrielWatchlist

extension AccountService {
  /// Shows what the configuration file watches as domains of an account, on, and read-only as far as the file says
  /// something. What it watches no longer is turned off, and the account's own to change from then on.
  package func mirror(_ domains: [ConfiguredDomain], in account: AccountID) async throws {
    try await store.transaction(changing: .watch) { [store] connection in
      let turn = Turn(connection: connection, actor: .machine(account), store: store, now: store.now())
      // One that is being removed is looked for no longer; the next one gets all of it.
      let isThere = try connection.query("SELECT 1 FROM accounts WHERE id = ? AND removed_at IS NULL", [turn.account])
      guard !isThere.isEmpty else { return }
      let wanted = Set(domains.map(\.item.description))
      let before = try connection.query(
        "SELECT item FROM domains WHERE account_id = ? AND source = 'config'", [turn.account]
      ).compactMap { $0.text(0) }
      for item in before where !wanted.contains(item) { try turn.release(item) }
      // Of a hundred thousand, nearly all are at each start what they were.
      let shown = try turn.plainDomains()
      for domain in domains where !domain.settings.isEmpty || !shown.contains(domain.words) { try turn.mirror(domain) }
    }
  }
}

extension ConfiguredDomain {
  /// What the file says of every domain, as ``Turn/plainDomains()`` has it.
  fileprivate var words: String {
    let times = VerdictLevel.allCases.map { delivery[$0].rawValue }
    return ([item.description, watchesLookalikes ? "1" : "0"] + times).joined(separator: "\n")
  }
}

extension Turn {
  /// The domains of the file, of which it says no more than it does of all.
  fileprivate func plainDomains() throws -> Set<String> {
    let columns = VerdictLevel.allCases.map { $0.rawValue.replacing("-", with: "_") }
    let words = (["item", "lookalikes"] + columns).joined(separator: " || char(10) || ")
    let rows = try connection.query(
      """
      SELECT \(words) FROM domains
      WHERE account_id = ? AND source = 'config' AND is_on = 1 AND lookalike_delivery = 'daily' AND configured = '[]'
      """, [account])
    return Set(rows.compactMap { $0.text(0) })
  }

  fileprivate func mirror(_ wanted: ConfiguredDomain) throws {
    let text = wanted.item.description
    if try domain(item: text) == nil { _ = try insert(wanted.item, source: .config) }
    guard let domain = try domain(item: text) else { throw UnreadableRow(table: "domains") }
    try connection.execute(
      """
      UPDATE domains SET source = 'config', is_on = 1, unexplained = ?, expected = ?, known = ?, no_history = ?,
        lookalikes = ?, lookalike_delivery = 'daily'
      WHERE id = ?
      """,
      [
        .text(wanted.delivery.unexplained.rawValue), .text(wanted.delivery.expected.rawValue),
        .text(wanted.delivery.known.rawValue), .text(wanted.delivery.noHistory.rawValue),
        .integer(wanted.watchesLookalikes ? 1 : 0), .integer(domain.id.value),
      ])
    try settle(wanted, on: domain)
  }

  fileprivate func release(_ item: String) throws {
    guard let domain = try domain(item: item) else { return }
    try connection.execute(
      "UPDATE domains SET source = 'dashboard', is_on = 0, lookalikes = 0 WHERE id = ?", [.integer(domain.id.value)])
    try settle(nil, on: domain)
  }

  /// Brings what the file may say in line with it. What it says no longer is as if nobody had ever said it.
  private func settle(_ wanted: ConfiguredDomain?, on domain: Domain) throws {
    func value<Value>(_ said: Value?, _ setting: Domain.Setting, otherwise none: Value) -> Value? {
      said ?? (domain.configured.contains(setting) ? none : nil)
    }
    var change = DomainChange()
    change.allowedOwners = value(wanted?.allowedOwners, .owners, otherwise: [])
    change.isBaselineConfirmed = value(wanted?.isBaselineConfirmed, .history, otherwise: false)
    change.isInventoryComplete = value(wanted?.isInventoryComplete, .inventory, otherwise: false)
    try apply(change, to: domain)
    if let records: [String]? = value(wanted?.confirmedCAA, .caa, otherwise: nil), records != domain.confirmedCAA {
      try confirm(caa: records, of: domain)
    }
    let settings = wanted?.settings ?? []
    guard settings != domain.configured else { return }
    try connection.execute(
      "UPDATE domains SET configured = ? WHERE id = ?",
      [.text(try TextList.encode(settings.map(\.rawValue).sorted())), .integer(domain.id.value)])
  }
}
