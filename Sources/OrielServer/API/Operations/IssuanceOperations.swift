import CertificateTransparency
import HTTPTypes
import MerkleTree
import OrielAccounts
import OrielStore

extension APIOperation {
  private static let times = [
    Field.optional("from", .time, "first seen from then on"), .optional("before", .time, "first seen before then"),
  ]
  private static let counting = [
    APICall.limitField, APICall.afterField,
    .optional("count", .flag, "whether to say how many there are, up to 100,000"),
  ]
  private static let name = Field.optional(
    "name", .text(most: 512), "for this name and those below it; with `=` before it, for it alone")
  private static let countField = Field.optional("count", SearchCount.schema, "if it was asked for")
  private static let countCeiling = 100_000

  static let ofIssuances: [APIOperation] = [
    .get(
      "/issuances", "listIssuances", "Certificates with what was made of them, newest first.",
      query: [
        .optional("domain", .id, "of this domain alone"),
        .optional("level", .list(.choice(VerdictLevel.allCases), most: 4), "may be given several times"),
        .optional("state", .list(.choice(Judgement.State.allCases), most: 4), "may be given several times"), name,
      ] + times + counting, .page(Judgement.schema, [countField])
    ) { call in try await history(call) },
    .get(
      "/issuances/{issuance}", "getIssuance", "All that is known of one certificate.", WholeIssuance.schema
    ) { call in
      let (actor, id) = (try call.actor, try call.issuance)
      let record = try await call.accounts.record(actor, id)
      return WholeIssuance.json(
        record, try await call.accounts.judgements(actor, of: id), try await call.accounts.happenings(actor, of: id))
    },
    .get(
      "/domains/{domain}/issuances/{issuance}", "getJudgement", "What was made of a certificate for a domain.",
      Judgement.schema
    ) { call in
      try await call.accounts.judgement(try call.actor, of: call.domain, try call.issuance).json
    },
    .change(
      .patch, "/domains/{domain}/issuances/{issuance}", "changeJudgement",
      "Says what is thought of a certificate. What is claimed goes into the inventory; what no longer is leaves it.",
      body: [
        Field("state", .choice(Judgement.State.allCases), "`claimed`: this was us; `denied`: this was not us"),
        .optional("note", .text(most: 4000), ""),
      ], Judgement.schema
    ) { call in
      let state = call.body["state"]?.text.flatMap(Judgement.State.init(rawValue:)) ?? .new
      return try await call.accounts.setState(
        try call.actor, of: call.domain, try call.issuance, to: state, note: call.body["note"]?.text
      ).json
    },
    .get(
      "/search", "search", "Certificates that were judged for the account; all that is given must hold.",
      query: [
        name, .optional("spki_sha256", .hash, "with this key"),
        .optional("issuer_key_sha256", .hash, "by the issuer with this key"),
        .optional("serial", .text(most: IssuanceQuery.longestSerial), "in hexadecimal"),
        .optional("certificate", .hash, "the SHA-256 of a certificate or precertificate"),
        .optional("issuance", .hash, "with this identity"),
      ] + times + counting, .page(IssuanceSummary.schema, [countField])
    ) { call in try await search(call) },
  ]

  private static func history(_ call: APICall) async throws -> JSON {
    let actor = try call.actor
    var filter = HistoryFilter()
    filter.levels = Set(call.texts("level").compactMap(VerdictLevel.init(rawValue:)))
    filter.states = Set(call.texts("state").compactMap(Judgement.State.init(rawValue:)))
    filter.name = try call.query["name"]?.text.map { try SearchName(parsing: $0) }
    (filter.from, filter.before) = (call.query["from"]?.time, call.query["before"]?.time)
    let domain = call.query["domain"]?.text.flatMap { DomainID($0) }
    let page = try await call.accounts.history(
      actor, of: domain, filter, after: try call.cursor { HistoryCursor($0) }, limit: call.limit)
    var count: SearchCount?
    if call.query["count"]?.flag == true {
      count = try await call.accounts.historyCount(actor, of: domain, filter, ceiling: countCeiling)
    }
    return [
      "items": .list(page.results.map(\.json)), "next": page.next.map { .text("\($0)") }, "count": count?.json,
    ]
  }

  private static func search(_ call: APICall) async throws -> JSON {
    let actor = try call.actor
    func hash(_ field: String) -> SHA256Hash? { call.query[field]?.text.flatMap { SHA256Hash(hex: $0) } }
    var query = IssuanceQuery()
    query.name = try call.query["name"]?.text.map { try SearchName(parsing: $0) }
    query.publicKey = hash("spki_sha256")
    query.issuerKey = hash("issuer_key_sha256")
    query.certificate = hash("certificate")
    query.issuance = hash("issuance").map { IssuanceID($0) }
    var wrong: [String: String] = [:]
    query.serial = call.site.serial(call.query["serial"]?.text, &wrong)
    guard wrong.isEmpty else {
      throw APIProblem.fields(wrong.map { FieldError(field: $0.key, reason: $0.value) })
    }
    (query.from, query.before) = (call.query["from"]?.time, call.query["before"]?.time)
    let cursor = try call.cursor { SearchCursor($0) }
    let page: SearchPage<IssuanceSummary>
    var count: SearchCount?
    if call.query["count"]?.flag == true {
      (page, count) = try await call.accounts.searchCounted(
        actor, query, after: cursor, limit: call.limit, ceiling: countCeiling)
    } else {
      page = try await call.accounts.search(actor, query, after: cursor, limit: call.limit)
    }
    return [
      "items": .list(page.results.map(\.json)), "next": page.next.map { .text("\($0)") }, "count": count?.json,
    ]
  }
}

extension APICall {
  fileprivate var issuance: IssuanceID {
    get throws {
      guard let hash = parameters["issuance"].flatMap({ SHA256Hash(hex: $0) }) else { throw AccountError.notFound }
      return IssuanceID(hash)
    }
  }

  fileprivate func texts(_ name: String) -> [String] { query[name]?.list?.compactMap(\.text) ?? [] }
}
