import CertificateTransparency
import Foundation
import MerkleTree
import OrielStore

/// The variables that tell a command of an alert: `ORIEL_…`, and those that certspotter's hook scripts know.
///
/// Each is one line of bounded length, for systems bound the environment: a certificate of a thousand names must not be
/// one that no command can be started for.
struct HookEnvironment {
  private(set) var variables: [String: String] = [:]

  init(_ delivery: Delivery) {
    let alert = delivery.alert
    set("SUMMARY", AlertWords(alert).summary)
    set("EVENT", HookEnvironment.event(alert))
    set("ORIEL_KIND", alert.kind)
    set("ORIEL_ALERT_ID", alert.id)
    set("ORIEL_DELIVERY_ID", delivery.id)
    set("ORIEL_CREATED_AT", alert.createdAt.description)
    switch alert.content {
    case .certificate, .sample, .explained: break
    case .lookalike(let found):
      set("ORIEL_LOOKALIKE_NAME", found.lookalike.name)
      set("ORIEL_LOOKALIKE_DOMAIN", found.lookalike.registrable)
      set("ORIEL_LOOKALIKE_LEVEL", found.lookalike.level.rawValue)
      set("ORIEL_LOOKALIKE_REASON", found.sentence)
    case .digest(let all, let alike):
      set("ORIEL_CERTIFICATE_COUNT", String(all.count))
      set("ORIEL_LOOKALIKE_COUNT", String(alike.count))
    case .summary(let all, let period, let alike):
      set("ORIEL_CERTIFICATE_COUNT", String(all.count))
      set("ORIEL_LOOKALIKE_COUNT", String(alike.count))
      set("ORIEL_PERIOD", period.rawValue)
    case .caaChange(let change):
      set("ORIEL_ITEM", change.item)
      set("ORIEL_CAA_BEFORE", change.before)
      set("ORIEL_CAA_NOW", change.now)
    case .followUp(_, let log, let reason):
      set("ORIEL_LOG", log)
      set("ORIEL_REASON", reason)
    case .logHealth(let health):
      set("ORIEL_LOG", health.log)
      set("ORIEL_OPERATOR", health.operatorName)
      set("ORIEL_STATE", health.state)
      set("ORIEL_SINCE", health.since.description)
      set("ORIEL_REASON", health.reason)
    case .deliveryHealth(let health):
      set("ORIEL_TROUBLES", health.lines)
    case .inventoryHealth(let health):
      set("ORIEL_FOLDER", health.folder)
      set("ORIEL_SINCE", health.since.description)
      set("ORIEL_REASON", health.reason)
    case .short(let short):
      set("ORIEL_DOMAIN", short.domain)
      set("ORIEL_VERDICT", short.level?.rawValue)
      set("ORIEL_CA_OWNER", short.caOwner)
      set("ORIEL_CERTIFICATE_COUNT", String(short.certificateCount))
      set("ORIEL_PAGE", short.page)
      set("ORIEL_DELIVERY_NUMBER", String(short.number))
    case .canary(let canary):
      set("ORIEL_NAME", canary.name)
      set("ORIEL_DUE", canary.due.description)
      set("ORIEL_LAST_SEEN", canary.lastSeen?.description)
    case .heartbeat(let life):
      set("ORIEL_LOG_COUNT", String(life.logCount))
      set("ORIEL_WATCHED_COUNT", String(life.watchedCount))
      set("ORIEL_SINCE", life.since.description)
      set("ORIEL_CERTIFICATE_COUNT", String(life.certificateCount))
      set("ORIEL_WITHHELD", life.withheldReasons)
    }
    if let certificate = alert.certificate { describe(certificate) }
  }

  private static func event(_ alert: Alert) -> String {
    switch alert.content {
    // Matched by nothing that could be read.
    case .certificate(let found) where found.matchedNames.isEmpty: "malformed_cert"
    case .certificate, .sample: "discovered_cert"
    case .lookalike: "lookalike_cert"
    case .logHealth(let health): health.state == "current" ? "recovered" : "error"
    case .deliveryHealth(let health): health.isWell ? "recovered" : "error"
    case .inventoryHealth(let health): health.reason == nil ? "recovered" : "error"
    case .short: "short"
    case .canary: "error"
    case .caaChange: "caa_change"
    case .digest, .summary: "digest"
    case .followUp: "follow_up"
    case .explained: "explained"
    case .heartbeat: "heartbeat"
    }
  }

  private mutating func describe(_ alert: CertificateAlert) {
    let facts = alert.facts
    set("ORIEL_ITEM", alert.item)
    set("ORIEL_MATCHED_NAMES", alert.matchedNames)
    set("ORIEL_ALSO_MATCHES", alert.otherItems)
    set("ORIEL_ALSO_MATCHES_COUNT", String(alert.otherItemCount))
    set("ORIEL_DNS_NAMES", facts.text(of: .dnsName))
    set("ORIEL_ISSUANCE", alert.issuance.description)
    set("ORIEL_ISSUER_ORGANISATION", facts.issuer?.organisation)
    set("ORIEL_KEY_TYPE", facts.keyType?.description)
    set("ORIEL_EARLIER_COUNT", String(alert.earlierCount))
    if let verdict = alert.verdict {
      set("ORIEL_VERDICT", verdict.level.rawValue)
      set("ORIEL_VERDICT_PROVEN", verdict.isProven ? "1" : "0")
      set("ORIEL_VERDICT_REASONS", verdict.reasons.map(\.sentence))
      set("ORIEL_REPORT_TO", verdict.reportTo)
    }
    set("WATCH_ITEM", alert.item)
    set("TBS_SHA256", alert.tbsHash?.hex)
    set("CERT_SHA256", alert.certificates.first?.sha256.hex)
    set("PUBKEY_SHA256", facts.publicKeyHash?.hex)
    if let sighting = alert.sightings.first {
      set("LOG_URI", sighting.log)
      set("ENTRY_INDEX", String(sighting.index))
    }
    if alert.matchedNames.isEmpty {
      set("PARSE_ERROR", alert.problems.isEmpty ? "unknown" : alert.problems.joined(separator: "; "))
    }
    if let notBefore = facts.notBefore, let notAfter = facts.notAfter {
      setTime("NOT_BEFORE", notBefore)
      setTime("NOT_AFTER", notAfter)
    } else {
      set("VALIDITY_PARSE_ERROR", "not before and not after can't both be read")
    }
    set("SUBJECT_DN", facts.subject?.description, or: "SUBJECT_PARSE_ERROR")
    set("ISSUER_DN", facts.issuer?.description, or: "ISSUER_PARSE_ERROR")
    set("SERIAL", facts.serialNumber, or: "SERIAL_PARSE_ERROR")
  }

  // MARK: - Values

  private static let mostBytes = 8192

  private mutating func set(_ name: String, _ value: String?) {
    guard let value else { return }
    variables[name] = value.oneLine(limit: HookEnvironment.mostBytes).cut(toBytes: HookEnvironment.mostBytes)
  }

  /// One to a line, as many as there is room for.
  private mutating func set(_ name: String, _ values: [String]) {
    var room = HookEnvironment.mostBytes
    let lines = values.lazy.map { $0.oneLine(limit: 1024) }.prefix { line in
      room -= line.utf8.count + 1
      return room >= 0
    }
    variables[name] = lines.joined(separator: "\n")
  }

  private mutating func set(_ name: String, _ value: String?, or problem: String) {
    set(value == nil ? problem : name, value ?? "it can't be read")
  }

  private mutating func setTime(_ name: String, _ seconds: Int64) {
    let text = CertificateJSON.time(seconds)
    set(name, text.replacing("T", with: " ").replacing("Z", with: " +0000 UTC"))
    set(name + "_UNIXTIME", String(seconds))
    set(name + "_RFC3339", text)
  }
}
