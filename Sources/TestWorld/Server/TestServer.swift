import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// An HTTP/1.1 server on loopback that answers as it is told, and lies on request.
package final class TestServer: Sendable {
  package typealias Responder = @Sendable (TestRequest) async -> TestResponse

  package let port: Int
  private let respond: Responder
  private let log = Mutex<[String]>([])

  /// `http://127.0.0.1:<port>/`
  package var url: String { "http://127.0.0.1:\(port)/" }
  /// What was asked for, in order.
  package var targets: [String] { log.withLock { $0 } }
  package var requestCount: Int { log.withLock { $0.count } }

  /// How often a target with `part` in it was asked for.
  package func requestCount(containing part: String) -> Int { targets.count { $0.contains(part) } }

  private init(port: Int, respond: @escaping Responder) {
    self.port = port
    self.respond = respond
  }

  /// Serves while `body` runs, then closes all connections.
  package static func run<Result>(
    port: Int = 0, respond: @escaping Responder, _ body: (TestServer) async throws -> Result
  ) async throws -> Result {
    let listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .serverChannelOption(.backlog, value: 256)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .bind(host: "127.0.0.1", port: port) { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.configureHTTPServerPipeline()
          try channel.pipeline.syncOperations.addHandler(BufferAdapter())
          return try Connection(wrappingChannelSynchronously: channel)
        }
      }
    let server = TestServer(port: listener.channel.localAddress?.port ?? 0, respond: respond)
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await server.accept(listener) }
      let result = try await body(server)
      group.cancelAll()
      return result
    }
  }

  private typealias Connection = NIOAsyncChannel<HTTPServerRequestPart, ResponsePart>
  private typealias Writer = NIOAsyncChannelOutboundWriter<ResponsePart>

  private func accept(_ listener: NIOAsyncChannel<Connection, Never>) async throws {
    try await listener.executeThenClose { connections in
      try await withThrowingDiscardingTaskGroup { group in
        for try await connection in connections {
          // A connection that fails is the client's affair, or the lie that was asked for.
          group.addTask { try? await self.serve(connection) }
        }
      }
    }
  }

  /// Ends a connection in the middle of things.
  private struct ConnectionCut: Error {}

  private func serve(_ connection: Connection) async throws {
    try await connection.executeThenClose { parts, writer in
      var head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/")
      var body: [UInt8] = []
      for try await part in parts {
        switch part {
        case .head(let next): (head, body) = (next, [])
        case .body(let buffer): body += buffer.readableBytesView
        case .end:
          log.withLock { $0.append(head.uri) }
          let request = TestRequest(
            head.uri, method: head.method.rawValue, headers: head.headers.map { ($0.name, $0.value) }, body: body)
          try await send(await respond(request).encoded(), to: writer, for: head)
          if !head.isKeepAlive { return }
        }
      }
    }
  }

  private func send(_ response: TestResponse, to writer: Writer, for request: HTTPRequestHead) async throws {
    var headers = HTTPHeaders(response.headers.map { ($0.name, $0.value) })
    switch response.contentLength {
    case .actual: headers.add(name: "content-length", value: String(response.body.readableBytes))
    case .claimed(let count): headers.add(name: "content-length", value: String(count))
    case .unstated: headers.add(name: "transfer-encoding", value: "chunked")
    }
    let status = HTTPResponseStatus(statusCode: response.status)
    let head = ResponsePart.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers))
    let body = request.method == .HEAD ? ByteBuffer() : response.body
    switch response.delivery {
    case .whole:
      try await writer.write(contentsOf: [head, .body(body), .end(nil)])
    case .drip(let byteCount, let pause):
      try await writer.write(head)
      var rest = body
      while let piece = rest.readSlice(length: min(max(byteCount, 1), rest.readableBytes)), piece.readableBytes > 0 {
        try await Task.sleep(for: pause)
        try await writer.write(.body(piece))
      }
      try await writer.write(.end(nil))
    case .cut(let count):
      var body = body
      body.moveWriterIndex(to: body.readerIndex + min(count, body.readableBytes))
      try await writer.write(contentsOf: [head, .body(body)])
      throw ConnectionCut()
    case .never:
      while true { try await Task.sleep(for: .seconds(3600)) }
    }
    // A body that is not as long as was said leaves the connection of no use.
    if case .claimed(let count) = response.contentLength, count != body.readableBytes { throw ConnectionCut() }
  }
}

private typealias ResponsePart = HTTPPart<HTTPResponseHead, ByteBuffer>

/// Lets buffers through to an encoder that also takes files.
private final class BufferAdapter: ChannelOutboundHandler {
  typealias OutboundIn = ResponsePart
  typealias OutboundOut = HTTPServerResponsePart

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    let part: HTTPServerResponsePart =
      switch unwrapOutboundIn(data) {
      case .head(let head): .head(head)
      case .body(let buffer): .body(.byteBuffer(buffer))
      case .end(let trailers): .end(trailers)
      }
    context.write(wrapOutboundOut(part), promise: promise)
  }
}
