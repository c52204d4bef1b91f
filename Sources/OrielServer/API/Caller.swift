import HTTPTypes
import Hummingbird
import HummingbirdCore
import OrielAccounts

/// Who a program's request is by.
struct Caller: Sendable {
  enum Means: Sendable {
    case token(Secret)
    /// A browser that is signed in. It may look, but never change anything this way: any page could have sent it.
    case session(Secret)
    case nobody
  }

  let means: Means
  let actor: Actor?

  /// Whom a request is counted for.
  func occupant(_ request: Request, _ context: WebContext, _ site: Site) -> Occupant {
    let secret: Secret? =
      switch means {
      case .token(let secret), .session(let secret): secret
      case .nobody: nil
      }
    return Occupant(
      address: Routes.client(request, context, site.settings), account: actor?.account, session: secret)
  }

  var mayChange: Bool {
    if case .token = means { return true }
    return false
  }

  /// - Throws: ``APIProblem`` where nobody is.
  func someone() throws -> Actor {
    guard let actor else { throw APIProblem.nobody }
    return actor
  }

  /// - Throws: ``AccountError/forbidden(_:)``
  func someone(who permission: Permission) throws -> Actor {
    let actor = try someone()
    guard actor.may(permission) else { throw AccountError.forbidden(permission) }
    return actor
  }

  /// By the token of a request, or else by its cookie.
  ///
  /// - Throws: ``APIProblem`` for a token that is good for nothing.
  static func find(_ request: Request, _ context: WebContext, _ site: Site) async throws -> Caller {
    if let field = request.headers[.authorization] {
      let parts = field.split(separator: " ", maxSplits: 1)
      guard parts.count == 2, parts[0].lowercased() == "bearer" else { throw APIProblem.badToken }
      return try await find(Secret(parts[1].filter { $0 != " " }), site)
    }
    let visit = try await Routes.visit(request, context, site)
    guard let session = visit.session, let actor = visit.actor else { return Caller(means: .nobody, actor: nil) }
    return Caller(means: .session(session), actor: actor)
  }

  private static func find(_ token: Secret, _ site: Site) async throws -> Caller {
    do {
      return Caller(means: .token(token), actor: try await site.signIn.actor(token: token))
    } catch AccountError.signedOut {
      throw APIProblem.badToken
    } catch {
      throw error
    }
  }

  /// The same for readers of feeds, most of which can carry a token in the address only. Addresses are written into
  /// logs and histories, so that this is taken from tokens alone that can do nothing but read.
  static func findReader(_ request: Request, _ context: WebContext, _ site: Site) async throws -> Caller {
    guard request.headers[.authorization] == nil,
      let token = Form((request.uri.query ?? "").utf8)["token"].map({ Secret($0) })
    else { return try await find(request, context, site) }
    let caller = try await find(token, site)
    guard try await site.signIn.isReadOnly(token) else { throw APIProblem.tokenInAddress }
    return caller
  }

  /// Who it is by now, if they still may: rights end while a stream is open.
  func now(_ site: Site) async -> Actor? {
    switch means {
    case .token(let token): try? await site.signIn.actor(token: token)
    case .session(let session): try? await site.signIn.actor(session: session, account: actor?.account)
    case .nobody: nil
    }
  }
}
