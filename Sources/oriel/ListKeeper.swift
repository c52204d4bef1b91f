import ArgumentParser
import CTLogClient
import CTPolicy
import CertificateTransparency
import Foundation
import OrielCheck
import OrielServer
import Synchronization

/// Loads the log lists, says what is wrong with them, and unites them.
struct ListKeeper: Sendable {
  let sources: [LogListSource]
  let transport: HTTPTransport
  let cache: String
  private let warn: @Sendable (String) -> Void
  private let shelf = LogShelf()

  init(sources: [LogListSource], transport: HTTPTransport, cache: String, warn: @escaping @Sendable (String) -> Void) {
    self.warn = warn
    self.sources = sources
    self.transport = transport
    self.cache = cache
  }

  /// The list that a browser goes by, of those that were loaded last: its own, or Chrome's, from which others take
  /// theirs; where neither is among them, all of them as one. Nil before they were loaded.
  func logs(for policy: BrowserPolicy) -> PolicyLogs? {
    shelf.lists.withLock { $0.own[policy.browser] ?? $0.own[.chrome] ?? $0.all }
  }

  /// The logs to follow.
  func load() async throws -> [LogDescription] {
    let union = try await union()
    for problem in union.problems { warn(problem) }
    guard !union.logs.isEmpty else {
      throw CommandFailure("the log lists name no log that can be followed", .badData)
    }
    return union.logs
  }

  /// All lists that can be had, united.
  func union() async throws -> LogListUnion {
    let loader = LogListLoader(transport: transport, directory: cache)
    let now = Timestamp.now
    var loaded: [LoadedLogList] = []
    var wasBad = false
    for source in sources {
      do {
        let list = try await loader.load(source, now: now)
        for warning in ListKeeper.warnings(list) { warn("log list \(source.name): \(warning)") }
        loaded.append(list)
      } catch {
        wasBad = wasBad || error is FormatError
        warn("log list \(source.name): \(error)")
      }
    }
    guard !loaded.isEmpty else {
      throw CommandFailure(
        "there is no log list to go by: check the address or file given with --log-list",
        wasBad ? .badData : .incomplete)
    }
    let union = LogListUnion.unite(loaded)
    keep(loaded, union)
    return union
  }

  private func keep(_ loaded: [LoadedLogList], _ union: LogListUnion) {
    // As old as the most trusted of them; one without a time of its own is as old as its copy.
    let timestamp = loaded.first.map { $0.list.timestamp ?? $0.fetchedAt }
    let all = PolicyLogs(name: "all configured", LogView(union.logs, timestamp: timestamp))
    var own: [Browser: PolicyLogs] = [:]
    for (browser, source) in [(Browser.chrome, LogListSource.chrome), (.apple, .apple)] {
      guard let list = loaded.first(where: { $0.source.url == source.url }) else { continue }
      own[browser] = PolicyLogs(name: source.name, BrowserLists.List(list).view)
    }
    shelf.lists.withLock { [own] in $0 = (own, all) }
  }

  private static func warnings(_ list: LoadedLogList) -> [String] {
    var warnings: [String] = []
    if let trouble = list.trouble { warnings.append(trouble) }
    if list.fromCache, list.trouble != nil { warnings.append("the copy kept of \(list.fetchedAt) is used") }
    if list.isStale { warnings.append("it is more than 70 days old: newer logs are missing from it") }
    if case .invalid(let reason) = list.signature { warnings.append("its signature is not valid: \(reason)") }
    return warnings
  }
}

/// Keeps what was loaded last.
private final class LogShelf: Sendable {
  let lists = Mutex<(own: [Browser: PolicyLogs], all: PolicyLogs?)>(([:], nil))
}
