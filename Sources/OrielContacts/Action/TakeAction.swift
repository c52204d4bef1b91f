import CertificateTransparency
import OrielWatchlist

/// The way out of an unexplained issuance: what to do, in which order, and whether it fits.
///
/// Uses what has been looked up and looks up nothing itself.
package struct TakeAction: Sendable {
  private let issuance: UnexplainedIssuance
  private let owners: CAOwners?
  private let registrar: RegistrarLookup.Answer?
  private let caa: CAAResult?
  private let allowedCAADomains: [String]

  /// - Parameters:
  ///   - owners: CCADB's data, where there are any.
  ///   - registrar: who registered the look-alike domain, or the reader's own, once asked.
  ///   - caa: the CAA records of the reader's own name, as they are now.
  ///   - allowedCAADomains: of the CAs that the reader uses.
  package init(
    _ issuance: UnexplainedIssuance, owners: CAOwners?, registrar: RegistrarLookup.Answer? = nil,
    caa: CAAResult? = nil, allowedCAADomains: [String] = []
  ) {
    self.issuance = issuance
    self.owners = owners
    self.registrar = registrar
    self.caa = caa
    self.allowedCAADomains = allowedCAADomains
  }

  /// All steps, the first to take first.
  package var steps: [ActionStep] {
    switch issuance.concern {
    case .ownName(let watched):
      let name = watched.cleaned(limit: 253)
      return [
        caStep(ownName: name), ownRegistrarStep, warnStep(name), restrictStep(name), browserStep(name),
      ]
    case .lookalike(let imitated, let domain):
      let (own, other) = (imitated.cleaned(limit: 253), domain.cleaned(limit: 253))
      return [
        caStep(lookalike: other, of: own), registrarStep(other, of: own), warnStep(lookalike: other),
        TakeAction.noRestrictStep, browserStep(lookalike: other),
      ]
    }
  }

  /// A name in a subject: what it belongs to stands at its end.
  private func short(_ name: String) -> String { name.count > 80 ? "…" + name.suffix(79) : name }

  /// The owner of the CA, by its certificate or key.
  package var owner: CAOwner? { owners?.owner(chain: issuance.chain, keyHash: issuance.issuerKeyHash) }

  // MARK: The CA

  private func caStep(ownName name: String) -> ActionStep {
    var step = ActionStep(
      kind: .reportToCA, title: "Report it to the CA that issued it", fits: .yes,
      why: "Only the CA can revoke the certificate. It owes you a preliminary report within 24 hours.")
    step.notes.append(
      "Before you send it: ask whoever runs your web site, mail, hosting and CDN. "
        + "Most unexplained certificates turn out to be theirs.")
    addContacts(to: &step)
    step.report = Report(
      to: step.addresses, subject: "Certificate problem report: unauthorised certificate for \(short(name))",
      parts: Letters.problemReport(issuance, name: name, caaLine: caaLine))
    return step
  }

  private func caStep(lookalike domain: String, of name: String) -> ActionStep {
    var step = ActionStep(
      kind: .reportToCA, title: "Report it to the CA that issued it", fits: .perhaps,
      why: "Whoever controls \(domain) may have certificates for it. CAs act on proof of misuse, such as a page that "
        + "pretends to be yours; taking the domain away is for its registrar.")
    addContacts(to: &step)
    step.report = Report(
      to: step.addresses, subject: "Certificate problem report: misuse of a certificate for \(short(domain))",
      parts: Letters.misuseReport(issuance, domain: domain, imitating: name))
    return step
  }

  private func addContacts(to step: inout ActionStep) {
    guard let owners else {
      step.notes.append("The CA's contact is not known here: no CCADB data have been read. \(TakeAction.whereToLook)")
      return
    }
    guard let owner else {
      step.notes.append("CCADB's data here have no CA with this certificate or key. \(TakeAction.whereToLook)")
      return
    }
    step.addressee = owner.name
    let mechanisms = owners.mechanisms(of: owner)
    guard let (holder, mechanism) = mechanisms.first else {
      let missing = "CCADB's data here say nothing on how to report to \(owner.name)".withFullStop
      step.notes.append("\(missing) \(TakeAction.whereToLook)")
      return
    }
    step.addressee = holder
    step.addresses = mechanism.addresses
    step.pages = mechanism.pages
    if owner.names.count > 1 {
      let others = owner.names.dropFirst().joined(separator: ", ")
      step.notes.append("The CA is run by \(owner.name); its certificate is from \(others), who answers for it too.")
    }
    for (name, mechanism) in mechanisms.prefix(3) {
      step.notes.append("How \(name) wants reports, in its own words: \(mechanism.text)")
    }
  }

  private static let whereToLook =
    "CCADB has a list: https://ccadb.my.salesforce-sites.com/ccadb/AllProblemReportingMechanismsReport"

  /// What the records of today say about the CA, if they forbid it.
  private var caaLine: String? {
    guard case .found(let set) = caa, let owners, let owner else { return nil }
    let isWildcard = issuance.names.allSatisfy { $0.hasPrefix("*.") }
    let domains = Set(owner.names.flatMap { owners.caaDomains(of: $0) })
    guard case .only(let permitted) = set.permission(isWildcard: isWildcard), !domains.isEmpty,
      permitted.isDisjoint(with: domains)
    else { return nil }
    let who = permitted.isEmpty ? "no CA at all" : "only " + permitted.sorted().joined(separator: ", ")
    return "The CAA records at \(set.name) permit \(who) at present; please check what they were at issuance."
  }

  // MARK: The registrar

  /// For the reader's own domain: of use only once the domain itself is out of hand.
  private var ownRegistrarStep: ActionStep {
    var step = ActionStep(
      kind: .reportToRegistrar, title: "Report the domain to its registrar", fits: .no,
      why: "The domain is yours. A registrar can't revoke certificates; turn to yours only if you no longer control "
        + "the domain or its name servers.")
    guard registrar != nil else { return step }
    step = ActionStep(
      kind: .reportToRegistrar, title: "Turn to your registrar", fits: .perhaps,
      why: "A registrar can't revoke certificates. But if you no longer control the domain or its name servers, it can "
        + "lock the domain and undo what was changed.")
    addRegistrar(to: &step)
    return step
  }

  private func registrarStep(_ domain: String, of name: String) -> ActionStep {
    var step = ActionStep(
      kind: .reportToRegistrar, title: "Report the domain to its registrar", fits: .yes,
      why: "Only the registrar (or the registry) can suspend a domain. The CA can't.")
    addRegistrar(to: &step)
    step.report = Report(
      to: step.addresses, subject: "Abuse report: \(short(domain)) imitates \(short(name))",
      parts: Letters.abuseReport(issuance, domain: domain, imitating: name))
    return step
  }

  private func addRegistrar(to step: inout ActionStep) {
    switch registrar {
    case .found(let contact):
      step.addressee = contact.name.map { $0 + (contact.ianaID.map { " (IANA registrar \($0))" } ?? "") }
      step.addresses = contact.abuseAddresses.isEmpty ? contact.generalAddresses : contact.abuseAddresses
      step.phones = contact.abusePhones
      step.pages = contact.abusePages + contact.pages.filter { !contact.abusePages.contains($0) }
      if let page = contact.abusePages.first {
        step.notes.append("The registrar takes reports of abuse on \(page).")
      } else if contact.abuseAddresses.isEmpty {
        step.notes.append(
          contact.generalAddresses.isEmpty
            ? "The registrar's data name no address." : "The registrar names no abuse address; this is its general one."
        )
      }
    case .noService(let domain, let reason, let page):
      let missing = "The registrar of \(domain) can't be looked up: \(reason)".withFullStop
      step.notes.append("\(missing) Its registry's site may help.")
      step.pages = page.map { [$0] } ?? []
    case .failed(let domain, let reason):
      step.notes.append("The registrar of \(domain) could not be looked up: \(reason)".withFullStop)
    case nil: step.notes.append("The registrar has not been looked up yet.")
    }
  }

  // MARK: The rest

  private static let noRestrictStep = ActionStep(
    kind: .restrictIssuance, title: "Restrict who may issue", fits: .no,
    why: "CAA records work for your own names only; those of the look-alike are its holder's.")

  private func restrictStep(_ name: String) -> ActionStep {
    let zone = String(name.drop { "*.=".contains($0) })
    let fits: ActionStep.Fit
    let why: String
    switch caa {
    case .found(let set) where set.permission(isWildcard: false) != .anybody:
      fits = .perhaps
      why =
        "There are CAA records at \(set.name). See whether they name more CAs than you use, and whether anybody "
        + "changed them."
    case .found, .noRecords:
      fits = .yes
      why = "No CAA record says who may issue for \(zone), so every CA may. A record keeps all others from it."
    case .notKnown(let failure):
      fits = .perhaps
      why = "Whether you have CAA records is not known: \(failure)".withFullStop
    case nil:
      fits = .perhaps
      why = "A CAA record keeps CAs that you don't use from issuing. It has not been looked up whether you have one."
    }
    var step = ActionStep(
      kind: .restrictIssuance, title: "Restrict who may issue, by CAA records", fits: fits, why: why)
    if case .found(let set) = caa {
      step.notes = set.records.prefix(20).map { "There is: \(set.name.cleaned(limit: 253)). IN CAA \($0)" }
    }
    let domains = allowedCAADomains.prefix(8).map { $0.cleaned() }
    // Where there are records, only the CAs in use are worth naming.
    guard step.notes.isEmpty || !domains.isEmpty else { return step }
    if let owner = try? DomainName(zone) {
      step.notes += (domains.isEmpty ? ["ca.example"] : domains).map { "\(owner). IN CAA 0 issue \"\($0)\"" }
    }
    step.notes.append(
      domains.isEmpty
        ? "Put your CA's own CAA domain in place of ca.example."
        : "These are the CAs that you use, as far as Oriel knows; leave out those that you don't want any more.")
    return step
  }

  private func warnStep(_ name: String) -> ActionStep {
    ActionStep(
      kind: .warnVisitors, title: "Tell your visitors", fits: .perhaps,
      why:
        "Only if somebody may really have stood between you and them: when your DNS or routing was tampered with, or "
        + "the certificate was in use. Else it worries people for nothing.",
      notes: [
        "A draft: “A certificate for \(name) was issued without our knowledge. We have asked the CA to revoke it. "
          + "If you signed in since, please change your password.”"
      ])
  }

  private func warnStep(lookalike domain: String) -> ActionStep {
    ActionStep(
      kind: .warnVisitors, title: "Tell your visitors", fits: .perhaps,
      why: "Once the look-alike is in use, in mail or on the web.",
      notes: ["A draft: “\(domain) is not ours. Please don't enter anything there, and open no mail from it.”"])
  }

  private func browserStep(_ name: String) -> ActionStep {
    var step = ActionStep(
      kind: .tellBrowsers, title: "Report the CA to the browsers", fits: .perhaps,
      why:
        "If the CA does not answer within 24 hours, or admits that it should not have issued: those who decide which "
        + "CAs are trusted want to know.")
    step.addresses = TakeAction.rootPrograms.compactMap { ContactAddress($0) }
    step.pages = TakeAction.pages(["https://bugzilla.mozilla.org/enter_bug.cgi?product=CA%20Program"])
    step.report = Report(
      to: step.addresses, subject: "Possible mis-issuance for \(short(name))",
      parts: Letters.browserReport(issuance, name: name, owner: owner?.name))
    return step
  }

  private func browserStep(lookalike domain: String) -> ActionStep {
    ActionStep(
      kind: .tellBrowsers, title: "Have browsers warn of the site", fits: .perhaps,
      why: "Once \(domain) shows a page that deceives. Their lists reach most visitors within hours, before any "
        + "certificate is revoked.",
      pages: TakeAction.pages([
        "https://safebrowsing.google.com/safebrowsing/report_phish/",
        "https://www.microsoft.com/en-us/wdsi/support/report-unsafe-site",
      ]))
  }

  private static let rootPrograms = [
    "certificates@mozilla.org", "chrome-root-program@google.com", "certificate-authority-program@apple.com",
    "msroot@microsoft.com",
  ]

  private static func pages(_ urls: [String]) -> [WebPage] { urls.compactMap { WebPage($0) } }
}
