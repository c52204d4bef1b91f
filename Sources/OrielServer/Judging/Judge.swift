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
      reasons = judgement.standingReasons
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
  /// As often is an issuance judged while settings change.
  private static let mostAttempts = 3
  private static let mostAgain = 200

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
    let isOpen = { (state: Judgement.State) in [.new, .acknowledged].contains(state) }
    if let before, !again || !isOpen(before.state) || [.known, .expected].contains(before.level) {
      // Somebody else may have judged it since the domain's file was opened.
      if again, kept[domain.id]?.hasAccepted(issuance) == false { kept[domain.id] = nil }
      return Finding(before)
    }
    guard let record = try await IssuanceSearch(database).record(issuance) else { throw AccountError.notFound }
    // By settings that were changed meanwhile nothing is judged, as nothing may be judged again for that change.
    var finding: Finding
    var (opened, attempt) = (try await refresh(), 0)
    repeat {
      finding = try await judge(record, for: domain, before?.state ?? .new, under: opened)
      attempt += 1
      let now = try await refresh()
      if now == opened { return finding }
      opened = now
    } while attempt < Judge.mostAttempts
    return finding
  }

  private func judge(
    _ record: IssuanceRecord, for domain: Domain, _ state: Judgement.State, under opened: Generation
  ) async throws -> Finding {
    var file: DomainFile
    if let known = kept[domain.id] { file = known } else { file = try await open(domain) }
    let chain = try await AlertStore(database).chain(of: record.id)
    let owner = owners()?.owner(chain: chain, keyHash: record.issuerKeyHash == .zero ? nil : record.issuerKeyHash)
    file.allow(owner)
    let judged = JudgedIssuance(record, item: domain.item, owner: owner.map { file.verdictOwner($0, owners()) })
    let verdict = VerdictEngine.judge(judged, by: file.knowledge)
    let finding = Finding(verdict, state: state)
    try await AccountService(accounts).judge(
      record.id, for: domain.id, finding.level, isProven: finding.isProven,
      reasons: String(decoding: try JSONEncoder().encode(finding.reasons), as: UTF8.self))
    // What was read before a change of settings is not kept beyond it.
    guard opened == generation else { return finding }
    // Another issuance may have been accepted meanwhile.
    file = kept[domain.id] ?? file
    file.allow(owner)
    if verdict.level == .known || verdict.level == .expected {
      file.accept(judged.accepted(isTold: verdict.level == .known || verdict.isProven), record.id)
    }
    if kept.count >= Judge.mostKept { kept.removeAll() }
    kept[domain.id] = file
    return finding
  }

  /// Judges again what was judged before the baseline of a domain was confirmed or taken back, as far as it is not too
  /// much at once, and nobody else writes all the time; the service does the rest.
  func judgeAgain(_ domain: Domain) async throws {
    do {
      let all = try await AlertStore(database).judgedBeforeBaseline(
        of: domain.id.value, now: accounts.now(), limit: Judge.mostAgain)
      for issuance in all {
        do { _ = try await judge(issuance, for: domain, again: true) } catch AccountError.notFound {
          // It was removed meanwhile.
        }
      }
    } catch StoreError.busy {
      // The change itself is made, and must not be said to have failed.
    }
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
    let facts = record.facts
    let sources: [FoundName.Source] = [.dnsName, .ipAddress, .email, .smtpUTF8Mailbox, .uri, .srvName]
    let names = (sources.flatMap { facts.text(of: $0) } + facts.commonNames).uniqued()
    let matched = record.matches.lazy.filter { $0.item == item && !$0.name.isEmpty }.map(\.name).uniqued()
    self.init(
      // So many hosts have one certificate with nobody.
      id: record.id, names: Array(names.prefix(10_000)), matchedNames: matched, issuerKeyHash: record.issuerKeyHash,
      issuerName: facts.issuer?.description, owner: owner, publicKey: facts.publicKeyHash, notBefore: facts.notBefore,
      notAfter: facts.notAfter, firstSeen: Int64(clamping: (record.sightings.first?.timestamp ?? 0) / 1000),
      isReadable: facts.namesAreComplete, problems: facts.problems)
  }
}
