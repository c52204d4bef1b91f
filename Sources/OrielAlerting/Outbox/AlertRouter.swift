package import OrielStore

/// When an audience hears of a certificate.
package enum AlertTime: Hashable, Sendable {
  case atOnce
  /// With all else that is held for the audience until then, in milliseconds since 1970.
  case held(HeldAlert.Kind, until: Int64)
  case never
}

/// Who hears of a certificate, and when.
package struct AlertRouting: Hashable, Sendable {
  /// Whether those hear of it whom the configuration names.
  package var tellsConfigured: Bool
  /// Others, each by the name that ``AlertRouter/targets(of:)`` knows it by.
  package var audiences: [(name: String, time: AlertTime)]

  package init(tellsConfigured: Bool = true, audiences: [(name: String, time: AlertTime)] = []) {
    self.tellsConfigured = tellsConfigured
    self.audiences = audiences
  }

  package static func == (left: AlertRouting, right: AlertRouting) -> Bool {
    left.tellsConfigured == right.tellsConfigured && left.audiences.elementsEqual(right.audiences, by: ==)
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(tellsConfigured)
    for audience in audiences { hasher.combine(audience.name) }
  }
}

/// Whether a target can be told.
package enum AlertReach: Sendable {
  case channel(any Channel)
  /// It is not to be told any more, and why.
  case unwanted(String)
  /// Nothing is set up by which it could be.
  case unreachable(String)
}

/// Decides who is told of certificates beside those whom the configuration names.
///
/// It is asked again at the moment of sending: what was decided when an alert was queued may not hold any more.
package protocol AlertRouter: Sendable {
  /// Who is told of a new certificate.
  func routing(of alert: StoredAlert) async throws -> AlertRouting

  /// What becomes of an alert whose time has come: told now, held again, or not told after all.
  func time(of held: HeldAlert) async throws -> AlertTime

  /// Those who make up an audience at this moment.
  func targets(of audience: String) async throws -> [AlertTarget]

  /// How to reach a target with an alert at this moment; nil if the configuration says that.
  func reach(_ target: AlertTarget, with alert: StoredAlert) async throws -> AlertReach?

  /// What a recipient is to know of the verdict on a certificate.
  func verdict(on certificate: CertificateAlert, for recipient: String) async throws -> CertificateVerdict?

  /// What to do about a name that imitates a watched one, the first to do first.
  func steps(on lookalike: LookalikeAlert) async throws -> [CertificateVerdict.Step]

  /// A target's receiver refused an alert for good, with these words.
  ///
  /// - Returns: whether that is settled, as the target is told of nothing any more; else somebody should look at it.
  func refused(_ target: AlertTarget, words: String) async throws -> Bool
}

extension AlertRouter {
  /// None that is more than what is true of all of them.
  package func steps(on lookalike: LookalikeAlert) async throws -> [CertificateVerdict.Step] { [] }
}
