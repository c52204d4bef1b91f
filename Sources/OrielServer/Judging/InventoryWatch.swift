import Dispatch
import MerkleTree
import OrielAccounts
import OrielAlerting
import OrielSettings
import OrielStore
import OrielVerdicts
import OrielWatchlist

/// Takes what is in folders of the operator's into the inventory of the operator's domains.
actor InventoryWatch {
  private static let day: Int64 = 86_400_000
  /// Reading blocks, and must keep no other work waiting; not even another folder.
  private static let queue = DispatchQueue(label: "oriel.inventory", qos: .utility, attributes: .concurrent)

  private let accounts: AccountStore
  private let alerts: AlertStore
  private let now: @Sendable () -> Int64
  private var scanners: [String: FolderScanner] = [:]
  /// When each domain was last told of all that is in a folder.
  private var told: [String: Int64] = [:]
  /// What the file last said of each; only a change of that overrules what the owner says on the page.
  private var completeness: [String: Bool] = [:]
  private let note: @Sendable (String) -> Void
  /// What can't be read, by folder and path.
  private var unread: [String: [String: String]] = [:]
  private var watched: (folders: [Configuration.InventoryFolder], account: AccountID)?
  private var looks: [String: Look] = [:]
  /// The looks that have not ended. On a file system whose server is gone they may never.
  private var running: [String: Task<Void, any Error>] = [:]
  /// Folders whose running look was waited for in vain.
  private var silent: Set<String> = []
  /// Each folder that was looked into, with the reason if it, or one in it, can't be listed.
  private(set) var listings: [String: String?] = [:]
  /// A folder is not looked at again before so much time has passed, however many certificates are in question.
  private let pause: Duration
  private let patience: Patience

  /// How long it is waited for a folder.
  struct Patience: Sendable {
    /// While a certificate is in question.
    var inQuestion: Duration = .seconds(5)
    /// Until it is reported.
    var otherwise: Duration = .seconds(60)
  }

  /// When a folder was looked at last, and whether there was something to read in it.
  private struct Look {
    /// By the clock that alerts go by.
    let began: Int64
    let ended: ContinuousClock.Instant
    let isReadable: Bool
  }

  /// - Parameter note: is told of files that can't be read, once each.
  init(
    _ accounts: AccountStore, _ alerts: AlertStore, pause: Duration = .seconds(1), patience: Patience = Patience(),
    now: @escaping @Sendable () -> Int64, note: @escaping @Sendable (String) -> Void = { _ in }
  ) {
    self.accounts = accounts
    self.alerts = alerts
    self.pause = pause
    self.patience = patience
    self.now = now
    self.note = note
  }

  /// Files for an item that can't be read, and why.
  func problems(of item: String) -> [String: String] {
    let folders = watched?.folders.filter { $0.item.description == item } ?? []
    return folders.reduce(into: [:]) { $0.merge(unread[$1.folder] ?? [:]) { $1 } }
  }

  /// Looks once into every folder.
  ///
  /// - Parameter account: the operator's. Others may watch the same item, and get nothing of this.
  func look(into folders: [Configuration.InventoryFolder], of account: AccountID) async throws {
    watch(folders, of: account)
    for folder in Set(folders.map(\.folder)).sorted() where try await !look(into: folder, patience.otherwise) {
      let reason = InventoryHealthAlert.silence(of: folder, for: patience.otherwise)
      listings.updateValue(reason, forKey: folder)
      tell(of: [folder: "there was no answer"], in: folder)
    }
  }

  /// Says which folders there are, to be looked into.
  func watch(_ folders: [Configuration.InventoryFolder], of account: AccountID) {
    watched = (folders, account)
    let paths = Set(folders.map(\.folder))
    listings = listings.filter { paths.contains($0.key) }
    unread = unread.filter { paths.contains($0.key) }
  }

  /// Looks again into the folders of a domain, unless that was done since a point in time, or just now.
  ///
  /// - Returns: whether there is a folder that can be read: it changes by itself.
  func lookAgain(for domain: Domain, since time: Int64) async throws -> Bool {
    guard let watched, domain.account == watched.account else { return false }
    let own = Set(watched.folders.filter { $0.item.description == domain.item }.map(\.folder))
    for folder in own.sorted() {
      let isFresh = looks[folder].map { $0.began >= time || ContinuousClock.now - $0.ended < pause } ?? false
      if !isFresh { _ = try await look(into: folder, patience.inQuestion) }
    }
    return own.contains { looks[$0]?.isReadable ?? false }
  }

  /// Looks into one folder, after whoever is at it, and takes what is in it into the inventories of its items.
  ///
  /// - Returns: whether that ended in time. If not, it goes on, and what it finds is taken when it comes.
  private func look(into folder: String, _ limit: Duration) async throws -> Bool {
    while let other = running[folder] {
      guard !silent.contains(folder), await within(limit, { await other.result }) != nil else { return false }
    }
    let look = Task { try await take(folder) }
    running[folder] = look
    if let result = await within(limit, { await look.result }) {
      try result.get()
      return true
    }
    try Task.checkCancellation()
    if running[folder] != nil { silent.insert(folder) }
    return false
  }

  private func take(_ folder: String) async throws {
    defer {
      running[folder] = nil
      silent.remove(folder)
    }
    let began = now()
    let (scanner, report) = await InventoryWatch.scan(scanners[folder] ?? FolderScanner(root: folder))
    guard let watched else { return }
    // What is new in a folder is new for all of its items.
    for watch in watched.folders where watch.folder == folder {
      for route in try await AccountService(accounts).routes(for: watch.item.description)
      where route.domain.account == watched.account {
        try await take(report, of: watch, into: route.domain)
      }
    }
    scanners[folder] = scanner
    tell(of: InventoryWatch.problems(report, in: folder), in: folder)
    let unlisted = report.unlisted.min { $0.key < $1.key }
    listings.updateValue(unlisted.map { "\($0.key): \($0.value)" }, forKey: folder)
    looks[folder] = Look(
      began: began, ended: .now,
      isReadable: !report.entries.isEmpty || report.problems.isEmpty && report.unlisted.isEmpty)
  }

  private static func problems(_ report: FolderScanner.Report, in folder: String) -> [String: String] {
    let cut = report.isCutShort ? [folder: "there is more in it than is read"] : [:]
    let unlisted = report.unlisted.mapValues { "can't be listed: \($0)" }
    return report.problems.merging(cut) { first, _ in first }.merging(unlisted) { $1 }
  }

  private func tell(of problems: [String: String], in folder: String) {
    let known: [String: String] = unread.values.reduce(into: [:]) { $0.merge($1) { $1 } }
    unread[folder] = problems
    for (path, problem) in problems.sorted(by: { $0.key < $1.key }) where known[path] != problem {
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
