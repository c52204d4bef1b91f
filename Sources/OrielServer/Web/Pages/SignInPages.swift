import CertificateTransparency
import OrielAccounts

/// Signing in, confirming, and leaving.
extension Site {
  func signInPage(_ visit: Visit) async throws -> Page {
    Page("sign-in", title: "Sign in", ["next": ReturnPath(visit.form["next"] ?? visit.query["next"])?.text])
  }

  func requestLink(_ visit: Visit) async throws -> Outcome {
    let address = try await signIn.admit(address: visit.form["address"] ?? "", client: visit.client)
    let next = ReturnPath(visit.form["next"])
    var page = Page(
      "sent", title: "Look at your mail", ["sentTo": address, "nextQuery": next.map { "?next=" + $0.encoded }])
    page.afterwards = { [self] in sendLink(to: address, next: next) }
    return .page(page)
  }

  /// What a link is for, with a button: mail programs open links that nobody clicked.
  func linkPage(_ visit: Visit) async throws -> Page {
    let link = visit.parameters["link"] ?? ""
    let (purpose, address) = try await signIn.look(Secret(link))
    let subject = try await signIn.subject(of: Secret(link))
    return Page(
      "link", title: purpose == .signIn ? "Sign in" : purpose == .firstStart ? "Welcome" : "Confirm your address",
      [
        "link": link, "next": ReturnPath(visit.form["next"] ?? visit.query["next"])?.text, "linkAddress": address,
        "linkAccount": subject?.account, "linkItem": subject?.item,
        "isSignIn": purpose == .signIn, "isFirstStart": purpose == .firstStart,
        "isConfirm": purpose == .confirmMember || purpose == .confirmRecipient,
      ])
  }

  func useLink(_ visit: Visit) async throws -> Outcome {
    let link = Secret(visit.parameters["link"] ?? "")
    let session: NewSession
    switch try await signIn.look(link).purpose {
    case .confirmMember, .confirmRecipient:
      let address = try await signIn.confirm(link).address
      return .page(Page("confirmed", title: "Confirmed", ["linkAddress": address]))
    case .signIn: session = try await signIn.signIn(link, client: visit.userAgent)
    case .firstStart:
      let letter: LinkLetter
      (session, letter) = try await signIn.begin(
        link, account: visit.form["name"] ?? "", address: visit.form["address"] ?? "", client: visit.userAgent)
      send(letter)
    }
    let lifetime = SignIn.sessionLifetime / 1000
    return .redirect(
      ReturnPath(visit.form["next"])?.text ?? "/",
      cookies: [
        address.cookie(address.sessionCookie, session.secret.text, seconds: lifetime),
        address.cookie(address.visitorCookie, "", seconds: 0),
      ])
  }

  func signOut(_ visit: Visit) async throws -> Outcome {
    if let session = visit.session { try await signIn.signOut(session) }
    return .redirect("/sign-in", cookies: [address.cookie(address.sessionCookie, "", seconds: 0)])
  }

  /// Chooses which account to look at.
  func chooseAccount(_ visit: Visit) async throws -> Outcome {
    guard let id = visit.form["account"].flatMap({ AccountID($0) }),
      visit.memberships.contains(where: { $0.account.id == id })
    else { throw AccountError.notFound }
    return .redirect("/", cookies: [address.cookie(address.accountCookie, "\(id)", seconds: 365 * 86_400)])
  }

  // MARK: Leaving

  func leavePage(_ visit: Visit) async throws -> Page {
    let code = visit.parameters["leave"] ?? ""
    return try await Site.leaving { leavePage(try await signIn.look(unsubscribe: code), code) }
  }

  /// By the button, or by a mail program in one step (RFC 8058): the code itself is the permission.
  func leave(_ visit: Visit) async throws -> Outcome {
    let code = visit.parameters["leave"] ?? ""
    return try await Site.leaving { .page(leavePage(try await signIn.unsubscribe(code), code, isDone: true)) }
  }

  private static func leaving<Value>(_ body: () async throws -> Value) async throws -> Value {
    do { return try await body() } catch AccountError.signedOut { throw WebProblem.badLeave } catch { throw error }
  }

  private func leavePage(_ subject: UnsubscribeCode.Subject, _ code: String, isDone: Bool = false) -> Page {
    Page(
      "unsubscribe", title: "Unsubscribe",
      [
        "leaveCode": code, "leaver": subject.address, "leftItem": subject.item,
        "leftAccount": subject.accountName.withFullStop,
        "isUnsubscribed": isDone || subject.isUnsubscribed,
      ])
  }
}
