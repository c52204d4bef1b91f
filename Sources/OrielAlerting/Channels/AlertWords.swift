import CertificateTransparency
import MerkleTree
import OrielStore

/// An alert in a few plain lines, where a channel has no form of its own.
struct AlertWords {
  /// How much is said.
  struct Extent {
    /// Certificates of a digest.
    let rows: Int
    let names: Int
    let reasons: Int
    /// Of each other kind of line.
    let others: Int
    /// Characters of one text.
    let text: Int

    static let whole = Extent(rows: 20, names: 8, reasons: 8, others: 4, text: 200)
    /// From all that there is to say to next to nothing.
    static let all = [
      whole, Extent(rows: 15, names: 6, reasons: 6, others: 3, text: 150),
      Extent(rows: 10, names: 4, reasons: 4, others: 2, text: 100),
      Extent(rows: 5, names: 3, reasons: 3, others: 1, text: 80),
      Extent(rows: 2, names: 1, reasons: 1, others: 1, text: 40),
    ]
  }

  let summary: String
  private(set) var lines: [String] = []
  private let extent: Extent
  private let quote: (String) -> String

  /// - Parameter quoted: makes a stranger's text of at most so many characters safe to show.
  init(
    _ alert: Alert, _ extent: Extent = .whole, quoted: @escaping (String, Int) -> String = { $0.oneLine(limit: $1) }
  ) {
    self.extent = extent
    let quote = { (text: String) in quoted(text, extent.text) }
    self.quote = quote
    switch alert.content {
    case .certificate(let found), .sample(let found):
      let prefix = alert.kind == "sample" ? "This is a test. " : ""
      summary = prefix + AlertWords.headline(found, extent, quote)
      addFacts(found)
    case .lookalike(let found):
      summary = AlertWords.headline(found, quote)
      lines = ["rating: \(found.lookalike.level.words)", "alike: \(quote(found.lookalike.sentence))"]
      addFacts(found.certificate)
    case .summary(let all, let period, let alike):
      let more = alike.isEmpty ? "" : " and \(counted(alike.count, "look-alike", "look-alikes"))"
      summary = "\(counted(all.count, "certificate", "certificates"))\(more) in the \(period.rawValue) digest"
      lines = AlertWords.lines(all, alike, extent, quote)
    case .caaChange(let change):
      summary = "The CAA records of \(quote(change.item)) have changed"
      let list = { (records: [String]) in
        records.isEmpty ? "none" : records.prefix(extent.names).map(quote).joined(separator: ", ")
      }
      lines = ["before: \(list(change.before))", "now: \(list(change.now))", "seen: \(change.seenAt)"]
    case .digest(let all, let alike):
      let more = alike.isEmpty ? "" : ", and \(alike.count) for names that look like them"
      let event = all.count == 1 ? "1 certificate was" : "\(all.count) certificates were"
      summary = "\(event) issued for watched names\(more)"
      lines = AlertWords.lines(all, alike, extent, quote)
    case .followUp(let found, let log, let reason):
      summary = "Not to be relied on: \(AlertWords.headline(found, extent, quote))"
      lines = ["log: \(quote(log))", "reason: \(quote(reason))"]
      addFacts(found)
    case .explained(let found):
      summary = "Explained: \(AlertWords.headline(found, extent, quote))"
      addFacts(found)
    case .logHealth(let health):
      summary = health.headline(quote)
      lines = health.operatorName.isEmpty ? [] : ["operator: \(quote(health.operatorName))"]
      lines.append("since: \(health.since)")
      if let reason = health.reason { lines.append("reason: \(quote(reason))") }
    case .deliveryHealth(let health):
      summary = health.summary
      lines = AlertWords.list(health.lines, limit: extent.rows)
    case .inventoryHealth(let health):
      summary = health.summary
      if let reason = health.reason { lines.append("reason: \(quote(reason))") }
      if let remedy = health.remedy { lines.append("what to do: \(remedy)") }
    case .short(let short):
      summary = short.summary.prefix(1).uppercased() + short.summary.dropFirst()
      lines = ["CA owner: \(short.owner)", "more: \(short.more)"]
    case .canary(let canary):
      summary = "No certificate for \(quote(canary.name)) has been seen"
      lines = ["due: \(canary.due)", "last seen: \(canary.lastSeen?.description ?? "never")"]
    case .heartbeat(let life):
      summary =
        "All is well: \(life.logCount == 1 ? "1 log is" : "\(life.logCount) logs are") read for "
        + counted(life.watchedCount, "watched name", "watched names")
      lines = ["since: \(life.since)", "certificates: \(life.certificateCount)"]
      lines += life.withheldReasons.prefix(extent.reasons).map { "was withheld: " + quote($0) }
    }
  }

  private static func headline(_ alert: CertificateAlert, _ extent: Extent, _ quote: (String) -> String) -> String {
    let item = quote(alert.item)
    guard !alert.matchedNames.isEmpty else { return "A certificate that can't be read may cover \(item)" }
    let most = min(3, extent.names)
    let names = alert.matchedNames.prefix(most).map(quote).joined(separator: ", ")
    let more = alert.matchedNames.count - most
    let verdict = alert.verdict.map { $0.words + ": certificate" } ?? "Certificate"
    return "\(verdict) for \(names)" + (more > 0 ? " and \(more) more" : "") + " (watching \(item))"
  }

  private static func headline(_ alert: LookalikeAlert, _ quote: (String) -> String) -> String {
    "Look-alike: certificate for \(quote(alert.lookalike.name)) (like \(quote(alert.lookalike.item)))"
  }

  private static func lines(
    _ all: [CertificateAlert], _ alike: [LookalikeAlert], _ extent: Extent, _ quote: (String) -> String
  ) -> [String] {
    list(all.worstFirst.map { headline($0, extent, quote) }, limit: extent.rows)
      + list(LookalikeLetter.ranked(alike).map { headline($0, quote) }, limit: extent.rows)
  }

  private static func list(_ items: [String], limit: Int) -> [String] {
    items.count <= limit ? items : items.prefix(limit) + ["and \(items.count - limit) more"]
  }

  private mutating func addFacts(_ alert: CertificateAlert) {
    let facts = alert.facts
    if let verdict = alert.verdict {
      lines.append("verdict: \(verdict.words)")
      for reason in verdict.reasons.prefix(extent.reasons) { lines.append("- " + quote(reason.sentence)) }
      if let step = verdict.steps.first {
        let contacts = step.contacts.prefix(extent.others).map(quote).joined(separator: " ")
        lines.append("do first: \(quote(step.title))" + (contacts.isEmpty ? "" : ": " + contacts))
      }
    }
    let sources: [FoundName.Source] = [.dnsName, .ipAddress, .email, .uri]
    let names = sources.flatMap { facts.text(of: $0) }
    lines.append("names: " + AlertWords.list(names, limit: extent.names).map(quote).joined(separator: " "))
    if let others = alert.otherItemLines(limit: extent.names) {
      lines.append("also matches: " + others.map(quote).joined(separator: " "))
    }
    lines.append("issuer: " + (facts.issuer.map { quote($0.description) } ?? "can't be read"))
    let time = { (seconds: Int64?) in seconds.map(CertificateJSON.time) ?? "?" }
    lines.append("valid: \(time(facts.notBefore)) to \(time(facts.notAfter))")
    lines.append("serial: \(quote(facts.serialNumber ?? "?"))")
    for certificate in alert.certificates.prefix(extent.others) {
      lines.append("\(certificate.entryType) sha256: \(certificate.sha256.hex)")
    }
    for sighting in alert.sightings.prefix(extent.others) {
      lines.append("seen: \(quote(sighting.log)) entry \(sighting.index) at \(sighting.timestamp)")
    }
    for problem in alert.problems.prefix(extent.others) { lines.append("problem: \(quote(problem))") }
    if let last = alert.earlier.first {
      lines.append("earlier: \(alert.earlierWords), the last by \(quote(last.issuer)), seen \(last.firstSeen)")
    } else {
      lines.append("earlier: none")
    }
  }
}
