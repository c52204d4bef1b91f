import CTLogClient
import CTPolicy
import CertificateTransparency
import OrielProbe

extension CheckReport {
  /// The report for people: the verdicts, the cause, the cheapest mend, then the evidence.
  ///
  /// - Parameter emphasise: shows a word as good or bad, where colour is wanted.
  package func text(emphasise: (String, PolicyResult.Standing) -> String = { word, _ in word }) -> String {
    var page = CheckPage()
    page.add(title)
    page.add(
      "Verdict",
      results.map { result in
        let isAdvice = !result.decides && result.standing == .fail
        return "\(result.policy) \(isAdvice ? "not met" : emphasise(CheckPage.word(result.standing), result.standing))"
      }.joined(separator: "   "))
    addCause(to: &page)
    addLeaf(to: &page)
    for (number, sct) in (report?.scts ?? []).enumerated() {
      page.add("SCT \(number + 1)", CheckPage.describe(sct))
      if inclusion.indices.contains(number) { page.add("", "\(inclusion[number])".safeLine) }
    }
    for problem in report?.listProblems ?? [] { page.add("SCTs", "not read: \(problem)") }
    if report?.scts.isEmpty == true, report?.listProblems.isEmpty == true { page.add("SCTs", "none") }
    for forecast in forecasts { page.add("Forecast", CheckPage.describe(forecast, report)) }
    if forecasts.isEmpty, standing == .pass {
      page.add(
        "Forecast", "no known retirement, shard end or change of policy turns this into a failure before it expires")
    }
    addLists(to: &page)
    addExemptions(to: &page)
    return page.text
  }

  private var title: String {
    var parts = [subject.name.safeLine]
    if let handshake = subject.handshake {
      parts += ["\(handshake.address)", "\(handshake.version)"]
    }
    return parts.joined(separator: "  ")
  }

  private func addCause(to page: inout CheckPage) {
    if let leading {
      let verdict = leading.verdict
      page.add("Cause", "\(verdict.code.rawValue)  \(verdict.code.summary)")
      if let outcome = leading.requirement?.outcome {
        switch outcome {
        case .blocked where leading.policy == .chrome: page.add("", CTRequirementOutcome.blockedError)
        case .notRequired, .couldNotTell: page.add("", "\(outcome)")
        default: break
        }
      }
      var seen: [VerdictCode] = [verdict.code]
      for other in results where other.decides && !other.verdict.passes && !seen.contains(other.verdict.code) {
        seen.append(other.verdict.code)
        page.add("", "\(other.policy): \(other.verdict.code.rawValue)  \(other.verdict.code.summary)")
      }
      for (number, mend) in verdict.mends.enumerated() {
        page.add(number == 0 ? "Mend" : "", "\(number == 0 ? "" : "or: ")\(mend) (\(CheckPage.describe(mend.actor)))")
      }
    }
    for result in results where !result.decides && result.standing == .fail {
      page.add(
        "Note",
        "\(result.policy): \(result.verdict.code.rawValue)  \(result.verdict.code.summary); no browser enforces it")
    }
    if inclusion.contains(where: \.isMissing) {
      page.add(
        "Inclusion",
        "\(InclusionCheck.missingCode)  a log does not have the entry that its SCT promises; browsers do not notice")
    }
    if inclusion.contains(where: \.isUnproved) {
      page.add("Inclusion", "\(InclusionCheck.unprovedCode)  a log could not be asked, so its entry is not proved")
    }
    if let distrust {
      page.add(
        "Distrust",
        "\(DistrustFinding.code)  the CA's root is distrusted in part: this certificate's SCTs are "
          + (distrust.outcome == .undated ? "of no known time" : "of a time that no longer counts")
          + "; that is not a want of SCTs. Get a certificate from another CA")
    }
    if let problem = chain.problem { page.add("Chain", "\(problem.checkCode)  \(problem)".safeLine) }
    if chain.isReordered { page.add("Chain", "it was sent out of order; it was put in order for this check") }
    if chain.hostMatches == false, let host = subject.host {
      page.add("Chain", "the certificate is not for \(host.safeLine)")
    }
    for note in subject.handshake?.notes ?? [] { page.add("Note", "\(note)") }
  }

  private func addLeaf(to page: inout CheckPage) {
    var parts: [String] = []
    if let validity = report?.validity {
      let days = validity.lifetime / 86_400
      let evidence = results.first?.verdict.evidence
      let need = evidence.map { " -> needs \($0.neededLogs) logs, \($0.neededOperators) operators" } ?? ""
      parts.append("valid \(days) d (\(validity.lifetime) s)\(need)")
    }
    parts.append("issuer \(facts.issuer?.description.safeLine ?? "can't be read")")
    parts.append("public root: \(publicity == .public ? "yes" : publicity == .local ? "no" : "not known")")
    page.add("Leaf", parts.joined(separator: "; "))
  }

  private func addLists(to page: inout CheckPage) {
    var lists: [(browsers: [Browser], list: BrowserLists.List)] = []
    for result in results {
      let browser = result.policy.browser
      if let place = lists.firstIndex(where: { $0.list.name == result.list.name }) {
        if !lists[place].browsers.contains(browser) { lists[place].browsers.append(browser) }
      } else {
        lists.append(([browser], result.list))
      }
    }
    for (browsers, list) in lists {
      var parts = ["\(browsers.map(\.rawValue).joined(separator: ", ")): \(list.name.safeLine)"]
      if let version = list.version { parts.append("version \(version.safeLine)") }
      if let listed = list.timestamp {
        let isAhead = listed > time
        let age = isAhead ? listed.milliseconds - time.milliseconds : time.milliseconds - listed.milliseconds
        parts.append("\(age / 86_400_000) days \(isAhead ? "ahead" : "old")")
      }
      parts.append("signature \(CheckPage.describe(list.signature))")
      for (code, words) in [(VerdictCode.staleList, "TOO OLD to judge by"), (.futureList, "dated AHEAD")] {
        let lenient = results.filter { $0.list.name == list.name && $0.verdict.code == code }.map { "\($0.policy)" }
        guard !lenient.isEmpty else { continue }
        let names = lenient.joined(separator: ", ")
        parts.append("\(words), so \(names) \(lenient.count == 1 ? "enforces" : "enforce") nothing (\(code.rawValue))")
      }
      page.add("List", parts.joined(separator: ", "))
    }
  }

  private func addExemptions(to page: inout CheckPage) {
    var misses: [String] = []
    for result in results {
      switch result.requirement?.outcome {
      case .notRequired(let reason): page.add("Exempt", "\(result.policy): \(CTRequirementOutcome.notRequired(reason))")
      default: break
      }
      for miss in result.requirement?.nearestMisses ?? [] where !misses.contains("\(miss)") { misses.append("\(miss)") }
    }
    for miss in misses.prefix(5) { page.add("Policies", "no exemption matches; nearest: \(miss)".safeLine) }
    for warning in warnings.prefix(10) { page.add("Policies", "\(warning)".safeLine) }
  }
}

/// Lines under labels.
struct CheckPage {
  private(set) var text = ""
  private var last = ""

  mutating func add(_ line: String) { text += line + "\n" }

  mutating func add(_ label: String, _ line: String) {
    let shown = label == last ? "" : label
    if !label.isEmpty { last = label }
    text += shown.padding(to: 10) + line + "\n"
  }

  static func word(_ standing: PolicyResult.Standing) -> String {
    switch standing {
    case .pass: "pass"
    case .fail: "FAIL"
    case .notRequired: "not required"
    case .couldNotTell: "could not tell"
    }
  }

  static func describe(_ actor: Mend.Actor) -> String {
    switch actor {
    case .certificateAuthority: "your CA"
    case .serverOperator: "whoever runs the server"
    case .client: "on this client"
    }
  }

  static func describe(_ signature: LoadedLogList.Signature) -> String {
    switch signature {
    case .verified: "ok"
    case .invalid(let reason): "NOT VALID (\(reason))".safeLine
    case .unsigned: "none, nobody signs it"
    }
  }

  static func describe(_ sct: ReportedSCT) -> String {
    var parts = [sct.source == .x509 ? "embedded" : sct.source == .ocsp ? "in OCSP" : "in TLS"]
    parts.append(sct.log?.description.safeLine ?? sct.logID.map { "log \($0)" } ?? "log not readable")
    if let name = sct.operatorName { parts.append(name.safeLine) }
    if let state = sct.logState { parts.append(state.name.safeLine) }
    parts.append(describe(sct.status))
    if let time = sct.timestamp { parts.append("\(time)") }
    if case .index(let index, _) = sct.leafIndex { parts.append("leaf \(index)") }
    return parts.joined(separator: "  ")
  }

  static func describe(_ status: ReportedSCT.Status) -> String {
    switch status {
    case .valid: "signature ok"
    case .unknownLog(.mimic): "mimic log: its private key is public"
    case .unknownLog(.notListed): "log not in the list"
    case .unknownLog(.pending): "log still pending"
    case .unknownLog(.rejected): "log rejected"
    case .unknownLog(.unclear): "log of unknown state"
    case .unknownLog(.notForEnforcement): "log for tests only"
    case .badSignature(let reason): "signature NOT valid: \(describe(reason))"
    case .future: "from the future"
    case .unsupportedVersion(let version): "version \(Int(version) + 1), which nobody supports"
    case .malformed(let offset, let reason): "malformed at offset \(offset): \(reason)".safeLine
    }
  }

  static func describe(_ reason: BadSignatureReason) -> String {
    switch reason {
    case .algorithm(let named, let expected): "it names \(named), but the log's key is for \(expected)"
    case .notASignature: "it is no signature at all"
    case .unreadableCertificate: "the certificate can't be taken apart"
    case .missingIssuer: "the issuer's certificate is missing, so it can't be checked"
    case .wrongIssuer(let position):
      "it fits certificate \(position) of the chain, not the next one: the chain is wrong"
    case .wrongEntryType: "it was made for the other kind of entry"
    case .otherCertificate(nil): "it is of another certificate, or damaged"
    case .otherCertificate: "it is of another certificate"
    case .differsFromPrecertificate: "the certificate differs from the precertificate that was logged"
    case .damaged: "it is damaged, or of another precertificate: other embedded SCTs are right"
    }
  }

  static func describe(_ failure: Forecast.Failure, _ report: SCTReport?) -> String {
    let name = { (logID: LogID) in
      report?.scts.first { $0.logID == logID }?.log?.description.safeLine ?? "log \(logID)"
    }
    let events = failure.events.map { event in
      switch event {
      case .retirement(let log): "\(name(log)) is retired"
      case .readOnly(let log): "\(name(log)) becomes read-only"
      case .shardEnd(let log): "\(name(log))'s interval ends"
      case .operatorChange(let log): "\(name(log)) changes its operator"
      case .policyChange: "the policy changes"
      }
    }
    return "\(failure.policy) fails from \(failure.time) on: \(events.joined(separator: ", ")) "
      + "(\(failure.verdict.code.rawValue))"
  }
}

extension String {
  /// One line that fools no terminal, for words of strangers.
  package var safeLine: String {
    var scalars = String.UnicodeScalarView()
    for scalar in unicodeScalars.prefix(400) { scalars.append(scalar.isDeceptive ? "\u{FFFD}" : scalar) }
    return String(scalars)
  }

  fileprivate func padding(to width: Int) -> String {
    count >= width ? self + " " : self + String(repeating: " ", count: width - count)
  }
}
