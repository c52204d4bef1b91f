import ArgumentParser
import CTLogClient
import CTPolicy
import CertificateTransparency
import Foundation
import Synchronization

/// Loads the log lists, says what is wrong with them, and unites them.
struct ListKeeper: Sendable {
  let sources: [LogListSource]
  let transport: HTTPTransport
  let cache: String
  private let shelf = LogShelf()

  init(sources: [LogListSource], transport: HTTPTransport, cache: String) {
    self.sources = sources
    self.transport = transport
    self.cache = cache
  }

  /// The logs as browsers would see them, of the lists that were loaded last; nil before that.
  var view: LogView? { shelf.view.withLock { $0 } }

  /// The logs to follow.
  func load() async throws -> [LogDescription] {
    let union = try await union()
    for problem in union.problems { Terminal.complain(problem) }
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
        for warning in ListKeeper.warnings(list) { Terminal.complain("log list \(source.name): \(warning)") }
        loaded.append(list)
      } catch {
        wasBad = wasBad || error is FormatError
        Terminal.complain("log list \(source.name): \(error)")
      }
    }
    guard !loaded.isEmpty else {
      throw CommandFailure(
        "there is no log list to go by: check the address or file given with --log-list",
        wasBad ? .badData : .incomplete)
    }
    let union = LogListUnion.unite(loaded)
    // As old as the most trusted of them; one without a time of its own is as old as its copy.
    let timestamp = loaded.first.map { $0.list.timestamp ?? $0.fetchedAt }
    shelf.view.withLock { $0 = LogView(union.logs, timestamp: timestamp) }
    return union
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
  let view = Mutex<LogView?>(nil)
}
