import CertificateTransparency
import Foundation
import MerkleTree
import OrielAccounts
import OrielContacts
import OrielStore
import OrielVerdicts

/// Judges issuances for domains, each by what its own account knows, and keeps what it made of them.
///
/// What is known of a domain is kept as long as no setting changes anywhere, and as long as few domains are asked about.
actor Judge {
  /// What came out.
  struct Finding: Hashable, Sendable {
    let level: VerdictLevel
    let isProven: Bool
    let state: Judgement.State
    let reasons: [StoredReason]

    /// The verdict as it stands: what the owner claims is known.
    var standing: VerdictLevel { state == .claimed ? .known : level }

    init(_ judgement: Judgement) {
      level = judgement.level
      isProven = judgement.isProven
      state = judgement.state
      reasons = (try? JSONDecoder().decode([StoredReason].self, from: Data(judgement.reasons.utf8))) ?? []
    }

    init(_ verdict: Verdict, state: Judgement.State) {
      level = VerdictLevel(rawValue: verdict.level.rawValue) ?? .unexplained
      isProven = verdict.isProven
      self.state = state
      reasons = verdict.reasons.map(StoredReason.init)
    }
  }

  /// What a change of makes verdicts others.
  private struct Generation: Equatable {
    let settings: Int64
    let owners: Timestamp?
  }

  /// Of so many domains it is kept what is known.
  private static let mostKept = 256

  private let accounts: AccountStore
  private let database: any SQLDatabase
  private let owners: @Sendable () -> CAOwners?
  private var kept: [DomainID: DomainFile] = [:]
  /// Under which all that is kept was opened.
  private var generation: Generation?

  init(_ accounts: AccountStore, _ database: any SQLDatabase, owners: @escaping @Sendable () -> CAOwners?) {
    self.accounts = accounts
    self.database = database
    self.owners = owners
  }

  /// What is made of an issuance for a domain.
  ///
  /// - Parameter again: whether to look again at what was not explained. Else, what was judged once stays as it was.
  /// - Throws: ``AccountError/notFound`` if the domain or the issuance is no longer there.
  func judge(_ issuance: IssuanceID, for domain: Domain, again: Bool = false) async throws -> Finding {
    let before = try await judgement(issuance, for: domain)
    if let before, !again || before.state != .new || [.known, .expected].contains(before.level) {
      return Finding(before)
    }
    guard let record = try await IssuanceSearch(database).record(issuance) else { throw AccountError.notFound }
    let opened = try await refresh()
    var file: DomainFile
    if let known = kept[domain.id] { file = known } else { file = try await open(domain) }
    let chain = try await AlertStore(database).chain(of: issuance)
    let owner = owners()?.owner(chain: chain, keyHash: record.issuerKeyHash == .zero ? nil : record.issuerKeyHash)
    file.allow(owner)
    let judged = JudgedIssuance(record, item: domain.item, owner: owner.map { file.verdictOwner($0, owners()) })
    let verdict = VerdictEngine.judge(judged, by: file.knowledge)
    let finding = Finding(verdict, state: before?.state ?? .new)
    try await AccountService(accounts).judge(
      issuance, for: domain.id, finding.level, isProven: finding.isProven,
      reasons: String(decoding: try JSONEncoder().encode(finding.reasons), as: UTF8.self))
    // What was read before a change of settings is not kept beyond it.
    guard opened == generation else { return finding }
    // Another issuance may have been accepted meanwhile.
    file = kept[domain.id] ?? file
    file.allow(owner)
    if verdict.level == .known || verdict.level == .expected {
      file.accept(judged.accepted(isTold: verdict.level == .known || verdict.isProven))
    }
    if kept.count >= Judge.mostKept { kept.removeAll() }
    kept[domain.id] = file
    return finding
  }

  /// What was made of it before.
  func judgement(_ issuance: IssuanceID, for domain: Domain) async throws -> Judgement? {
    do {
      return try await Accounts(accounts).judgement(.machine(domain.account), of: domain.id, issuance)
    } catch AccountError.notFound {
      return nil
    } catch {
      throw error
    }
  }

  /// Forgets what may not hold any more.
  ///
  /// - Returns: under what things stand now: what is read from here on is at least as new.
  private func refresh() async throws -> Generation {
    let now = Generation(settings: try await accounts.generation().settings, owners: owners()?.asOf)
    if now != generation {
      kept.removeAll()
      generation = now
    }
    return now
  }

  /// - Parameter domain: as it was when somebody looked; it may have been changed since.
  private func open(_ domain: Domain) async throws -> DomainFile {
    let store = AlertStore(database)
    let domain = try await Accounts(accounts).domain(.machine(domain.account), domain.id)
    return DomainFile(
      domain, settings: try await store.judgingSettings(of: domain.id.value),
      inventory: try await AccountService(accounts).inventory(of: domain.id),
      history: try await store.judged(for: domain.id.value, item: domain.item),
      baseline: try await store.baseline(of: domain.id.value).map(\.record), owners: owners())
  }
}

extension JudgedIssuance {
  init(_ record: IssuanceRecord, item: String, owner: OrielVerdicts.CAOwner?) {
    let facts = record.certificates.first?.facts ?? CertificateFacts(certificate: [])
    let sources: [FoundName.Source] = [.dnsName, .ipAddress, .email, .smtpUTF8Mailbox, .uri, .srvName]
    var (names, matched): ([String], [String]) = ([], [])
    for name in sources.flatMap({ facts.text(of: $0) }) + facts.commonNames where !names.contains(name) {
      names.append(name)
      // So many hosts have one certificate with nobody.
      if names.count == 10_000 { break }
    }
    for match in record.matches where match.item == item && !match.name.isEmpty && !matched.contains(match.name) {
      matched.append(match.name)
    }
    self.init(
      id: record.id, names: names, matchedNames: matched, issuerKeyHash: record.issuerKeyHash,
      issuerName: facts.issuer?.description, owner: owner, publicKey: facts.publicKeyHash, notBefore: facts.notBefore,
      notAfter: facts.notAfter, firstSeen: Int64(clamping: (record.sightings.first?.timestamp ?? 0) / 1000),
      isReadable: facts.namesAreComplete, problems: facts.problems)
  }
}
