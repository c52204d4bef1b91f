package import CTPolicy
package import CertificateTransparency
import Foundation
import OrielFiles

/// Keeps the SCTs that a web server sends in TLS such that its certificate passes.
///
/// To be run again and again: SCTs that no policy counts any more are dropped, and new ones are got where a policy fails,
/// or will within the span of warning.
package struct SCTKeeper: Sendable {
  package enum Change: Hashable, Sendable {
    case added(LogID)
    /// Why no policy counts it, by the first of them; the log is nil if the SCT can't be read.
    case dropped(LogID?, Evidence.Reason)
  }

  package struct Warning: Hashable, Sendable {
    package enum Cause: Hashable, Sendable {
      /// A policy fails with what is there, and no log could help.
      case fails(PolicyVerdict)
      /// A policy will fail, and no log could help.
      case willFail(Forecast.Failure)
      /// The policy's list is too old to go by.
      case staleList(BrowserPolicy)
    }

    package let cause: Cause
    /// When it matters: the time of the run, or later.
    package let time: Timestamp
  }

  package enum Outcome: Hashable, Sendable {
    case unchanged
    case warning([Warning])
    /// The file has other SCTs, and the server was told.
    case replaced([Change], [Warning])
    /// What had to be done could not be done.
    case failed(String, [Warning])
  }

  /// Has the server read the file again; says why it could not, else nothing.
  package typealias Reload = @Sendable () async -> String?

  package let file: SCTFile
  private let submission: SCTSubmission
  /// In milliseconds.
  private let span: UInt64
  private let reload: Reload?

  /// - Parameter warningSpan: how long before a policy fails SCTs are replaced or, where that is not possible, it is
  ///   said.
  package init(
    _ file: SCTFile, submission: SCTSubmission, warningSpan: Duration = .seconds(14 * 86_400), reload: Reload? = nil
  ) {
    self.file = file
    self.submission = submission
    span = UInt64(max(0, min(warningSpan.components.seconds, 1 << 40))) * 1000
    self.reload = reload
  }

  /// Looks after the file once.
  ///
  /// - Parameter certificate: with its issuers; SCTs that it has for TLS are passed over, those of the file count.
  package func keep(_ certificate: PresentedCertificate) async -> Outcome {
    let time = submission.now()
    do throws(SCTFile.Failure) {
      let old = try file.read()
      let before = submission.policies.map { $0.judge(certificate.delivering(old), asOf: time) }
      guard let validity = before.first?.report.validity, validity.end >= time else {
        return .failed("the certificate has expired, or its dates can't be read", [])
      }
      let useless = before.useless
      var (new, after) = (old, before)
      var attempts: [SCTSubmission.Attempt] = []
      if !useless.isEmpty || !warnings(before, time).isEmpty {
        let kept = old.indices.filter { useless[$0] == nil }.map { old[$0] }
        let outcome = await submission.run(certificate.delivering(kept))
        (new, after, attempts) = (outcome.certificate.deliveredItems, outcome.judgements, outcome.attempts)
      }
      let changes =
        useless.sorted { $0.key < $1.key }.map { Change.dropped(try? old[$0.key].sct.get().logID, $0.value) }
        + new.filter { !old.contains($0) }.compactMap { (try? $0.sct.get().logID).map(Change.added) }
      let warnings = warnings(after, time) + staleLists(time)
      if !changes.isEmpty, !new.isEmpty {
        try setMark()
        try file.write(new, names: names)
      }
      if let problem = await reloadIfMarked() { return .failed(problem, warnings) }
      if !changes.isEmpty, !new.isEmpty { return .replaced(changes, warnings) }
      guard attempts.isEmpty, changes.isEmpty else { return .failed(reason(attempts), warnings) }
      return warnings.isEmpty ? .unchanged : .warning(warnings)
    } catch {
      return .failed("\(error)", [])
    }
  }

  private func warnings(_ judgements: [EnforcedPolicy.Judgement], _ time: Timestamp) -> [Warning] {
    judgements.compactMap { judgement in
      guard judgement.verdict.passes else { return Warning(cause: .fails(judgement.verdict), time: time) }
      guard let end = judgement.end, end.time.milliseconds - time.milliseconds <= span else { return nil }
      return Warning(cause: .willFail(end), time: end.time)
    }
  }

  private func staleLists(_ time: Timestamp) -> [Warning] {
    submission.policies.filter { !$0.policy.isTimely($0.logs, asOf: time) }
      .map { Warning(cause: .staleList($0.policy), time: time) }
  }

  private func reason(_ attempts: [SCTSubmission.Attempt]) -> String {
    guard !attempts.isEmpty else { return "no SCT of \(file.path) counts, and no log is known that could give others" }
    let reasons = attempts.compactMap { attempt -> String? in
      if case .failure(let error) = attempt.result { "\(attempt.log.description): \(error)" } else { nil }
    }
    return "no log gave an SCT that counts: " + reasons.joined(separator: "; ")
  }

  private var names: [LogID: String] {
    Dictionary(submission.policies.flatMap { $0.logs.knownLogs.map { ($0.logID, $0.description) } }) { first, _ in
      first
    }
  }

  // MARK: Telling the server

  /// There from before the file changes until the server was told, so that neither a crash nor a failure in between
  /// leaves it with the old SCTs.
  private var mark: String { file.path + ".reload" }

  private func setMark() throws(SCTFile.Failure) {
    do throws(AtomicFile.Failure) {
      try AtomicFile.write([], to: mark, replacing: { _ in false })
    } catch {
      throw SCTFile.Failure(error)
    }
  }

  private func reloadIfMarked() async -> String? {
    // A mark is empty: what holds anything is somebody else's.
    guard (try? FileManager.default.attributesOfItem(atPath: mark)[.size]) as? Int == 0 else { return nil }
    if let problem = await reload?() { return "the server was not told of the new SCTs: \(problem)" }
    try? FileManager.default.removeItem(atPath: mark)
    return nil
  }
}
