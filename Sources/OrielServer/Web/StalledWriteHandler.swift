import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Ends a connection whose other end takes nothing of what it asked for. Who takes it slowly, but goes on, is served to
/// the end of the answer, after which the connection may be closed.
final class StalledWriteHandler: ChannelOutboundHandler, RemovableChannelHandler {
  typealias OutboundIn = HTTPResponsePart
  typealias OutboundOut = HTTPResponsePart

  /// So much has to be taken in time.
  private static let pieceByteCount = 1 << 16

  private let limit: TimeAmount
  private var untaken = 0
  private var deadline: Scheduled<Void>?
  /// What is to be closed once all is taken: after the end of the input, closing the output drops what is not.
  private var closings: [(mode: CloseMode, promise: EventLoopPromise<Void>?)] = []

  init(limit: TimeAmount) { self.limit = limit }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    guard case .body(var bytes) = unwrapOutboundIn(data) else {
      return context.write(data, promise: watched(promise, context))
    }
    while bytes.readableBytes > StalledWriteHandler.pieceByteCount,
      let piece = bytes.readSlice(length: StalledWriteHandler.pieceByteCount)
    {
      context.write(wrapOutboundOut(.body(piece)), promise: watched(nil, context))
    }
    context.write(wrapOutboundOut(.body(bytes)), promise: watched(promise, context))
  }

  func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
    guard mode != .input, untaken > 0 else { return context.close(mode: mode, promise: promise) }
    closings.append((mode, promise))
    context.flush()
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    deadline?.cancel()
    deadline = nil
  }

  private func watched(_ promise: EventLoopPromise<Void>?, _ context: ChannelHandlerContext) -> EventLoopPromise<Void> {
    let promise = promise ?? context.eventLoop.makePromise()
    untaken += 1
    deadline = deadline ?? wait(context)
    promise.futureResult.assumeIsolated().whenComplete { _ in
      self.untaken -= 1
      self.deadline?.cancel()
      self.deadline = self.untaken > 0 && context.channel.isActive ? self.wait(context) : nil
      guard self.untaken == 0 else { return }
      for (mode, promise) in self.closings { context.close(mode: mode, promise: promise) }
      self.closings.removeAll()
    }
    return promise
  }

  private func wait(_ context: ChannelHandlerContext) -> Scheduled<Void> {
    context.eventLoop.assumeIsolated().scheduleTask(in: limit) { context.close(promise: nil) }
  }
}
