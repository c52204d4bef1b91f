import HTTPTypes
import OrielAccounts

extension Account {
  static let schema = Schema.named(
    "Account",
    [
      Field("id", .id, ""), Field("name", .text, ""), Field("plan", .choice(Plan.allCases), ""),
      Field("created_at", .time, ""),
      Field("domains", .object([Field("all", .count, ""), Field("on", .count, "how many are watched")]), ""),
    ])

  func json(_ domains: (all: Int, on: Int)) -> JSON {
    [
      "id": .text("\(id)"), "name": .text(name), "plan": .text(plan.rawValue), "created_at": .time(createdAt),
      "domains": ["all": .integer(Int64(domains.all)), "on": .integer(Int64(domains.on))],
    ]
  }
}

extension Member {
  static let schema = Schema.named(
    "Member",
    [
      Field("id", .id, ""), Field("address", .text, ""), Field("role", .choice(Role.allCases), ""),
      Field("mail", AddressState.schema, ""), Field("is_locked", .flag, "whether they are shut out"),
      .optional("locked_at", .time, ""), Field("created_at", .time, ""),
    ])

  var json: JSON {
    [
      "id": .text("\(id)"), "address": .text(address), "role": .text(role.rawValue), "mail": mail.json,
      "is_locked": .flag(lockedAt != nil), "locked_at": lockedAt.map { .time($0) }, "created_at": .time(createdAt),
    ]
  }
}

extension APIToken {
  static let schema = Schema.named(
    "Token",
    [
      Field("id", .id, ""), Field("name", .text, ""), Field("scopes", .list(.choice(Scope.allCases)), ""),
      Field("member", .id, "whose it is"), Field("created_at", .time, ""), .optional("last_used", .time, ""),
      .optional("revoked_at", .time, ""),
    ])

  var json: JSON {
    [
      "id": .text("\(id)"), "name": .text(name), "scopes": .texts(scopes.map(\.rawValue).sorted()),
      "member": .text("\(member)"), "created_at": .time(createdAt), "last_used": lastUsed.map { .time($0) },
      "revoked_at": revokedAt.map { .time($0) },
    ]
  }
}

extension AuditEntry {
  static let schema = Schema.named(
    "AuditEntry",
    [
      Field("id", .id, ""), Field("who", .text, ""), Field("at", .time, ""), Field("what", .text, "in words"),
    ])

  var json: JSON {
    ["id": .text(String(id)), "who": .text(who), "at": .time(at), "what": .text(what)]
  }
}

extension APIOperation {
  static let ofAccount: [APIOperation] =
    [
      .get("/account", "getAccount", "The account.", Account.schema) { call in
        try await account(call)
      },
      .change(
        .patch, "/account", "changeAccount", "Renames the account.", by: .manage,
        body: [Field("name", .text(most: 400), "")], Account.schema
      ) { call in
        try await call.accounts.rename(try call.actor, to: call.body["name"]?.text ?? "")
        return try await account(call)
      },
      .get("/tokens", "listTokens", "The tokens that may be seen, revoked ones too.", .page(APIToken.schema)) { call in
        ["items": .list(try await call.accounts.tokens(try call.actor).map(\.json))]
      },
      .delete("/tokens/{token}", "revokeToken", "Ends a token: itself, or any with the scope admin.", by: .read) {
        call in
        try await call.accounts.revokeToken(try call.actor, try call.id("token"))
      },
      .get(
        "/audit", "listAudit", "What was done in the account.", by: .manage,
        query: [APICall.limitField, APICall.afterField], .page(AuditEntry.schema)
      ) { call in
        let entries = try await call.accounts.audit(
          try call.actor, before: try call.cursor { Int64($0) }, limit: call.limit + 1)
        return page(entries, call.limit, \.json) { .text(String($0.id)) }
      },
    ] + ofMembers

  private static func account(_ call: APICall) async throws -> JSON {
    let actor = try call.actor
    return try await call.accounts.account(actor).json(try await call.accounts.domainCount(actor))
  }

  private static let ofMembers: [APIOperation] = [
    .get("/members", "listMembers", "The members of the account, by address.", .page(Member.schema)) { call in
      ["items": .list(try await call.accounts.members(try call.actor).map(\.json))]
    },
    .change(
      .post, "/members", "addMember", "Adds a member, who gets a letter to confirm.", by: .manage,
      body: [Field("address", .text(most: 320), ""), Field("role", .choice(Role.allCases), "")], status: 201,
      Member.schema
    ) { call in
      let added = try await call.accounts.addMember(
        try call.actor, address: call.body["address"]?.text ?? "", role: role(call) ?? .viewer)
      call.site.send(added.letter)
      return added.member.json
    },
    .change(
      .patch, "/members/{member}", "changeMember", "Gives a member another role, shuts them out, or lets them in.",
      by: .manage,
      body: [
        .optional("role", .choice(Role.allCases), ""), .optional("is_locked", .flag, "whether to shut them out"),
      ], Member.schema
    ) { call in
      try await call.accounts.change(
        try call.actor, member: try call.id("member"), role: role(call), isLocked: call.body["is_locked"]?.flag
      ).json
    },
    .delete("/members/{member}", "removeMember", "Removes a member with their tokens.", by: .manage) { call in
      try await call.accounts.removeMember(try call.actor, try call.id("member"))
    },
    APIOperation(
      method: .post, path: "/members/{member}/letter", id: "askMemberAgain",
      summary: "Sends a member another letter to confirm.", permission: .manage, answer: .nothing(status: 202)
    ) { call in
      call.site.send(try await call.accounts.confirmAgain(try call.actor, member: try call.id("member")))
      return .nothing
    },
  ]

  private static func role(_ call: APICall) -> Role? { call.body["role"]?.text.flatMap(Role.init(rawValue:)) }
}
