import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
import OrielAccounts
import OrielStore

/// Why a program does not get what it asked for, as RFC 9457 has it.
struct APIProblem: Error {
  var status: HTTPResponse.Status
  var detail: String
  var fields: [FieldError] = []
  var headers: HTTPFields = [:]

  static let mediaType = "application/problem+json"

  static let nobody = APIProblem(
    status: .unauthorized, detail: "give a token: Authorization: Bearer oriel_…",
    headers: [.wwwAuthenticate: #"Bearer realm="oriel""#])
  static let badToken = APIProblem(
    status: .unauthorized, detail: "this token is good for nothing: it is mistyped, revoked, or its member is gone",
    headers: [.wwwAuthenticate: #"Bearer realm="oriel", error="invalid_token""#])
  static let needsToken = APIProblem(
    status: .unauthorized, detail: "a session may only look; to change something, give a token",
    headers: [.wwwAuthenticate: #"Bearer realm="oriel""#])
  static let tokenInAddress = APIProblem(
    status: .forbidden, detail: "a token in the address must have the scope read alone")
  static let notOperator = APIProblem(
    status: .forbidden,
    detail: "these are figures of the whole service: only the operator's account, the first one, may read them")

  static func fields(_ fields: [FieldError]) -> APIProblem {
    // They may repeat what was sent.
    let short = fields.map { FieldError(field: $0.field, reason: String($0.reason.prefix(1000))) }
    return APIProblem(status: .unprocessableContent, detail: "some fields can't be taken", fields: short)
  }

  /// - Parameter names: what our fields are called here.
  init(_ error: any Error, _ names: [AccountError.Field: String] = [:]) {
    switch error {
    case let problem as APIProblem: self = problem
    case let error as AccountError:
      switch error {
      case .notFound: self.init(status: .notFound, detail: "\(error)")
      case .forbidden: self.init(status: .forbidden, detail: "\(error)")
      case .signedOut: self = .badToken
      case .refused(let field, let reason):
        self = .fields([FieldError(field: names[field] ?? field.rawValue, reason: reason)])
      case .limited(let wait):
        self.init(
          status: .tooManyRequests, detail: "\(error)", headers: [.retryAfter: String(max(1, (wait + 999) / 1000))])
      }
    case let problem as WebProblem:
      let detail =
        switch problem.status {
        case .contentTooLarge: "the body is too large"
        case .requestTimeout: "the body did not arrive in time"
        case .badRequest: "the body did not arrive as a whole"
        case .tooManyRequests: "too many requests of this kind are being worked on; try again in a few seconds"
        default: problem.words
        }
      self.init(
        status: problem.status, detail: detail,
        headers: problem.retryAfter.map { [.retryAfter: String($0)] } ?? [:])
    case StoreError.busy:
      self.init(
        status: .serviceUnavailable, detail: "something else is being written for long; try again later",
        headers: [.retryAfter: String(WebResponder.retryAfter)])
    default:
      self.init(status: .internalServerError, detail: "the reason is not known here; try again later")
    }
  }

  init(status: HTTPResponse.Status, detail: String, fields: [FieldError] = [], headers: HTTPFields = [:]) {
    self.status = status
    self.detail = detail
    self.fields = fields
    self.headers = headers
  }

  static let schema = Schema.named(
    "Problem",
    [
      Field("type", .text, "about:blank: the status says it all"), Field("title", .text, "the status in words"),
      Field("status", .integer(400...599), "the status"), Field("detail", .text, "what is wrong this time"),
      .optional(
        "errors",
        .list(
          .object([
            Field("field", .text, "of the body or the query, such as `delivery.known`"),
            Field("reason", .text, "why it can't be taken"),
          ])), "the fields that can't be taken"),
    ])

  var json: JSON {
    [
      "type": "about:blank", "title": .text(status.reasonPhrase), "status": .integer(Int64(status.code)),
      "detail": .text(detail),
      "errors": fields.isEmpty
        ? nil : .list(fields.map { ["field": .text($0.field), "reason": .text($0.reason)] }),
    ]
  }

  var response: Response {
    var response = Response(
      status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: (try? json.encoded()) ?? [])))
    response.headers[.contentType] = APIProblem.mediaType
    return response
  }
}
