import CTPolicy
import CertificateTransparency
import MerkleTree
import OrielAccounts
import OrielContacts
import OrielStore

/// What pages show of a certificate.
extension Site {
  /// What a certificate says, for the template `facts`.
  ///
  /// - Parameters:
  ///   - leaf: the certificate, where it is no precertificate.
  ///   - whole: the certificate or precertificate, where there is all of it.
  ///   - hits: the names that come first.
  ///   - logNames: as ``logNames()`` gives them.
  func certificateValues(
    _ facts: CertificateFacts, leaf: [UInt8]?, whole: [UInt8]?, issuers: [[UInt8]], issuerKey: SHA256Hash?,
    hits: Set<String> = [], logNames: [LogID: String]
  ) -> Values {
    let names = facts.shownNames(hits)
    let seconds = now / 1000
    var values: Values = [
      "allNames": names.prefix(200).map { name, isCommon -> Values in
        ["name": Phrase.name(String(name.prefix(2000))), "isCommon": isCommon]
      },
      "moreAllNames": names.count > 200 ? Phrase.number(names.count - 200) : nil,
      "subject": facts.subject.map { String("\($0)".prefix(2000)) } ?? "can't be read",
      "issuerName": facts.issuer.map { String("\($0)".prefix(2000)) } ?? "can't be read",
      "owner": parts.owners()?.owner(chain: issuers.map { SHA256Hash.hash($0) }, keyHash: issuerKey)?.name,
      "from": Phrase.day(seconds: facts.notBefore), "to": Phrase.day(seconds: facts.notAfter),
      "serial": facts.shownSerial.map { String($0.prefix(200)) } ?? "can't be read",
      "keyType": facts.keyType?.description ?? "can't be told", "keyHash": facts.publicKeyHash?.hex,
      "hasProblems": !facts.problems.isEmpty, "problems": Array(facts.problems.prefix(20)),
    ]
    values = values.merging(details(whole, logNames))
    if let first = facts.notBefore, let last = facts.notAfter, last >= first, last - first < 1 << 36 {
      values["days"] = Phrase.plural(Int((last - first + 1) / 86_400), "day", "days")
      values["isOver"] = last < seconds
    }
    let judged = BrowserPolicy.current.compactMap { policy in parts.logs(policy).map { (policy, $0) } }
    switch (judged.isEmpty, leaf) {
    case (true, _): values["policyNote"] = "No list of logs has been read, so what browsers make of it is not known."
    case (_, nil):
      values["policyNote"] = "Only the precertificate was seen, so what browsers make of the certificate is not known."
    case (false, let leaf?):
      let time = Timestamp(milliseconds: UInt64(clamping: now))
      let certificate = PresentedCertificate(leaf: leaf, issuers: issuers)
      let lists = Dictionary(judged.map { ($1.name, $1.view) }, uniquingKeysWith: { first, _ in first })
      let reports = lists.mapValues { SCTVerifier(logs: $0).verify(certificate, at: time) }
      values["hasPolicies"] = true
      values["policies"] = judged.compactMap { policy, logs -> Values? in
        guard let verdict = reports[logs.name].map({ policy.judge($0, asOf: time) }) else { return nil }
        let isEnforced = verdict.compliance != .notTimely && verdict.code != .notRequired
        let (badge, words) =
          !isEnforced ? ("plain", "Not enforced") : verdict.passes ? ("known", "Passes") : ("unexplained", "Fails")
        return [
          "policy": "\(policy)", "verdictBadge": badge, "verdictWords": words, "summary": verdict.code.summary,
          "counted": isEnforced ? "\(verdict.evidence.countedLogs) of \(verdict.evidence.neededLogs)" : "–",
          "verdictCode": verdict.code.rawValue, "list": logs.name,
          "listDate": logs.view.timestamp.map { Phrase.day(Int64(clamping: $0.milliseconds)) },
        ]
      }
      if issuers.isEmpty { values["policyNote"] = "The issuer’s certificate is not at hand; signatures need it." }
    }
    return values
  }

  /// What the logs are called that browsers know, or that are followed.
  func logNames() async throws -> [LogID: String] {
    var names = Dictionary(
      BrowserPolicy.current.compactMap { parts.logs($0) }.flatMap(\.view.knownLogs).map { ($0.logID, $0.description) },
      uniquingKeysWith: { first, _ in first })
    for log in try await following.logs() { names[log.logID] = log.description }
    return names
  }

  /// How a certificate is signed, and its extensions.
  private func details(_ certificate: [UInt8]?, _ logNames: [LogID: String]) -> Values {
    guard let certificate else {
      return ["detailsNote": "The log gave a part of it alone; how it is signed does not stand there."]
    }
    do {
      let details = try CertificateDetails(certificate: certificate) { logNames[$0] }
      return [
        "hasDetails": true,
        "details": details.all.map {
          ["detail": $0.title, "isCritical": $0.isCritical, "lines": $0.lines] as Values
        },
      ]
    } catch {
      return [
        "detailsNote": "How it is signed, and its extensions, can’t be decoded: " + String("\(error)".prefix(300))
      ]
    }
  }

  // MARK: The viewer

  func viewerPage(_ visit: Visit) async throws -> Page { Page("viewer", title: "Certificate", [:]) }

  func view(_ visit: Visit) async throws -> Outcome {
    let (actor, text) = (try visit.someone(), visit.form["pem"] ?? "")
    let names = try await logNames()
    let (values, status) = try await heavyWork.run(for: actor.account) { [self] in viewed(text, names) }
    return .page(Page("viewer", title: "Certificate", values, status: status))
  }

  private func viewed(_ text: String, _ logNames: [LogID: String]) -> (Values, status: Int) {
    let bundle = CertificateBundle(Array(text.utf8), limit: 20)
    do {
      if let problem = bundle.problems.first { throw problem }
      guard let first = bundle.certificates.first?.der else {
        return (["wrongPEM": "There is no certificate in it: no line BEGIN CERTIFICATE."], 422)
      }
      let facts = CertificateFacts(certificate: first)
      guard facts.subject != nil || facts.publicKeyHash != nil else {
        return (["wrongPEM": "That is no certificate."], 422)
      }
      let issuers = bundle.certificates.dropFirst().map(\.der)
      let issuerKey = issuers.first.flatMap { CertificateFacts(certificate: $0).publicKeyHash }
      let isPrecertificate = TBSCertificate.isPrecertificate(first)
      var values = certificateValues(
        facts, leaf: isPrecertificate ? nil : first, whole: first, issuers: issuers, issuerKey: issuerKey,
        logNames: logNames)
      values["hashes"] = [
        ["kind": isPrecertificate ? "Precertificate" : "Certificate", "hash": SHA256Hash.hash(first).hex] as Values
      ]
      values["pem"] = PEM.encode(first)
      return (["viewed": values], 200)
    } catch {
      return (["wrongPEM": String("\(error)".prefix(300))], 422)
    }
  }
}
