import HTTPTypes
import MerkleTree
import OrielAccounts
import OrielVerdicts
import OrielWatchlist

extension APIOperation {
  /// What belongs to a domain: recipients, mutes, the inventory, and names that imitate it.
  static let ofDomainLists: [APIOperation] = ofRecipients + ofMutes + ofInventory + [lookalikes]

  private static let ofRecipients: [APIOperation] = [
    .get(
      "/domains/{domain}/recipients", "listRecipients", "The addresses given for a domain, all of them, by address.",
      .page(Recipient.schema)
    ) { call in
      ["items": .list(try await call.accounts.recipients(try call.actor, of: call.domain).map(\.json))]
    },
    .change(
      .post, "/domains/{domain}/recipients", "addRecipient",
      "Adds an address. It gets a letter to confirm, and nothing else before it has.",
      body: [Field("address", .text(most: 320), "")], names: [.recipients: "address"], status: 201, Recipient.schema
    ) { call in
      let added = try await call.accounts.addRecipient(
        try call.actor, to: call.domain, address: call.body["address"]?.text ?? "")
      call.site.send(added.letter)
      return added.recipient.json
    },
    APIOperation(
      method: .post, path: "/domains/{domain}/recipients/{recipient}/letter", id: "askRecipientAgain",
      summary: "Sends an address another letter to confirm.", permission: .write, answer: .nothing(status: 202)
    ) { call in
      call.site.send(
        try await call.accounts.confirmAgain(try call.actor, recipient: try call.id("recipient"), of: call.domain))
      return .nothing
    },
    .delete("/domains/{domain}/recipients/{recipient}", "removeRecipient", "Takes an address off a domain.") { call in
      try await call.accounts.removeRecipient(try call.actor, try call.id("recipient"), of: call.domain)
    },
  ]

  private static let ofMutes: [APIOperation] = [
    .get(
      "/domains/{domain}/mutes", "listMutes", "What is not told for a while, all of it, the next to end first.",
      .page(Mute.schema)
    ) { call in ["items": .list(try await call.accounts.mutes(try call.actor, of: call.domain).map(\.json))] },
    .change(
      .post, "/domains/{domain}/mutes", "addMute",
      "Stops telling of something for a while; it is recorded all the same.",
      body: [
        Field("rule", .choice(["domain", "issuer", "name"]), "what to mute"),
        .optional("value", .text(most: 512), "the issuer's key's SHA-256, or the name"),
        Field("until", .time, "at most a year from now"),
      ], names: [.name: "value"], status: 201, Mute.schema
    ) { call in
      let rule = try rule(call.body["rule"]?.text ?? "", call.body["value"]?.text)
      return try await call.accounts.mute(try call.actor, call.domain, rule, until: call.body["until"]?.time ?? 0).json
    },
    .delete("/domains/{domain}/mutes/{mute}", "removeMute", "Ends a mute.") { call in
      try await call.accounts.unmute(try call.actor, try call.id("mute"), of: call.domain)
    },
  ]

  private static func rule(_ kind: String, _ value: String?) throws -> Mute.Rule {
    switch (kind, value) {
    case ("domain", nil): return .domain
    case ("domain", _?):
      throw APIProblem.fields([FieldError(field: "value", reason: "leave it out for the whole domain")])
    case ("name", let name?): return .name(name)
    case (_, let hash?):
      do { return .issuer(SHA256Hash(hex: try Schema.hash.value(of: hash).text ?? "") ?? .zero) } catch {
        throw APIProblem.fields([FieldError(field: "value", reason: error.reason)])
      }
    case (_, nil): throw APIProblem.fields([FieldError(field: "value", reason: "this is needed")])
    }
  }

  private static let ofInventory: [APIOperation] = [
    .get(
      "/domains/{domain}/inventory", "listInventory",
      "The certificates and keys that are the owner's, the first to be added first.",
      query: [APICall.limitField, APICall.afterField], .page(OrielAccounts.InventoryEntry.schema)
    ) { call in
      let entries = try await call.accounts.inventory(
        try call.actor, of: call.domain, after: try call.cursor { InventoryID($0) }, limit: call.limit + 1)
      return page(entries, call.limit, \.json) { .text("\($0.id)") }
    },
    .change(
      .post, "/domains/{domain}/inventory", "addInventory",
      "Adds certificates and keys: as PEM with their chains, or by their hashes. What is there already is seen again.",
      body: [
        .optional(
          "pem", .text,
          "certificates with their chains, or requests, as far as they are for this domain; never private keys"
        ),
        .optional(
          "entries",
          .list(
            .object(
              OrielAccounts.InventoryEntry.newFields + [
                .optional("names", .list(.text(most: 512), most: 1000), "for a key: the names that it may be used for"),
                .optional("not_after", .time, ""),
              ]), most: 1000), "instead of `pem`"),
        .optional("source", .text(most: 400), "where they are from, in words"),
        .optional("is_backup", .flag, "whether they are kept for the day that those in use are lost"),
      ], names: [.note: "source", .name: "entries", .hash: "pem", .file: "pem"], status: 201,
      .object([Field("added", .count, "how many certificates and keys")])
    ) { call in
      let domain = try await call.accounts.domain(try call.actor, call.domain)
      let entries = try await newEntries(call, for: domain)
      try await call.accounts.addInventory(
        try call.actor, to: domain.id, entries, source: call.body["source"]?.text ?? "API")
      return ["added": .integer(Int64(entries.count))]
    },
    .delete("/domains/{domain}/inventory/{entry}", "removeInventory", "Takes an entry out; it is kept as removed.") {
      try await $0.accounts.removeInventory(try $0.actor, try $0.id("entry"), of: $0.domain)
    },
  ]

  private static func newEntries(_ call: APICall, for domain: Domain) async throws -> [NewInventoryEntry] {
    let body = call.body
    let isBackup = body["is_backup"]?.flag ?? false
    switch (body["pem"]?.text, body["entries"]?.list) {
    case (let pem?, nil):
      let upload = try await call.site.upload([], text: pem, source: "API", for: domain)
      return upload.found.entries.map { NewInventoryEntry($0, isBackup: isBackup) }
    case (nil, let entries?):
      guard !entries.isEmpty else { throw APIProblem.fields([FieldError(field: "entries", reason: "there are none")]) }
      return entries.map { entry in
        NewInventoryEntry(
          kind: entry["kind"]?.text.flatMap(OrielAccounts.InventoryEntry.Kind.init(rawValue:)) ?? .certificate,
          hash: entry["hash"]?.text.flatMap { SHA256Hash(hex: $0) } ?? .zero,
          names: entry["names"]?.list?.compactMap(\.text) ?? [], notAfter: entry["not_after"]?.time.map { $0 / 1000 },
          isBackup: isBackup)
      }
    default: throw APIProblem.fields([FieldError(field: "pem", reason: "give either pem or entries")])
    }
  }
}
