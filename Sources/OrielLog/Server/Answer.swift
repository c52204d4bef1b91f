import CertificateTransparency
import Foundation
import HTTPTypes
import Hummingbird
import MerkleTree
import NIOCore

/// What a request is answered with.
struct Answer: Sendable {
  var status: HTTPResponse.Status
  var headers: HTTPFields
  var body: ByteBuffer

  /// How long others may keep an answer.
  enum Keeping: String {
    /// What never changes.
    case forEver = "public, max-age=604800, immutable"
    case seconds = "public, max-age=1"
    case minutes = "public, max-age=60"
    /// What depends on a query too: a gateway that overlooked that has served wrong proofs.
    case never = "no-store"
  }

  init(_ body: [UInt8], _ headers: HTTPFields) {
    status = .ok
    (self.headers, self.body) = (headers, ByteBuffer(bytes: body))
  }

  init(_ body: [UInt8], type: String, keeping: Keeping, tag: String? = nil) {
    self.init(body, Answer.headers(type: type, keeping: keeping, tag: tag))
  }

  static func headers(type: String, keeping: Keeping, tag: String? = nil) -> HTTPFields {
    var headers: HTTPFields = [.contentType: type, .cacheControl: keeping.rawValue]
    headers[.eTag] = tag.map { "\"\($0)\"" }
    return headers
  }

  static func json(_ body: [UInt8], keeping: Keeping = .never) -> Answer {
    Answer(body, type: "application/json", keeping: keeping)
  }

  static func text(_ text: String, status: Int = 200) -> Answer {
    var answer = Answer(Array((text + "\n").utf8), type: "text/plain; charset=utf-8", keeping: .never)
    answer.status = HTTPResponse.Status(code: status)
    return answer
  }

  /// Something small that changes now and then.
  static func changing(_ body: [UInt8], type: String, keeping: Keeping) -> Answer {
    Answer(body, type: type, keeping: keeping, tag: String(SHA256Hash.hash(body).hex.prefix(32)))
  }

  /// The header fields of a response with a body of so many bytes.
  static func fields(_ headers: HTTPFields, byteCount: Int) -> HTTPFields {
    var fields = headers
    // Whoever asks may read what a log says, and submit to it, from the page of any site (RFC 6454).
    fields[.accessControlAllowOrigin] = "*"
    fields[.contentLength] = String(byteCount)
    return fields
  }

  /// The HTTP response to a request: without a body where it asked for none, or has this one already.
  func response(to request: Request) -> Response {
    var headers = Answer.fields(headers, byteCount: body.readableBytes)
    if status == .ok, let tag = headers[.eTag], let known = request.headers[.ifNoneMatch], Answer.matches(known, tag) {
      headers[.contentType] = nil
      headers[.contentEncoding] = nil
      headers[.contentLength] = nil
      return Response(status: .notModified, headers: headers)
    }
    let isWanted = request.method != .head && status != .noContent
    return Response(
      status: status, headers: headers, body: isWanted ? ResponseBody(byteBuffer: body) : .init())
  }

  private static func matches(_ list: String, _ tag: String) -> Bool {
    list.split(separator: ",").contains { item in
      let item = item.drop { $0 == " " }.prefix { $0 != " " }
      return item == "*" || (item.hasPrefix("W/") ? item.dropFirst(2) : item) == tag
    }
  }
}

/// Why a request is not answered as it hoped.
struct Refusal: Error {
  let status: Int
  let reason: String
  var retryAfter: Int?

  init(_ status: Int, _ reason: String, retryAfter: Int? = nil) {
    self.status = status
    self.reason = reason
    self.retryAfter = retryAfter
  }

  init(_ rejection: Rejection) { self.init(rejection.status, rejection.description, retryAfter: rejection.retryAfter) }

  static let notFound = Refusal(404, "there is nothing here")

  var answer: Answer {
    var answer = Answer.text(reason, status: status)
    answer.headers[.retryAfter] = retryAfter.map(String.init)
    return answer
  }
}

/// The parameters behind the question mark.
struct Query {
  private var items: [Substring: Substring] = [:]

  init(_ text: Substring) {
    for pair in text.split(separator: "&") {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if let name = parts.first { items[name] = parts.count > 1 ? parts[1] : "" }
    }
  }

  func number(_ name: Substring) throws(Refusal) -> UInt64 {
    guard let text = items[name] else { throw Refusal(400, "the parameter \(name) is missing") }
    guard text.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let value = UInt64(text), value <= BatchBuilder.maximumSize
    else {
      throw Refusal(400, "the parameter \(name) is not a number that a tree can have")
    }
    return value
  }

  func hash(_ name: Substring) throws(Refusal) -> SHA256Hash {
    guard let text = items[name] else { throw Refusal(400, "the parameter \(name) is missing") }
    // Base64 has no spaces, so a plus sign that was not escaped is one.
    guard let plain = String(text).removingPercentEncoding, let bytes = Base64.decode(plain),
      let hash = SHA256Hash(bytes)
    else { throw Refusal(400, "the parameter \(name) is not base64 of 32 bytes") }
    return hash
  }
}
