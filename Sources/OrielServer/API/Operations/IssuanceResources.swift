import CertificateTransparency
import MerkleTree
import OrielAccounts
import OrielStore
import OrielVerdicts

extension IssuanceSummary {
  static let fields = [
    Field("issuance", .hash, "its identity, as in docs/watch-json.md"),
    Field("first_seen", .time, "when Oriel first saw it"),
    Field(
      "names", .list(.text), "normalised, the first \(mostNames): what hit what is watched, the others, common names"),
    Field("name_count", .count, "how many names there are"),
    .optional("issuer", .text, "RFC 4514"), Field("issuer_key_sha256", .hash, "of the issuer's SubjectPublicKeyInfo"),
    .optional("not_before", .time, ""), .optional("not_after", .time, ""),
    .optional("serial", .text, "in hexadecimal, without leading zeros"),
    .optional("spki_sha256", .hash, "of the SubjectPublicKeyInfo"),
  ]

  static let schema = Schema.named("IssuanceSummary", fields)

  var json: JSON {
    [
      "issuance": .text("\(id)"), "first_seen": .time(firstSeen), "names": .texts(names),
      "name_count": .integer(Int64(nameCount)), "issuer": issuer.map { .text($0) },
      "issuer_key_sha256": .text(issuerKeyHash.hex),
      "not_before": .time(seconds: notBefore), "not_after": .time(seconds: notAfter),
      "serial": serial.map { .text($0) },
      "spki_sha256": publicKeyHash.map { .text($0.hex) },
    ]
  }
}

extension Judgement {
  static let verdictSchema = Schema.object([
    Field("level", .choice(VerdictLevel.allCases), ""),
    Field("is_proven", .flag, "whether the owner's word or key stands behind it"),
    Field(
      "reasons",
      .list(
        .object([
          Field("code", .text, "which never changes"), Field("speaks", .choice(["for", "against"]), ""),
          Field("sentence", .text, "for people"),
        ])), ""),
  ])

  static let schema = Schema.named(
    "Judgement",
    [
      Field("domain", .id, ""), Field("item", .text, "the domain's"), Field("issuance", IssuanceSummary.schema, ""),
      Field("verdict", verdictSchema, "as it stands: what is claimed is known"),
      Field("standing", .choice(VerdictLevel.allCases), "its level once more"),
      Field("judged_at", .time, ""), Field("state", .choice(State.allCases), "what people said about it"),
      .optional("note", .text, ""), .optional("changed_by", .text, "who set the state"),
      .optional("changed_at", .time, ""),
    ])

  var json: JSON {
    [
      "domain": .text("\(domain)"), "item": .text(item), "issuance": issuance.json,
      "verdict": [
        "level": .text(standing.rawValue), "is_proven": .flag(isProven || state == .claimed),
        "reasons": .list(
          standingReasons.map {
            ["code": .text($0.code), "speaks": $0.speaks == .for ? "for" : "against", "sentence": .text($0.sentence)]
          }),
      ],
      "standing": .text(standing.rawValue), "judged_at": .time(at), "state": .text(state.rawValue),
      "note": note.map { .text($0) }, "changed_by": changedBy.map { .text($0) },
      "changed_at": changedAt.map { .time($0) },
    ]
  }
}

extension Happening {
  static let schema = Schema.named(
    "Happening",
    [
      Field("at", .time, ""), Field("item", .text, "the domain's that it was for"),
      Field("what", .choice(["judged", "said", "told"]), "`said`: by somebody; `told`: to somebody"),
      .optional("level", .choice(VerdictLevel.allCases), "as what it was judged"),
      .optional("state", .choice(Judgement.State.allCases), "what was said"), .optional("by", .text, "who said it"),
      .optional("note", .text, ""), .optional("target", .text, "whom it was told"),
      .optional("delivery", .choice(StoredDelivery.State.allCases), "what became of telling them"),
    ])

  var json: JSON {
    switch what {
    case .judged(let level):
      ["at": .time(at), "item": .text(item), "what": "judged", "level": .text(level.rawValue)]
    case .said(let state, let who, let note):
      [
        "at": .time(at), "item": .text(item), "what": "said", "state": .text(state.rawValue), "by": .text(who),
        "note": note.map { .text($0) },
      ]
    case .told(_, let target, let state):
      [
        "at": .time(at), "item": .text(item), "what": "told", "target": .text("\(DeliveryPlace(target))"),
        "delivery": .text(state.rawValue),
      ]
    }
  }
}

extension SearchCount {
  static let schema = Schema.object([
    Field("value", .count, ""), Field("is_exact", .flag, "false where there may be more than that"),
  ])

  var json: JSON { ["value": .integer(Int64(value)), "is_exact": .flag(isExact)] }
}

/// Everything about one issuance, as far as one account may see it.
enum WholeIssuance {
  static let schema = Schema.named(
    "Issuance",
    [
      Field("issuance", .hash, "as all here, as in docs/watch-json.md"), Field("issuer_key_sha256", .hash, ""),
      Field(
        "matches", .list(.object([Field("item", .text, ""), Field("name", .text, "")])), "of this account's items"),
      Field("dns_names", .list(.text), ""), Field("ip_addresses", .list(.text), ""),
      Field("email_addresses", .list(.text), ""), Field("uris", .list(.text), ""),
      Field("common_names", .list(.text), ""), .optional("subject", .text, "RFC 4514"),
      .optional("issuer", .text, "RFC 4514"), .optional("not_before", .time, ""), .optional("not_after", .time, ""),
      .optional("serial", .text, ""), .optional("key_type", .text, "such as `EC P-256`"),
      .optional("spki_sha256", .hash, ""),
      Field(
        "certificates",
        .list(
          .object([
            Field("entry_type", .choice(["x509", "precert", "unknown"]), ""), Field("sha256", .hash, ""),
            .optional("pem", .text, "absent where the log gave a part alone"),
          ])), ""),
      Field(
        "sightings",
        .list(
          .object([
            Field("log_id", .text, "base64, as in log lists"), Field("log", .text, ""), Field("index", .count, ""),
            Field("timestamp", .time, ""), Field("suspect", .flag, "whether the log's tree did not add up"),
          ])), ""),
      Field("problems", .list(.text), "what could not be read"),
      Field("judgements", .list(Judgement.schema), "for each domain that it hits"),
      Field("history", .list(Happening.schema), "what became of it, the oldest first; the last \(Happening.most)"),
    ])

  /// Of any list so much is told.
  private static let most = 10_000

  static func json(_ record: IssuanceRecord, _ judgements: [Judgement], _ happenings: [Happening]) -> JSON {
    let facts = record.facts
    let items = Set(judgements.map(\.item))
    func names(_ sources: FoundName.Source...) -> JSON {
      .texts(sources.flatMap { facts.text(of: $0) }.uniqued().prefix(most))
    }
    return [
      "issuance": .text("\(record.id)"), "issuer_key_sha256": .text(record.issuerKeyHash.hex),
      "matches": .list(
        record.matches.filter { items.contains($0.item) }.prefix(most).map {
          ["item": .text($0.item), "name": .text($0.name)]
        }),
      "dns_names": names(.dnsName), "ip_addresses": names(.ipAddress),
      "email_addresses": names(.email, .smtpUTF8Mailbox), "uris": names(.uri), "common_names": names(.commonName),
      "subject": facts.subject.map { .text("\($0)") }, "issuer": facts.issuer.map { .text("\($0)") },
      "not_before": .time(seconds: facts.notBefore), "not_after": .time(seconds: facts.notAfter),
      "serial": facts.shownSerial.map { .text($0) }, "key_type": facts.keyType.map { .text($0.description) },
      "spki_sha256": facts.publicKeyHash.map { .text($0.hex) },
      "certificates": .list(
        record.certificates.map {
          [
            "entry_type": .text($0.entryType), "sha256": .text($0.sha256.hex),
            "pem": $0.isWhole ? .text(PEM.encode($0.der)) : nil,
          ]
        }),
      "sightings": .list(record.sightings.prefix(most).map(json)), "problems": .texts(facts.problems),
      "judgements": .list(judgements.map(\.json)), "history": .list(happenings.map(\.json)),
    ]
  }

  private static func json(_ sighting: StoredSighting) -> JSON {
    [
      "log_id": .text("\(sighting.logID)"), "log": .text(sighting.log),
      "index": .integer(Int64(clamping: sighting.index)), "timestamp": .time(Int64(clamping: sighting.timestamp)),
      "suspect": .flag(sighting.isSuspect),
    ]
  }
}
