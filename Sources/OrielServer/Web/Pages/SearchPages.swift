import CertificateTransparency
import MerkleTree
import OrielAccounts
import OrielStore

extension Site {
  func searchPage(_ visit: Visit) async throws -> Page {
    let actor = try visit.someone()
    var wrong: [String: String] = [:]
    let query = try await searchQuery(actor, visit.query, &wrong)
    let wasAsked = query != IssuanceQuery()
    var values: Values = [
      "inputs": inputs(["name", "hash", "serial", "key", "issuer", "from", "to"], visit.query, wrong)
    ]
    if wasAsked, wrong.isEmpty {
      let (page, count) = try await accounts.searchCounted(
        actor, query, after: visit.query["after"].flatMap { SearchCursor($0) }, limit: 30,
        ceiling: visit.query["count"] == "all" ? nil : 1000)
      let judged = try await accounts.judgements(actor, of: page.results.map(\.number))
      values["wasAsked"] = true
      values["countWords"] = Phrase.capitalised(Phrase.plural(count, "certificate", "certificates"))
      values["countAll"] =
        count.isExact ? nil : "/search?" + visit.query.query(without: ["count"], adding: [("count", "all")])
      values["results"] = page.results.map { found in
        judged[found.number].map { row($0, showsItem: true) } ?? row(found)
      }
      values["table"] = "/search.csv?" + visit.query.query(without: ["after", "count"])
      values["nextPage"] = page.next.map {
        "/search?" + visit.query.query(without: ["after", "count"], adding: [("after", "\($0)")])
      }
    }
    return Page("search", title: "Search", values, status: wrong.isEmpty ? 200 : 422)
  }

  /// What the fields of the search ask for.
  func searchQuery(_ actor: Actor, _ form: Form, _ wrong: inout [String: String]) async throws -> IssuanceQuery {
    var query = IssuanceQuery()
    query.name = name(form["name"], &wrong)
    query.publicKey = hash(form, "key", &wrong)
    query.issuerKey = hash(form, "issuer", &wrong)
    query.serial = serial(form["serial"], &wrong)
    (query.from, query.before) = days(form, &wrong)
    // A hash is a certificate's or an issuance's.
    query.certificate = hash(form, "hash", &wrong)
    if let hash = query.certificate, wrong.isEmpty,
      try await accounts.search(actor, query, limit: 1).results.isEmpty
    {
      (query.certificate, query.issuance) = (nil, IssuanceID(hash))
    }
    return query
  }

  private static let words: [String: (words: String, type: String, hint: String)] = [
    "name": ("Name", "text", "with all below it; =name for it alone"),
    "hash": ("Certificate’s or issuance’s SHA-256", "text", ""), "serial": ("Serial number", "text", "in hexadecimal"),
    "key": ("Key’s SHA-256", "text", ""), "issuer": ("Issuer’s key’s SHA-256", "text", ""),
    "from": ("Seen from", "date", ""), "to": ("Seen up to", "date", ""),
  ]

  func inputs(_ names: [String], _ query: Form, _ wrong: [String: String]) -> [Values] {
    names.map { name -> Values in
      let input = Site.words[name] ?? (name, "text", "")
      return [
        "input": name, "words": input.words, "type": input.type, "hint": input.hint.isEmpty ? nil : input.hint,
        "value": query[name] ?? "", "wrong": wrong[name],
      ]
    }
  }

  func name(_ text: String?, _ wrong: inout [String: String]) -> SearchName? {
    do {
      return try text.map { try SearchName(parsing: $0) }
    } catch {
      wrong["name"] = "\(error)"
      return nil
    }
  }

  /// The first millisecond of the first day, and that behind the last.
  func days(_ query: Form, _ wrong: inout [String: String]) -> (from: Int64?, before: Int64?) {
    let days = ["from", "to"].map { field -> Int64? in
      guard let text = query[field] else { return nil }
      let day = Phrase.start(ofDay: text)
      if day == nil { wrong[field] = "write a day, as 2026-01-31" }
      return day
    }
    if let from = days[0], let to = days[1], to < from { wrong["to"] = "that is before the first day" }
    return (days[0], days[1].map { $0 + 86_400_000 })
  }

  private func hash(_ query: Form, _ field: String, _ wrong: inout [String: String]) -> SHA256Hash? {
    guard let text = query[field] else { return nil }
    let hash = SHA256Hash(hex: text.lowercased().filter { $0 != ":" && $0 != " " })
    if hash == nil { wrong[field] = "a SHA-256 has 64 hexadecimal digits" }
    return hash
  }

  func serial(_ text: String?, _ wrong: inout [String: String]) -> String? {
    guard let text else { return nil }
    let serial = IssuanceQuery.serial(parsing: text)
    if serial == nil { wrong["serial"] = "write it in hexadecimal" }
    return serial
  }
}
