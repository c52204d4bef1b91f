import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
import OrielAccounts

/// Answers programs: everything below `/api/`.
struct APIResponder: Sendable {
  static let root = "/api/v1"

  let site: Site
  let operations: [APIOperation]
  private let document: [UInt8]

  init(_ site: Site) throws {
    self.site = site
    operations =
      APIOperation.ofAccount + APIOperation.ofDomains + APIOperation.ofDomainLists + APIOperation.ofIssuances
      + APIOperation.ofService + [.events, .document]
    document = try APIDocument.make(operations).encoded()
  }

  static func isMeant(_ path: String) -> Bool { path == "/api" || path.hasPrefix("/api/") }

  func respond(to request: Request, context: WebContext) async -> Response {
    var names: [AccountError.Field: String] = [:]
    do {
      let (operation, parameters) = try find(request)
      names = operation.names
      return try await respond(operation, parameters, request, context)
    } catch {
      return APIProblem(error, names).response
    }
  }

  private func find(_ request: Request) throws -> (APIOperation, [String: String]) {
    let path = request.uri.path
    guard path.hasPrefix(APIResponder.root + "/") else { throw AccountError.notFound }
    let parts = path.dropFirst(APIResponder.root.count + 1).split(separator: "/", omittingEmptySubsequences: false)
    let found = operations.compactMap { operation in operation.match(parts).map { (operation, $0) } }
    guard !found.isEmpty else { throw AccountError.notFound }
    guard let chosen = found.first(where: { $0.0.method == request.method }) else {
      let allowed = found.map(\.0.verb).flatMap { $0 == "GET" ? ["GET", "HEAD"] : [$0] }
      throw APIProblem(
        status: .methodNotAllowed, detail: "here you can \(allowed.joined(separator: ", "))",
        headers: [.allow: allowed.joined(separator: ", ")])
    }
    return chosen
  }

  private func respond(
    _ operation: APIOperation, _ parameters: [String: String], _ request: Request, _ context: WebContext
  ) async throws -> Response {
    if case .document = operation.answer { return APIResponder.json(document, .ok) }
    let caller = try await Caller.find(request, context, site)
    if let permission = operation.permission { _ = try caller.someone(who: permission) }
    guard operation.isReading || caller.mayChange else { throw APIProblem.needsToken }
    let call = APICall(
      site: site, caller: caller, parameters: parameters, query: try APIResponder.query(request, operation.query),
      body: try await body(request, context, operation, caller.occupant(request, context, site)),
      request: request, context: context)
    switch (try await operation.run(call), operation.answer) {
    case (.response(let response), _): return response
    case (.json(let json), .json(_, let status)):
      return APIResponder.json(try json.encoded(), HTTPResponse.Status(code: status))
    case (_, .nothing(let status)): return Response(status: HTTPResponse.Status(code: status))
    default: return Response(status: .noContent)
    }
  }

  private static func json(_ bytes: [UInt8], _ status: HTTPResponse.Status) -> Response {
    Response(
      status: status, headers: [.contentType: "application/json"],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
  }

  // MARK: Reading

  /// What stands behind the question mark.
  static func query(_ request: Request, _ fields: [Field]) throws -> [String: JSON] {
    let form = Form((request.uri.query ?? "").utf8)
    var errors = form.names.subtracting(fields.map(\.name)).sorted().prefix(20).map {
      FieldError(field: String($0.prefix(100)), reason: "there is no such parameter")
    }
    var values: [String: JSON] = [:]
    for field in fields {
      let texts = form.all(field.name)
      do throws(Schema.Misfit) {
        if case .list(let element, let most) = field.schema {
          guard texts.count <= most else { throw Schema.Misfit(reason: "at most \(most), please") }
          var list: [JSON] = []
          for text in texts { list.append(try element.value(of: text)) }
          if !list.isEmpty { values[field.name] = .list(list) }
        } else if let text = texts.first {
          guard texts.count == 1 else { throw Schema.Misfit(reason: "once is enough") }
          values[field.name] = try field.schema.value(of: text)
        } else if field.isRequired {
          throw Schema.Misfit(reason: "this is needed")
        }
      } catch {
        errors.append(FieldError(field: field.name, reason: error.reason))
      }
    }
    guard errors.isEmpty else { throw APIProblem.fields(errors) }
    return values
  }

  private func body(
    _ request: Request, _ context: WebContext, _ operation: APIOperation, _ occupant: Occupant
  ) async throws -> JSON {
    guard let fields = operation.body else { return [:] }
    let type = (request.headers[.contentType] ?? "").prefix { $0 != ";" }.filter { $0 != " " }.lowercased()
    guard type == "application/json" || (operation.method == .patch && type == "application/merge-patch+json") else {
      throw APIProblem(
        status: .unsupportedMediaType, detail: "send JSON, and say so: Content-Type: application/json")
    }
    let bytes = try await Routes.body(of: request, context, site, from: occupant)
    guard let document = try? Document.read(bytes, by: .object(fields)) else {
      throw APIProblem(status: .badRequest, detail: "that is no JSON")
    }
    guard document.errors.isEmpty else { throw APIProblem.fields(document.errors) }
    return document.value ?? [:]
  }
}
