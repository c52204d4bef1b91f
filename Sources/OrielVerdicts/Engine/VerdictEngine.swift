import CertificateTransparency
import MerkleTree

/// Judges issuances. There is no clock and no chance in it: the same question has the same answer.
///
/// - *Known* is what the owner told: this very certificate, or its key for all of the names that hit the item.
/// - *Expected* is what a CA that may issue here issued in continuation of something accepted: with the same key, or for
///   the same names when a renewal was due, or in place of another CA's certificate after the owner confirmed CAA records
///   that name the new one. Only the key of a certificate that the owner told of proves anything; a new CA's first
///   certificates stay unproven until the owner tells of one, or of its key.
/// - Everything else is *unexplained*, and so is whatever has a name that nothing can have, or is missing from an inventory that the owner gave. Until the
///   owner has confirmed a baseline, only what breaks a rule that the owner made is.
package enum VerdictEngine {
  package static func judge(_ issuance: JudgedIssuance, by knowledge: DomainKnowledge) -> Verdict {
    Judgement(issuance, by: knowledge).verdict
  }
}

/// The weighing of one issuance.
private struct Judgement {
  private let issuance: JudgedIssuance
  private let knowledge: DomainKnowledge
  private let names: [String]
  private let nameSet: Set<String>
  /// Those that are the name of nothing, other programs may read as the name of anything.
  private let impossible: [String]
  private let nameKinds: CAAPolicy.NameKinds
  /// The renewals of the same set of names.
  private let lineages: [CAIdentity: Lineage]?
  private let ca: CAIdentity?
  private let caName: String
  /// What the CA may stand under in the history, where its owner was not always to be found.
  private var identities: [CAIdentity] { [ca, issuance.issuerKeyHash.map { .key($0) }].compactMap { $0 } }
  private var history: AcceptedHistory { knowledge.history }

  /// What by itself makes it known, or unexplained.
  private var told: [Reason] = []
  private var decisive: [Reason] = []
  private var supporting: [Reason] = []
  private var doubts: [Reason] = []
  /// Whether an announced change of CA explains that the CA is another one.
  private var isAnnounced = false

  init(_ issuance: JudgedIssuance, by knowledge: DomainKnowledge) {
    self.issuance = issuance
    self.knowledge = knowledge
    names = issuance.judgedNames.map(CertificateName.normalised)
    nameSet = Set(names)
    // What hits nothing may be anybody's name, but no name at all has control characters in it.
    let strange = issuance.names.filter(CertificateName.hasControls)
    impossible = (strange + names.filter { !CertificateName.isPossible($0) }).uniqued()
    nameKinds = CAAPolicy.NameKinds(names)
    lineages = knowledge.history.lineages[nameSet]
    ca = knowledge.history.identity(owner: issuance.owner?.name, issuerKey: issuance.issuerKeyHash)
    if case .owner(let name) = ca { caName = name } else { caName = issuance.issuerName ?? "an unknown issuer" }
  }

  var verdict: Verdict {
    var judgement = self
    return judgement.weigh()
  }

  private mutating func weigh() -> Verdict {
    compareWithInventory()
    compareWithAnswers()
    if !issuance.isReadable {
      decisive.append(.unreadable(problems: issuance.problems))
    } else if names.isEmpty {
      decisive.append(.unreadable(problems: ["it has no names"]))
    }
    if !impossible.isEmpty { decisive.append(.impossibleName(impossible)) }
    let isAllowed = compareWithRules()
    let isComparable = knowledge.hasBaseline || !history.names.isEmpty
    var continuity = Continuity.none
    if isComparable {
      continuity = compareWithHistory()
      compareWithWhatEverWas()
    }
    // A denial outweighs all else; the very certificate that was told of outweighs all but its own denial.
    if !told.isEmpty, !decisive.contains(.denied) { return conclude(.known, isProven: true) }
    if knowledge.inventory.isGiven {
      let inventory = knowledge.inventory
      decisive.append(.notInInventory(certificates: inventory.certificates.count, keys: inventory.keys.count))
    }
    if !decisive.isEmpty && (knowledge.hasBaseline || breaksRule) { return conclude(.unexplained, isProven: false) }
    guard knowledge.hasBaseline else {
      doubts.insert(.noBaseline, at: 0)
      return conclude(.noHistory, isProven: false)
    }
    guard isAllowed, continuity != .none else { return conclude(.unexplained, isProven: false) }
    return conclude(.expected, isProven: continuity == .ownersKey)
  }

  private func conclude(_ level: Verdict.Level, isProven: Bool) -> Verdict {
    let reasons =
      switch level {
      case .known: told + supporting + decisive + doubts
      case .expected: supporting + doubts
      case .unexplained, .noHistory: decisive + doubts + supporting
      }
    return Verdict(level: level, isProven: isProven, reasons: reasons)
  }

  /// Whether something is decided that needs no history: the owner's own rules, and certificates that can't be read.
  private var breaksRule: Bool {
    decisive.contains { reason in
      switch reason {
      case .denied, .keyDenied, .caNotAllowed, .caaForbids, .notInInventory, .unreadable, .impossibleName: true
      default: false
      }
    }
  }
}

// MARK: - What the owner said

extension Judgement {
  private mutating func compareWithInventory() {
    if let source = knowledge.inventory.certificates[issuance.id] { told.append(.toldCertificate(source: source)) }
    guard let key = issuance.publicKey.flatMap({ knowledge.inventory.keys[$0] }) else { return }
    let others = names.filter { !CertificateName.covers(key.names, $0) }
    // Of a certificate that can't be read, nobody can tell whether all names are covered.
    if others.isEmpty && !names.isEmpty && issuance.isReadable {
      if issuance.publicKey.map(knowledge.answers.deniedKeys.contains) != true {
        told.append(.keyBoundToNames(names, source: key.source))
      }
    } else if !others.isEmpty {
      doubts.append(.keyForOtherNames(others))
    }
  }

  private mutating func compareWithAnswers() {
    let answers = knowledge.answers
    if answers.denied.contains(issuance.id) {
      decisive.append(.denied)
    } else if answers.claimed.contains(issuance.id) {
      told.append(.claimed)
    }
    if let key = issuance.publicKey, answers.deniedKeys.contains(key) { decisive.append(.keyDenied) }
  }

  /// Compares the CA with the owner's list and the confirmed CAA records; false where they do not let it pass.
  private mutating func compareWithRules() -> Bool {
    let domains = issuance.owner?.caaDomains ?? []
    let list = knowledge.allowedOwners
    var isListed = false
    if case .owner(let name) = ca { isListed = list.contains(name) }
    if isListed { supporting.append(.caAllowed(ca: caName)) }
    let confirmed = knowledge.caa.confirmed
    let answer = confirmed?.answer(for: nameKinds, domains: domains) ?? .silent
    let seen = knowledge.caa.seen?.answer(for: nameKinds, domains: domains) ?? .silent
    switch answer {
    case .allowed(let domain, let parameters):
      supporting.append(.caaAllows(ca: caName, domain: domain, parameters: parameters))
      if seen == .forbidden { doubts.append(.caaChanged(ca: caName)) }
      return true
    case .forbidden:
      if case .allowed = seen { doubts.append(.caaUnconfirmed(ca: caName)) }
      // Names below the item can have records of their own, so the owner's list may know better.
      if isListed {
        doubts.append(.caaForbids(ca: caName, allowed: confirmed?.issuers ?? []))
      } else {
        rule(.caaForbids(ca: caName, allowed: confirmed?.issuers ?? []))
      }
      return isListed
    case .silent:
      if list.isEmpty || isListed { return true }
      rule(.caNotAllowed(ca: caName, allowed: list.sorted()))
      return false
    }
  }

  /// A rule of the owner's can't be broken by nobody knows whom, but neither can it be seen to be kept.
  private mutating func rule(_ broken: Reason) {
    decisive.append(issuance.owner == nil ? .unresolvedCA(name: issuance.issuerName) : broken)
  }
}

// MARK: - What went before

extension Judgement {
  /// What ties an issuance to an earlier one.
  private enum Continuity {
    case none
    /// As always, which proves nothing.
    case asBefore
    /// The key of a certificate that the owner told of.
    case ownersKey
  }

  /// What makes an issuance unexplained, however usual it is otherwise.
  private mutating func compareWithWhatEverWas() {
    // Names that were accepted together are none of them new.
    let new = lineages == nil ? names.filter { !history.names.contains($0) } : []
    let wildcards = new.filter(CertificateName.isWildcard)
    if !wildcards.isEmpty { decisive.append(.wildcardWhereNone(wildcards)) }
    let plain = new.filter { !CertificateName.isWildcard($0) }
    if !plain.isEmpty { decisive.append(.newName(plain)) }
    if identities.contains(where: history.cas.contains) {
      supporting.append(.sameCA(ca: caName))
      if let key = issuance.issuerKeyHash, !history.issuerKeys.contains(key) { doubts.append(.newIssuer(ca: caName)) }
    } else if case .owner = ca {
      if !isAnnounced {
        decisive.append(.otherCA(ca: caName, before: AcceptedHistory.ownerNames(of: history.cas)))
      }
    } else {
      decisive.append(.unknownIssuer(name: issuance.issuerName))
    }
  }

  private mutating func compareWithHistory() -> Continuity {
    let continuity = compareWithSameNames() ? Continuity.asBefore : .none
    guard let use = issuance.publicKey.flatMap({ history.keys[$0] }) else {
      if issuance.publicKey.map({ knowledge.inventory.keys[$0] == nil }) ?? true { doubts.append(.newKey) }
      return continuity
    }
    guard isAnnounced || identities.contains(where: use.cas.contains) else { return continuity }
    let isTold = nameSet.isSubset(of: use.toldNames)
    guard isTold || nameSet.isSubset(of: use.names) else { return continuity }
    supporting.insert(.sameKeyRenewal(since: use.since == .max ? nil : use.since, isTold: isTold), at: 0)
    // The key of one that was merely expected may be anybody's: it has to come when it is due, like any other.
    return isTold ? .ownersKey : continuity
  }

  /// Whether it renews, or by announcement replaces, a certificate for the same names.
  private mutating func compareWithSameNames() -> Bool {
    guard let span = ValiditySpan(issuance.notBefore, issuance.notAfter), agreesWithSighting(span) else {
      doubts.append(.oddDates)
      return false
    }
    guard let lineages else {
      if impossible.isEmpty, names.allSatisfy(history.names.contains), !history.sets.contains(nameSet) {
        doubts.append(.otherSetOfNames(isOne: nameSet.count == 1))
      }
      return false
    }
    let lineage = identities.lazy.compactMap { lineages[$0] }.first
    if announces(span, in: lineages, after: lineage?.count ?? 0) { return true }
    guard let lineage else {
      doubts.append(.otherCAForNames(before: AcceptedHistory.ownerNames(of: lineages.keys)))
      return false
    }
    return compareWithRenewals(span, lineage)
  }

  /// Whether the same names were due for renewal by the same CA.
  private mutating func compareWithRenewals(_ span: ValiditySpan, _ lineage: Lineage) -> Bool {
    guard let latest = lineage.latest else { return false }
    supporting.append(.sameNames(since: latest.start))
    let isTooLong = lineage.isUnusuallyLong(span)
    if isTooLong {
      doubts.append(.longerLifetime(days: Int(span.length / 86_400), before: Int(lineage.longest / 86_400)))
    }
    switch lineage.fit(span) {
    case .due(let previous):
      let left = (Double(previous.end - span.start) / 86_400).rounded(.towardZero)
      supporting.append(.usualRhythm(previousEnds: previous.end, daysLeft: previous.end < span.start ? -1 : Int(left)))
      return !isTooLong
    case .renewedAlready(let time): doubts.append(.alreadyRenewed(at: time))
    case .notDue: doubts.append(.unusualTime(latestEnds: latest.end))
    }
    return false
  }

  /// Whether the owner announced the CA by confirming CAA records, and this takes the place of another CA's certificate.
  ///
  /// Each certificate that began before the announcement can be replaced once, and as long as it is waited for. After
  /// that, or for more than there were, an announced CA is judged like any other.
  private mutating func announces(
    _ span: ValiditySpan, in lineages: [CAIdentity: Lineage], after count: Int
  ) -> Bool {
    guard let ca, let domains = issuance.owner?.caaDomains, let confirmedAt = knowledge.caa.confirmedAt,
      case .allowed? = knowledge.caa.confirmed?.answer(for: nameKinds, domains: domains),
      let before = knowledge.caa.previous?.answer(for: nameKinds, domains: domains)
    else { return false }
    if case .allowed = before { return false }
    let replaceable = lineages.filter { $0.key != ca }.flatMap(\.value.waiting).filter {
      $0.start < confirmedAt && Lineage.isWaited(for: $0, at: span.start)
    }
    guard count < replaceable.count else { return false }
    isAnnounced = true
    supporting.append(.caChangeAnnounced(ca: caName, confirmedAt: confirmedAt))
    return true
  }

  /// A CA may date back by some time, and a log be read late; but nothing is seen days before it begins.
  private func agreesWithSighting(_ span: ValiditySpan) -> Bool {
    issuance.firstSeen > span.start - 2 * 86_400
  }
}
