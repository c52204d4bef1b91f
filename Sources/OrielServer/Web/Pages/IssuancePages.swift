import CTPolicy
import CertificateTransparency
import MerkleTree
import OrielAccounts
import OrielAlerting
import OrielContacts
import OrielStore
import OrielVerdicts
import OrielWatchlist

extension Site {
  func issuancePage(_ visit: Visit) async throws -> Page {
    let found = try await find(visit)
    let (record, facts) = (found.record, found.facts)
    let leaf = record.certificates.first { $0.entryType == "x509" }
    let item = found.judgement?.item
    let hits = Set(record.matches.filter { item == nil || $0.item == item }.map(\.name))
    var values = try await certificateValues(
      facts, leaf: leaf?.der, whole: leaf?.der ?? record.certificates.first { $0.isWhole }?.der,
      issuers: try await issuers(of: record).compactMap(\.der), issuerKey: record.issuerKeyHash, hits: hits)
    let name = found.judgement?.issuance.names.first ?? facts.shownNames(hits).first?.name ?? record.matches.first?.name
    let others = (found.judgement?.issuance.nameCount ?? facts.shownNames(hits).count) - 1
    values["firstName"] = name.map { Phrase.name(String($0.prefix(253))) }
    values["otherNames"] = others > 0 ? Phrase.number(others) : nil
    let happenings = try await accounts.happenings(try visit.someone(), of: record.id)
    values["hasHappenings"] = !happenings.isEmpty
    values["firstSeen"] = found.judgement.map { Phrase.minute($0.issuance.firstSeen) }
    values["happenings"] = self.values(happenings)
    values["issuance"] = "\(record.id)"
    values["hashes"] = record.certificates.prefix(10).map { certificate -> Values in
      ["kind": certificate.entryType == "x509" ? "Certificate" : "Precertificate", "hash": certificate.sha256.hex]
    }
    values["pem"] = record.certificates.prefix(4).map { PEM.encode($0.der) }.joined()
    if let judgement = found.judgement { values["judged"] = judged(judgement, record) }
    values["hasOthers"] = !found.others.isEmpty
    values["others"] = found.others.map { ["domainID": "\($0.id)", "item": $0.item] as Values }
    values["lookalikes"] = found.lookalikes.prefix(20).map { lookalike -> Values in
      let what = lookalike.lookalike
      return [
        "lookalikeID": "\(lookalike.id)", "imitation": String(what.registrable.prefix(253)), "imitated": what.item,
        "how": String(what.sentence.prefix(500)), "rating": what.rating,
      ]
    }
    let positions = Dictionary(
      try await following.logs().map { ($0.logID, $0.verified?.index ?? 0) }, uniquingKeysWith: { first, _ in first })
    values["sightings"] = record.sightings.prefix(100).map { sighting -> Values in
      let isProved = !sighting.isSuspect && (positions[sighting.logID] ?? 0) > sighting.index
      return [
        "logID": sighting.logID.hash.hex, "log": sighting.log, "index": Phrase.number(sighting.index),
        "entry": "\(sighting.index)", "logged": Phrase.minute(Int64(clamping: sighting.timestamp)),
        "inclusion": sighting.isSuspect
          ? "the log’s tree did not add up" : isProved ? "proved by the log’s tree" : "not yet proved",
        "mayProve": isProved && parts.inclusion != nil,
      ]
    }
    values["provedFor"] = found.judgement.map { "\($0.domain)" }
    return Page("issuance", title: name.map { String($0.prefix(100)) } ?? "Certificate", values)
  }

  func setState(_ visit: Visit) async throws -> Outcome {
    guard let domain = visit.form["domain"].flatMap({ DomainID($0) }),
      let state = visit.form["state"].flatMap(Judgement.State.init(rawValue:))
    else { throw AccountError.notFound }
    let id = try visit.issuance
    _ = try await accounts.setState(try visit.someone(), of: domain, id, to: state, note: visit.form["note"])
    return .redirect("/issuances/\(id)\(state == .denied ? "/action" : "")?domain=\(domain)&done=saved")
  }

  func actionPage(_ visit: Visit) async throws -> Page { try await action(visit, await concern(visit)) }

  /// The same, after asking the DNS and the registry.
  func lookUp(_ visit: Visit) async throws -> Outcome {
    let concern = try await concern(visit)
    guard concern.found.mayWrite else { throw AccountError.forbidden(.write) }
    guard concern.mayLookUp(parts), let name = concern.name else { throw AccountError.notFound }
    let (parts, isOwn) = (parts, concern.lookalike == nil)
    async let caa = isOwn ? parts.caa?(name) : nil
    async let registrar = parts.registrar?(name)
    return .page(try await action(visit, concern, caa: await caa, registrar: await registrar, isLookedUp: true))
  }

  /// What there is to do something about: a certificate for a name of one's own, or for one that imitates it.
  private struct Concern {
    let found: Found
    let judgement: Judgement?
    let lookalike: LookalikeRecord?

    /// The item that is watched.
    var item: String { lookalike?.lookalike.item ?? judgement?.item ?? "" }
    /// What to look up.
    var name: DomainName? {
      try? DomainName(lookalike?.lookalike.registrable ?? String(item.drop { "*.=".contains($0) }))
    }

    func mayLookUp(_ parts: WebServer.Parts) -> Bool {
      name != nil && (parts.registrar != nil || lookalike == nil && parts.caa != nil)
    }
  }

  private func concern(_ visit: Visit) async throws -> Concern {
    let found = try await find(visit)
    let wanted = (visit.form["lookalike"] ?? visit.query["lookalike"]).map { Int64($0) }
    if wanted != nil || found.judgement == nil {
      let lookalike = found.lookalikes.first { wanted == nil || $0.id == wanted }
      guard let lookalike else { throw AccountError.notFound }
      return Concern(found: found, judgement: nil, lookalike: lookalike)
    }
    return Concern(found: found, judgement: found.judgement, lookalike: nil)
  }

  private func action(
    _ visit: Visit, _ concern: Concern, caa: CAAResult? = nil, registrar: RegistrarLookup.Answer? = nil,
    isLookedUp: Bool = false
  ) async throws -> Page {
    let record = concern.found.record
    let what = concern.lookalike?.lookalike
    let reasons = StoredReason.read(concern.judgement?.reasons ?? "").compactMap(\.evidence)
    let issuance = UnexplainedIssuance(
      concern: what.map { .lookalike(imitating: $0.item, domain: $0.registrable) } ?? .ownName(watched: concern.item),
      facts: concern.found.facts, certificate: record.certificates.first { $0.entryType == "x509" }?.sha256,
      precertificate: record.certificates.first { $0.entryType == "precert" }?.sha256,
      issuerKeyHash: record.issuerKeyHash, chain: try await issuers(of: record).map(\.hash),
      entries: record.sightings.map {
        .init(log: $0.log, index: $0.index, timestamp: Timestamp(milliseconds: $0.timestamp))
      }, reasons: what.map { [$0.sentence] } ?? reasons)
    var (records, used) = (caa, [String]())
    if let judgement = concern.judgement {
      let domain = try await accounts.domain(try visit.someone(), judgement.domain)
      if records == nil, let seen = domain.seenCAA, let name = concern.name { records = CAAText.result(seen, of: name) }
      used = try await caaDomains(of: domain, try visit.someone())
    }
    let steps = TakeAction(
      issuance, owners: parts.owners(), registrar: registrar, caa: records, allowedCAADomains: used
    ).steps
    let mayLookUp = concern.mayLookUp(parts)
    return Page(
      "action", title: "What to do",
      [
        "issuance": "\(record.id)", "domainID": concern.judgement.map { "\($0.domain)" }, "item": concern.item,
        "lookalikeID": concern.lookalike.map { "\($0.id)" }, "imitation": what?.registrable,
        "mayLookUp": mayLookUp && !isLookedUp, "looksUpCAA": what == nil && parts.caa != nil,
        "looksUpRegistrar": parts.registrar != nil, "lookUpName": concern.name?.ascii,
        "lacksRegistrar": what != nil && parts.registrar == nil, "steps": steps.map(\.values),
      ])
  }

  /// Under which CAA domains the CAs go that a domain's owner allows, or else those of what was accepted last.
  private func caaDomains(of domain: Domain, _ actor: Actor) async throws -> [String] {
    guard let owners = parts.owners() else { return [] }
    var names = domain.allowedOwners
    if names.isEmpty {
      var filter = HistoryFilter()
      filter.levels = [.known, .expected]
      for judgement in try await accounts.history(actor, of: domain.id, filter, limit: 50).results {
        guard let name = owners.owner(chain: [], keyHash: judgement.issuance.issuerKeyHash)?.name else { continue }
        if !names.contains(name) { names.append(name) }
      }
    }
    var domains: [String] = []
    for name in names.prefix(8) {
      if let first = owners.caaDomains(of: name).first, !domains.contains(first) { domains.append(first) }
    }
    return domains
  }

  // MARK: Finding

  /// The issuance that a path names, for somebody who may see it.
  func issuance(_ visit: Visit) async throws -> IssuanceRecord {
    try await record(try visit.someone(), visit.issuance).0
  }

  private struct Found {
    let record: IssuanceRecord
    let facts: CertificateFacts
    let judgement: Judgement?
    /// Other domains of the account that it was judged for.
    let others: [Domain]
    /// What it imitates of the account's.
    let lookalikes: [LookalikeRecord]
    let mayWrite: Bool
  }

  private func find(_ visit: Visit) async throws -> Found {
    let (actor, id) = (try visit.someone(), try visit.issuance)
    let (record, lookalikes) = try await record(actor, id)
    var wanted: DomainID?
    if let text = visit.form["domain"] ?? visit.query["domain"] {
      guard let id = DomainID(text) else { throw AccountError.notFound }
      wanted = try await accounts.domain(actor, id).id
    }
    var judgements: [(Domain, Judgement)] = []
    for judgement in try await accounts.judgements(actor, of: id) {
      judgements.append((try await accounts.domain(actor, judgement.domain), judgement))
    }
    let chosen = judgements.first { wanted == nil || $0.0.id == wanted }
    if wanted != nil, chosen == nil { throw AccountError.notFound }
    let facts = record.certificates.first { $0.entryType == "x509" }?.facts ?? record.certificates.first?.facts
    return Found(
      record: record, facts: facts ?? CertificateFacts(certificate: []), judgement: chosen?.1,
      others: judgements.filter { $0.0.id != chosen?.0.id }.map(\.0), lookalikes: lookalikes,
      mayWrite: actor.may(.write))
  }

  /// An issuance that was judged for the account, or imitates what it watches.
  private func record(_ actor: Actor, _ id: IssuanceID) async throws -> (IssuanceRecord, [LookalikeRecord]) {
    // Whoever no longer may look at anything learns nothing from what follows.
    _ = try await accounts.account(actor)
    let account = actor.account.value
    let lookalikes = try await parts.database.read { try Lookalikes.records($0, of: id, account: account) }
    do { return (try await accounts.record(actor, id), lookalikes) } catch AccountError.notFound
      where !lookalikes.isEmpty
    {
      guard let record = try await IssuanceSearch(parts.database).record(id) else { throw AccountError.notFound }
      return (record, lookalikes)
    }
  }

  /// The certificates above an issuance, the nearest first; the DER of those that are stored.
  private func issuers(of record: IssuanceRecord) async throws -> [(hash: SHA256Hash, der: [UInt8]?)] {
    guard let certificate = record.certificates.first(where: { $0.entryType == "x509" }) ?? record.certificates.first
    else { return [] }
    var issuers: [(SHA256Hash, [UInt8]?)] = []
    for hash in try await AlertStore(parts.database).chain(of: certificate.sha256) {
      issuers.append((hash, try await following.issuer(hash)))
    }
    return issuers
  }

  // MARK: Showing

  private func judged(_ judgement: Judgement, _ record: IssuanceRecord) -> Values {
    var values = row(judgement, showsItem: true)
    let reasons = StoredReason.read(judgement.reasons)
    let (pro, contra) = (reasons.filter { $0.speaks == .for }, reasons.filter { $0.speaks == .against })
    let own: Values = [
      "isOpen": judgement.standing == .unexplained && judgement.state == .new, "isNew": judgement.state == .new,
      "hasFor": !pro.isEmpty, "for": pro.map(\.sentence), "hasAgainst": !contra.isEmpty,
      "against": contra.map(\.sentence), "stateSaid": judgement.state.words, "changedBy": judgement.changedBy,
      "changedAt": judgement.changedAt.map { Phrase.minute($0) }, "note": judgement.note,
      "issuerKey": record.issuerKeyHash.hex,
    ]
    values = values.merging(own)
    return values
  }

  /// What a certificate says, for the template `facts`.
  ///
  /// - Parameters:
  ///   - leaf: the certificate, where it is no precertificate.
  ///   - whole: the certificate or precertificate, where there is all of it.
  ///   - hits: the names that come first.
  func certificateValues(
    _ facts: CertificateFacts, leaf: [UInt8]?, whole: [UInt8]?, issuers: [[UInt8]], issuerKey: SHA256Hash?,
    hits: Set<String> = []
  ) async throws -> Values {
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
    values = values.merging(try await details(whole))
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
        return [
          "policy": "\(policy)", "passes": verdict.passes, "summary": verdict.code.summary,
          "counted": "\(verdict.evidence.countedLogs) of \(verdict.evidence.neededLogs)",
          "verdictCode": verdict.code.rawValue, "list": logs.name,
          "listDate": logs.view.timestamp.map { Phrase.day(Int64(clamping: $0.milliseconds)) },
        ]
      }
      if issuers.isEmpty { values["policyNote"] = "The issuer’s certificate is not at hand; signatures need it." }
    }
    return values
  }

  /// How a certificate is signed, and its extensions.
  private func details(_ certificate: [UInt8]?) async throws -> Values {
    guard let certificate else {
      return ["detailsNote": "The log gave a part of it alone; how it is signed does not stand there."]
    }
    var logs = Dictionary(
      BrowserPolicy.current.compactMap { parts.logs($0) }.flatMap(\.view.knownLogs).map { ($0.logID, $0.description) },
      uniquingKeysWith: { first, _ in first })
    for log in try await following.logs() { logs[log.logID] = log.description }
    do {
      let details = try CertificateDetails(certificate: certificate) { logs[$0] }
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
    let certificates = PEM.blocks(in: visit.form["pem"] ?? "").prefix(20)
      .filter { ["CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"].contains($0.label) }
    do {
      guard let first = try certificates.first?.bytes() else {
        return .page(
          Page(
            "viewer", title: "Certificate", ["wrongPEM": "There is no certificate in it: no line BEGIN CERTIFICATE."],
            status: 422))
      }
      let facts = CertificateFacts(certificate: first)
      guard facts.subject != nil || facts.publicKeyHash != nil else {
        return .page(Page("viewer", title: "Certificate", ["wrongPEM": "That is no certificate."], status: 422))
      }
      let issuers = try certificates.dropFirst().map { try $0.bytes() }
      let issuerKey = issuers.first.flatMap { CertificateFacts(certificate: $0).publicKeyHash }
      let isPrecertificate = TBSCertificate.isPrecertificate(first)
      var values = try await certificateValues(
        facts, leaf: isPrecertificate ? nil : first, whole: first, issuers: issuers, issuerKey: issuerKey)
      values["hashes"] = [
        ["kind": isPrecertificate ? "Precertificate" : "Certificate", "hash": SHA256Hash.hash(first).hex] as Values
      ]
      values["pem"] = PEM.encode(first)
      return .page(Page("viewer", title: "Certificate", ["viewed": values]))
    } catch {
      return .page(Page("viewer", title: "Certificate", ["wrongPEM": "\(error)"], status: 422))
    }
  }
}

extension Visit {
  var issuance: IssuanceID {
    get throws {
      guard let hash = parameters["issuance"].flatMap({ SHA256Hash(hex: $0) }) else { throw AccountError.notFound }
      return IssuanceID(hash)
    }
  }
}

extension CertificateFacts {
  /// The serial number in whole bytes, as other programs write it.
  var shownSerial: String? {
    serialNumber.map { text in
      let digits = text.drop { $0 == "-" }
      return text.prefix(text.count - digits.count) + (digits.count.isMultiple(of: 2) ? "" : "0") + digits
    }
  }

  /// All names, each once: those that hit what is watched first, and last what is a common name and nothing else.
  func shownNames(_ hits: Set<String>) -> [(name: String, isCommon: Bool)] {
    var seen: Set<String> = []
    let all = names.filter { $0.source != .commonName }.map(\.text).filter { seen.insert($0).inserted }
    let common = commonNames.filter { seen.insert($0).inserted }
    let isHit = { (name: String) in hits.contains(name.lowercased()) }
    return (all.filter(isHit) + all.filter { !isHit($0) }).map { ($0, false) } + common.map { ($0, true) }
  }
}

extension ActionStep {
  fileprivate var values: Values {
    let badge =
      switch fits {
      case .yes: "known"
      case .perhaps: "expected"
      case .no: "plain"
      }
    return [
      "stepTitle": title, "fitBadge": badge, "fitWords": CertificateVerdict.Step.Fit(fits).words, "why": why,
      "addressee": addressee,
      "hasContacts": !addresses.isEmpty || !pages.isEmpty || !phones.isEmpty, "mails": addresses.map(\.text),
      "pages": pages.map(\.url), "phones": phones, "notes": notes,
      "report": report.map {
        ["mailto": $0.mailto(), "subject": $0.subject, "letter": $0.body] as Values
      },
    ]
  }
}
