import CertificateTransparency
import Foundation
import MerkleTree
import OrielStore

/// Makes of what the outbox keeps what is to be said, as things stand now.
struct AlertComposer: Sendable {
  let store: AlertStore
  /// Knows the verdicts.
  let router: (any AlertRouter)?
  /// Say which items those watch whom the configuration names; nil where that is not to be said.
  let routes: AlertRoutesHolder?

  /// - Parameter target: to whom it is said, with their verdicts and items.
  func compose(
    _ stored: StoredAlert, for target: AlertTarget = AlertTarget(recipient: "", target: "")
  ) async throws -> Alert {
    Alert(
      id: stored.key, createdAt: Timestamp(clamping: stored.createdAt), content: try await content(of: stored, target))
  }

  private func content(of stored: StoredAlert, _ target: AlertTarget) async throws -> Alert.Content {
    switch stored.kind {
    case .certificate: return .certificate(try await certificate(stored, target))
    case .lookalike:
      var alert = try await lookalike(stored)
      alert.steps = try await router?.steps(on: alert) ?? []
      return .lookalike(alert)
    case .digest:
      var (members, lookalikes): ([CertificateAlert], [LookalikeAlert]) = ([], [])
      for member in try await store.alerts(inDigest: stored.id, for: target) {
        if member.kind == .lookalike {
          lookalikes.append(try await lookalike(member))
        } else {
          members.append(try await certificate(member, target))
        }
      }
      // A burst's digest has no content of its own.
      guard let period = stored.content.flatMap({ DigestPeriod(rawValue: String(decoding: $0, as: UTF8.self)) })
      else { return .digest(members, lookalikes: lookalikes) }
      return .summary(members, period, lookalikes: lookalikes)
    case .followUp:
      let words = String(decoding: stored.content ?? [], as: UTF8.self).split(separator: "\n", maxSplits: 1)
      let alert = try await certificate(stored, target)
      let logID = words.first.map(String.init) ?? ""
      let log = alert.sightings.first { $0.logID.description == logID }?.log ?? logID
      return .followUp(alert, log: log, reason: words.dropFirst().first.map(String.init) ?? "")
    case .explained: return .explained(try await certificate(stored, target))
    case .sample: return .sample(SampleCertificate.alert(at: Timestamp(clamping: stored.createdAt)))
    case .deliveryHealth: return .deliveryHealth(try await deliveryHealth(stored))
    case .inventoryHealth: return .inventoryHealth(try stored.decoded(StoredContent.InventoryHealth.self).alert)
    case .logHealth: return .logHealth(try stored.decoded(StoredContent.LogHealth.self).alert)
    case .canary: return .canary(try stored.decoded(StoredContent.Canary.self).alert)
    case .caaChange: return .caaChange(try CAAChangeAlert.Stored(stored).alert)
    case .heartbeat: return .heartbeat(try stored.decoded(StoredContent.Heartbeat.self).alert)
    }
  }

  /// The short form of what a delivery is about; nil if that is no certificate.
  func short(_ delivery: StoredDelivery) async throws -> ShortAlert? {
    let (alert, target) = (delivery.alert, AlertTarget(delivery))
    let all = alert.kind == .digest ? try await store.alerts(inDigest: alert.id, for: target) : [alert]
    let members = all.filter { $0.kind == .certificate }
    var alerts: [CertificateAlert] = []
    // So many are enough to tell how bad it is.
    for member in members.prefix(100) { alerts.append(try await certificate(member, target)) }
    return ShortAlert(alerts, count: members.count, number: delivery.id)
  }

  private func deliveryHealth(_ stored: StoredAlert) async throws -> DeliveryHealthAlert {
    let content = try stored.decoded(StoredContent.DeliveryHealth.self)
    var alert = DeliveryHealthAlert()
    (alert.failing, alert.recovered) = (content.failing.map(\.alert), content.recovered.map(\.alert))
    alert.omitted = content.omitted
    for id in content.undelivered {
      guard let delivery = try await store.delivery(id), let short = try await short(delivery) else { continue }
      alert.undelivered.append(
        DeliveryHealthAlert.Undelivered(
          short: short, place: DeliveryPlace(delivery.target), reason: delivery.words ?? "",
          isGivenUp: delivery.state == .givenUp))
    }
    return alert
  }

  /// Nobody judges it: it is not for the domain.
  private func lookalike(_ stored: StoredAlert) async throws -> LookalikeAlert {
    guard let lookalike = stored.lookalike else { throw UnreadableAlert(key: stored.key) }
    var certificate = try await facts(stored)
    certificate.matchedNames = [lookalike.name]
    (certificate.earlier, certificate.earlierCount) = ([], 0)
    return LookalikeAlert(certificate: certificate, lookalike: lookalike)
  }

  private func certificate(_ stored: StoredAlert, _ target: AlertTarget) async throws -> CertificateAlert {
    var alert = try await facts(stored)
    alert.verdict = try await router?.verdict(on: alert, for: target.recipient)
    let routes = routes?.routes
    let items = try await store.items(matchedBy: alert.issuance, for: target) { item in
      routes?.targets(ofItem: item).contains(target) ?? false
    }
    alert.add(otherItems: items.kept, uncounted: items.others)
    return alert
  }

  private func facts(_ stored: StoredAlert) async throws -> CertificateAlert {
    guard let issuance = stored.issuance, let item = stored.item else { throw UnreadableAlert(key: stored.key) }
    let (record, earlier, count) = try await store.certificate(issuance, item: item, alert: stored.id)
    return CertificateAlert(
      item: item, matchedNames: record.matches.lazy.map(\.name).uniqued(), issuance: issuance,
      issuerKeyHash: record.issuerKeyHash, facts: record.facts,
      certificates: record.certificates.map {
        CertificateAlert.Certificate(entryType: $0.entryType, sha256: $0.sha256, der: $0.der)
      },
      sightings: record.sightings.map {
        CertificateAlert.Sighting(
          log: $0.log, logID: $0.logID, index: $0.index, timestamp: Timestamp(milliseconds: $0.timestamp))
      },
      problems: record.sightings.flatMap(\.problems).uniqued(),
      earlier: earlier.map {
        CertificateAlert.Earlier(
          issuer: $0.issuer, issuerKeyHash: $0.issuerKeyHash, notBefore: $0.notBefore,
          firstSeen: Timestamp(clamping: $0.firstSeen))
      }, earlierCount: count)
  }
}

/// A row that this program can't have written.
struct UnreadableAlert: Error, CustomStringConvertible {
  let key: String
  var description: String { "the alert \(key) in the database can't be read" }
}

extension Timestamp {
  /// Milliseconds since 1970; what is before counts as 1970.
  init(clamping milliseconds: Int64) { self.init(milliseconds: UInt64(max(0, milliseconds))) }
}

extension StoredAlert {
  func decoded<Value: Decodable>(_ type: Value.Type) throws -> Value {
    guard let value = try? JSONDecoder().decode(type, from: Data(content ?? [])) else {
      throw UnreadableAlert(key: key)
    }
    return value
  }
}

/// How the outbox keeps alerts that are not about certificates.
enum StoredContent {
  struct LogHealth: Codable {
    let log, operatorName, state: String
    let since: Int64
    let reason: String?

    var alert: LogHealthAlert {
      LogHealthAlert(
        log: log, operatorName: operatorName, state: state, since: Timestamp(clamping: since), reason: reason)
    }
  }

  struct InventoryHealth: Codable {
    let folder: String
    let reason: String?
    let since: Int64

    var alert: InventoryHealthAlert {
      InventoryHealthAlert(folder: folder, reason: reason, since: Timestamp(clamping: since))
    }
  }

  struct Canary: Codable {
    let name: String
    let due: Int64
    let lastSeen: Int64?

    var alert: CanaryAlert {
      CanaryAlert(name: name, due: Timestamp(clamping: due), lastSeen: lastSeen.map { Timestamp(clamping: $0) })
    }
  }

  struct Heartbeat: Codable {
    let logs, watched, certificates: Int
    let since: Int64
    /// Whom it is for; nil in those of older versions, which were for everybody.
    var recipient: String?
    var withheld: Withheld?

    var alert: HeartbeatAlert {
      var alert = HeartbeatAlert(
        logCount: logs, watchedCount: watched, since: Timestamp(clamping: since), certificateCount: certificates)
      alert.withheldReasons = withheld?.reasons ?? []
      return alert
    }
  }

  /// Why a heartbeat did not come at its time.
  struct Withheld: Codable {
    static let mostReasons = 8

    var reasons: [String]
  }

  static func encode(_ value: some Encodable) throws -> [UInt8] { [UInt8](try JSONEncoder().encode(value)) }
}
