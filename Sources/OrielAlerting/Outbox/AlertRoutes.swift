import CertificateTransparency
package import OrielStore
import Synchronization

/// Who hears of what, and by which channel: what the configuration says of alerts.
package struct AlertRoutes: Sendable {
  /// The recipient that stands for a monitoring service, which heartbeats go to.
  package static let ping = "heartbeat"

  /// The targets of each watched item that has its own; all others have the default ones.
  package var items: [String: [AlertTarget]]
  package var standard: [AlertTarget]
  /// The items whose certificates the default targets hear of; nil for all.
  package var standardItems: Set<String>?
  package var logHealth: [AlertTarget]
  package var heartbeat: [AlertTarget]
  /// The targets of each canary, by its name.
  package var canaries: [String: [AlertTarget]]
  /// The channel of each target.
  package var channels: [String: any Channel]

  package init(
    items: [String: [AlertTarget]] = [:], standard: [AlertTarget] = [], logHealth: [AlertTarget] = [],
    heartbeat: [AlertTarget] = [], canaries: [String: [AlertTarget]] = [:], channels: [String: any Channel]
  ) {
    self.items = items
    self.standard = standard
    self.logHealth = logHealth
    self.heartbeat = heartbeat
    self.canaries = canaries
    self.channels = channels
  }

  /// Who hears of an item's certificates.
  package func targets(ofItem item: String) -> [AlertTarget] {
    items[item] ?? (standardItems?.contains(item) == false ? [] : standard)
  }

  /// Every target that is named anywhere, once.
  package var all: [AlertTarget] {
    let lists = items.values.map { $0 } + canaries.values.map { $0 } + [standard, logHealth, heartbeat]
    return lists.flatMap { $0 }.uniqued()
      .sorted { ($0.recipient, $0.target) < ($1.recipient, $1.target) }
  }
}

/// The routes in force; they can be changed while alerts are sent.
package final class AlertRoutesHolder: Sendable {
  private let held: Mutex<AlertRoutes>

  package init(_ routes: AlertRoutes) { held = Mutex(routes) }

  package var routes: AlertRoutes { held.withLock { $0 } }

  package func replace(with routes: AlertRoutes) { held.withLock { $0 = routes } }
}
