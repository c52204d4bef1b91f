package import OrielStore

/// Reads alerts in the outbox, for people who look at them.
package struct AlertReader: Sendable {
  private let composer: AlertComposer

  /// - Parameter router: knows the verdicts.
  package init(_ store: AlertStore, router: (any AlertRouter)? = nil) {
    composer = AlertComposer(store: store, router: router, routes: nil)
  }

  /// What a delivery says.
  package func alert(of delivery: StoredDelivery) async throws -> Alert {
    try await composer.compose(delivery.alert, for: AlertTarget(delivery))
  }
}

/// A delivery that concerns nobody, for trying a channel.
package enum SampleDelivery {
  /// - Parameter now: milliseconds since 1970.
  package static func make(now: Int64) -> Delivery {
    let key = AlertStore.key("sample", "\(now)")
    let alert = Alert(
      id: key, createdAt: .init(clamping: now), content: .sample(SampleCertificate.alert(at: .init(clamping: now))))
    return Delivery(id: key, alert: alert)
  }
}
