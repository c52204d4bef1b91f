import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import MerkleTree
import NIOCore
import OrielAccounts
import OrielMonitor
import OrielStore
import Synchronization

/// How the service fares, for Prometheus.
actor ServiceMetrics {
  /// Counting takes time that grows with the state, so that it is not done at every scrape.
  private static let grain: Duration = .seconds(30)

  private let site: Site
  private var counted: (figures: ServiceFigures, at: ContinuousClock.Instant)?
  /// A count that has begun: whoever asks meanwhile waits for it.
  private var counting: Task<ServiceFigures, any Error>?

  init(_ site: Site) { self.site = site }

  /// Anybody on this very machine may look, as long as nobody else can seem to be: through a proxy, everybody's
  /// requests come from here, and through a browser, any page's do. Others need a token with the scope metrics of the
  /// operator's account: the figures are of everybody's.
  nonisolated func respond(_ request: Request, _ context: WebContext) async throws -> Response {
    if request.headers[.authorization] != nil || !isLocal(request, context) {
      let actor = try await Caller.find(request, context, site).someone(who: .metrics)
      guard try await AccountService(site.parts.accounts).isOperators(actor.account) else {
        throw APIProblem.notOperator
      }
    }
    return Response(
      status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
      body: ResponseBody(byteBuffer: ByteBuffer(string: try await text())))
  }

  private nonisolated func isLocal(_ request: Request, _ context: WebContext) -> Bool {
    let settings = site.settings
    guard settings.publicURL == nil, !settings.trustsForwarded else { return false }
    let proxied = ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"].compactMap { HTTPField.Name($0) }
    guard !proxied.contains(where: { request.headers.contains($0) }) else { return false }
    let host = (request.head.authority ?? "").lowercased()
    let name = host.hasPrefix("[") ? host.prefix { $0 != "]" } + "]" : host.prefix { $0 != ":" }
    guard ["localhost", "127.0.0.1", "[::1]"].contains(name) else { return false }
    switch context.channel.remoteAddress {
    case .v4(let address):
      return address.address.sin_addr.s_addr & UInt32(0xff).littleEndian == UInt32(127).littleEndian
    case .v6: return ["::1", "::ffff:127.0.0.1"].contains(context.channel.remoteAddress?.ipAddress)
    default: return false
    }
  }

  private func figures() async throws -> ServiceFigures {
    if let counted, counted.at + ServiceMetrics.grain > .now { return counted.figures }
    if let counting { return try await counting.value }
    let count = Task { [site] in try await AlertStore(site.parts.database).figures() }
    counting = count
    defer { counting = nil }
    let figures = try await count.value
    counted = (figures, .now)
    return figures
  }

  private func text() async throws -> String {
    let figures = try await figures()
    var text = MetricsText()
    text.add("oriel_accounts", "Accounts.", figures.accounts)
    text.add("oriel_members", "Members of accounts.", figures.members)
    text.add(
      "oriel_domains", "Domains of accounts, by whether they are on.",
      [([("is_on", "true")], Double(figures.domainsOn)), ([("is_on", "false")], Double(figures.domainsOff))])
    text.add(
      "oriel_judgements", "Certificates that were judged for domains, by what came out.",
      VerdictLevel.allCases.map { ([("level", $0.rawValue)], Double(figures.judgements[$0.rawValue] ?? 0)) })
    text.add(
      "oriel_deliveries", "Alerts for receivers, by channel and by what became of them.",
      figures.deliveries.map { ([("channel", $0.channel), ("state", $0.state)], Double($0.count)) })
    text.add(
      "oriel_letters_total", kind: .counter, "Letters with links that were handed over since the start.",
      site.letterCount.value)
    try await addLogs(&text)
    if let bytes = ServiceMetrics.residentBytes() {
      text.add("process_resident_memory_bytes", "Memory of the process.", bytes)
    }
    return text.text
  }

  private func addLogs(_ text: inout MetricsText) async throws {
    let statuses = Dictionary(site.parts.statuses().map { ($0.logID, $0) }, uniquingKeysWith: { first, _ in first })
    let (logs, now) = (try await site.following.logs(), site.now)
    func samples(_ value: (LogRecord, FollowStatus?) -> Double?) -> [([(String, String)], Double)] {
      logs.compactMap { log in value(log, statuses[log.logID]).map { (ServiceMetrics.labels(log), $0) } }
    }
    text.add(
      "oriel_log_state", "1 for the state that a log is in.",
      logs.flatMap { log in
        LogState.allCases.map { (ServiceMetrics.labels(log) + [("state", $0.rawValue)], $0 == log.state ? 1 : 0) }
      })
    text.add(
      "oriel_log_verified_entries", "Entries of a log that its tree proves.",
      samples { log, status in (status?.verified ?? log.verified?.index).map { Double($0) } })
    text.add(
      "oriel_log_lag_entries", "Entries that are published and not yet verified.",
      samples { log, status in log.lag(status).map { Double($0) } })
    text.add(
      "oriel_log_lag_seconds", "Seconds until all that is published is read, at the present pace.",
      samples { log, status in log.lag(status) == 0 ? 0 : status?.secondsToCatchUp })
    text.add(
      "oriel_log_head_age_seconds", "Age of the newest tree head.",
      samples { _, status in status?.head.map { Double(max(0, now - Int64(clamping: $0.timestamp))) / 1000 } })
    text.add(
      "oriel_log_answer_age_seconds", "Time since a log last answered.",
      samples { log, _ in log.lastSuccess.map { Double(max(0, now - $0)) / 1000 } })
    text.add(
      "oriel_log_entries_per_second", "Entries read a second, over the last minutes.",
      samples { _, status in status?.entriesIn })
    text.add(
      "oriel_log_unreadable_entries", "Entries whose certificate could not be read.",
      samples { log, _ in Double(log.unreadable) })
  }

  private static func labels(_ log: LogRecord) -> [(String, String)] {
    [("log", log.description), ("operator", log.operatorName), ("log_id", "\(log.logID)")]
  }

  /// Nil where the system has no such file.
  private static func residentBytes() -> Int64? {
    guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8),
      let pages = text.split(separator: " ").dropFirst().first.flatMap({ Int64($0) })
    else { return nil }
    return pages * Int64(sysconf(Int32(_SC_PAGESIZE)))
  }
}

/// Counts up.
final class EventCount: Sendable {
  private let count = Mutex(0)
  var value: Int { count.withLock { $0 } }
  func add() { count.withLock { $0 += 1 } }
}
