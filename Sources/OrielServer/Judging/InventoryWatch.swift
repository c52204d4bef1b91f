import Dispatch
import MerkleTree
import OrielAccounts
import OrielSettings
import OrielStore
import OrielVerdicts
import OrielWatchlist

/// Takes what is in folders of the operator's into the inventory of the operator's domains.
actor InventoryWatch {
  private static let day: Int64 = 86_400_000
  /// Reading blocks, and must keep no other work waiting.
  private static let queue = DispatchQueue(label: "oriel.inventory", qos: .utility)

  private let accounts: AccountStore
  private let alerts: AlertStore
  private let now: @Sendable () -> Int64
  private var scanners: [String: FolderScanner] = [:]
  /// When each domain was last told of all that is in a folder.
  private var told: [String: Int64] = [:]
  /// What the file last said of each; only a change of that overrules what the owner says on the page.
  private var completeness: [String: Bool] = [:]
  private let note: @Sendable (String) -> Void
  /// What can't be read, by item and path.
  private var unread: [String: [String: String]] = [:]
  private var watched: (folders: [Configuration.InventoryFolder], account: AccountID)?
  private var looks: [String: Look] = [:]
  /// Each folder that was looked into, with the reason if it, or one in it, can't be listed.
  private(set) var listings: [String: String?] = [:]
  /// A folder is not looked at again before so much time has passed, however many certificates are in question.
  private let pause: Duration

  /// When a folder was looked at last, and whether there was something to read in it.
  private struct Look {
    /// By the clock that alerts go by.
    let began: Int64
    let ended: ContinuousClock.Instant
    let isReadable: Bool
  }

  /// - Parameter note: is told of files that can't be read, once each.
  init(
    _ accounts: AccountStore, _ alerts: AlertStore, pause: Duration = .seconds(1),
    now: @escaping @Sendable () -> Int64, note: @escaping @Sendable (String) -> Void = { _ in }
  ) {
    self.accounts = accounts
    self.alerts = alerts
    self.pause = pause
    self.now = now
    self.note = note
  }

  /// Files for an item that can't be read, and why.
  func problems(of item: String) -> [String: String] { unread[item] ?? [:] }

  /// Looks once into every folder.
  ///
  /// - Parameter account: the operator's. Others may watch the same item, and get nothing of this.
  func look(into folders: [Configuration.InventoryFolder], of account: AccountID) async throws {
    watch(folders, of: account)
    let problems = try await take(folders, into: account)
    tell(of: problems)
    unread = problems
  }

  /// Says which folders there are, to be looked into.
  func watch(_ folders: [Configuration.InventoryFolder], of account: AccountID) {
    watched = (folders, account)
    let paths = Set(folders.map(\.folder))
    listings = listings.filter { paths.contains($0.key) }
  }

  /// Looks again into the folders of a domain, unless that was done since a point in time, or just now.
  ///
  /// - Returns: whether there is a folder that can be read: it changes by itself.
  func lookAgain(for domain: Domain, since time: Int64) async throws -> Bool {
    guard let watched, domain.account == watched.account else { return false }
    let own = Set(watched.folders.filter { $0.item.description == domain.item }.map(\.folder))
    let stale = own.filter { folder in
      looks[folder].map { $0.began < time && ContinuousClock.now - $0.ended >= pause } ?? true
    }
    // What is new in a folder is new for all of its items.
    if !stale.isEmpty {
      _ = try await take(watched.folders.filter { stale.contains($0.folder) }, into: watched.account)
    }
    return own.contains { looks[$0]?.isReadable ?? false }
  }

  /// Takes what is in folders into the inventories of their items.
  ///
  /// - Returns: what can't be read, by item and path.
  private func take(
    _ folders: [Configuration.InventoryFolder], into account: AccountID
  ) async throws -> [String: [String: String]] {
    var reports: [String: FolderScanner.Report] = [:]
    var problems: [String: [String: String]] = [:]
    for folder in folders {
      if reports[folder.folder] == nil { reports[folder.folder] = await scan(folder.folder) }
      guard let report = reports[folder.folder] else { continue }
      problems[folder.item.description, default: [:]].merge(InventoryWatch.problems(report, in: folder.folder)) { $1 }
      for route in try await AccountService(accounts).routes(for: folder.item.description)
      where route.domain.account == account {
        try await take(report, of: folder, into: route.domain)
      }
    }
    return problems
  }

  private func scan(_ folder: String) async -> FolderScanner.Report {
    let began = now()
    let (scanner, report) = await InventoryWatch.scan(scanners[folder] ?? FolderScanner(root: folder))
    scanners[folder] = scanner
    let unlisted = report.unlisted.min { $0.key < $1.key }
    listings.updateValue(unlisted.map { "\($0.key): \($0.value)" }, forKey: folder)
    looks[folder] = Look(
      began: began, ended: .now,
      isReadable: !report.entries.isEmpty || report.problems.isEmpty && report.unlisted.isEmpty)
    return report
  }

  private static func problems(_ report: FolderScanner.Report, in folder: String) -> [String: String] {
    let cut = report.isCutShort ? [folder: "there is more in it than is read"] : [:]
    let unlisted = report.unlisted.mapValues { "can't be listed: \($0)" }
    return report.problems.merging(cut) { first, _ in first }.merging(unlisted) { $1 }
  }

  private func tell(of problems: [String: [String: String]]) {
    let known = unread.values.reduce(into: [:]) { $0.merge($1) { $1 } }
    let all: [String: String] = problems.values.reduce(into: [:]) { $0.merge($1) { $1 } }
    for (path, problem) in all.sorted(by: { $0.key < $1.key }) where known[path] != problem {
      note("inventory: \(path): \(problem)")
    }
  }

  private static func scan(_ scanner: FolderScanner) async -> (FolderScanner, FolderScanner.Report) {
    await withCheckedContinuation { continuation in
      queue.async {
        var scanner = scanner
        let report = scanner.scan()
        continuation.resume(returning: (scanner, report))
      }
    }
  }

  private func take(
    _ report: FolderScanner.Report, of folder: Configuration.InventoryFolder, into domain: Domain
  ) async throws {
    let key = "\(domain.id) \(folder.folder)"
    let isAll = told[key].map { StoredTime.hasPassed(InventoryWatch.day, since: $0, now: now()) } ?? true
    let entries = (isAll ? report.entries : report.added).filter { entry in
      entry.names.isEmpty || entry.names.contains(where: folder.item.isHit)
    }
    for (source, group) in Dictionary(grouping: entries, by: \.source).sorted(by: { $0.key < $1.key }) {
      try await AccountService(accounts).found(
        group.map { NewInventoryEntry($0) }, for: domain.id, source: source)
    }
    if isAll { told[key] = now() }
    let before = completeness.updateValue(folder.isComplete, forKey: key)
    if before ?? false != folder.isComplete, !domain.configured.contains(.inventory) {
      _ = try await alerts.setInventoryComplete(folder.isComplete, for: domain.id.value)
    }
  }
}
