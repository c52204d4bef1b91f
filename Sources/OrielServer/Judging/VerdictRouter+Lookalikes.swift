import OrielAccounts
import OrielAlerting
import OrielStore

/// Look-alikes are quieter: nobody judges them, and they go into a digest unless a domain says otherwise.
extension VerdictRouter {
  func routing(ofLookalike alert: StoredAlert) async throws -> AlertRouting {
    guard let lookalike = alert.lookalike else { return AlertRouting(configured: nil) }
    let domain = try await domain(of: lookalike)
    let audience =
      lookalike.owner == StoredLookalike.configuration
      ? "item:" + lookalike.item : domain.map(VerdictRouter.audience(of:))
    guard let audience else { return AlertRouting(configured: nil) }
    let decision = AlertDecision(try await time(ofLookalike: lookalike, for: domain))
    return AlertRouting(configured: nil, audiences: [.init(audience, decision)])
  }

  /// When a look-alike is told of, by the settings as they are now.
  func time(ofLookalike lookalike: StoredLookalike) async throws -> AlertTime {
    try await time(ofLookalike: lookalike, for: try await domain(of: lookalike))
  }

  private func time(ofLookalike lookalike: StoredLookalike, for domain: Domain?) async throws -> AlertTime {
    guard let domain else {
      // What the file watches need not be anybody's domain.
      return lookalike.owner == StoredLookalike.configuration ? time(.daily) : .never
    }
    guard domain.watchesLookalikes, try await !isMuted(lookalike, for: domain) else { return .never }
    return time(domain.lookalikeDelivery)
  }

  /// The domain that is imitated, if it is on.
  private func domain(of lookalike: StoredLookalike) async throws -> Domain? {
    try await service.routes(for: lookalike.item).map(\.domain).first { domain in
      lookalike.owner == StoredLookalike.configuration
        ? domain.source == .config : domain.source == .dashboard && domain.account.value == lookalike.owner
    }
  }

  /// What is muted for an issuer is not meant: look-alikes have the issuers that everybody has.
  private func isMuted(_ lookalike: StoredLookalike, for domain: Domain) async throws -> Bool {
    try await service.mute(of: domain.id, issuer: nil, names: [lookalike.name]) != nil
  }
}
