import CertificateTransparency
import HTTPTypes
import MerkleTree
import OrielAccounts
import OrielMonitor
import OrielStore

extension StoredDelivery {
  static let schema = Schema.named(
    "Delivery",
    [
      Field("id", .id, ""), Field("kind", .text, "as in docs/webhook.md"),
      .optional("issuance", .hash, "what it is about"), .optional("item", .text, "what it is about"),
      Field("target", .text, "the way, and the address: `mail:…`"),
      Field("state", .choice(["waiting", "delivered", "given-up", "dropped", "digested"]), ""),
      Field("attempts", .count, ""), .optional("last_attempt", .time, ""),
      .optional("said", .text, "what the receiver said last"), Field("created_at", .time, ""),
    ])

  var json: JSON {
    [
      "id": .text(String(id)), "kind": .text(alert.kind.rawValue), "issuance": alert.issuance.map { .text("\($0)") },
      "item": alert.item.map { .text($0) },
      "target": .text("\(DeliveryPlace(target))"),
      "state": .text(state.rawValue), "attempts": .integer(Int64(attempts)),
      "last_attempt": lastAttempt.map { .time($0) }, "said": words.map { .text($0) },
      "created_at": .time(alert.createdAt),
    ]
  }
}

extension LogRecord {
  static let schema = Schema.named(
    "Log",
    [
      Field("log_id", .text, "base64, as in log lists"), Field("log", .text, "its name"), Field("operator", .text, ""),
      Field("kind", .text, "`rfc6962` or `static-ct`"), Field("url", .text, ""),
      Field("state", .choice(LogState.allCases), ""), Field("state_since", .time, ""),
      .optional("reason", .text, "why it is not well"), .optional("last_answer", .time, ""),
      .optional("verified_size", .count, "entries that its tree proves"),
      .optional("head_size", .count, "entries that it has published"),
      .optional("lag_entries", .count, "how many are still to be read"),
      .optional("entries_per_second", .number, "how fast it is read"),
      Field("unreadable_entries", .count, ""),
    ])

  func json(_ status: FollowStatus?) -> JSON {
    let verified = status?.verified ?? verified?.index
    return [
      "log_id": .text("\(logID)"), "log": .text(description), "operator": .text(operatorName), "kind": .text(kind),
      "url": .text(url), "state": .text(state.rawValue), "state_since": .time(stateSince),
      "reason": reason.map { .text($0) }, "last_answer": lastSuccess.map { .time($0) },
      "verified_size": verified.map { .integer(Int64(clamping: $0)) },
      "head_size": status?.head.map { .integer(Int64(clamping: $0.size)) },
      "lag_entries": lag(status).map { .integer(Int64(clamping: $0)) },
      "entries_per_second": status?.entriesIn.map { .number($0.isFinite ? $0 : 0) },
      "unreadable_entries": .integer(unreadable),
    ]
  }

  /// How many entries are published and not yet verified.
  func lag(_ status: FollowStatus?) -> UInt64? {
    let verified = status?.verified ?? verified?.index
    return (status?.head?.size).flatMap { head in verified.map { head > $0 ? head - $0 : 0 } }
  }
}

extension APIOperation {
  static let ofService: [APIOperation] = [
    .get(
      "/deliveries", "listDeliveries", "What was sent about the domains of the account, newest first.",
      query: [APICall.limitField, APICall.afterField], .page(StoredDelivery.schema)
    ) { call in
      let deliveries = try await call.site.deliveries(
        of: try call.actor.account, before: try call.cursor { Int64($0) }, limit: call.limit + 1)
      return page(deliveries, call.limit, \.json) { .text(String($0.id)) }
    },
    .get("/logs", "listLogs", "The logs that are followed, and how they fare, by name.", .page(LogRecord.schema)) {
      let statuses = Dictionary(
        $0.site.parts.statuses().map { ($0.logID, $0) }, uniquingKeysWith: { first, _ in first })
      let logs = try await $0.site.following.logs().sorted { $0.description < $1.description }
      return ["items": .list(logs.map { $0.json(statuses[$0.logID]) })]
    },
  ]

  static let document = APIOperation(
    method: .get, path: "/openapi.json", id: "getDocument", summary: "This document.", permission: nil,
    answer: .document
  ) { _ in .nothing }
}
