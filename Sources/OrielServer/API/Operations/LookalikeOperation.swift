import OrielAccounts
import OrielStore

extension LookalikeRecord {
  static let schema = Schema.named(
    "Lookalike",
    [
      Field("id", .id, ""), Field("name", .text, "as it stands in the certificate"),
      Field("registrable", .text, "the part of it that somebody has registered"),
      .optional("unicode", .text, "the name as it looks, where that is not ASCII"),
      Field("reason", .text, "in what way it imitates: a word that never changes"),
      Field("sentence", .text, "the same for people"),
      Field("rating", .integer(0...100), "how likely it is meant to deceive"),
      Field("first_seen", .time, ""), Field("last_seen", .time, ""),
      Field("certificate_count", .count, "how many there are"),
      Field("issuance", IssuanceSummary.schema, "the newest of them"),
    ])

  var json: JSON {
    [
      "id": .text(String(id)), "name": .text(lookalike.name), "registrable": .text(lookalike.registrable),
      "unicode": lookalike.unicode.map { .text($0) }, "reason": .text(lookalike.reason),
      "sentence": .text(lookalike.sentence), "rating": .integer(Int64(lookalike.rating)),
      "first_seen": .time(firstSeen), "last_seen": .time(lastSeen), "certificate_count": .integer(Int64(count)),
      "issuance": issuance.json,
    ]
  }
}

extension APIOperation {
  static let lookalikes = APIOperation.get(
    "/domains/{domain}/lookalikes", "listLookalikes", "Names that imitate a domain, newest first.",
    query: [APICall.limitField, APICall.afterField], .page(LookalikeRecord.schema)
  ) { call in
    let page = try await call.accounts.lookalikes(
      try call.actor, of: call.domain, after: try call.cursor { Int64($0) }, limit: call.limit)
    return ["items": .list(page.results.map(\.json)), "next": page.next.map { .text(String($0)) }]
  }
}
