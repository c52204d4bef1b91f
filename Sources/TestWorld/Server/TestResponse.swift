import CDeflate
package import NIOCore

/// A request as the server got it.
package struct TestRequest: Sendable {
  package var method: String
  /// Path and query, with the slash at the start.
  package var target: String
  package var headers: [(name: String, value: String)]
  package var body: [UInt8]

  package init(
    _ target: String, method: String = "GET", headers: [(name: String, value: String)] = [], body: [UInt8] = []
  ) {
    self.method = method
    self.target = target
    self.headers = headers
    self.body = body
  }
}

/// A response, and how it reaches the client: whole, or in one of the ways that things go wrong.
package struct TestResponse: Sendable {
  package enum Delivery: Sendable {
    case whole
    /// So many bytes at a time, with a pause before each.
    case drip(byteCount: Int, every: Duration)
    /// The connection closes after so many bytes of the body.
    case cut(after: Int)
    /// Not a byte, and the connection stays open.
    case never
  }

  package enum ContentLength: Sendable {
    case actual
    case claimed(Int)
    /// Chunked transfer coding.
    case unstated
  }

  package var status: Int
  package var headers: [(name: String, value: String)]
  package var body: ByteBuffer
  /// Whether the server is to gzip the body, and to say so.
  package var isGzipped = false
  package var contentLength = ContentLength.actual
  package var delivery = Delivery.whole

  package init(status: Int = 200, type: String, _ body: ByteBuffer) {
    self.status = status
    headers = [("content-type", type)]
    self.body = body
  }

  package init(status: Int = 200, type: String, _ body: [UInt8]) {
    self.init(status: status, type: type, ByteBuffer(bytes: body))
  }

  package init(status: Int, _ text: String) {
    self.init(status: status, type: "text/plain; charset=utf-8", Array(text.utf8))
  }

  package static func json(_ body: [UInt8]) -> TestResponse { TestResponse(type: "application/json", body) }
  package static let notFound = TestResponse(status: 404, "not found\n")

  package var bytes: [UInt8] {
    get { Array(body.readableBytesView) }
    set { body = ByteBuffer(bytes: newValue) }
  }

  /// What goes over the wire: compressed if that was asked for.
  func encoded() -> TestResponse {
    guard isGzipped else { return self }
    var response = self
    response.bytes = TestResponse.gzip(bytes)
    response.headers.append(("content-encoding", "gzip"))
    response.isGzipped = false
    return response
  }

  /// The bytes as one member of gzip; empty if there is no memory.
  package static func gzip(_ bytes: [UInt8], level: Int32 = 6) -> [UInt8] {
    guard let compressor = libdeflate_alloc_compressor(level) else { return [] }
    defer { libdeflate_free_compressor(compressor) }
    return [UInt8](unsafeUninitializedCapacity: libdeflate_gzip_compress_bound(compressor, bytes.count)) {
      output, count in
      count = libdeflate_gzip_compress(compressor, bytes, bytes.count, output.baseAddress, output.count)
    }
  }
}
