import HTTPTypes
import Hummingbird
import OrielAccounts

/// Something that programs can ask for: where, by whom, with what, and what comes back. Requests are routed and read by
/// it, and the document is made of it.
struct APIOperation: Sendable {
  enum Answer: Sendable {
    case json(Schema, status: Int = 200)
    /// Done, and nothing to say.
    case nothing(status: Int = 204)
    /// A stream of server-sent events.
    case events
    /// The document itself.
    case document
  }

  let method: HTTPRequest.Method
  /// Below `/api/v1`, such as `/domains/{domain}`.
  let path: String
  /// For programs that make clients of the document.
  let id: String
  let summary: String
  /// Nil for what anybody may.
  let permission: Permission?
  var query: [Field] = []
  var body: [Field]?
  let answer: Answer
  /// What our own words for fields are called in this body.
  var names: [AccountError.Field: String] = [:]
  let run: @Sendable (APICall) async throws -> APIReply

  var verb: String { method.rawValue }
  /// Whether it only looks.
  var isReading: Bool { method == .get }

  /// The parts of the path.
  var segments: [Substring] { path.split(separator: "/") }

  /// The names in the path.
  var parameters: [String] { segments.filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) } }

  /// The parameters of a path; nil if it is another one.
  func match(_ parts: [Substring]) -> [String: String]? {
    let segments = segments
    guard segments.count == parts.count else { return nil }
    var parameters: [String: String] = [:]
    for (segment, part) in zip(segments, parts) {
      if segment.hasPrefix("{") {
        parameters[String(segment.dropFirst().dropLast())] = String(part)
      } else if segment != part {
        return nil
      }
    }
    return parameters
  }
}

extension APIOperation {
  static func get(
    _ path: String, _ id: String, _ summary: String, by permission: Permission = .read, query: [Field] = [],
    _ answer: Schema, _ run: @escaping @Sendable (APICall) async throws -> JSON
  ) -> APIOperation {
    APIOperation(
      method: .get, path: path, id: id, summary: summary, permission: permission, query: query, answer: .json(answer)
    ) { .json(try await run($0)) }
  }

  static func delete(
    _ path: String, _ id: String, _ summary: String, by permission: Permission = .write,
    _ run: @escaping @Sendable (APICall) async throws -> Void
  ) -> APIOperation {
    APIOperation(
      method: .delete, path: path, id: id, summary: summary, permission: permission, answer: .nothing()
    ) { call in
      try await run(call)
      return .nothing
    }
  }

  /// One that takes a body.
  static func change(
    _ method: HTTPRequest.Method, _ path: String, _ id: String, _ summary: String, by permission: Permission = .write,
    body: [Field], names: [AccountError.Field: String] = [:], status: Int = 200, _ answer: Schema,
    _ run: @escaping @Sendable (APICall) async throws -> JSON
  ) -> APIOperation {
    APIOperation(
      method: method, path: path, id: id, summary: summary, permission: permission, body: body,
      answer: .json(answer, status: status), names: names
    ) { .json(try await run($0)) }
  }
}

/// One request to the API.
struct APICall: Sendable {
  let site: Site
  let caller: Caller
  let parameters: [String: String]
  let query: [String: JSON]
  let body: JSON
  let request: Request
  let context: WebContext

  var accounts: Accounts { site.accounts }
  var actor: Actor { get throws { try caller.someone() } }
  var occupant: Occupant { caller.occupant(request, context, site) }

  /// A part of the path that names something.
  ///
  /// - Throws: ``AccountError/notFound`` if it can't.
  func id<Kind>(_ name: String, _: Kind.Type = Kind.self) throws -> ID<Kind> {
    guard let id = parameters[name].flatMap({ ID<Kind>($0) }) else { throw AccountError.notFound }
    return id
  }

  var domain: DomainID { get throws { try id("domain") } }

  /// How many are asked for at once.
  var limit: Int { Int(query["limit"]?.integer ?? 50) }

  static let limitField = Field.optional("limit", .integer(1...200), "how many at once; 50 unless said otherwise")
  /// The longest are items.
  static let afterField = Field.optional("after", .text(most: Domain.longestItem), "`next` of the page before")

  /// A place in a list that an earlier page gave.
  func cursor<Cursor>(_ read: (String) -> Cursor?) throws -> Cursor? {
    guard let text = query["after"]?.text else { return nil }
    guard let cursor = read(text) else {
      throw APIProblem.fields([FieldError(field: "after", reason: "give what `next` was")])
    }
    return cursor
  }
}

/// What an operation comes to.
enum APIReply: Sendable {
  case json(JSON)
  case nothing
  case response(Response)
}
