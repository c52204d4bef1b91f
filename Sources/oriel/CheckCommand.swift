import ArgumentParser
import CTLogClient
import CTPolicy
import CertificateTransparency
import Foundation
import OrielCheck
import OrielProbe

struct CheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Say whether Chrome, Apple, Firefox and Android accept a certificate's SCTs, and why.",
    discussion: """
      Examples:
        oriel check example.com                     a site, as it is now
        oriel check --address all example.com       each of its addresses, RSA and ECDSA certificates
        oriel check --starttls smtp mail.example.com
        oriel check chain.pem --host example.com    a file: the certificate, then its issuers
        oriel check --explain CT-OPERATORS-1        more about a code, offline

      Lists of logs are those that `oriel logs update` keeps, or --log-list. Exit codes: 0 every policy asked for
      passes, 1 one fails (or an entry that --inclusion asks for is missing), 2 could not tell, 65 a file given can't be
      read.
      """)

  @Argument(
    help: ArgumentHelp(
      "Hosts (example.com, example.com:8443, https://example.com) and files (PEM, DER, - for stdin).",
      valueName: "host|file"))
  var targets: [String] = []

  @OptionGroup(title: "What is looked at") var looking: CheckLooking
  @OptionGroup(title: "How it is judged") var judging: CheckJudging

  @Option(help: ArgumentHelp("Tell more about a code, such as CT-OPERATORS-1.", valueName: "CODE"))
  var explain: String?

  @Flag(help: "Print one JSON object a line (docs/check-json.md).")
  var json = false

  func validate() throws {
    guard explain != nil || !targets.isEmpty || looking.hosts != nil else {
      throw ValidationError("Nothing to check: give a host or a file, such as `oriel check example.com`.")
    }
  }

  func run() async throws {
    if let explain { return try CheckExplanation.tell(explain) }
    try await reportingFailures(work)
  }

  private func work() async throws {
    let checker = try await judging.checker()
    let targets = try self.targets + looking.hostsInFile()
    let printer = CheckPrinter(json: json, isPlural: targets.count > 1)
    var worst = PolicyResult.Standing.notRequired
    var done = 0
    // Many hosts at once; results are told in the order asked for.
    try await withThrowingTaskGroup(of: (Int, [CheckOutcome]).self) { group in
      var next = 0
      var waiting: [Int: [CheckOutcome]] = [:]
      var told = 0
      func start() {
        guard next < targets.count else { return }
        let (place, target) = (next, targets[next])
        group.addTask { (place, await look(at: target, checker)) }
        next += 1
      }
      for _ in 0..<64 { start() }
      for try await (place, outcomes) in group {
        start()
        waiting[place] = outcomes
        done += 1
        if targets.count > 1 { Terminal.progress("oriel: \(done) of \(targets.count) checked") }
        while let outcomes = waiting.removeValue(forKey: told) {
          for outcome in outcomes {
            worst = worst.worse(outcome.standing)
            try printer.tell(outcome)
          }
          told += 1
        }
      }
    }
    Terminal.clearProgress()
    switch worst {
    case .pass, .notRequired: return
    case .fail: throw ExitCode.findings
    case .couldNotTell: throw ExitCode(2)
    }
  }

  private func look(at target: String, _ checker: Checker) async -> [CheckOutcome] {
    do {
      if let bytes = try CheckLooking.file(target) {
        return [.report(try await judging.check(looking.subject(target, bytes), with: checker))]
      }
      return try await looking.site(target).asyncMap { subject in
        switch subject {
        case .success(let subject): .report(try await judging.check(subject, with: checker))
        case .failure(let failure): .failure(failure)
        }
      }
    } catch {
      return [.failure(CheckTrouble(target, error))]
    }
  }
}

/// What became of one thing to check.
enum CheckOutcome: Sendable {
  case report(CheckReport)
  case failure(CheckTrouble)

  var standing: PolicyResult.Standing {
    switch self {
    case .report(let report): report.standing
    case .failure: .couldNotTell
    }
  }
}

/// Why something could not be checked.
struct CheckTrouble: Error, Sendable {
  let name: String
  let code: String
  let message: String

  init(_ name: String, _ error: any Error) {
    self.name = name
    switch error {
    case let error as ProbeError: (code, message) = (error.code, error.description)
    case let error as CertificateFile.Failure: (code, message) = ("not-a-certificate", error.description)
    case let error as PrecertificateError: (code, message) = ("precertificate", error.description)
    case let error as CommandFailure: (code, message) = ("failed", error.message)
    default: (code, message) = ("failed", "\(error)")
    }
  }
}

/// Prints reports.
struct CheckPrinter {
  let json: Bool
  let isPlural: Bool

  func tell(_ outcome: CheckOutcome) throws {
    switch outcome {
    case .report(let report):
      try Terminal.write(
        json ? report.json() + "\n" : report.text(emphasise: CheckPrinter.colour) + (isPlural ? "\n" : ""))
    case .failure(let trouble):
      if json {
        try Terminal.write(
          CheckReport.json(name: trouble.name, code: trouble.code, message: trouble.message) + "\n")
      } else {
        Terminal.complain("\(trouble.name.safeLine): \(trouble.message.safeLine)")
      }
    }
  }

  private static func colour(_ word: String, _ standing: PolicyResult.Standing) -> String {
    guard Terminal.wantsColour else { return word }
    let code =
      switch standing {
      case .pass, .notRequired: "32"
      case .fail: "31;1"
      case .couldNotTell: "33"
      }
    return "\u{1b}[\(code)m\(word)\u{1b}[0m"
  }
}

extension PolicyResult.Standing {
  /// Of two, the one that decides the exit code.
  func worse(_ other: PolicyResult.Standing) -> PolicyResult.Standing {
    let order: [PolicyResult.Standing] = [.notRequired, .pass, .couldNotTell, .fail]
    return (order.firstIndex(of: self) ?? 0) >= (order.firstIndex(of: other) ?? 0) ? self : other
  }
}

extension Sequence {
  fileprivate func asyncMap<Value>(_ body: (Element) async throws -> Value) async rethrows -> [Value] {
    var values: [Value] = []
    for element in self { values.append(try await body(element)) }
    return values
  }
}
