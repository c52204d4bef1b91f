import OrielAccounts

extension Site {
  func settingsPage(_ visit: Visit) async throws -> Page { try await settings(visit, secret: nil) }

  private func settings(_ visit: Visit, secret: Secret?) async throws -> Page {
    let actor = try visit.someone()
    let (members, tokens) = (try await accounts.members(actor), try await accounts.tokens(actor))
    let here = try await visit.session.asyncMap { try await signIn.session($0).session.id }
    let sessions = try await visit.session.asyncMap { try await signIn.sessions($0) } ?? []
    let before = visit.query["before"].flatMap { Int64($0) }
    let audit = actor.may(.manage) ? try await accounts.audit(actor, before: before, limit: 20) : []
    let chosenScopes = visit.form.all("scopes")
    return Page(
      "settings", title: "Settings",
      [
        "secret": secret?.text,
        "nameValue": visit.refusal?.form == "name" ? visit.form.typed("name") : try await accounts.account(actor).name,
        "members": members.map { member -> Values in
          [
            "memberID": "\(member.id)", "memberAddress": member.address, "isSelf": member.address == visit.address,
            "roleName": member.role.rawValue, "mailState": member.mail.words, "isActive": member.mail == .active,
            "locked": member.lockedAt.map { Phrase.day($0) },
            "roles": choices(Role.allCases, chosen: member.role.rawValue, words: \.words),
          ]
        },
        "newRoles": choices(Role.allCases, chosen: visit.form["role"] ?? Role.member.rawValue, words: \.words),
        "hasTokens": !tokens.isEmpty,
        "tokens": tokens.prefix(200).map { token -> Values in
          [
            "tokenID": "\(token.id)", "tokenName": token.name,
            "scopes": token.scopes.map(\.rawValue).sorted().joined(separator: ", "),
            "made": Phrase.day(token.createdAt),
            "used": token.lastUsed.map { Phrase.ago($0, now: now) } ?? "never",
            "revoked": token.revokedAt.map { Phrase.day($0) },
          ]
        },
        "scopeChoices": Scope.allCases.filter { $0.permissions.isSubset(of: actor.permissions) }.map {
          scope -> Values in
          ["value": scope.rawValue, "words": scope.words, "isChosen": chosenScopes.contains(scope.rawValue)]
        },
        "sessions": sessions.prefix(50).map { session -> Values in
          [
            "sessionID": "\(session.id)", "browser": session.client.isEmpty ? "A browser" : session.client,
            "isHere": session.id == here, "used": Phrase.ago(session.lastUsed, now: now),
          ]
        },
        "audit": audit.map { ["when": Phrase.minute($0.at), "who": $0.who, "what": $0.what] as Values },
        "nextPage": audit.count == 20 ? audit.last.map { "/settings?before=\($0.id)" } : nil,
      ])
  }

  func addMember(_ visit: Visit) async throws -> Outcome {
    guard let role = visit.form["role"].flatMap(Role.init(rawValue:)) else {
      throw AccountError.refused(field: .role, reason: "choose a role")
    }
    let (_, letter) = try await accounts.addMember(
      try visit.someone(), address: visit.form["address"] ?? "", role: role)
    send(letter)
    return .redirect("/settings?done=added")
  }

  func setRole(_ visit: Visit) async throws -> Outcome {
    guard let role = visit.form["role"].flatMap(Role.init(rawValue:)) else {
      throw AccountError.refused(field: .role, reason: "choose a role")
    }
    _ = try await accounts.change(try visit.someone(), member: try visit.id("member"), role: role)
    return .redirect("/settings?done=saved")
  }

  /// Shows the new token's text, this once.
  func addToken(_ visit: Visit) async throws -> Outcome {
    let scopes = Set(visit.form.all("scopes").compactMap { Scope(rawValue: $0) })
    let made = try await accounts.addToken(try visit.someone(), name: visit.form["name"] ?? "", scopes: scopes)
    var shown = visit
    shown.form = Form()
    return .page(try await settings(shown, secret: made.secret))
  }

  func endSession(_ visit: Visit) async throws -> Outcome {
    guard let session = visit.session else { throw AccountError.signedOut }
    try await signIn.revoke(try visit.id("session"), by: session)
    return .redirect("/settings?done=ended")
  }
}

extension Optional {
  fileprivate func asyncMap<Value>(_ change: (Wrapped) async throws -> Value) async rethrows -> Value? {
    guard let value = self else { return nil }
    return try await change(value)
  }
}

extension Scope {
  fileprivate var words: String {
    switch self {
    case .read: "read what the account sees"
    case .write: "change domains, recipients and verdicts"
    case .admin: "manage members and the account"
    case .metrics: "read the service’s metrics, and nothing else"
    }
  }
}
