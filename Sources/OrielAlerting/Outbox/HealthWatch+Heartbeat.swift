import CertificateTransparency
import Foundation
import Logging
import OrielStore

/// Proof of life: silence is the alarm. Each recipient's heartbeat is withheld for what this recipient should know, and
/// the next one says why.
extension HealthWatch {
  func heartbeats(
    _ every: Duration, _ logs: [LogRecord], _ watchedCount: Int, _ folders: [String: String?]
  ) async throws -> Bool {
    let unlisted = folders.compactMap { folder, reason in
      reason.map { "the inventory folder \(folder.oneLine(limit: 200)) can't be listed: \($0.oneLine(limit: 200))" }
    }
    var isNew = false
    for recipient in Set(routes.heartbeat.map(\.recipient)).sorted() {
      if try await heartbeat(to: recipient, every, logs, watchedCount, unlisted.sorted()) { isNew = true }
    }
    return isNew
  }

  private func heartbeat(
    to recipient: String, _ every: Duration, _ logs: [LogRecord], _ watchedCount: Int, _ unlisted: [String]
  ) async throws -> Bool {
    let now = now()
    let (subject, withheldSubject) = ("heartbeat:\(recipient)", "heartbeat-withheld:\(recipient)")
    // One subject was for all of them once.
    let shared = try await store.alarm("heartbeat")
    let last = (try await store.alarm(subject) ?? shared)?.since ?? 0
    guard StoredTime.hasPassed(every.wholeMilliseconds, since: last, now: now), !logs.isEmpty else { return false }
    let reasons = try await reasonsToWithhold(from: recipient, every, logs, unlisted)
    let withheld = try await store.alarm(withheldSubject).flatMap { alarm in
      try? JSONDecoder().decode(StoredContent.Withheld.self, from: Data(alarm.state.utf8))
    }
    guard reasons.isEmpty else {
      try await withhold(reasons, besides: withheld, from: recipient, withheldSubject)
      return false
    }
    // What passes by itself within an hour is waited for, and not worth a word.
    guard logs.allSatisfy({ [.current, .drained].contains($0.state) }) else { return false }
    let since = last > now ? now - every.wholeMilliseconds : last
    let content = StoredContent.Heartbeat(
      logs: logs.count, watched: watchedCount, certificates: try await store.alertCount(since: since), since: since,
      recipient: recipient, withheld: withheld)
    return try await store.alarm(
      subject, state: "\(now)", now: now, forgetting: withheldSubject,
      alert: (.heartbeat, AlertStore.key("heartbeat", recipient, "\(now)"), try StoredContent.encode(content)))
  }

  /// Notes why a heartbeat does not come.
  private func withhold(
    _ reasons: [String], besides known: StoredContent.Withheld?, from recipient: String, _ subject: String
  ) async throws {
    let old = known?.reasons ?? []
    let all = (old + reasons.filter { !old.contains($0) }).prefix(StoredContent.Withheld.mostReasons)
    guard known == nil || all.count > old.count else { return }
    for reason in all.dropFirst(old.count) {
      logger.warning("a heartbeat is withheld", metadata: ["recipient": "\(recipient)", "reason": "\(reason)"])
    }
    let state = String(decoding: try StoredContent.encode(StoredContent.Withheld(reasons: Array(all))), as: UTF8.self)
    _ = try await store.alarm(subject, state: state, now: now(), alert: nil)
  }

  /// What a recipient should know of: logs in trouble, and alerts that did not get through to themselves; to anybody
  /// whom the configuration names, if they are to hear of the service's health.
  private func reasonsToWithhold(
    from recipient: String, _ every: Duration, _ logs: [LogRecord], _ unlisted: [String]
  ) async throws -> [String] {
    var reasons = logs.filter(isReportable).map { log in
      "the log \(log.description.oneLine(limit: 80)) is \(log.state.rawValue) since "
        + CertificateLetter.time(Timestamp(clamping: log.stateSince))
    }
    let isOperator = routes.logHealth.contains { $0.recipient == recipient } || recipient == AlertRoutes.ping
    if isOperator { reasons += unlisted }
    let targets = Set(routes.all.filter { isOperator || $0.recipient == recipient }.map(\.target))
    let failing = try await store.failingTargets(since: now() - settings.after.wholeMilliseconds)
    for (target, trouble) in failing.sorted(by: { $0.key < $1.key }) where targets.contains(target) {
      reasons.append(
        "no alert reached \(DeliveryPlace(target).words) since "
          + "\(CertificateLetter.time(Timestamp(clamping: trouble.since))): \(trouble.words.oneLine(limit: 200))")
    }
    // For one heartbeat: what was given up is not given back by silence.
    let lost = try await store.givenUp(since: now() - every.wholeMilliseconds, now: now())
    for (target, loss) in lost.sorted(by: { $0.key < $1.key }) where targets.contains(target) {
      reasons.append(
        "\(counted(loss.count, "alert", "alerts")) to \(DeliveryPlace(target).words) could not be delivered: "
          + loss.words.oneLine(limit: 200))
    }
    return reasons
  }
}
