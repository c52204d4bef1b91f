import CertificateTransparency
import Foundation
import OrielMonitor
import OrielStore

/// Shows what a search finds. What belongs to a result goes to standard output, and in forms for programs the rest to
/// standard error.
struct SearchPrinter {
  enum Form {
    case table, json, pem
  }

  let form: Form

  func tell(_ results: [StoredSearch.Result], of count: Int) throws {
    switch form {
    case .json: for result in results { try Terminal.write(json: SearchLine(result), onOneLine: true) }
    case .pem: for result in results { try Terminal.write(pem(result.record)) }
    case .table where count == 1 && results.count == 1:
      let report = IssuanceReport(results[0].record)
      try Terminal.write(report.text(colour: Terminal.wantsColour, isWhole: true) + "\n")
    case .table where !results.isEmpty: try Terminal.write(SearchPrinter.table(results.map(\.summary)))
    case .table: break
    }
  }

  /// Says how many there are, and how to go on.
  func end(_ outcome: SearchOutcome) throws {
    var line = "\(outcome.count) found"
    if outcome.shown < outcome.count { line += ", \(outcome.shown) shown here" }
    if let next = outcome.next { line += "; go on with --after \(next)" }
    if form == .table, outcome.count > 0 { try Terminal.write(line + "\n") } else { Terminal.complain(line) }
    if outcome.isPartial {
      Terminal.complain("some that an older oriel stored can't be found by name before `oriel serve` has run a while")
    }
  }

  private func pem(_ record: IssuanceRecord) -> String {
    record.certificates.map { certificate in
      let head = "# issuance \(record.id), \(certificate.entryType), SHA-256 \(certificate.sha256)\n"
      guard certificate.isWhole else {
        return head + "# The log gave its TBSCertificate alone.\n"
      }
      let text = Data(certificate.der).base64EncodedString(options: [.lineLength64Characters, .endLineWithLineFeed])
      return head + "-----BEGIN CERTIFICATE-----\n\(text)\n-----END CERTIFICATE-----\n"
    }.joined()
  }

  private static let header = ["FIRST SEEN", "EXPIRES", "SERIAL", "NAMES", "ISSUER"]
  private static let mostNames = 3

  static func table(_ results: [IssuanceSummary]) -> String {
    let cells = results.map { result in
      let more = result.names.count - mostNames
      let isCut = result.names.count == IssuanceSummary.mostNames
      return [
        date(result.firstSeen / 1000), result.notAfter.map(date) ?? "?", result.serial ?? "?",
        result.names.prefix(mostNames).map(IssuanceReport.printable).joined(separator: " ")
          + (more > 0 ? " and \(more)\(isCut ? " or" : "") more" : ""),
        result.issuer.map(IssuanceReport.printable) ?? "can't be read",
      ]
    }
    let widths = header.indices.map { column in ([header] + cells).map { $0[column].count }.max() ?? 0 }
    return ([header] + cells).map { row in
      let padded = zip(row, widths).dropLast().map { $0 + String(repeating: " ", count: $1 - $0.count) }
      return (padded + row.suffix(1)).joined(separator: "  ") + "\n"
    }.joined()
  }

  private static func date(_ seconds: Int64) -> String {
    guard seconds >= 0 else { return "before 1970" }
    return String(Timestamp(milliseconds: UInt64(seconds) * 1000).description.prefix(10))
  }
}

/// A line of `oriel search --json`: what `oriel watch --json` says, and where it stands among the results.
private struct SearchLine: Encodable {
  let result: StoredSearch.Result

  enum CodingKeys: String, CodingKey {
    case cursor
    case firstSeen = "first_seen"
  }

  init(_ result: StoredSearch.Result) { self.result = result }

  func encode(to encoder: any Encoder) throws {
    try IssuanceReport(result.record).encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    let (summary, time) = (result.summary, UInt64(max(0, result.summary.firstSeen)))
    try container.encode("\(SearchCursor(firstSeen: summary.firstSeen, number: summary.number))", forKey: .cursor)
    try container.encode(Timestamp(milliseconds: time).description, forKey: .firstSeen)
  }
}
