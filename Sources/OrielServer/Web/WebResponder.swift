import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
import NIOHTTP1
import OrielAccounts
import OrielStore

/// What a request comes with beside itself.
struct WebContext: RequestContext {
  var coreContext: CoreRequestContextStorage
  let channel: any Channel

  init(source: ApplicationRequestContextSource) {
    coreContext = .init(source: source)
    channel = source.channel
  }
}

/// Who answers which address, what a request must show for it, and what every answer carries.
struct WebResponder: HTTPResponder {
  typealias Context = WebContext
  typealias Show = @Sendable (Visit) async throws -> Page
  typealias Act = @Sendable (Visit) async throws -> Outcome

  private let site: Site
  private let router: RouterResponder<WebContext>
  private let api: APIResponder

  init(_ site: Site) throws {
    self.site = site
    api = try APIResponder(site)
    let routes = Routes(site)
    routes.addAll()
    router = routes.router.buildResponder()
  }

  /// Seconds to stay away, where something else is written for long.
  static let retryAfter = 5

  func respond(to request: Request, context: WebContext) async throws -> Response {
    // Somebody waits.
    try await SQLiteDatabase.$patience.withValue(site.settings.writePatience) {
      try await answer(request, context)
    }
  }

  private func answer(_ request: Request, _ context: WebContext) async throws -> Response {
    let isHead = request.method == .head
    var head = request.head
    // The answer to GET, without its body.
    if isHead { head.method = .get }
    let asked = Request(head: head, body: request.body)
    var response: Response
    do { response = try await found(asked, context) } catch let error where !(error is HTTPParserError) {
      response = try await Routes.problem(error, site, Routes.unrecognised(asked, context, site))
    }
    for (name, value) in WebResponder.fields where !response.headers.contains(name) { response.headers[name] = value }
    if site.address.isSecure { response.headers[.strictTransportSecurity] = "max-age=31536000" }
    if isHead {
      let length = response.headers[.contentLength]
      response.body = .init()
      response.headers[.contentLength] = length
    }
    return response
  }

  private func found(_ request: Request, _ context: WebContext) async throws -> Response {
    if APIResponder.isMeant(request.uri.path) { return await api.respond(to: request, context: context) }
    let response = try await router.respond(to: request, context: context)
    // The router's own answer to what it has no page for is empty.
    guard response.status == .notFound, response.headers[.contentType] == nil else { return response }
    return try await Routes.problem(AccountError.notFound, site, try await Routes.visit(request, context, site))
  }

  private static let fields: [(HTTPField.Name, String)] =
    [
      (
        "Content-Security-Policy",
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action 'self'; "
          + "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'"
      ),
      ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"), ("Cache-Control", "no-store"),
      ("Cross-Origin-Opener-Policy", "same-origin"), ("Cross-Origin-Resource-Policy", "same-origin"),
    ].compactMap { name, value in HTTPField.Name(name).map { ($0, value) } }
}

/// Puts addresses and pages together.
struct Routes {
  let site: Site
  let router = Router(context: WebContext.self)

  init(_ site: Site) { self.site = site }

  /// A page to look at.
  func show(_ path: String, isMember: Bool = true, _ show: @escaping WebResponder.Show) {
    let site = site
    router.on(RouterPath(path), method: .get) { request, context in
      var visit = try await Routes.visit(request, context, site)
      do {
        if isMember { _ = try visit.someone() }
        // Before the page looks itself: what comes in between is shown once more, rather than not at all.
        if let actor = visit.actor { visit.news = try await site.accounts.news(actor) }
        return try await Routes.answer(try await show(visit), visit, site)
      } catch {
        return try await Routes.problem(error, site, visit, isMember: isMember, next: ReturnPath(of: visit))
      }
    }
  }

  /// A form to send.
  ///
  /// - Parameters:
  ///   - form: the name by which the page shows what was wrong with it.
  ///   - takesFiles: whether files may come with it, from somebody who is signed in.
  ///   - page: shows the form again, with what was typed, if it can't be taken.
  ///   - isOpen: whether anybody may send it from anywhere: what it says itself shows that they may.
  func act(
    _ path: String, form: String = "", isMember: Bool = true, isOpen: Bool = false, takesFiles: Bool = false,
    page: WebResponder.Show? = nil, _ act: @escaping WebResponder.Act
  ) {
    let site = site
    router.on(RouterPath(path), method: .post) { request, context in
      var visit = try await Routes.visit(request, context, site)
      let isUpload = takesFiles && visit.actor != nil
      do {
        if isUpload { try await Routes.admit(visit, request, context, site) }
        defer { if isUpload { site.uploads.leave(visit.occupant) } }
        visit.form = try await Routes.form(of: request, context, site, visit, isUpload: isUpload)
        if !isOpen { try Routes.check(visit, request, site) }
        if isMember { _ = try visit.someone() }
        switch try await act(visit) {
        case .page(let page): return try await Routes.answer(page, visit, site)
        case .redirect(let target, let cookies): return Routes.redirect(target, cookies)
        }
      } catch {
        guard let page, let (refusal, status) = Routes.refusal(error, of: form, isUpload: isUpload, site)
        else { return try await Routes.problem(error, site, visit, isMember: isMember) }
        visit.refusal = refusal
        do {
          var shown = try await page(visit)
          shown.status = status.code
          var response = try await Routes.answer(shown, visit, site)
          Routes.addRetryAfter(of: error, to: &response)
          return response
        } catch {
          return try await Routes.problem(error, site, visit, isMember: isMember)
        }
      }
    }
  }

  /// What is said beside a field of the form, if it is for that that it can't be taken.
  private static func refusal(
    _ error: any Error, of form: String, isUpload: Bool, _ site: Site
  ) -> (Visit.Refusal, status: HTTPResponse.Status)? {
    if case AccountError.refused(let field, let reason) = error {
      // It may repeat what was typed.
      let words = String(reason.prefix(1000))
      return (Visit.Refusal(form: form, field: field.rawValue, reason: words), .unprocessableContent)
    }
    guard isUpload, let problem = error as? WebProblem else { return nil }
    let reason: String
    switch problem.status {
    case .contentTooLarge:
      reason = "that is more than \(site.settings.uploadByteCount >> 20) MiB: send less at once"
    case .tooManyRequests: reason = "other uploads are being worked on: try again in a few seconds"
    default: return nil
    }
    return (Visit.Refusal(form: form, field: AccountError.Field.file.rawValue, reason: reason), problem.status)
  }

  // MARK: Requests

  static func visit(_ request: Request, _ context: WebContext, _ site: Site) async throws -> Visit {
    var visit = unrecognised(request, context, site)
    guard let session = visit.session else { return visit }
    do {
      let (found, memberships) = try await site.signIn.session(session)
      let account = Routes.cookies(request)[site.address.accountCookie].flatMap { AccountID($0.text) }
      let chosen = memberships.contains { $0.account.id == account } ? account : nil
      visit.actor = try await site.signIn.actor(session: session, account: chosen)
      (visit.memberships, visit.address) = (memberships, found.address)
    } catch AccountError.signedOut {
      // What needs somebody says so itself.
    }
    return visit
  }

  /// A visit before anybody has looked who it is.
  static func unrecognised(_ request: Request, _ context: WebContext, _ site: Site) -> Visit {
    let cookies = Routes.cookies(request)
    let (session, visitor) = (cookies[site.address.sessionCookie], cookies[site.address.visitorCookie])
    return Visit(
      path: request.uri.path, query: Form((request.uri.query ?? "").utf8),
      parameters: Dictionary(
        context.parameters.map { (String($0.key), String($0.value)) }, uniquingKeysWith: { first, _ in first }),
      client: client(request, context, site.settings),
      userAgent: String((request.headers[.userAgent] ?? "").prefix(200)),
      formSecret: session ?? visitor ?? Secret(AccountStore.systemRandom(32).map { String($0, radix: 36) }.joined()),
      session: session)
  }

  private static func cookies(_ request: Request) -> [String: Secret] {
    let pairs = request.headers[values: .cookie].flatMap { $0.split(separator: ";") }.prefix(100).compactMap { pair in
      let parts = pair.split(separator: "=", maxSplits: 1)
      return parts.count == 2 && parts[1].utf8.count <= 200
        ? (String(parts[0].drop { $0 == " " }), Secret(String(parts[1]))) : nil
    }
    return Dictionary(pairs, uniquingKeysWith: { first, _ in first })
  }

  /// What attempts and connections are counted by.
  static func client(_ request: Request, _ context: WebContext, _ settings: WebServer.Settings) -> String {
    // The last one is what our own proxy saw; those before it anybody may have made up.
    if settings.trustsForwarded, let name = HTTPField.Name("X-Forwarded-For"),
      let last = request.headers[values: name].last?.split(separator: ",").last,
      let address = try? SocketAddress(ipAddress: last.filter { $0 != " " }, port: 0)
    {
      return NetworkAddress.key(of: address)
    }
    return NetworkAddress.key(of: context.channel.remoteAddress)
  }

  /// A form is taken only from a page of ours that this very browser was shown.
  private static func check(_ visit: Visit, _ request: Request, _ site: Site) throws {
    try checkOrigin(request, site)
    guard SignIn.isFormCode(visit.form["code"] ?? "", of: visit.formSecret) else { throw WebProblem.foreignForm }
  }

  static func checkOrigin(_ request: Request, _ site: Site) throws {
    let isOurs =
      switch HTTPField.Name("Origin").flatMap({ request.headers[$0] }) {
      // Browsers that send no referrer send no origin with forms either.
      case nil, "null": true
      case let origin?: origin.lowercased() == site.address.text.lowercased()
      }
    let from = HTTPField.Name("Sec-Fetch-Site").flatMap { request.headers[$0] } ?? "same-origin"
    guard isOurs, from == "same-origin" || from == "none" else { throw WebProblem.foreignForm }
  }

  // MARK: Answers

  static func answer(_ page: Page, _ visit: Visit, _ site: Site) async throws -> Response {
    var (status, cookies) = (page.status, page.cookies)
    let html = try await site.html(page, visit)
    // The code in the forms of who is not signed in is made from a secret of their browser's own.
    if visit.actor == nil, visit.session == nil || status == 410 {
      cookies.append(site.address.cookie(site.address.visitorCookie, visit.formSecret.text))
    }
    if status < 200 || status > 599 { status = 500 }
    let bytes = ByteBuffer(string: html)
    var body = ResponseBody(byteBuffer: bytes)
    if let afterwards = page.afterwards {
      body = ResponseBody(contentLength: bytes.readableBytes) { writer in
        defer { afterwards() }
        try await writer.write(bytes)
        try await writer.finish(nil)
      }
    }
    var response = Response(
      status: HTTPResponse.Status(code: status), headers: [.contentType: "text/html; charset=utf-8"], body: body)
    for cookie in cookies { response.headers.append(HTTPField(name: .setCookie, value: cookie)) }
    return response
  }

  static func redirect(_ target: String, _ cookies: [String] = []) -> Response {
    var response = Response(status: .seeOther, headers: [.location: target])
    for cookie in cookies { response.headers.append(HTTPField(name: .setCookie, value: cookie)) }
    return response
  }

  /// - Parameters:
  ///   - isMember: whether whoever is not signed in is sent to sign in.
  ///   - next: where they go on after it.
  static func problem(
    _ error: any Error, _ site: Site, _ visit: Visit, isMember: Bool = false, next: ReturnPath? = nil
  ) async throws -> Response {
    if isMember, case AccountError.signedOut = error {
      let next = next.map { "?next=" + $0.encoded } ?? ""
      return redirect("/sign-in" + next, [site.address.cookie(site.address.sessionCookie, "", seconds: 0)])
    }
    var response = try await answer(Site.problem(error), visit, site)
    addRetryAfter(of: error, to: &response)
    return response
  }

  private static func addRetryAfter(of error: any Error, to response: inout Response) {
    switch error {
    case AccountError.limited(let wait): response.headers[.retryAfter] = String(max(1, wait / 1000))
    case StoreError.busy: response.headers[.retryAfter] = String(WebResponder.retryAfter)
    case let problem as WebProblem: response.headers[.retryAfter] = problem.retryAfter.map { String($0) }
    default: break
    }
  }
}
