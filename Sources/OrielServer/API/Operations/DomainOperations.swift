import HTTPTypes
import OrielAccounts

extension APIOperation {
  static let ofDomains: [APIOperation] = [
    .get(
      "/domains", "listDomains", "The domains of the account, by item.",
      query: [
        .optional("q", .text(most: Domain.longestItem), "with this beginning"), APICall.limitField, APICall.afterField,
      ], .page(Domain.schema)
    ) { call in
      let domains = try await call.accounts.domains(
        try call.actor, startingWith: (call.query["q"]?.text ?? "").lowercased(), after: call.query["after"]?.text,
        limit: call.limit + 1)
      return page(domains, call.limit, \.json) { .text($0.item) }
    },
    .change(
      .post, "/domains", "addDomain", "Adds a domain, which is off.",
      body: [
        Field("item", .text(most: Domain.longestItem), "what to watch, such as `example.com` or `=www.example.com`")
      ],
      status: 201, Domain.schema
    ) { call in
      try await call.accounts.addDomain(try call.actor, item: call.body["item"]?.text ?? "").json
    },
    .get("/domains/{domain}", "getDomain", "A domain with its settings.", Domain.schema) { call in
      try await call.accounts.domain(try call.actor, call.domain).json
    },
    .change(
      .patch, "/domains/{domain}", "changeDomain", "Changes settings of a domain; what is left out stays.",
      body: [
        .optional("is_on", .flag, "whether it is watched"),
        .optional(
          "delivery", .object(Domain.deliveryFields.map { .optional($0.name, $0.schema, $0.about) }), ""),
        .optional("watches_lookalikes", .flag, ""),
        .optional("lookalike_delivery", DeliveryTime.schema, "when names are told of that imitate it"),
        .optional("is_baseline_confirmed", .flag, "whether what was in use is the owner's"),
        .optional("is_inventory_complete", .flag, "whether what is not in the inventory is unexplained"),
        .optional("allowed_owners", .list(.text(most: 800), most: 50), "CA owners that may issue; empty for any"),
      ], names: [.owners: "allowed_owners", .listed: "is_baseline_confirmed"], Domain.schema
    ) { call in
      var change = DomainChange()
      change.isOn = call.body["is_on"]?.flag
      change.watchesLookalikes = call.body["watches_lookalikes"]?.flag
      change.lookalikeDelivery = call.body["lookalike_delivery"]?.text.flatMap { DeliveryTime(word: $0) }
      change.isBaselineConfirmed = call.body["is_baseline_confirmed"]?.flag
      change.isInventoryComplete = call.body["is_inventory_complete"]?.flag
      if let names = call.body["allowed_owners"]?.list?.compactMap(\.text) {
        let before = try await call.accounts.domain(try call.actor, call.domain).allowedOwners
        change.allowedOwners = try OwnerNames(owners: call.site.parts.owners()).checked(names, besides: before)
      }
      for level in VerdictLevel.allCases {
        change.delivery[level] = call.body["delivery"]?[level.field]?.text.flatMap { DeliveryTime(word: $0) }
      }
      let domain = try await call.accounts.change(try call.actor, call.domain, change)
      if change.isBaselineConfirmed != nil { try await call.site.judge.judgeAgain(domain) }
      return domain.json
    },
    .delete(
      "/domains/{domain}", "removeDomain", "Removes a domain with its recipients, inventory and history."
    ) { call in
      try await call.accounts.removeDomain(try call.actor, call.domain)
    },
    .change(
      .put, "/domains/{domain}/caa", "confirmCAA", "Confirms the CAA records that were found last.",
      body: [Field("records", .list(.text(most: 4096), most: 100), "`caa_seen`, as it was when a person looked at it")],
      names: [.caa: "records"], Domain.schema
    ) { call in
      try await call.accounts.confirmCAA(
        try call.actor, call.domain, call.body["records"]?.list?.compactMap(\.text) ?? [])
      return try await call.accounts.domain(try call.actor, call.domain).json
    },
  ]

  /// A page of what was asked for with one more than fits.
  static func page<Element>(
    _ all: [Element], _ limit: Int, _ json: (Element) -> JSON, next: (Element) -> JSON
  ) -> JSON {
    [
      "items": .list(all.prefix(limit).map(json)),
      "next": all.count > limit ? all.prefix(limit).last.map(next) : nil,
    ]
  }
}
