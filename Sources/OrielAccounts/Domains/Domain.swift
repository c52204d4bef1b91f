package import OrielWatchlist

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

  package static let allAtOnce: DeliveryTimes = {
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

  /// What the configuration file may say of a domain, and need not.
  package enum Setting: String, Hashable, Sendable, CaseIterable {
    case owners, history, inventory, caa
  }

  /// The most bytes of an item as people write it, and more than ``item`` ever has.
  package static let longestItem = 1000

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
  /// What the configuration file says of it, so that it can't be changed elsewhere.
  package let configured: Set<Setting>

  /// What is watched.
  package var watched: WatchedItem {
    get throws(WatchedItemError) { try WatchedItem(parsing: item, allowPublicSuffix: true) }
  }

  /// Whether there are other CAA records than the owner has confirmed. That there are none is news only after some.
  package var hasNewCAA: Bool { seenCAA.map { $0 != confirmedCAA && (confirmedCAA != nil || !$0.isEmpty) } ?? false }
}

/// What the configuration file says of an item that it watches; what is nil is for the pages to say.
package struct ConfiguredDomain: Hashable, Sendable {
  package let item: WatchedItem
  package var delivery = DeliveryTimes.allAtOnce
  package var watchesLookalikes = false
  package var allowedOwners: [String]?
  /// Whether what was in use is the owner's, as far as a log has shown it.
  package var isBaselineConfirmed: Bool?
  package var isInventoryComplete: Bool?
  package var confirmedCAA: [String]?

  package init(_ item: WatchedItem) { self.item = item }

  var settings: Set<Domain.Setting> {
    let said: [(Domain.Setting, Bool)] = [
      (.owners, allowedOwners != nil), (.history, isBaselineConfirmed != nil),
      (.inventory, isInventoryComplete != nil), (.caa, confirmedCAA != nil),
    ]
    return Set(said.filter(\.1).map(\.0))
  }
}

/// A change of a domain's settings; what is nil stays as it is.
package struct DomainChange: Hashable, Sendable {
  package var isOn: Bool?
  /// When to tell of some levels; the others stay.
  package var delivery: [VerdictLevel: DeliveryTime] = [:]
  package var watchesLookalikes: Bool?
  package var lookalikeDelivery: DeliveryTime?
  package var isBaselineConfirmed: Bool?
  package var allowedOwners: [String]?
  package var isInventoryComplete: Bool?

  package init() {}

  var settings: Set<Domain.Setting> {
    let said: [(Domain.Setting, Bool)] = [
      (.owners, allowedOwners != nil), (.history, isBaselineConfirmed != nil),
      (.inventory, isInventoryComplete != nil),
    ]
    return Set(said.filter(\.1).map(\.0))
  }
}
