package import CertificateTransparency

/// One attempt to bring an alert to one recipient.
package struct Delivery: Hashable, Sendable {
  /// The same at every attempt: Message-ID, `Idempotency-Key`.
  package let id: String
  package let alert: Alert
  /// The id of the delivery that this one follows up on.
  package let inReplyTo: String?
  /// When this attempt is made, which may be long after the alert was.
  package let attemptedAt: Timestamp

  /// - Parameter attemptedAt: the time of the alert if it is nil.
  package init(id: String, alert: Alert, inReplyTo: String? = nil, attemptedAt: Timestamp? = nil) {
    self.id = id
    self.alert = alert
    self.inReplyTo = inReplyTo
    self.attemptedAt = attemptedAt ?? alert.createdAt
  }
}

/// What became of an attempt, in the receiver's own words where there are any.
package enum DeliveryResult: Hashable, Sendable {
  /// What a refusal is about.
  package enum Part: Hashable, Sendable {
    case recipient
    /// What the alert says.
    case message
  }

  case delivered(String)
  /// No alert gets through at the moment; not before `retryAfter`, if the receiver said so.
  case unavailable(String, retryAfter: Duration? = nil)
  /// This alert is not taken, which says nothing of others. It may be later, even where the receiver calls it permanent.
  case refused(String, of: Part = .message, isPermanent: Bool = false, retryAfter: Duration? = nil)
  /// There is nobody any more who takes alerts there.
  case gone(String)
}

/// A way to reach somebody. It never throws and never waits for ever: every trouble is a result.
package protocol Channel: Sendable {
  /// Whether a burst of certificates comes as digests, for people, and not one by one, for programs.
  var combinesBursts: Bool { get }

  /// How many alerts may be under way at once; they are begun in order.
  var concurrency: Int { get }

  func deliver(_ delivery: Delivery) async -> DeliveryResult

  /// Puts together what is to be said, and gives what says it: so the next alert is written while one is under way.
  func prepare(_ delivery: Delivery) async -> @Sendable () async -> DeliveryResult
}

extension Channel {
  package var combinesBursts: Bool { true }
  package var concurrency: Int { combinesBursts ? 1 : 4 }

  package func prepare(_ delivery: Delivery) async -> @Sendable () async -> DeliveryResult {
    { await deliver(delivery) }
  }
}
