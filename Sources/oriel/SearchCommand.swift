import ArgumentParser
import CertificateTransparency
import Foundation
import OrielMonitor
import OrielStore

struct SearchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "search",
    abstract: "Search the certificates that were stored, by name, key, issuer, serial number, hash or date.",
    discussion: """
      Examples:
        oriel search example.com           for it and for names below it
        oriel search =www.example.com      for that name alone
        oriel search spki:HEX issuer:HEX   for this key, by this issuer's key
        oriel search serial:04a1 --pem     the certificate itself
        oriel search HEX                   by the SHA-256 of a certificate

      All that is given must hold. Results come newest first; --after goes on where the search before ended. The service
      may run meanwhile. The exit code is 0 also where nothing is found (docs/search.md).
      """)

  @Argument(
    help: ArgumentHelp(
      "example.com, =www.example.com, *.example.com, an address, spki:HEX, issuer:HEX, serial:HEX, or a SHA-256.",
      valueName: "query"))
  var words: [String] = []

  @OptionGroup var data: DataOptions

  @Option(help: ArgumentHelp("First seen at or after this date (2026-01-31) or time (RFC 3339).", valueName: "DATE"))
  var from: String?

  @Option(help: ArgumentHelp("First seen before this date or time.", valueName: "DATE"))
  var before: String?

  @Option(help: "No more than so many.")
  var limit = 50

  @Option(help: ArgumentHelp("Go on behind this place, which the search before gave.", valueName: "CURSOR"))
  var after: String?

  @Flag(help: "Print one JSON object a line (docs/search.md).")
  var json = false

  @Flag(help: "Print the certificates, in PEM.")
  var pem = false

  func validate() throws {
    _ = try terms()
    guard (1...1_000_000).contains(limit) else { throw ValidationError("--limit takes 1 to 1000000.") }
    guard after == nil || after.flatMap({ SearchCursor($0) }) != nil else {
      throw ValidationError("--after takes the place that a search before it gave, such as 1767225600000-17.")
    }
    guard !(json && pem) else { throw ValidationError("Give --json or --pem, not both.") }
  }

  func run() async throws { try await reportingFailures(work) }

  private func terms() throws -> SearchTerms {
    var terms = try SearchTerms(words)
    terms.query.from = try from.map { try SearchTerms.time($0, of: "--from") }
    terms.query.before = try before.map { try SearchTerms.time($0, of: "--before") }
    guard terms != SearchTerms() else {
      throw ValidationError("Nothing to look for: give a name, such as `oriel search example.com`, or --from DATE.")
    }
    return terms
  }

  private func work() async throws {
    let path = data.dataDir + "/oriel.db"
    guard FileManager.default.fileExists(atPath: path) else {
      throw CommandFailure(
        "there is no state in \(data.dataDir); give --data-dir, or start with `oriel watch NAME`", .badData)
    }
    let search = StoredSearch(database: try SQLiteDatabase(reading: path), terms: try terms(), limit: limit)
    let printer = SearchPrinter(form: json ? .json : pem ? .pem : .table)
    let outcome = try await search.run(after: after.flatMap { SearchCursor($0) }, printer.tell)
    try printer.end(outcome)
  }
}

/// What a search came to.
struct SearchOutcome: Sendable {
  /// All there were when it began, whatever the limit.
  var count = 0
  var shown = 0
  /// Where the next one goes on; nil if nothing is left.
  var next: SearchCursor?
  /// Whether some of what is stored can't be found by name yet.
  var isPartial = false
}

/// A search through the state, page by page, each page in a reading of its own.
struct StoredSearch {
  typealias Result = (summary: IssuanceSummary, record: IssuanceRecord)

  let database: SQLiteDatabase
  let terms: SearchTerms
  let limit: Int

  private struct Page: Sendable {
    var results: [Result] = []
    var next: SearchCursor?
    var count = 0
    var isPartial = false
  }

  /// - Parameter tell: takes each page, with the count of all results.
  func run(after cursor: SearchCursor?, _ tell: ([Result], Int) throws -> Void) async throws -> SearchOutcome {
    var outcome = SearchOutcome()
    outcome.next = cursor
    repeat {
      let isFirst = outcome.shown == 0
      let page = try await page(after: outcome.next, limit: min(100, limit - outcome.shown), isFirst: isFirst)
      if isFirst { (outcome.count, outcome.isPartial) = (page.count, page.isPartial) }
      try tell(page.results, outcome.count)
      outcome.shown += page.results.count
      outcome.next = page.next
    } while outcome.next != nil && outcome.shown < limit
    return outcome
  }

  private func page(after cursor: SearchCursor?, limit: Int, isFirst: Bool) async throws -> Page {
    try await database.read { [terms] connection in
      let query = try terms.query(connection)
      let found = try IssuanceSearch.page(connection, query, after: cursor, limit: limit)
      var page = Page()
      page.next = found.next
      page.results = try found.results.compactMap { summary in
        try IssuanceSearch.record(connection, summary.id).map { (summary, $0) }
      }
      if isFirst {
        page.count = try IssuanceSearch.count(connection, query, ceiling: nil).value
        page.isPartial = try query.name != nil && IssuanceSearch.hasOlder(connection)
      }
      return page
    }
  }
}
