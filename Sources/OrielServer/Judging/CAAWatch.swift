import MerkleTree
import OrielAccounts
import OrielAlerting
import OrielContacts
import OrielStore
import OrielWatchlist
import Synchronization

/// Looks up the CAA records of accounts' domains once a day, and tells of changes.
final class CAAWatch: Sendable {
  typealias LookUp = @Sendable (DomainName) async -> CAAResult

  private static let day: Int64 = 86_400_000
  /// What could not be found out is asked for again.
  private static let retry: Int64 = 3_600_000
  /// Each look-up takes a thread.
  private static let mostAtOnce = 8

  private let accounts: AccountStore
  private let alerts: AlertStore
  private let lookUp: LookUp
  private let now: @Sendable () -> Int64
  /// When each item is looked at again.
  private let due = Mutex<[String: Int64]>([:])

  init(_ accounts: AccountStore, _ alerts: AlertStore, now: @escaping @Sendable () -> Int64, lookUp: @escaping LookUp) {
    self.accounts = accounts
    self.alerts = alerts
    self.lookUp = lookUp
    self.now = now
  }

  /// Looks at the items whose time has come.
  ///
  /// - Returns: whether there is something new in the outbox.
  func look(at items: [WatchedItem]) async throws -> Bool {
    let time = now()
    let times = due.withLock { due in
      let wanted = Set(items.map(\.description))
      due = due.filter { wanted.contains($0.key) }
      return due
    }
    var waiting = items.filter { item in
      item.name != nil && StoredTime.isDue(times[item.description] ?? 0, now: time, longest: CAAWatch.day)
    }[...]
    return try await withThrowingTaskGroup(of: Bool.self) { group in
      var isNew = false
      for item in waiting.prefix(CAAWatch.mostAtOnce) { group.addTask { [self] in try await look(at: item) } }
      waiting = waiting.dropFirst(CAAWatch.mostAtOnce)
      while let found = try await group.next() {
        isNew = isNew || found
        if let item = waiting.popFirst() { group.addTask { [self] in try await look(at: item) } }
      }
      return isNew
    }
  }

  private func look(at item: WatchedItem) async throws -> Bool {
    guard let name = item.name else { return false }
    let records: [String]?
    switch await lookUp(name) {
    case .found(let set): records = CAAText.lines(set.records)
    case .noRecords: records = []
    case .notKnown: records = nil
    }
    due.withLock { $0[item.description] = now() + (records == nil ? CAAWatch.retry : CAAWatch.day) }
    guard let records else { return false }
    var isNew = false
    for route in try await AccountService(accounts).routes(for: item.description)
    where route.domain.seenCAA != records {
      if try await tell(route.domain, records) { isNew = true }
      _ = try await AccountService(accounts).foundCAA(records, for: route.domain.id)
    }
    return isNew
  }

  /// Before the change is noted, so that a stop in between loses nothing: what is written twice in a day is there once.
  private func tell(_ domain: Domain, _ records: [String]) async throws -> Bool {
    guard let before = domain.seenCAA else { return false }
    let time = now()
    let key = AlertStore.key(
      "caa", "\(domain.id)", before.joined(separator: "\n"), records.joined(separator: "\n"), "\(time / CAAWatch.day)")
    let content = CAAChangeAlert.Stored(
      audience: VerdictRouter.audience(of: domain), item: domain.item, before: before, now: records, seenAt: time,
      domain: domain.id.value)
    try await alerts.add(.caaChange, key: key, content: try content.encoded(), now: time)
    return true
  }
}
