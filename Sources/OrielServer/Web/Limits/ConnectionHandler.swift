import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Notes whether a request is under way on a connection, and mends what the server below the pages answers by itself.
///
/// Owned by the connection's event loop.
final class ConnectionHandler: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPRequestPart
  typealias InboundOut = HTTPRequestPart
  typealias OutboundIn = HTTPResponsePart
  typealias OutboundOut = HTTPResponsePart

  private let connections: Connections
  private var entry: Connections.Entry?
  /// Of the requests that have not been answered, in their order.
  private var methods: [HTTPRequest.Method] = []
  /// Whether the end of the answer that is being written ends the connection.
  private var isLast = false
  /// Whether the connection ends once the next answer has been read, or some time after it.
  private var isUnwanted = false

  init(_ connections: Connections) { self.connections = connections }

  /// Ends the connection after the next answer, whatever else is still being sent.
  func closesAfterAnswer() { isUnwanted = true }

  func handlerAdded(context: ChannelHandlerContext) {
    if context.channel.isActive { open(context) }
  }

  func channelActive(context: ChannelHandlerContext) {
    open(context)
    context.fireChannelActive()
  }

  private func open(_ context: ChannelHandlerContext) {
    if entry == nil { entry = connections.opened(context.channel) }
  }

  func channelInactive(context: ChannelHandlerContext) {
    if let entry { connections.closed(entry) }
    entry = nil
    context.fireChannelInactive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if case .head(let head) = unwrapInboundIn(data) {
      if methods.isEmpty, let entry { connections.busy(entry) }
      methods.append(head.method)
    }
    context.fireChannelRead(data)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    switch unwrapOutboundIn(data) {
    case .head(let head) where head.status.kind != .informational: write(head, context, promise)
    case .end: end(data, context, promise)
    default: context.write(data, promise: promise)
    }
  }

  private func write(_ head: HTTPResponse, _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
    var head = head
    let length = head.headerFields[.contentLength]
    if methods.first == .head {
      // Without a length the encoder would end the body that there is not, and the next answer begin with that.
      isLast = length == nil && head.status != .notModified && head.status != .noContent
      if isLast { head.headerFields[.connection] = "close" }
    } else if head.status.code >= 400, length == "0" {
      // What is no HTTP never gets to the pages, which always say why.
      let problem = APIProblem(
        status: head.status,
        detail: head.status == .badRequest
          ? "this is no HTTP/1.1 request, or its head is too long" : "the reason is not known here; try again later")
      let body = ByteBuffer(bytes: (try? problem.json.encoded()) ?? [])
      head.headerFields[.contentType] = APIProblem.mediaType
      head.headerFields[.contentLength] = String(body.readableBytes)
      context.write(wrapOutboundOut(.head(head)), promise: promise)
      return context.write(wrapOutboundOut(.body(body)), promise: nil)
    }
    context.write(wrapOutboundOut(.head(head)), promise: promise)
  }

  private func end(_ data: NIOAny, _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
    if !methods.isEmpty {
      methods.removeFirst()
      if methods.isEmpty, let entry { connections.idle(entry) }
    }
    if isUnwanted {
      // Who still sends has to have time to read it: what is unread when a connection is closed takes the answer with it.
      let channel = context.channel
      context.eventLoop.scheduleTask(in: .seconds(1)) { channel.close(promise: nil) }
    }
    guard isLast else { return context.write(data, promise: promise) }
    context.flush()
    context.close(promise: promise)
  }
}
