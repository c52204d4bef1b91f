import OrielAlerting
import OrielStore
import Synchronization

/// Who is told, and when, where there are no accounts: those whom the configuration names, of certificates at once, of
/// look-alikes once a day.
final class FileRouter: AlertRouter {
  private static let audience = "item:"

  private let routes: AlertRoutesHolder
  private let now: @Sendable () -> Int64
  private let hour: Mutex<DigestHour>

  init(routes: AlertRoutesHolder, digestHour: Int, now: @escaping @Sendable () -> Int64) {
    self.routes = routes
    self.now = now
    hour = Mutex(DigestHour(hour: digestHour))
  }

  func replace(digestHour: Int) { hour.withLock { $0 = DigestHour(hour: digestHour) } }

  func routing(of alert: StoredAlert) async throws -> AlertRouting {
    guard alert.kind == .lookalike, let item = alert.item else { return AlertRouting() }
    let until = hour.withLock { $0 }.next(.daily, after: now())
    let daily = AlertDecision(.held(.daily, until: until))
    return AlertRouting(configured: nil, audiences: [.init(FileRouter.audience + item, daily)])
  }

  func decision(on held: HeldAlert) async throws -> AlertDecision { AlertDecision(.atOnce) }

  func targets(of audience: String) async throws -> [AlertTarget] {
    guard audience.hasPrefix(FileRouter.audience) else { return [] }
    return routes.routes.targets(ofItem: String(audience.dropFirst(FileRouter.audience.count)))
  }

  func reach(_ target: AlertTarget, with alert: StoredAlert) async throws -> AlertReach? { nil }

  func verdict(on certificate: CertificateAlert, for recipient: String) async throws -> CertificateVerdict? { nil }

  func refused(_ target: AlertTarget, words: String) async throws -> Bool { false }
}
