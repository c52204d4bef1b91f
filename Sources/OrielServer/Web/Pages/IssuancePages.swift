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
    var values = certificateValues(
      facts, leaf: leaf?.der, whole: leaf?.der ?? record.certificates.first { $0.isWhole }?.der,
      issuers: try await issuers(of: record).compactMap(\.der), issuerKey: record.issuerKeyHash, hits: hits,
      logNames: try await logNames())
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
    if let judgement = found.judgement { values["judged"] = judged(judgement, record, visit.form) }
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
    guard let domain = visit.form["domain"].flatMap({ DomainID($0) }) else { throw AccountError.notFound }
    // Without one, it is the note alone.
    let state = try visit.form["state"].map { text in
      guard let state = Judgement.State(rawValue: text) else { throw AccountError.notFound }
      return state
    }
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
    return Found(
      record: record, facts: record.facts, judgement: chosen?.1,
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
    guard let certificate = record.certificates.first else { return [] }
    var issuers: [(SHA256Hash, [UInt8]?)] = []
    for hash in try await AlertStore(parts.database).chain(of: certificate.sha256) {
      issuers.append((hash, try await following.issuer(hash)))
    }
    return issuers
  }

  // MARK: Showing

  private func judged(_ judgement: Judgement, _ record: IssuanceRecord, _ typed: Form) -> Values {
    let reasons = judgement.standingReasons
    let (pro, contra) = (reasons.filter { $0.speaks == .for }, reasons.filter { $0.speaks == .against })
    let own: Values = [
      "isOpen": judgement.standing == .unexplained && judgement.state == .new, "isNew": judgement.state == .new,
      "isClaimed": judgement.state == .claimed, "isDenied": judgement.state == .denied,
      "hasFor": !pro.isEmpty, "for": pro.map(\.sentence), "hasAgainst": !contra.isEmpty,
      "against": contra.map(\.sentence), "stateSaid": judgement.state.words, "changedBy": judgement.changedBy,
      "changedAt": judgement.changedAt.map { Phrase.minute($0) }, "note": judgement.note,
      "noteValue": typed.typed("note") ?? judgement.note ?? "", "issuerKey": record.issuerKeyHash.hex,
    ]
    return row(judgement, showsItem: true).merging(own)
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
    let all = names.filter { $0.source != .commonName }.map(\.text).uniqued()
    let common = (all + commonNames).uniqued().dropFirst(all.count)
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
