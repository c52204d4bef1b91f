import CertificateTransparency
import Foundation
import OrielStore

/// An alert as programs get it, documented in `docs/webhook.md`.
///
/// All of it is bounded: a certificate with a hundred thousand names must not make an alert that nobody takes.
package struct AlertJSON: Sendable, Encodable {
  /// Counts up when a field changes its meaning; new fields may come at any time.
  package static let version = 1

  struct Digest: Sendable, Encodable {
    let certificates: [CertificateJSON]
    /// How many more there are.
    let omitted: Int
    /// Names that imitate; absent where there are none.
    var lookalikes: [Lookalike]?
    /// `daily` or `weekly`; absent where a burst of certificates made it.
    var period: String?
  }

  struct Lookalike: Sendable, Encodable {
    let item: String
    let name: String
    let unicodeName: String?
    let registrableDomain: String
    let reason: String
    let sentence: String
    let rating: Int
    let level: String
    let certificate: CertificateJSON

    init(_ alert: LookalikeAlert, _ extent: CertificateJSON.Extent) {
      item = alert.lookalike.item.bounded
      name = alert.lookalike.name.bounded
      unicodeName = alert.unicode?.bounded
      registrableDomain = alert.lookalike.registrable.bounded
      reason = alert.lookalike.reason
      sentence = alert.sentence.bounded
      rating = alert.lookalike.rating
      level = alert.lookalike.level.rawValue
      certificate = CertificateJSON(alert.certificate, extent)
    }
  }

  struct FollowUp: Sendable, Encodable {
    let log: String
    let reason: String
    let certificate: CertificateJSON
  }

  struct InventoryHealth: Sendable, Encodable {
    let folder: String
    let state: String
    let since: String
    let reason: String?
    let remedy: String?
  }

  struct LogHealth: Sendable, Encodable {
    let log: String
    let `operator`: String
    let state: String
    let since: String
    let reason: String?
  }

  struct DeliveryHealth: Sendable, Encodable {
    struct Target: Sendable, Encodable {
      let target: String
      let since: String
      let reason: String
      let waiting: Int

      init(_ target: DeliveryHealthAlert.Target) {
        self.target = target.place.description.bounded
        (since, reason, waiting) = (target.since.description, target.reason.bounded, target.waiting)
      }
    }

    struct Undelivered: Sendable, Encodable {
      let target: String
      let reason: String
      let isGivenUp: Bool
      let alert: Short

      init(_ undelivered: DeliveryHealthAlert.Undelivered) {
        target = undelivered.place.description.bounded
        (reason, isGivenUp) = (undelivered.reason.bounded, undelivered.isGivenUp)
        alert = Short(undelivered.short)
      }
    }

    let failing: [Target]
    let recovered: [Target]
    let undelivered: [Undelivered]
    /// How many more there are.
    let omitted: Int
  }

  struct Short: Sendable, Encodable {
    let domain: String
    let verdict: String?
    let caOwner: String?
    let certificateCount: Int
    let url: String?
    let number: Int64

    init(_ short: ShortAlert) {
      domain = short.domain.bounded
      (verdict, caOwner) = (short.level?.rawValue, short.caOwner?.bounded)
      (certificateCount, url, number) = (short.certificateCount, short.page?.bounded, short.number)
    }
  }

  struct Canary: Sendable, Encodable {
    let name: String
    let due: String
    let lastSeen: String?
  }

  struct CAAChange: Sendable, Encodable {
    let item: String
    let before: [String]
    let now: [String]
    let seenAt: String
  }

  struct Heartbeat: Sendable, Encodable {
    let logCount: Int
    let watchedCount: Int
    let since: String
    let certificateCount: Int
    /// Why an earlier one was withheld; absent if none was.
    let withheld: [String]?
  }

  let version = AlertJSON.version
  let id: String
  let kind: String
  let createdAt: String
  // One of these.
  private(set) var certificate: CertificateJSON?
  private(set) var lookalike: Lookalike?
  private(set) var digest: Digest?
  private(set) var followUp: FollowUp?
  private(set) var logHealth: LogHealth?
  private(set) var deliveryHealth: DeliveryHealth?
  private(set) var inventoryHealth: InventoryHealth?
  private(set) var short: Short?
  private(set) var canary: Canary?
  private(set) var caaChange: CAAChange?
  private(set) var heartbeat: Heartbeat?

  private static let (mostInDigest, leastInDigest) = (100, 10)

  /// - Parameter isShortened: for a receiver that the whole of it is too much for.
  package init(_ alert: Alert, isShortened: Bool = false) {
    let extent = isShortened ? CertificateJSON.Extent.brief : .whole
    let most = isShortened ? AlertJSON.leastInDigest : AlertJSON.mostInDigest
    id = alert.id
    kind = alert.kind
    createdAt = alert.createdAt.description
    switch alert.content {
    case .certificate(let found), .sample(let found), .explained(let found):
      certificate = CertificateJSON(found, extent)
    case .lookalike(let found): lookalike = Lookalike(found, extent)
    case .digest(let all, let alike): digest = AlertJSON.digest(all, alike, most)
    case .summary(let all, let period, let alike): digest = AlertJSON.digest(all, alike, most, period)
    case .followUp(let found, let log, let reason):
      followUp = FollowUp(log: log.bounded, reason: reason.bounded, certificate: CertificateJSON(found, extent))
    case .logHealth(let health):
      logHealth = LogHealth(
        log: health.log.bounded, operator: health.operatorName.bounded, state: health.state,
        since: health.since.description, reason: health.reason?.bounded)
    case .deliveryHealth(let health):
      deliveryHealth = DeliveryHealth(
        failing: health.failing.map(DeliveryHealth.Target.init),
        recovered: health.recovered.map(DeliveryHealth.Target.init),
        undelivered: health.undelivered.map(DeliveryHealth.Undelivered.init), omitted: health.omitted)
    case .inventoryHealth(let health):
      inventoryHealth = InventoryHealth(
        folder: health.folder.bounded, state: health.reason == nil ? "listed" : "unlisted",
        since: health.since.description, reason: health.reason?.bounded, remedy: health.remedy)
    case .short(let found): short = Short(found)
    case .canary(let missing):
      canary = Canary(
        name: missing.name.bounded, due: missing.due.description, lastSeen: missing.lastSeen?.description)
    case .caaChange(let change):
      caaChange = CAAChange(
        item: change.item.bounded, before: change.before.prefix(50).map(\.bounded),
        now: change.now.prefix(50).map(\.bounded), seenAt: change.seenAt.description)
    case .heartbeat(let life):
      heartbeat = Heartbeat(
        logCount: life.logCount, watchedCount: life.watchedCount, since: life.since.description,
        certificateCount: life.certificateCount,
        withheld: life.withheldReasons.isEmpty ? nil : life.withheldReasons.map(\.bounded))
    }
  }

  private static func digest(
    _ all: [CertificateAlert], _ alike: [LookalikeAlert], _ most: Int, _ period: DigestPeriod? = nil
  ) -> Digest {
    let told = all.worstFirst.prefix(most)
    let names = LookalikeLetter.ranked(alike).prefix(most)
    return Digest(
      certificates: told.map { CertificateJSON($0, .brief) },
      omitted: all.count - told.count + alike.count - names.count,
      lookalikes: names.isEmpty ? nil : names.map { Lookalike($0, .brief) }, period: period?.rawValue)
  }

  /// One line of JSON, its keys sorted.
  package func encoded() throws -> [UInt8] { try JSONEncoder.sorted.encode(self).map { $0 } }
}

extension JSONEncoder {
  /// Writes `logId` as `log_id`.
  static var sorted: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return encoder
  }
}

extension String {
  /// As much of a text as is told.
  var bounded: String { cut(toBytes: 1024) }
}
