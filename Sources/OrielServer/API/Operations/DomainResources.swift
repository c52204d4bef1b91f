import MerkleTree
import OrielAccounts

// What the API gives of domains and what belongs to them: each with its schema beside it.

extension DeliveryTime {
  static let schema = Schema.choice(allCases.map(\.word))

  /// In one word.
  var word: String { rawValue.replacing(" ", with: "-") }

  init?(word: String) {
    guard let time = DeliveryTime.allCases.first(where: { $0.word == word }) else { return nil }
    self = time
  }
}

extension VerdictLevel {
  /// As a field.
  var field: String { rawValue.replacing("-", with: "_") }
}

extension Domain {
  static let schema = Schema.named(
    "Domain",
    [
      Field("id", .id, ""), Field("item", .text, "what is watched, such as `example.com` or `=www.example.com`"),
      Field("source", .choice(["dashboard", "config"]), "`config` is set in the configuration file alone"),
      Field("is_on", .flag, "whether it is watched, and told of"), Field("delivery", .object(deliveryFields), ""),
      Field("watches_lookalikes", .flag, "whether names that imitate it are watched for as well"),
      Field("lookalike_delivery", DeliveryTime.schema, "when such names are told of"),
      .optional("baseline_confirmed_at", .time, "when the owner confirmed what was in use; absent before that"),
      Field("is_inventory_complete", .flag, "whether what is not in the inventory is unexplained"),
      Field("allowed_owners", .list(.text), "CA owners that may issue; empty for any"),
      .optional("caa_confirmed", .list(.text), "CAA records that the owner confirmed"),
      .optional("caa_seen", .list(.text), "CAA records that were found last"),
      Field(
        "configured", .list(.choice(Setting.allCases.map(\.rawValue))),
        "what the configuration file says of it, so that it is changed there alone"), Field("created_at", .time, ""),
    ])

  static let deliveryFields = VerdictLevel.inOrder.map {
    Field($0.field, DeliveryTime.schema, "when certificates are told of that are \($0.words.lowercased())")
  }

  var json: JSON {
    [
      "id": .text("\(id)"), "item": .text(item), "source": .text(source.rawValue), "is_on": .flag(isOn),
      "delivery": .object(
        Dictionary(
          uniqueKeysWithValues: VerdictLevel.allCases.map { ($0.field, JSON.text(delivery[$0].word)) })),
      "watches_lookalikes": .flag(watchesLookalikes), "lookalike_delivery": .text(lookalikeDelivery.word),
      "baseline_confirmed_at": baselineConfirmedAt.map { .time($0) },
      "is_inventory_complete": .flag(isInventoryComplete), "allowed_owners": .texts(allowedOwners),
      "caa_confirmed": confirmedCAA.map { .texts($0) },
      "caa_seen": seenCAA.map { .texts($0) }, "configured": .texts(configured.map(\.rawValue).sorted()),
      "created_at": .time(createdAt),
    ]
  }
}

extension AddressState {
  static let schema = Schema.object([
    Field("state", .choice(["unconfirmed", "active", "suspended", "unsubscribed"]), "only `active` ones get mail"),
    .optional("since", .time, ""), .optional("reason", .text, "what the mail server said"),
  ])

  var json: JSON {
    switch self {
    case .unconfirmed: ["state": "unconfirmed"]
    case .active: ["state": "active"]
    case .suspended(let since, let reason): ["state": "suspended", "since": .time(since), "reason": .text(reason)]
    case .unsubscribed(let since): ["state": "unsubscribed", "since": .time(since)]
    }
  }
}

extension Recipient {
  static let schema = Schema.named(
    "Recipient",
    [
      Field("id", .id, ""), Field("address", .text, ""), Field("mail", AddressState.schema, ""),
      Field("created_at", .time, ""),
    ])

  var json: JSON {
    ["id": .text("\(id)"), "address": .text(address), "mail": mail.json, "created_at": .time(createdAt)]
  }
}

extension Mute {
  static let schema = Schema.named(
    "Mute",
    [
      Field("id", .id, ""), Field("rule", .choice(["domain", "issuer", "name"]), "what is muted"),
      .optional("value", .text, "the issuer's key's SHA-256, or the name"), Field("until", .time, ""),
      Field("created_at", .time, ""),
    ])

  var json: JSON {
    let (rule, value): (String, String?) =
      switch self.rule {
      case .domain: ("domain", nil)
      case .issuer(let key): ("issuer", key.hex)
      case .name(let name): ("name", name)
      }
    return [
      "id": .text("\(id)"), "rule": .text(rule), "value": value.map { .text($0) }, "until": .time(until),
      "created_at": .time(createdAt),
    ]
  }
}

extension InventoryEntry {
  static let newFields = [
    Field("kind", .choice(Kind.allCases), ""),
    Field("hash", .hash, "a certificate's issuance, or the SHA-256 of a key's SubjectPublicKeyInfo"),
  ]

  static let schema = Schema.named(
    "InventoryEntry",
    [Field("id", .id, "")] + newFields + [
      Field("names", .list(.text), "for a key: the names that it may be used for"),
      Field("source", .text, "where it is known from"), Field("added_at", .time, ""), Field("last_seen", .time, ""),
      .optional("not_after", .time, ""), Field("is_backup", .flag, "kept for the day that the one in use is lost"),
      .optional("removed_at", .time, "since when it no longer counts"),
    ])

  var json: JSON {
    [
      "id": .text("\(id)"), "kind": .text(kind.rawValue), "hash": .text(hash.hex), "names": .texts(names),
      "source": .text(source), "added_at": .time(addedAt), "last_seen": .time(lastSeen),
      "not_after": .time(seconds: notAfter), "is_backup": .flag(isBackup), "removed_at": removedAt.map { .time($0) },
    ]
  }
}
