import ArgumentParser
import CTLogClient
import CTPolicy
import CertificateTransparency
import Foundation
import OrielCheck
import OrielProbe

/// The options that say how certificates are judged.
struct CheckJudging: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Only these policies: chrome, apple, apple-observed, firefox, android; apple-published decides only then.",
      valueName: "POLICY"))
  var policy: [String] = []

  @Option(
    name: .customLong("log-list"),
    help: ArgumentHelp(
      "A list of logs: chrome=FILE,apple=FILE,firefox=FILE,android=FILE, or one file for all. Repeatable.",
      valueName: "LIST"))
  var logList: [String] = []

  @Option(help: ArgumentHelp("Judge as of this time: 2026-03-01, or with a time of day.", valueName: "DATE"))
  var asOf: String?

  @Option(help: ArgumentHelp("Roots (PEM) to trust besides the system's; they are not public.", valueName: "FILE"))
  var roots: String?

  @Option(
    help: ArgumentHelp(
      "Which roots are public (PEM, or JSON with legacy, EV and Symantec marks). Repeatable.", valueName: "FILE"))
  var rootStores: [String] = []

  @Option(
    help: ArgumentHelp(
      "Enterprise policies: Chrome's JSON, Firefox's policies.json, Apple's .mobileconfig. Repeatable.",
      valueName: "FILE"))
  var enterprisePolicy: [String] = []

  @Flag(help: "Let nothing pass by a list that is too old, as no browser does.")
  var failClosed = false

  @Flag(help: "Fetch a missing issuer from the address that the certificate names.")
  var fetchIssuer = false

  @Flag(help: "Prove that each SCT's entry is in its log, which is asked for it.")
  var inclusion = false

  @OptionGroup var data: DataOptions

  func validate() throws {
    if let asOf, CheckJudging.time(asOf) == nil {
      throw ValidationError("--as-of takes a date such as 2026-03-01 or 2026-03-01T12:00:00Z; not '\(asOf)'.")
    }
    for name in policy where CheckJudging.policies(name).isEmpty {
      throw ValidationError(
        "--policy takes chrome, apple, apple-published, apple-observed, firefox or android; not '\(name)'.")
    }
  }

  private static func policies(_ name: String) -> [BrowserPolicy] {
    BrowserPolicy.current.filter { $0.identifier == name || $0.browser.rawValue == name }
  }

  private static func time(_ text: String) -> Timestamp? {
    Timestamp(rfc3339: text.utf8.count == 10 ? text + "T00:00:00Z" : text)
  }

  /// The time of `--as-of`; nil for now, which the date of today means too.
  private func timeJudgedFor(_ now: Timestamp) -> Timestamp? {
    guard let asOf, !(asOf.utf8.count == 10 && "\(now)".hasPrefix(asOf)) else { return nil }
    return CheckJudging.time(asOf)
  }

  // MARK: The checker

  func checker() async throws -> Checker {
    let now = Timestamp.now
    let lists = BrowserLists(try await lists(now))
    guard !lists.isEmpty else {
      throw CommandFailure(
        "there is no list of logs to judge by: run `oriel logs update`, or give one with --log-list", ExitCode(2))
    }
    let past = timeJudgedFor(now)
    var checker = Checker(
      lists: lists, anchors: try TrustAnchors.system(), time: past ?? now, isHistorical: past != nil)
    if !policy.isEmpty {
      checker.policies = BrowserPolicy.current.filter { policy.flatMap(CheckJudging.policies).contains($0) }
    }
    checker.advisory = checker.advisory.filter { !policy.contains($0.identifier) }
    if let roots { checker.localAnchors = try anchors(roots) }
    for file in rootStores {
      let stores = try RootStores(try CheckLooking.bytes(file), file: file)
      for warning in stores.warnings { Terminal.complain("warning: \(warning)") }
      if checker.rootStores == nil { checker.rootStores = stores } else { checker.rootStores?.merge(stores) }
    }
    for file in enterprisePolicy {
      let policies = try EnterprisePolicies(try CheckLooking.bytes(file), file: file)
      for warning in policies.warnings { Terminal.complain("warning: \(warning)") }
      try checker.enterprise.merge(policies)
    }
    checker.staleness = failClosed ? .failClosed : .failOpen
    return checker
  }

  private func anchors(_ file: String) throws -> TrustAnchors {
    let bytes = try CheckLooking.bytes(file)
    do { return try TrustAnchors(file: file, bytes) } catch { throw CommandFailure("\(error)", .badData) }
  }

  /// Judges, with a missing issuer fetched where that is asked for.
  func check(_ subject: CheckSubject, with checker: Checker) async throws -> CheckReport {
    var report = try await judge(subject, checker)
    if report.isPrecertificate { throw PrecertificateError() }
    guard inclusion else { return report }
    report.inclusion = try await HTTPTransport.withTransport { transport in
      await InclusionCheck(transport: transport, now: checker.time).check(report)
    }
    return report
  }

  private func judge(_ subject: CheckSubject, _ checker: Checker) async throws -> CheckReport {
    let report = checker.check(subject)
    guard fetchIssuer, case .issuerMissing(_, _, let addresses)? = report.chain.problem else { return report }
    var issuer: [UInt8] = []
    for address in addresses.prefix(2) {
      let isThere = try? await HTTPTransport.withTransport { transport in
        try await transport.get(address, limit: 1 << 16, into: &issuer)
      }
      guard isThere != nil, let file = try? CertificateFile(issuer, name: address) else { continue }
      return checker.check(subject, intermediates: file.certificates)
    }
    return report
  }

  // MARK: Lists

  private func lists(_ now: Timestamp) async throws -> [Browser: BrowserLists.List] {
    guard !logList.isEmpty else { return try await keptLists(now) }
    var lists: [Browser: BrowserLists.List] = [:]
    // A comma may stand in the name of a file.
    for entry in logList.flatMap({ $0.split(separator: /,(?=(?:chrome|apple|firefox|android)=)/) }) {
      let parts = entry.split(separator: "=", maxSplits: 1).map(String.init)
      let browser = parts.count == 2 ? Browser(rawValue: parts[0]) : nil
      guard let place = parts.last, parts.count == 1 || browser != nil else {
        throw CommandFailure("--log-list takes chrome=FILE, apple=, firefox= or android=; not '\(entry)'", ExitCode(64))
      }
      let list = BrowserLists.List(try await CheckJudging.load(place, now))
      for browser in browser.map({ [$0] }) ?? Browser.allCases { lists[browser] = list }
    }
    return lists
  }

  private static func load(_ place: String, _ now: Timestamp) async throws -> LoadedLogList {
    let source = LogListSource(name: place, url: ListOptions.url(place))
    do {
      let loaded = try await HTTPTransport.withTransport { transport in
        try await LogListLoader(transport: transport, directory: nil).load(source, now: now)
      }
      guard !loaded.list.logs.isEmpty else { throw FormatError("log list", at: 0, "it names no log that can be read") }
      return loaded
    } catch let error as CancellationError {
      throw error
    } catch {
      throw CommandFailure("the log list \(place.safeLine) can't be used: \("\(error)".safeLine)", .badData)
    }
  }

  /// The copies that `oriel logs update` and the followers keep; nothing is fetched.
  private func keptLists(_ now: Timestamp) async throws -> [Browser: BrowserLists.List] {
    try await HTTPTransport.withTransport { transport in
      let loader = LogListLoader(transport: transport, directory: data.listCache)
      var lists: [Browser: BrowserLists.List] = [:]
      for (browser, source) in [(Browser.chrome, LogListSource.chrome), (.apple, .apple)] {
        if let loaded = loader.kept(source, now: now) { lists[browser] = BrowserLists.List(loaded) }
      }
      return lists
    }
  }
}

/// What a code means.
enum CheckExplanation {
  static func tell(_ code: String) throws {
    if let verdict = VerdictCode(rawValue: code.uppercased()) {
      return try Terminal.write("\(verdict.rawValue)  \(verdict.summary)\n\n\(verdict.explanation)\n")
    }
    if let (_, text) = chain.first(where: { $0.0 == code.uppercased() }) {
      return try Terminal.write("\(code.uppercased())  \(text)\n")
    }
    let known = VerdictCode.allCases.map(\.rawValue) + chain.map(\.0)
    Terminal.complain("there is no code \(code.safeLine); there are \(known.joined(separator: ", "))")
    throw ExitCode(64)
  }

  private static let chain = [
    (DistrustFinding.code, "A root program distrusts the root in part, by the times of SCTs. No SCT mends that."),
    (
      InclusionCheck.missingCode,
      "The log answers that it does not have the entry, though its merge delay is over, or its proof is wrong. "
        + "Browsers do not notice; tell the log's operator and the CA."
    ),
    (InclusionCheck.unprovedCode, "The log could not be reached, or gave no proper answer. Try again later."),
    ("CHAIN-READ-1", "A certificate of the chain can't be read."),
    (
      "CHAIN-ISSUER-1",
      "The issuer's certificate is not there: the server must send it. Without it embedded SCTs can't be checked either."
    ),
    ("CHAIN-ROOT-1", "The chain ends in a root that this machine does not trust; --roots gives others."),
    ("CHAIN-TIME-1", "A certificate of the chain has expired."),
    ("CHAIN-TIME-2", "A certificate of the chain is not valid yet; or the clock is wrong."),
    ("CHAIN-SIGNATURE-1", "A certificate of the chain was not signed by the one after it."),
    ("CHAIN-OTHER-1", "The chain is not valid for a reason that OpenSSL gives."),
  ]
}
