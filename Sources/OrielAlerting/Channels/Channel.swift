/// One attempt to bring an alert to one recipient.
package struct Delivery: Hashable, Sendable {
  /// The same at every attempt: Message-ID, `Idempotency-Key`.
  package let id: String
  package let alert: Alert

  package init(id: String, alert: Alert) {
    self.id = id
    self.alert = alert
  }
}

/// What became of an attempt, in the receiver's own words where there are any.
package enum DeliveryResult: Hashable, Sendable {
  case delivered(String)
  /// It may work later; not before `retryAfter`, if the receiver said so.
  case failed(String, retryAfter: Duration? = nil)
  /// It will not work, however often it is tried.
  case refused(String)
}

/// A way to reach somebody. It never throws and never waits for ever: every trouble is a result.
package protocol Channel: Sendable {
  func deliver(_ delivery: Delivery) async -> DeliveryResult

  /// Puts together what is to be said, and gives what says it: so the next alert is written while one is under way.
  func prepare(_ delivery: Delivery) async -> @Sendable () async -> DeliveryResult
}

extension Channel {
  package func prepare(_ delivery: Delivery) async -> @Sendable () async -> DeliveryResult {
    { await deliver(delivery) }
  }
}
