import CertificateTransparency
import Foundation
import MerkleTree
package import OrielAccounts
package import OrielAlerting
package import OrielContacts
package import OrielMail
package import OrielStore
import OrielVerdicts
package import OrielWatchlist
import Synchronization

/// Sends alerts on their way by the verdict of each domain that an item is watched for.
///
/// An audience is a domain of an account: `domain:12`. What the configuration file watches is a domain too
/// (`item:example.com`), but those who are told of it, and when, are in the file.
package final class VerdictRouter: AlertRouter {
  /// What a reload of the configuration can change.
  package struct Settings: Sendable {
    package var mail: MailPost?
    /// Without a slash at its end; for links in letters.
    package var publicURL: String?
    package var digestHour = 8
    /// How long an unexplained certificate waits for an inventory that changes by itself.
    package var hold = Duration.seconds(120)

    package init() {}
  }

  /// Reads the folders of a domain's inventory again, unless that was done since a point in time; says whether there is a
  /// folder that can be read.
  package typealias ReadInventory = @Sendable (_ domain: Domain, _ since: Int64) async throws -> Bool

  private static let audience = "domain:"
  private static let target = "domain-mail:"

  private let accounts: AccountStore
  private let store: AlertStore
  private let routes: AlertRoutesHolder
  private let judge: Judge
  private let owners: @Sendable () -> CAOwners?
  private let registrar: (@Sendable (DomainName) async -> RegistrarLookup.Answer)?
  private let readInventory: ReadInventory
  private let now: @Sendable () -> Int64
  private let held: Mutex<Settings>
  /// What was told of before was looked at.
  private let reconsidered = Mutex<Int64>(0)
  /// Before this, nobody is asked for registrars.
  private let quietUntil = Mutex<Int64>(0)
  private static let quietSpan: Int64 = 300_000

  /// - Parameters:
  ///   - owners: CCADB's data, where there are any.
  ///   - registrar: who is asked for whoever registered a look-alike; nil where nobody is, unless somebody asks.
  ///   - now: milliseconds since 1970.
  package init(
    _ accounts: AccountStore, _ database: any SQLDatabase, routes: AlertRoutesHolder, settings: Settings,
    owners: @escaping @Sendable () -> CAOwners? = { nil },
    registrar: (@Sendable (DomainName) async -> RegistrarLookup.Answer)? = nil,
    readInventory: @escaping ReadInventory = { _, _ in false }, now: @escaping @Sendable () -> Int64
  ) {
    self.readInventory = readInventory
    self.accounts = accounts
    self.registrar = registrar
    self.routes = routes
    self.owners = owners
    self.now = now
    store = AlertStore(database)
    judge = Judge(accounts, database, owners: owners)
    held = Mutex(settings)
  }

  /// For looking at what was made of certificates, and nothing else.
  package static func reader(of database: any SQLDatabase, now: @escaping @Sendable () -> Int64 = { 0 })
    -> VerdictRouter
  {
    VerdictRouter(
      AccountStore(database, now: now), database, routes: AlertRoutesHolder(AlertRoutes(channels: [:])),
      settings: Settings(), now: now)
  }

  package var settings: Settings { held.withLock { $0 } }

  package func replace(with settings: Settings) { held.withLock { $0 = settings } }

  var service: AccountService { AccountService(accounts) }

  // MARK: Routing

  package func routing(of alert: StoredAlert) async throws -> AlertRouting {
    if alert.kind == .lookalike { return try await routing(ofLookalike: alert) }
    guard let issuance = alert.issuance, let item = alert.item else { return AlertRouting() }
    var routing = AlertRouting()
    for route in try await service.routes(for: item) {
      guard let decision = try await decision(on: alert, issuance, for: route.domain) else { continue }
      if route.domain.source == .config {
        routing.configured = decision.time == .atOnce ? decision : nil
        if decision.time == .atOnce { continue }
      }
      routing.audiences.append(.init(VerdictRouter.audience(of: route.domain), decision))
    }
    return routing
  }

  package var longestReview: Int64 { settings.hold.components.seconds * 1000 }

  package func decision(on held: HeldAlert) async throws -> AlertDecision {
    if let lookalike = held.alert.lookalike {
      return AlertDecision(try await time(ofLookalike: lookalike) == .never ? .never : .atOnce)
    }
    guard let issuance = held.alert.issuance, let item = held.alert.item,
      let domain = try await domain(of: held.audience, item: item), try await !isMuted(held.alert, for: domain)
    else { return AlertDecision(.never) }
    guard held.kind == .review else {
      let judgement = try await judge.judgement(issuance, for: domain)
      return AlertDecision(.atOnce, level: judgement.map { CertificateVerdict.Level(Judge.Finding($0).standing) })
    }
    _ = try await readInventory(domain, now())
    guard let finding = try await finding(issuance, for: domain, again: true) else { return AlertDecision(.never) }
    return AlertDecision(delivery(finding, for: domain), level: CertificateVerdict.Level(finding.standing))
  }

  /// Looks again at what was not explained and is in an inventory now, and at what had no history when it was seen.
  package func reconsider() async throws {
    let start = now()
    let limit = 500
    // After the clock was set back, what is told of now is dated before the last look.
    let since = min(reconsidered.withLock { $0 }, start - AlertStore.tellingOverlap)
    let all = try await store.toldAfterwards(since: since, now: start, limit: limit)
    for told in all {
      let route = try await service.routes(for: told.item).first { $0.domain.id.value == told.domain }
      if let domain = route?.domain { _ = try await finding(told.issuance, for: domain, again: true) }
    }
    if all.count < limit { reconsidered.withLock { $0 = start - AlertStore.tellingOverlap } }
  }

  package func targets(of audience: String) async throws -> [AlertTarget] {
    guard let id = VerdictRouter.domain(of: audience) else {
      // What is said of a domain of the configuration file.
      let item = audience.hasPrefix("item:") ? String(audience.dropFirst(5)) : ""
      return item.isEmpty ? [] : routes.routes.targets(ofItem: item)
    }
    return try await service.addressees(of: id).map {
      AlertTarget(recipient: audience, target: VerdictRouter.target + $0.address)
    }
  }

  /// The audience of what is said of a domain.
  static func audience(of domain: Domain) -> String {
    domain.source == .config ? "item:" + domain.item : audience + "\(domain.id)"
  }

  private static func domain(of audience: String) -> DomainID? {
    audience.hasPrefix(VerdictRouter.audience)
      ? DomainID(String(audience.dropFirst(VerdictRouter.audience.count))) : nil
  }

  /// The domain of an audience, if it is on.
  private func domain(of audience: String, item: String) async throws -> Domain? {
    try await service.routes(for: item).first { VerdictRouter.audience(of: $0.domain) == audience }?.domain
  }

  /// The domain for which a recipient watches an item, if it is on.
  private func domain(of recipient: String, watching item: String) async throws -> Domain? {
    let id = VerdictRouter.domain(of: recipient)
    return try await service.routes(for: item).map(\.domain).first { id == nil ? $0.source == .config : $0.id == id }
  }

  /// Nil if the domain was removed meanwhile.
  private func finding(
    _ issuance: IssuanceID, for domain: Domain, again: Bool = false
  ) async throws -> Judge.Finding? {
    do { return try await judge.judge(issuance, for: domain, again: again) } catch AccountError.notFound {
      return nil
    } catch { throw error }
  }

  /// What becomes of a certificate that was just seen; nil if the domain was removed meanwhile.
  private func decision(
    on alert: StoredAlert, _ issuance: IssuanceID, for domain: Domain
  ) async throws -> AlertDecision? {
    guard var finding = try await finding(issuance, for: domain) else { return nil }
    if try await isMuted(alert, for: domain) {
      return AlertDecision(.never, level: CertificateVerdict.Level(finding.standing))
    }
    var time = delivery(finding, for: domain)
    if time == .atOnce, finding.standing == .unexplained {
      // Often the certificate comes into the inventory only now.
      let hasFolder = try await readInventory(domain, alert.createdAt)
      if hasFolder {
        guard let again = try await self.finding(issuance, for: domain, again: true) else { return nil }
        (finding, time) = (again, delivery(again, for: domain))
      }
      if time == .atOnce, finding.mayYetBeExplained, let end = holdEnd(of: alert) {
        let hasProgram = try await service.hasProgram(for: domain.id)
        if hasFolder || hasProgram { time = .held(.review, until: end) }
      }
    }
    return AlertDecision(time, level: CertificateVerdict.Level(finding.standing))
  }

  /// When a certificate has waited for long enough, counted from when it was first seen; nil if it has.
  private func holdEnd(of alert: StoredAlert) -> Int64? {
    let now = now()
    let end = min(alert.createdAt, now) + longestReview
    return end > now ? end : nil
  }

  private func delivery(_ finding: Judge.Finding, for domain: Domain) -> AlertTime {
    time(domain.delivery.time(finding.standing, isProven: finding.isProven))
  }

  func time(_ delivery: DeliveryTime) -> AlertTime {
    let hour = DigestHour(hour: settings.digestHour)
    switch delivery {
    case .atOnce: return .atOnce
    case .daily: return .held(.daily, until: hour.next(.daily, after: now()))
    case .weekly: return .held(.weekly, until: hour.next(.weekly, after: now()))
    case .never: return .never
    }
  }

  private func isMuted(_ alert: StoredAlert, for domain: Domain) async throws -> Bool {
    guard let issuance = alert.issuance, let key = try await store.issuerAndNames(of: issuance, item: domain.item)
    else {
      return false
    }
    return try await service.mute(of: domain.id, issuer: key.issuer, names: key.names) != nil
  }

  // MARK: Sending

  package func reach(_ target: AlertTarget, with alert: StoredAlert) async throws -> AlertReach? {
    if try await isExplained(alert, for: target.recipient) { return .unwanted("it was explained before it was sent") }
    guard target.target.hasPrefix(VerdictRouter.target), let id = VerdictRouter.domain(of: target.recipient) else {
      return nil
    }
    let address = target.target.dropFirst(VerdictRouter.target.count)
    guard let addressee = try await service.addressees(of: id).first(where: { $0.address == address }) else {
      return .unwanted("this address gets no alerts about the domain any more")
    }
    if alert.kind == .certificate, let item = alert.item,
      let domain = try await domain(of: target.recipient, item: item),
      try await isMuted(alert, for: domain)
    {
      return .unwanted("it is muted")
    }
    if let lookalike = alert.lookalike, try await time(ofLookalike: lookalike) == .never {
      return .unwanted("it is muted, or look-alikes of the domain are not told of")
    }
    let settings = settings
    guard let mail = settings.mail else { return .unreachable("no way to send mail is configured") }
    do {
      let leave = settings.publicURL.map { "\($0)/unsubscribe/\(addressee.unsubscribeCode)" }
      let channel = MailChannel(
        mail.transport, from: mail.sender, to: try MailAddress(address: addressee.address),
        renderer: AlertRenderer(publicURL: settings.publicURL), unsubscribeURL: leave)
      return .channel(channel, isConfirmed: true)
    } catch { return .unreachable("\(error)") }
  }

  /// Whether a certificate is known by now that those concerned do not want to hear of if it is.
  private func isExplained(_ alert: StoredAlert, for recipient: String) async throws -> Bool {
    guard alert.kind == .certificate, let issuance = alert.issuance, let item = alert.item,
      let domain = try await domain(of: recipient, watching: item),
      let judgement = try await judge.judgement(issuance, for: domain)
    else { return false }
    return judgement.standing == .known && delivery(Judge.Finding(judgement), for: domain) == .never
  }

  package func refused(_ target: AlertTarget, words: String) async throws -> Bool {
    guard target.target.hasPrefix(VerdictRouter.target), VerdictRouter.isBounce(words) else { return false }
    do {
      try await service.bounced(String(target.target.dropFirst(VerdictRouter.target.count)), reason: words)
    } catch is AccountError {
      // It is no address any more.
    }
    return true
  }

  /// Whether a mail server says that there is no such mailbox (RFC 3463), not merely that it did not like this mail.
  static func isBounce(_ words: String) -> Bool {
    if words.contains(/\b5\.\d+\.\d+\b/) { return words.contains(/\b5\.(1\.(1|2|3|6|10)|2\.1)\b/) }
    return words.contains(/\b55[013]\b/)
  }

  // MARK: Verdicts

  package func verdict(on certificate: CertificateAlert, for recipient: String) async throws -> CertificateVerdict? {
    guard let domain = try await domain(of: recipient, watching: certificate.item),
      let judgement = try await judge.judgement(certificate.issuance, for: domain)
    else { return nil }
    let finding = Judge.Finding(judgement)
    let chain = try await store.chain(of: certificate.issuance)
    let before = try await store.judgedBefore(
      certificate.issuance, domain: domain.id.value, baseline: domain.baselineConfirmedAt)
    return CertificateVerdict(
      finding, on: certificate, chain: chain, domain: domain, owners: owners(),
      before: .init(acceptsIssuer: before.acceptsIssuer, unexplained: before.unexplained),
      page: settings.publicURL.map { "\($0)/issuances/\(certificate.issuance)" })
  }
}

extension VerdictRouter {
  package func steps(on lookalike: LookalikeAlert) async throws -> [CertificateVerdict.Step] {
    let (what, certificate) = (lookalike.lookalike, lookalike.certificate)
    let issuance = UnexplainedIssuance(
      .lookalike(imitating: what.item, domain: what.registrable), certificate,
      chain: try await store.chain(of: certificate.issuance), reasons: [what.sentence])
    var answer: RegistrarLookup.Answer?
    if let name = try? DomainName(what.registrable) { answer = await whoRegistered(name) }
    return TakeAction(issuance, owners: owners(), registrar: answer).steps.map(CertificateVerdict.Step.init)
  }

  /// Asks for a few seconds at most, and then nobody for some minutes if there was no answer: others wait to be told.
  private func whoRegistered(_ name: DomainName) async -> RegistrarLookup.Answer? {
    let isQuiet = quietUntil.withLock { !StoredTime.isDue($0, now: now(), longest: VerdictRouter.quietSpan) }
    guard let registrar, !isQuiet else { return nil }
    switch await within(.seconds(5), { await registrar(name) }) {
    case nil, .failed?:
      quietUntil.withLock { $0 = now() + VerdictRouter.quietSpan }
      // What a server said is no text for a letter.
      return .failed(domain: name.ascii, reason: "no answer came that could be used")
    case let answer: return answer
    }
  }
}

extension Judge.Finding {
  /// Whether the inventory could explain it: not if the owner has ruled it out already.
  fileprivate var mayYetBeExplained: Bool {
    let codes = Set(reasons.map(\.code))
    let isAllowed = !codes.contains("caa-forbids") || codes.contains("CA-allowed")
    return standing == .unexplained && isAllowed && codes.isDisjoint(with: ["denied", "key-denied", "CA-not-allowed"])
  }
}

/// How mail leaves, and by whose name.
package struct MailPost: Sendable {
  package let transport: MailChannel.Transport
  package let sender: MailAddress

  package init(transport: MailChannel.Transport, sender: MailAddress) {
    self.transport = transport
    self.sender = sender
  }
}
