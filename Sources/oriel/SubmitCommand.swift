import ArgumentParser
import CTLogClient
import CTPolicy
import CertificateTransparency
import Foundation
import OrielCheck
import OrielMail

struct SubmitCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "submit",
    abstract: "Get SCTs of a certificate from logs, and keep the file fresh from which a web server sends them.",
    discussion: """
      Examples:
        oriel submit chain.pem --out shop.sctl              from the logs that make every policy pass
        oriel submit chain.pem --out sct.pem                OpenSSL's serverinfo, for nginx
        oriel submit chain.pem --to 'Test log'              to this log only, and print the SCT
        oriel submit chain.pem --keep sct.pem --reload 'systemctl reload nginx'
                                                            from a timer (docs/submit.md): replaces what no longer serves

      Delivery in TLS is only safe when it is watched: logs are retired. Exit codes: 0 every policy asked for passes,
      1 one does not, 3 no log gave what was needed.
      """)

  @Argument(help: ArgumentHelp("The certificate, then its issuers (PEM, - for stdin).", valueName: "CHAIN"))
  var chain: String

  @Option(
    help: ArgumentHelp("Write the SCTs there: FILE.sctl, a folder of .sct files, or serverinfo.", valueName: "FILE"))
  var out: String?

  @Option(help: ArgumentHelp("Keep this file such that the certificate passes.", valueName: "FILE"))
  var keep: String?

  @Option(help: ArgumentHelp("With --keep: a command to run when the file has changed.", valueName: "COMMAND"))
  var reload: String?

  @Option(help: ArgumentHelp("With --keep: days ahead of a failure to act or warn.", valueName: "DAYS"))
  var warnDays = 14

  @Option(help: ArgumentHelp("Only to this log, by its description or id. Repeatable.", valueName: "LOG"))
  var to: [String] = []

  @OptionGroup(title: "How it is judged") var judging: CheckJudging

  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    guard out == nil || keep == nil else { throw ValidationError("Give --out or --keep, not both.") }
    guard reload == nil || keep != nil else { throw ValidationError("--reload goes with --keep.") }
    guard (0...365).contains(warnDays) else { throw ValidationError("--warn-days takes 0 to 365.") }
  }

  func run() async throws { try await reportingFailures(work) }

  private func work() async throws {
    guard let bytes = try CheckLooking.file(chain) else {
      throw CommandFailure("there is no such file: \(chain.safeLine)", .badData)
    }
    let file = try CertificateFile(bytes, name: chain)
    // Before a log is asked: what it takes is public.
    if let out { do { try SCTFile(out).checkReplaceable() } catch { throw CommandFailure("\(error)", .cannotWrite) } }
    let checker = try await judging.checker()
    let policies = checker.policies.filter { !checker.advisory.contains($0) }.compactMap { policy in
      checker.lists[policy.browser].map { EnforcedPolicy(policy, logs: $0.view) }
    }
    let certificate = PresentedCertificate(
      leaf: file.certificates[0], issuers: Array(file.certificates.dropFirst()))
    try await HTTPTransport.withTransport { transport in
      let submission = SCTSubmission(policies: policies, transport: transport) { Timestamp.now }
      if let keep {
        try await keepFresh(SCTFile(keep), certificate, submission)
      } else {
        try await submit(certificate, submission, policies)
      }
    }
  }

  // MARK: Once

  private func submit(
    _ certificate: PresentedCertificate, _ submission: SCTSubmission, _ policies: [EnforcedPolicy]
  ) async throws {
    guard to.isEmpty else { return try await submit(certificate, submission, to: logs(policies)) }
    let outcome = await submission.run(certificate)
    let items = outcome.certificate.deliveredItems
    if let out, !items.isEmpty { try SCTFile(out).write(items, names: SubmitCommand.names(policies)) }
    try tell(outcome.attempts, missing: outcome.missing)
    if outcome.missing.isEmpty { return }
    throw outcome.obtained.isEmpty ? ExitCode.incomplete : ExitCode.findings
  }

  private func submit(
    _ certificate: PresentedCertificate, _ submission: SCTSubmission, to logs: [LogDescription]
  ) async throws {
    let attempts = await submission.send([certificate.leaf] + certificate.issuers, to: logs)
    let items = try attempts.compactMap { try $0.sct?.encoded() }.map { SCTList.Item(serialized: $0) }
    if let out, !items.isEmpty { try SCTFile(out).write(items, names: [:]) }
    try tell(attempts, missing: [])
    if attempts.contains(where: { $0.sct == nil }) { throw ExitCode.incomplete }
  }

  private func logs(_ policies: [EnforcedPolicy]) throws -> [LogDescription] {
    let known = policies.flatMap(\.logs.knownLogs)
    return try to.map { name in
      guard let log = known.first(where: { $0.description == name || $0.logID.description == name }) else {
        throw CommandFailure("no list has a log called '\(name.safeLine)' whose SCTs count", ExitCode(64))
      }
      return log
    }
  }

  private static func names(_ policies: [EnforcedPolicy]) -> [LogID: String] {
    Dictionary(policies.flatMap(\.logs.knownLogs).map { ($0.logID, $0.description) }) { first, _ in first }
  }

  private struct Line: Encodable {
    let log, logID: String
    let timestamp, sct, error: String?

    init(_ attempt: SCTSubmission.Attempt) {
      log = attempt.log.description
      logID = attempt.log.logID.description
      timestamp = attempt.sct?.timestamp.description
      sct = attempt.sct.flatMap { try? $0.encoded() }.map { Base64.encode($0) }
      error = if case .failure(let error) = attempt.result { "\(error)" } else { nil }
    }
  }

  private func tell(_ attempts: [SCTSubmission.Attempt], missing: [PolicyVerdict]) throws {
    let lines = attempts.map(Line.init)
    if json {
      struct Output: Encodable {
        let attempts: [Line]
        let failing: [String: String]
      }
      let failing = Dictionary(missing.map { ($0.policy.identifier, $0.code.rawValue) }) { first, _ in first }
      return try Terminal.write(json: Output(attempts: lines, failing: failing), onOneLine: true)
    }
    for line in lines {
      let words = line.timestamp.map { "SCT of \($0)" } ?? "no SCT: \((line.error ?? "").safeLine)"
      try Terminal.write("\(line.log.safeLine)  \(words)\n")
      if out == nil, let sct = line.sct { try Terminal.write("    \(sct)\n") }
    }
    if lines.isEmpty, missing.isEmpty { Terminal.note("oriel: nothing is needed: every policy passes as it is") }
    for verdict in missing {
      try Terminal.write("\(verdict.policy) still fails: \(verdict.code.rawValue)  \(verdict.code.summary)\n")
    }
  }

  // MARK: Again and again

  private func keepFresh(
    _ file: SCTFile, _ certificate: PresentedCertificate, _ submission: SCTSubmission
  ) async throws {
    var tellServer: SCTKeeper.Reload?
    if let command = reload { tellServer = { await SubmitCommand.run(command) } }
    let keeper = SCTKeeper(
      file, submission: submission, warningSpan: .seconds(warnDays * 86_400), reload: tellServer)
    let outcome = await keeper.keep(certificate)
    let (word, details, warnings, code) = SubmitCommand.describe(outcome)
    if json {
      struct Output: Encodable {
        let outcome: String
        let details, warnings: [String]
      }
      try Terminal.write(json: Output(outcome: word, details: details, warnings: warnings), onOneLine: true)
    } else {
      try Terminal.write("\(file.path): \(word)\n")
      for detail in details { try Terminal.write("    \(detail.safeLine)\n") }
      for warning in warnings { Terminal.complain(warning.safeLine) }
    }
    if let code { throw code }
  }

  private static func describe(
    _ outcome: SCTKeeper.Outcome
  ) -> (word: String, details: [String], warnings: [String], code: ExitCode?) {
    switch outcome {
    case .unchanged: return ("unchanged", [], [], nil)
    case .warning(let warnings): return ("unchanged", [], warnings.map(describe), ExitCode.findings)
    case .replaced(let changes, let warnings):
      let details = changes.map(describe)
      return ("replaced", details, warnings.map(describe), warnings.isEmpty ? nil : ExitCode.findings)
    case .failed(let reason, let warnings): return ("failed", [reason], warnings.map(describe), ExitCode.incomplete)
    }
  }

  private static func describe(_ change: SCTKeeper.Change) -> String {
    switch change {
    case .added(let log): return "added an SCT of log \(log)"
    case .dropped(let log, let reason):
      let name = log.map { "log \($0)" } ?? "a log that can't be told"
      return "dropped that of \(name): \(reason.rawValue)"
    }
  }

  private static func describe(_ warning: SCTKeeper.Warning) -> String {
    switch warning.cause {
    case .fails(let verdict): "\(verdict.policy) fails: \(verdict.code.rawValue)  \(verdict.code.summary)"
    case .willFail(let failure): "\(failure.policy) will fail on \(failure.time): \(failure.verdict.code.rawValue)"
    case .staleList(let policy): "\(policy)'s list of logs is too old to go by: run `oriel logs update`"
    }
  }

  /// Runs the command that makes the server read the file; says why it did not work, if so.
  private static func run(_ command: String) async -> String? {
    let child = ChildProcess(
      program: "/bin/sh", arguments: ["-c", command], environment: ProcessInfo.processInfo.environment,
      input: "/dev/null", timeLimit: .seconds(120))
    let outcome = await child.run()
    if case .exited(0) = outcome.end { return nil }
    return "`\(command)`: \(outcome.end): \(String(decoding: outcome.output, as: UTF8.self))"
  }
}
