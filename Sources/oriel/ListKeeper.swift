import ArgumentParser
import CTLogClient
import CertificateTransparency
import Foundation

/// Loads the log lists, says what is wrong with them, and unites them.
struct ListKeeper: Sendable {
  let sources: [LogListSource]
  let transport: HTTPTransport
  let cache: String

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
    return LogListUnion.unite(loaded)
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
