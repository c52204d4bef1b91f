import CertificateTransparency
import Foundation
import MerkleTree
package import OrielStore

/// An issuance as it is told: one JSON object, or a few lines of text. The JSON is documented in `docs/watch-json.md`.
package struct IssuanceReport: Sendable, Encodable {
  struct Match: Sendable, Encodable {
    let item: String
    let name: String
  }

  struct Certificate: Sendable, Encodable {
    let entryType: String
    let sha256: String
  }

  struct Sighting: Sendable, Encodable {
    let logID: String
    let log: String
    let index: UInt64
    let timestamp: String
    let suspect: Bool

    enum CodingKeys: String, CodingKey {
      case logID = "log_id"
      case log, index, timestamp, suspect
    }
  }

  let issuance: String
  let update: Bool
  /// Of many, the first ones.
  let matches: [Match]
  let matchCount: Int
  let dnsNames: [String]
  let ipAddresses: [String]
  let emailAddresses: [String]
  let uris: [String]
  let commonNames: [String]
  let issuer: String?
  let notBefore: String?
  let notAfter: String?
  let serial: String?
  let spkiSHA256: String?
  let certificates: [Certificate]
  let sightings: [Sighting]
  let problems: [String]

  /// Seconds since 1970.
  package let expiry: Int64?

  enum CodingKeys: String, CodingKey {
    case issuance, update, matches, issuer, serial, certificates, sightings, problems
    case matchCount = "match_count"
    case dnsNames = "dns_names"
    case ipAddresses = "ip_addresses"
    case emailAddresses = "email_addresses"
    case uris
    case commonNames = "common_names"
    case notBefore = "not_before"
    case notAfter = "not_after"
    case spkiSHA256 = "spki_sha256"
  }

  package init(_ record: IssuanceRecord) {
    let facts = record.facts
    issuance = record.id.description
    update = record.isUpdate
    matches = record.matches.prefix(IssuanceReport.mostMatches).map { Match(item: $0.item, name: $0.name) }
    matchCount = record.matchCount
    func names(_ sources: FoundName.Source...) -> [String] {
      sources.flatMap(facts.text(of:)).uniqued()
    }
    dnsNames = names(.dnsName)
    ipAddresses = names(.ipAddress)
    emailAddresses = names(.email, .smtpUTF8Mailbox)
    uris = names(.uri)
    commonNames = facts.commonNames.uniqued()
    issuer = facts.issuer?.description
    notBefore = facts.notBefore.map(IssuanceReport.text)
    notAfter = facts.notAfter.map(IssuanceReport.text)
    serial = facts.serialNumber
    spkiSHA256 = facts.publicKeyHash?.hex
    certificates = record.certificates.map { Certificate(entryType: $0.entryType, sha256: $0.sha256.hex) }
    sightings = record.sightings.map { sighting in
      Sighting(
        logID: sighting.logID.description, log: sighting.log, index: sighting.index,
        timestamp: Timestamp(milliseconds: sighting.timestamp).description, suspect: sighting.isSuspect)
    }
    problems = record.sightings.flatMap(\.problems).uniqued()
    expiry = facts.notAfter
  }

  /// A wildcard such as `*.com` can match everything that is watched.
  private static let mostMatches = 100

  private static func text(_ seconds: Int64) -> String {
    guard seconds >= 0 else { return "before 1970-01-01T00:00:00Z" }
    return Timestamp(milliseconds: UInt64(seconds) * 1000).description
  }

  /// One line of JSON.
  package func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .useDefaultKeys
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self)
  }

  /// A few lines for a person, ready for a terminal: nothing in them can move its cursor or turn its text around.
  ///
  /// - Parameter isWhole: whether all is told again, though an earlier sighting has been told of.
  package func text(colour: Bool, isWhole: Bool = false) -> String {
    let bold = { (text: String) in colour ? "\u{1b}[1m\(text)\u{1b}[0m" : text }
    let shownItems = matches.prefix(8)
    let items =
      shownItems.map { "\(IssuanceReport.printable($0.name)) (watching \($0.item))" }.joined(separator: ", ")
      + (matchCount > shownItems.count ? " and \(matchCount - shownItems.count) more" : "")
    if update, !isWhole, let last = sightings.last {
      return "seen again  \(items)\n" + IssuanceReport.line(last) + problemLines
    }
    var lines = [bold("certificate " + items)]
    let names = dnsNames + ipAddresses + emailAddresses + uris
    let shown = names.prefix(8).map(IssuanceReport.printable).joined(separator: " ")
    lines.append("  names     " + shown + (names.count > 8 ? " and \(names.count - 8) more" : ""))
    lines.append("  issuer    " + (issuer.map(IssuanceReport.printable) ?? "can't be read"))
    lines.append("  valid     \(notBefore ?? "?") to \(notAfter ?? "?")")
    lines.append("  serial    \(serial ?? "?")")
    for certificate in certificates {
      lines.append("  \(certificate.entryType.padded(to: 9)) sha256 \(certificate.sha256)")
    }
    return (lines.joined(separator: "\n") + "\n") + sightings.map(IssuanceReport.line).joined() + problemLines
  }

  private static func line(_ sighting: Sighting) -> String {
    "  seen      \(printable(sighting.log)) entry \(sighting.index) at \(sighting.timestamp)"
      + (sighting.suspect ? " (that log's tree does not add up)\n" : "\n")
  }

  private var problemLines: String { problems.map { "  problem   " + IssuanceReport.printable($0) + "\n" }.joined() }

  /// The text with everything escaped that could fool a reader or a terminal.
  package static func printable(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: \.isDeceptive) else { return text }
    return text.unicodeScalars.reduce(into: "") { result, scalar in
      result += scalar.isDeceptive ? "\\u{\(String(scalar.value, radix: 16))}" : String(Character(scalar))
    }
  }
}

extension IssuanceReport.Certificate {
  enum CodingKeys: String, CodingKey {
    case entryType = "entry_type"
    case sha256
  }
}

extension String {
  fileprivate func padded(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }
}
