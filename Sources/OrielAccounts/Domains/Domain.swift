/// When those concerned hear of an issuance.
package enum DeliveryTime: String, Hashable, Sendable, CaseIterable {
  case atOnce = "at once"
  case daily
  case weekly
  case never = "record only"
}

/// What was made of an issuance.
package enum VerdictLevel: String, Hashable, Sendable, CaseIterable {
  case known, expected, unexplained
  /// The owner has not confirmed what was there before.
  case noHistory = "no-history"
}

/// When each verdict is told.
package struct DeliveryTimes: Hashable, Sendable {
  package var unexplained = DeliveryTime.atOnce
  package var expected = DeliveryTime.daily
  package var known = DeliveryTime.never
  package var noHistory = DeliveryTime.daily

  package init() {}

  static let allAtOnce: DeliveryTimes = {
    var times = DeliveryTimes()
    for level in VerdictLevel.allCases { times[level] = .atOnce }
    return times
  }()

  package subscript(level: VerdictLevel) -> DeliveryTime {
    get {
      switch level {
      case .known: known
      case .expected: expected
      case .unexplained: unexplained
      case .noHistory: noHistory
      }
    }
    set {
      switch level {
      case .known: known = newValue
      case .expected: expected = newValue
      case .unexplained: unexplained = newValue
      case .noHistory: noHistory = newValue
      }
    }
  }

  /// When a judgement is told: what is expected and not proven is in a digest at least.
  package func time(_ level: VerdictLevel, isProven: Bool) -> DeliveryTime {
    level == .expected && !isProven && expected == .never ? .daily : self[level]
  }
}

/// A watched item of an account, with its settings.
package struct Domain: Hashable, Sendable {
  package enum Source: String, Hashable, Sendable {
    case dashboard
    /// From the configuration file: read-only elsewhere.
    case config
  }

  package let id: DomainID
  package let account: AccountID
  /// As `WatchedItem` writes it.
  package let item: String
  package let source: Source
  package let isOn: Bool
  package let delivery: DeliveryTimes
  package let watchesLookalikes: Bool
  /// When those concerned hear of one.
  package let lookalikeDelivery: DeliveryTime
  /// Since when the owner has confirmed what was there before; nil while there is no history.
  package let baselineConfirmedAt: Int64?
  /// CA owners that may issue.
  package let allowedOwners: [String]
  /// The CAA records that the owner has confirmed; nil before that.
  package let confirmedCAA: [String]?
  /// The CAA records that were found last; nil before they were looked up.
  package let seenCAA: [String]?
  package let createdAt: Int64
  /// Whether the owner undertook to tell of everything: what is not in the inventory is unexplained then.
  package let isInventoryComplete: Bool

  /// Whether there are CAA records that the owner has not confirmed.
  package var hasNewCAA: Bool { seenCAA != nil && seenCAA != confirmedCAA }
}

/// A change of a domain's settings; what is nil stays as it is.
package struct DomainChange: Hashable, Sendable {
  package var isOn: Bool?
  package var delivery: DeliveryTimes?
  package var watchesLookalikes: Bool?
  package var lookalikeDelivery: DeliveryTime?
  package var isBaselineConfirmed: Bool?
  package var allowedOwners: [String]?
  package var isInventoryComplete: Bool?

  package init() {}
}
