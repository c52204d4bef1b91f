import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
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
    var response =
      APIResponder.isMeant(request.uri.path)
      ? await api.respond(to: request, context: context) : try await router.respond(to: request, context: context)
    // The router's own answer to what it has no page for is empty.
    if response.status == .notFound, response.headers[.contentType] == nil {
      let visit = try await Routes.visit(request, context, site)
      response = try await Routes.problem(AccountError.notFound, site, visit)
    }
    for (name, value) in WebResponder.fields where !response.headers.contains(name) { response.headers[name] = value }
    if site.address.isSecure { response.headers[.strictTransportSecurity] = "max-age=31536000" }
    if request.method == .head { response.body = .init() }
    return response
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
  let router = Router(context: WebContext.self, options: [.autoGenerateHeadEndpoints])

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
        return try await Routes.problem(error, site, visit, isMember: isMember)
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
      do {
        let bounds =
          visit.actor != nil && takesFiles ? try await Routes.bounds(ofUpload: visit, request, context, site) : .form
        let body = try await Routes.body(of: request, context, site.settings, bounds)
        visit.form = try Form(body, contentType: request.headers[.contentType])
        if !isOpen { try Routes.check(visit, request, site) }
        if isMember { _ = try visit.someone() }
        switch try await act(visit) {
        case .page(let page): return try await Routes.answer(page, visit, site)
        case .redirect(let target, let cookies): return Routes.redirect(target, cookies)
        }
      } catch {
        guard let page, let (refusal, status) = Routes.refusal(error, of: form, takesFiles: takesFiles, visit, site)
        else { return try await Routes.problem(error, site, visit, isMember: isMember) }
        visit.refusal = refusal
        do {
          var shown = try await page(visit)
          shown.status = status
          return try await Routes.answer(shown, visit, site)
        } catch {
          return try await Routes.problem(error, site, visit, isMember: isMember)
        }
      }
    }
  }

  /// What is said beside a field of the form, if it is for that that it can't be taken.
  private static func refusal(
    _ error: any Error, of form: String, takesFiles: Bool, _ visit: Visit, _ site: Site
  ) -> (Visit.Refusal, status: Int)? {
    if case AccountError.refused(let field, let reason) = error {
      return (Visit.Refusal(form: form, field: field.rawValue, reason: reason), 422)
    }
    guard takesFiles, visit.actor != nil, let problem = error as? WebProblem, problem.status == 413 else { return nil }
    let reason = "that is more than \(site.settings.uploadByteCount >> 20) MiB: send less at once"
    return (Visit.Refusal(form: form, field: AccountError.Field.file.rawValue, reason: reason), 413)
  }

  /// Who may not send files, or not there, is told so, and nothing of what they send is kept meanwhile.
  private static func bounds(
    ofUpload visit: Visit, _ request: Request, _ context: WebContext, _ site: Site
  ) async throws -> BodyBounds {
    do {
      try checkOrigin(request, site)
      let actor = try visit.someone()
      _ = try await site.accounts.domain(actor, visit.domain)
      guard actor.may(.write) else { throw AccountError.forbidden(.write) }
      return .files
    } catch {
      _ = try? await body(of: request, context, site.settings, .dropped)
      throw error
    }
  }

  // MARK: Requests

  static func visit(_ request: Request, _ context: WebContext, _ site: Site) async throws -> Visit {
    let cookies = Routes.cookies(request)
    let (session, visitor) = (cookies[site.address.sessionCookie], cookies[site.address.visitorCookie])
    var visit = Visit(
      path: request.uri.path, query: Form((request.uri.query ?? "").utf8),
      parameters: Dictionary(
        context.parameters.map { (String($0.key), String($0.value)) }, uniquingKeysWith: { first, _ in first }),
      client: client(request, context, site.settings),
      userAgent: String((request.headers[.userAgent] ?? "").prefix(200)),
      formSecret: session ?? visitor ?? Secret(AccountStore.systemRandom(32).map { String($0, radix: 36) }.joined()),
      session: session)
    guard let session else { return visit }
    do {
      let (found, memberships) = try await site.signIn.session(session)
      let account = cookies[site.address.accountCookie].flatMap { AccountID($0.text) }
      let chosen = memberships.contains { $0.account.id == account } ? account : nil
      visit.actor = try await site.signIn.actor(session: session, account: chosen)
      (visit.memberships, visit.address) = (memberships, found.address)
    } catch AccountError.signedOut {
      // What needs somebody says so itself.
    }
    return visit
  }

  private static func cookies(_ request: Request) -> [String: Secret] {
    let pairs = request.headers[values: .cookie].flatMap { $0.split(separator: ";") }.prefix(100).compactMap { pair in
      let parts = pair.split(separator: "=", maxSplits: 1)
      return parts.count == 2 && parts[1].utf8.count <= 200
        ? (String(parts[0].drop { $0 == " " }), Secret(String(parts[1]))) : nil
    }
    return Dictionary(pairs, uniquingKeysWith: { first, _ in first })
  }

  private static func client(_ request: Request, _ context: WebContext, _ settings: WebServer.Settings) -> String {
    // The last one is what our own proxy saw; those before it anybody may have made up.
    if settings.trustsForwarded, let name = HTTPField.Name("X-Forwarded-For"),
      let last = request.headers[values: name].last?.split(separator: ",").last,
      let address = try? SocketAddress(ipAddress: last.filter { $0 != " " }, port: 0)
    {
      return address.ipAddress ?? ""
    }
    return context.channel.remoteAddress?.ipAddress ?? ""
  }

  /// A form is taken only from a page of ours that this very browser was shown.
  private static func check(_ visit: Visit, _ request: Request, _ site: Site) throws {
    try checkOrigin(request, site)
    guard SignIn.isFormCode(visit.form["code"] ?? "", of: visit.formSecret) else { throw WebProblem.foreignForm }
  }

  private static func checkOrigin(_ request: Request, _ site: Site) throws {
    let isOurs =
      switch HTTPField.Name("Origin").flatMap({ request.headers[$0] }) {
      // Browsers that send no referrer send no origin with forms either.
      case nil, "null": true
      case let origin?: origin.lowercased() == site.address.text.lowercased()
      }
    let from = HTTPField.Name("Sec-Fetch-Site").flatMap { request.headers[$0] } ?? "same-origin"
    guard isOurs, from == "same-origin" || from == "none" else { throw WebProblem.foreignForm }
  }

  /// How much of a body is read, and for how long.
  enum BodyBounds {
    case form, files
    /// As much as of files, and nothing is kept of it.
    case dropped
  }

  static func body(
    of request: Request, _ context: WebContext, _ settings: WebServer.Settings, _ bounds: BodyBounds = .form
  ) async throws -> [UInt8] {
    let channel = context.channel
    do {
      return try await withThrowingTaskGroup(of: [UInt8].self) { group in
        group.addTask {
          guard bounds != .form else {
            return [UInt8]((try await request.body.collect(upTo: settings.formByteCount)).readableBytesView)
          }
          return try await Routes.files(of: request, settings.uploadByteCount, isKept: bounds == .files)
        }
        group.addTask {
          try await Task.sleep(for: bounds == .form ? settings.bodyTimeout : settings.uploadTimeout)
          throw WebProblem.tooSlow
        }
        defer { group.cancelAll() }
        return try await group.next() ?? []
      }
    } catch {
      // Nobody wants to read the rest.
      channel.eventLoop.scheduleTask(in: .seconds(1)) { channel.close(promise: nil) }
      throw error is NIOTooManyBytesError ? WebProblem.tooLarge : error
    }
  }

  /// What is too much is read and thrown away, up to a point: browsers look at no answer before they have sent all.
  private static func files(of request: Request, _ most: Int, isKept: Bool) async throws -> [UInt8] {
    var (bytes, count) = ([UInt8](), 0)
    for try await part in request.body {
      count += part.readableBytes
      guard count <= most else {
        bytes = []
        if count > most * 8 { break }
        continue
      }
      if isKept { bytes += part.readableBytesView }
    }
    guard count <= most else { throw WebProblem.tooLarge }
    return bytes
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
    var response = Response(
      status: HTTPResponse.Status(code: status), headers: [.contentType: "text/html; charset=utf-8"],
      body: ResponseBody(byteBuffer: ByteBuffer(string: html)))
    for cookie in cookies { response.headers.append(HTTPField(name: .setCookie, value: cookie)) }
    return response
  }

  static func redirect(_ target: String, _ cookies: [String] = []) -> Response {
    var response = Response(status: .seeOther, headers: [.location: target])
    for cookie in cookies { response.headers.append(HTTPField(name: .setCookie, value: cookie)) }
    return response
  }

  static func problem(_ error: any Error, _ site: Site, _ visit: Visit, isMember: Bool = false) async throws -> Response
  {
    if isMember, case AccountError.signedOut = error {
      return redirect("/sign-in", [site.address.cookie(site.address.sessionCookie, "", seconds: 0)])
    }
    var response = try await answer(Site.problem(error), visit, site)
    if case AccountError.limited(let wait) = error { response.headers[.retryAfter] = String(max(1, wait / 1000)) }
    if case StoreError.busy = error { response.headers[.retryAfter] = String(WebResponder.retryAfter) }
    return response
  }
}
