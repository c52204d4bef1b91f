package import OrielStore

/// When an audience hears of a certificate.
package enum AlertTime: Hashable, Sendable {
  case atOnce
  /// With all else that is held for the audience until then, in milliseconds since 1970.
  case held(HeldAlert.Kind, until: Int64)
  case never
}

/// When an audience is notified, and of what verdict.
package struct AlertDecision: Hashable, Sendable {
  package let time: AlertTime
  /// Nil where nobody judges.
  package let level: CertificateVerdict.Level?

  package init(_ time: AlertTime, level: CertificateVerdict.Level? = nil) {
    self.time = time
    self.level = level
  }
}

/// Who hears of a certificate, and when.
package struct AlertRouting: Hashable, Sendable {
  package struct Audience: Hashable, Sendable {
    /// The name that ``AlertRouter/targets(of:)`` knows it by.
    package let name: String
    package let decision: AlertDecision

    package init(_ name: String, _ decision: AlertDecision) {
      self.name = name
      self.decision = decision
    }
  }

  /// What those whom the configuration names get at once; nil if they get nothing now.
  package var configured: AlertDecision?
  package var audiences: [Audience]

  package init(configured: AlertDecision? = AlertDecision(.atOnce), audiences: [Audience] = []) {
    self.configured = configured
    self.audiences = audiences
  }
}

/// Whether a target can be notified.
package enum AlertReach: Sendable {
  /// - Parameter isConfirmed: whether its owner has said that the address is theirs.
  case channel(any Channel, isConfirmed: Bool)
  /// It is not to be notified any more, and why.
  case unwanted(String)
  /// Nothing is set up at the moment by which it could be.
  case unreachable(String)
  /// Nobody knows it any more.
  case gone(String)
}

/// Decides who is told of certificates beside those whom the configuration names.
///
/// It is asked again at the moment of sending: what was decided when an alert was queued may not hold any more.
package protocol AlertRouter: Sendable {
  /// Who is told of a new certificate.
  func routing(of alert: StoredAlert) async throws -> AlertRouting

  /// What becomes of an alert whose time has come: told now, held again, or not told after all.
  func decision(on held: HeldAlert) async throws -> AlertDecision

  /// The longest that an alert is held to be decided about again, in milliseconds.
  var longestReview: Int64 { get }

  /// Those who make up an audience at this moment.
  func targets(of audience: String) async throws -> [AlertTarget]

  /// How to reach a target with an alert at this moment; nil if the configuration says that.
  func reach(_ target: AlertTarget, with alert: StoredAlert) async throws -> AlertReach?

  /// What a recipient is to know of the verdict on a certificate.
  func verdict(on certificate: CertificateAlert, for recipient: String) async throws -> CertificateVerdict?

  /// What to do about a name that imitates a watched one, the first to do first.
  func steps(on lookalike: LookalikeAlert) async throws -> [CertificateVerdict.Step]

  /// A target's receiver refused an alert until it was given up, the last time with these words.
  ///
  /// - Returns: whether that is settled, as the target is told of nothing any more; else somebody should look at it.
  func refused(_ target: AlertTarget, words: String) async throws -> Bool
}

extension AlertRouter {
  /// Nothing is.
  package var longestReview: Int64 { 0 }

  /// None that is more than what is true of all of them.
  package func steps(on lookalike: LookalikeAlert) async throws -> [CertificateVerdict.Step] { [] }
}
