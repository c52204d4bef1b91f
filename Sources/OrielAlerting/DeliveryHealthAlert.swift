package import CertificateTransparency
package import OrielStore

/// Alerts don't get through, or get through again: for whoever runs the service.
package struct DeliveryHealthAlert: Hashable, Sendable {
  /// A target that takes no alerts, or takes them again.
  package struct Target: Hashable, Sendable {
    package let place: DeliveryPlace
    package let since: Timestamp
    /// What its receiver said last, or why it could not be reached.
    package let reason: String
    package let waiting: Int

    package init(place: DeliveryPlace, since: Timestamp, reason: String, waiting: Int) {
      self.place = place
      self.since = since
      self.reason = reason
      self.waiting = waiting
    }
  }

  /// An alert about unexplained certificates that somebody did not get.
  package struct Undelivered: Hashable, Sendable {
    package let short: ShortAlert
    package let place: DeliveryPlace
    package let reason: String
    /// Whether it is not tried any more.
    package let isGivenUp: Bool

    package init(short: ShortAlert, place: DeliveryPlace, reason: String, isGivenUp: Bool) {
      self.short = short
      self.place = place
      self.reason = reason
      self.isGivenUp = isGivenUp
    }
  }

  package var failing: [Target] = []
  package var recovered: [Target] = []
  package var undelivered: [Undelivered] = []
  /// How many more there are of all of these.
  package var omitted = 0

  package init() {}

  /// Whether it is good news alone.
  var isWell: Bool { failing.isEmpty && undelivered.isEmpty }

  /// One line, safe to show.
  var summary: String {
    let unexplained = undelivered.reduce(0) { $0 + $1.short.certificateCount }
    if unexplained > 0 {
      let certificates = counted(unexplained, "unexplained certificate", "unexplained certificates")
      let place = undelivered.count == 1 ? undelivered[0].place.words : "everybody concerned"
      return "\(certificates) could not be reported to \(place)"
    }
    let targets = isWell ? recovered : failing
    let who = targets.count == 1 ? targets[0].place.words : "\(targets.count + omitted) recipients"
    return isWell ? "Alerts reach \(who) again" : "Alerts don't reach \(who)"
  }

  /// A line for each, safe to show.
  var lines: [String] {
    let undelivered = undelivered.map { alert in
      "\(alert.short.summary), CA owner: \(alert.short.owner), \(alert.short.more)"
        + " (to \(alert.place.words): \(alert.isGivenUp ? "given up" : "refused"): \(alert.reason.oneLine(limit: 200)))"
    }
    let failing = failing.map { target in
      "\(target.place.words): no alert accepted since \(CertificateLetter.time(target.since)), "
        + "\(target.waiting) waiting: \(target.reason.oneLine(limit: 200))"
    }
    let recovered = isWell || !recovered.isEmpty ? recovered.map { "\($0.place.words): accepts alerts again" } : []
    return undelivered + failing + recovered + (omitted > 0 ? ["and \(omitted) more"] : [])
  }
}

extension DeliveryPlace {
  /// For people, and safe to show.
  package var words: String {
    switch way {
    case "", "mail": name.oneLine(limit: 254)
    case "ping": "a monitoring service"
    default: "\(way) of \(name.oneLine(limit: 100))"
    }
  }
}

extension StoredContent {
  /// The targets as they were; the alerts by the numbers of their deliveries.
  struct DeliveryHealth: Codable {
    struct Target: Codable {
      let target: String
      let since: Int64
      let reason: String
      let waiting: Int

      init(_ trouble: DeliveryTroubles.Target) {
        (target, since, reason, waiting) = (trouble.target, trouble.since, trouble.words, trouble.waiting)
      }

      var alert: DeliveryHealthAlert.Target {
        DeliveryHealthAlert.Target(
          place: DeliveryPlace(target), since: Timestamp(clamping: since), reason: reason, waiting: waiting)
      }
    }

    let failing, recovered: [Target]
    let undelivered: [Int64]
    /// Where these were to go.
    let refusing: [String]
    let omitted: Int

    init(_ troubles: DeliveryTroubles) {
      (failing, recovered) = (troubles.failing.map(Target.init), troubles.recovered.map(Target.init))
      undelivered = troubles.undelivered.map(\.delivery)
      refusing = Array(Set(troubles.undelivered.map(\.target))).sorted()
      omitted = troubles.omitted
    }
  }
}
