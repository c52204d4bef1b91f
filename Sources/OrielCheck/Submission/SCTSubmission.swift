package import CTLogClient
package import CTPolicy
package import CertificateTransparency

/// Gets SCTs of a certificate from logs, so that the policies pass.
package struct SCTSubmission: Sendable {
  /// What came of one log.
  package struct Attempt: Sendable {
    package let log: LogDescription
    package let result: Result<SignedCertificateTimestamp, any Error>

    package var sct: SignedCertificateTimestamp? { try? result.get() }
  }

  package struct Outcome: Sendable {
    /// The certificate with the SCTs for TLS, those that it had first. What no policy counts is not among them.
    package let certificate: PresentedCertificate
    /// In the order made.
    package let attempts: [Attempt]
    /// In the order of the policies.
    package let judgements: [EnforcedPolicy.Judgement]

    package var obtained: [Attempt] { attempts.filter { $0.sct != nil } }
    /// The verdicts of the policies that still fail: code, numbers and mend say what is missing.
    package var missing: [PolicyVerdict] { judgements.map(\.verdict).filter { !$0.passes } }
  }

  package typealias Submit = @Sendable (LogDescription, [[UInt8]]) async throws -> SignedCertificateTimestamp

  /// Clocks of logs may be ahead by so much; what they sign is then judged as of its own time.
  private static let tolerance: UInt64 = 60_000
  private static let maximumAttempts = 32

  package let policies: [EnforcedPolicy]
  let now: @Sendable () -> Timestamp
  private let submit: Submit

  /// - Parameters:
  ///   - now: the time of day.
  ///   - submit: hands a chain to a log; the SCT is verified already.
  package init(policies: [EnforcedPolicy], now: @escaping @Sendable () -> Timestamp, submit: @escaping Submit) {
    self.policies = policies
    self.now = now
    self.submit = submit
  }

  package init(policies: [EnforcedPolicy], transport: HTTPTransport, now: @escaping @Sendable () -> Timestamp) {
    self.init(policies: policies, now: now) { log, chain in
      try await SubmissionClient(log, transport: transport).add(chain)
    }
  }

  /// Submits a chain, of a certificate or a precertificate, to these logs at once; the answers stand in their order.
  package func send(_ chain: [[UInt8]], to logs: [LogDescription]) async -> [Attempt] {
    await withTaskGroup(of: (Int, Attempt).self) { group in
      for (index, log) in logs.enumerated() {
        group.addTask {
          do {
            return (index, Attempt(log: log, result: .success(try await submit(log, chain))))
          } catch {
            return (index, Attempt(log: log, result: .failure(error)))
          }
        }
      }
      return await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }.map(\.1)
    }
  }

  /// Gets the SCTs that the certificate lacks. When a log refuses, or what it gives does not count, others are chosen
  /// until the policies pass as well as can be.
  ///
  /// A precertificate gets none: its SCTs are the CA's to embed; see ``send(_:to:)``.
  package func run(_ certificate: PresentedCertificate) async -> Outcome {
    var certificate = certificate
    var attempts: [Attempt] = []
    var judgements = judge(certificate, attempts)
    while attempts.count < SCTSubmission.maximumAttempts, !Task.isCancelled,
      !TBSCertificate.isPrecertificate(certificate.leaf)
    {
      let tried = Set(attempts.map(\.log.logID))
      let choice = LogChoice(for: certificate, policies: policies, asOf: judgingTime(attempts), excluding: tried)
      guard !choice.chosen.isEmpty else { break }
      let round = await send([certificate.leaf] + certificate.issuers, to: choice.chosen)
      attempts += round
      let items = round.compactMap { $0.sct.flatMap { try? $0.encoded() }.map { SCTList.Item(serialized: $0) } }
      certificate = certificate.delivering(certificate.deliveredItems + items)
      let useless = judge(certificate, attempts).useless
      let useful = certificate.deliveredItems.enumerated().filter { useless[$0.offset] == nil }.map(\.element)
      certificate = certificate.delivering(useful)
      judgements = judge(certificate, attempts)
    }
    return Outcome(certificate: certificate, attempts: attempts, judgements: judgements)
  }

  private func judge(_ certificate: PresentedCertificate, _ attempts: [Attempt]) -> [EnforcedPolicy.Judgement] {
    let time = judgingTime(attempts)
    return policies.map { $0.judge(certificate, asOf: time) }
  }

  private func judgingTime(_ attempts: [Attempt]) -> Timestamp {
    let now = now()
    let limit = now.milliseconds &+ SCTSubmission.tolerance
    let ahead = attempts.compactMap { $0.sct?.timestamp }.filter { $0.milliseconds <= limit }
    return max(now, ahead.max() ?? now)
  }
}
