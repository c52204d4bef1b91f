import CertificateTransparency
import Foundation
import MerkleTree
import OrielAccounts
import OrielContacts
import OrielStore
import OrielVerdicts
import OrielWatchlist

/// What is known of a domain, gathered from its settings, its inventory and its history, and laid out for verdicts.
struct DomainFile: Sendable {
  private let domain: Domain
  private let inventory: KnownInventory
  private let caa: CAAKnowledge
  private let answers: OwnerAnswers
  private var accepted: [AcceptedIssuance]
  private var acceptedIDs: Set<IssuanceID> = []
  /// What was listed at the start, or is in the inventory, and has not been seen since.
  private var listed: [AcceptedIssuance] = []
  /// The CA owners that may issue, with those who run a CA for one of them.
  private var allowed: Set<String>
  private(set) var knowledge: DomainKnowledge

  init(
    _ domain: Domain, settings: JudgingSettings, inventory entries: [OrielAccounts.InventoryEntry],
    history: [JudgedRecord], baseline: [BaselineRecord], owners: CAOwners?
  ) {
    self.domain = domain
    allowed = Set(domain.allowedOwners)
    caa = DomainFile.caa(domain, settings)
    inventory = KnownInventory(
      entries.map(OrielVerdicts.InventoryEntry.init), isGiven: settings.isInventoryComplete)
    var answers = OwnerAnswers()
    accepted = []
    for record in history {
      switch record.state {
      case Judgement.State.denied.rawValue:
        answers.denied.insert(record.id)
        if let key = record.publicKey { answers.deniedKeys.insert(key) }
        continue
      case Judgement.State.claimed.rawValue:
        answers.claimed.insert(record.id)
      default:
        // Who confirmed what there was said so of each.
        if record.verdict == VerdictLevel.noHistory.rawValue, DomainFile.isTold(record, domain) == true {
          answers.claimed.insert(record.id)
        }
      }
      if let isTold = DomainFile.isTold(record, domain) {
        accepted.append(DomainFile.issuance(record, isTold: isTold, owners))
        acceptedIDs.insert(record.id)
      }
    }
    let confirmed = domain.baselineConfirmedAt == nil ? [] : baseline.filter(\.isConfirmed).map { $0.accepted(owners) }
    // The same certificate twice would make room for two that renew it. Where one was found in several places, what
    // tells most of it is worth most.
    var known = Set(accepted.map(Renewable.init))
    listed = (DomainFile.unseen(entries, of: domain, besides: history, owners) + confirmed)
      .sorted { $0.facts > $1.facts }.filter { known.insert(Renewable($0)).inserted }
    self.answers = answers
    knowledge = DomainKnowledge(
      item: domain.item, inventory: inventory, allowedOwners: allowed, caa: caa,
      hasBaseline: domain.baselineConfirmedAt != nil, accepted: accepted + listed, answers: answers)
  }

  /// The certificates of an inventory that no log has shown, as far as the inventory tells what they are.
  private static func unseen(
    _ entries: [OrielAccounts.InventoryEntry], of domain: Domain, besides history: [JudgedRecord], _ owners: CAOwners?
  ) -> [AcceptedIssuance] {
    let (seen, seenKeys) = (Set(history.map(\.id.hash)), Set(history.compactMap(\.publicKey)))
    let certified = Set(entries.compactMap { $0.kind == .certificate ? $0.publicKey : nil })
    let item = try? domain.watched
    return entries.compactMap { entry in
      let own = entry.names.filter { item?.isHit(by: $0) ?? false }
      var issuance = AcceptedIssuance(
        names: own.isEmpty ? entry.names : own, issuerKeyHash: entry.issuerKeyHash,
        owner: entry.issuerKeyHash.flatMap { owners?.owner(chain: [], keyHash: $0)?.name },
        publicKey: entry.publicKey, notBefore: entry.notBefore, notAfter: entry.notAfter, isTold: true)
      switch entry.kind {
      case .certificate: if seen.contains(entry.hash) { return nil }
      case .key:
        // Of a certificate whose issuer is not known, there is its key alone.
        guard entry.notBefore != nil, !certified.contains(entry.hash), !seenKeys.contains(entry.hash) else {
          return nil
        }
        issuance.publicKey = entry.hash
      }
      return issuance.names.isEmpty ? nil : issuance
    }
  }

  /// What tells one certificate of a history from another.
  private struct Renewable: Hashable {
    let names: Set<String>
    let notBefore: Int64?
    let notAfter: Int64?

    init(_ issuance: AcceptedIssuance) {
      names = issuance.names
      notBefore = issuance.notBefore
      notAfter = issuance.notAfter
    }
  }

  func hasAccepted(_ id: IssuanceID) -> Bool { acceptedIDs.contains(id) }

  /// Takes an issuance into the history, once: twice it would make room for two that renew it.
  mutating func accept(_ issuance: AcceptedIssuance, _ id: IssuanceID) {
    guard acceptedIDs.insert(id).inserted else { return }
    accepted.append(issuance)
    listed.removeAll { Renewable($0) == Renewable(issuance) }
    layOut()
  }

  /// Lets an owner pass that runs a CA for one who may issue.
  mutating func allow(_ owner: OrielContacts.CAOwner?) {
    guard let owner, !allowed.contains(owner.name), owner.names.contains(where: allowed.contains) else { return }
    allowed.insert(owner.name)
    layOut()
  }

  func verdictOwner(_ owner: OrielContacts.CAOwner, _ owners: CAOwners?) -> OrielVerdicts.CAOwner {
    OrielVerdicts.CAOwner(owner.name, caaDomains: owner.names.flatMap { owners?.caaDomains(of: $0) ?? [] })
  }

  private mutating func layOut() {
    knowledge = DomainKnowledge(
      item: domain.item, inventory: inventory, allowedOwners: allowed, caa: caa,
      hasBaseline: domain.baselineConfirmedAt != nil, accepted: accepted + listed, answers: answers)
  }

  /// Whether the owner's word stands behind an issuance; nil if it is not accepted.
  private static func isTold(_ record: JudgedRecord, _ domain: Domain) -> Bool? {
    if record.state == Judgement.State.claimed.rawValue { return true }
    switch VerdictLevel(rawValue: record.verdict) {
    case .known: return true
    case .expected: return record.isProven
    // The owner looked at all there was, and confirmed it.
    case .noHistory: return domain.baselineConfirmedAt.flatMap { record.firstSeen <= $0 ? true : nil }
    case .unexplained, nil: return nil
    }
  }

  private static func issuance(_ record: JudgedRecord, isTold: Bool, _ owners: CAOwners?) -> AcceptedIssuance {
    let key = record.issuerKeyHash == .zero ? nil : record.issuerKeyHash
    return AcceptedIssuance(
      names: record.names, issuerKeyHash: key, owner: owners?.owner(chain: record.chain, keyHash: key)?.name,
      publicKey: record.publicKey, notBefore: record.notBefore, notAfter: record.notAfter, isTold: isTold)
  }

  private static func caa(_ domain: Domain, _ settings: JudgingSettings) -> CAAKnowledge {
    let previous = settings.previousCAA.flatMap { try? JSONDecoder().decode([String].self, from: Data($0.utf8)) }
    return CAAKnowledge(
      confirmed: domain.confirmedCAA.map(CAAText.policy), previous: previous.map(CAAText.policy),
      confirmedAt: settings.caaConfirmedAt.map { $0 / 1000 }, seen: domain.seenCAA.map(CAAText.policy))
  }
}

extension AcceptedIssuance {
  /// How much is known of it beside its names.
  fileprivate var facts: Int { (publicKey == nil ? 0 : 2) + (issuerKeyHash == nil && owner == nil ? 0 : 1) }
}

extension OrielVerdicts.InventoryEntry {
  fileprivate init(_ entry: OrielAccounts.InventoryEntry) {
    self.init(
      kind: entry.kind == .key ? .key : .certificate, hash: entry.hash, names: entry.names, notAfter: entry.notAfter,
      source: entry.source)
  }
}
