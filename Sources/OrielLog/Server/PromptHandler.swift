import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypes

#if canImport(Glibc)
  import Glibc
#endif

/// Sends what is at hand on the thread of the connection; what is not, it passes on.
///
/// Answers are in the order of the requests. While one is sent, nothing more is read.
final class PromptHandler: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPRequestPart
  typealias InboundOut = HTTPRequestPart
  typealias OutboundIn = HTTPResponsePart
  typealias OutboundOut = HTTPResponsePart

  private enum Arrival {
    case part(HTTPRequestPart)
    case endOfInput
    case failure(any Error)
  }

  private let responder: LogResponder
  private let isEncrypted: Bool
  private let bodyTimeout: TimeAmount
  private let writeTimeout: TimeAmount
  /// Requests that were passed on and are not answered.
  private var passedOn = 0
  /// The answer to the request that is being read, then sent.
  private var answer: PromptAnswer?
  /// How many bytes of its body went out; nil while none is sent.
  private var sent: Int?
  /// Bytes of it that are to be sent next; used again and again.
  private var piece = ByteBuffer()
  /// What came while an answer was sent: no more than was read at once.
  private var waiting: CircularBuffer<Arrival> = []
  private var isReadDue = false
  private var isWriting = false
  private var isAdvancing = false
  private var isCorked = false
  /// Pieces of answers that the client has not taken.
  private var untaken = 0
  /// What is to be closed once all is taken: after the end of the input, closing the output drops what is not.
  private var closings: [(mode: CloseMode, promise: EventLoopPromise<Void>?)] = []
  private var deadline: Scheduled<Void>?
  private var bodyDeadline: Scheduled<Void>?

  /// Three TLS records: what is encrypted stays in the processor's cache until it is sent, and little of it waits for a
  /// slow reader.
  private static let pieceByteCount = 3 << 14
  /// What the system is told to send at once. A slow reader has to take so much in time.
  private static let regionByteCount = 1 << 18

  /// A body did not come in time.
  struct BodyTooSlow: Error {}

  /// - Parameters:
  ///   - isEncrypted: whether what is sent must pass through memory; plain files the system sends from where they are.
  ///   - bodyTimeout: the time for a client to send a body, however its bytes trickle in.
  ///   - writeTimeout: the time for a client to take a piece, of whoever's answer.
  init(_ responder: LogResponder, isEncrypted: Bool, bodyTimeout: TimeAmount, writeTimeout: TimeAmount) {
    (self.responder, self.isEncrypted) = (responder, isEncrypted)
    (self.bodyTimeout, self.writeTimeout) = (bodyTimeout, writeTimeout)
  }

  // MARK: - What comes

  func channelRead(context: ChannelHandlerContext, data: NIOAny) { arrived(.part(unwrapInboundIn(data)), context) }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { arrived(.failure(error), context) }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    guard case ChannelEvent.inputClosed = event else { return context.fireUserInboundEventTriggered(event) }
    arrived(.endOfInput, context)
  }

  func read(context: ChannelHandlerContext) {
    guard sent == nil else { return isReadDue = true }
    context.read()
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    switch unwrapOutboundIn(data) {
    case .head, .body:
      let promise = promise ?? context.eventLoop.makePromise()
      context.write(data, promise: promise)
      hurry(promise, context)
    case .end:
      passedOn -= 1
      context.write(data, promise: promise)
    }
  }

  func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
    guard mode != .input, untaken > 0 else { return context.close(mode: mode, promise: promise) }
    closings.append((mode, promise))
    context.flush()
  }

  func channelInactive(context: ChannelHandlerContext) {
    end()
    context.fireChannelInactive()
  }

  private func arrived(_ arrival: Arrival, _ context: ChannelHandlerContext) {
    guard sent == nil else { return waiting.append(arrival) }
    take(arrival, context)
  }

  private func take(_ arrival: Arrival, _ context: ChannelHandlerContext) {
    switch arrival {
    case .part(.head(let request)):
      answer = passedOn == 0 ? responder.respondNow(to: request, &piece) : nil
      guard answer == nil else { return }
      passedOn += 1
      bodyDeadline = context.eventLoop.assumeIsolated().scheduleTask(in: bodyTimeout) {
        context.fireErrorCaught(BodyTooSlow())
      }
      context.fireChannelRead(wrapInboundOut(.head(request)))
    case .part(let part):
      guard let answer else {
        if case .end = part { bodyDeadline?.cancel() }
        return context.fireChannelRead(wrapInboundOut(part))
      }
      guard case .end = part else { return }
      send(answer, context)
    case .endOfInput: context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    case .failure(let error): context.fireErrorCaught(error)
    }
  }

  // MARK: - What is sent

  private func send(_ answer: PromptAnswer, _ context: ChannelHandlerContext) {
    answer.metrics.countRead(status: answer.head.status.code)
    context.write(wrapOutboundOut(.head(answer.head)), promise: nil)
    sent = 0
    advance(context)
  }

  /// Sends and takes all that can be now.
  private func advance(_ context: ChannelHandlerContext) {
    guard !isAdvancing else { return }
    isAdvancing = true
    var hasTaken = false
    while !isWriting {
      if let answer, let sent {
        writePiece(of: answer.body, from: sent, context)
      } else if let arrival = waiting.popFirst() {
        take(arrival, context)
        hasTaken = true
      } else {
        break
      }
    }
    isAdvancing = false
    if hasTaken { context.fireChannelReadComplete() }
    guard sent == nil, isReadDue else { return }
    isReadDue = false
    context.read()
  }

  private func writePiece(of body: OpenBlob, from start: Int, _ context: ChannelHandlerContext) {
    guard start < body.byteCount else {
      (answer, sent) = (nil, nil)
      if isCorked { PromptHandler.cork(context, false) }
      isCorked = false
      return context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
    isWriting = true
    let written = context.eventLoop.makePromise(of: Void.self)
    written.futureResult.assumeIsolated().whenComplete { result in
      self.isWriting = false
      switch result {
      case .success: self.advance(context)
      case .failure:
        self.end()
        context.close(promise: nil)
      }
    }
    write(body, from: start, context, written)
    if isWriting { hurry(written, context) }
  }

  /// Ends the connection if the client takes nothing of what is sent for too long.
  private func hurry(_ written: EventLoopPromise<Void>, _ context: ChannelHandlerContext) {
    func wait() -> Scheduled<Void> {
      context.eventLoop.assumeIsolated().scheduleTask(in: writeTimeout) { context.close(promise: nil) }
    }
    untaken += 1
    deadline = deadline ?? wait()
    written.futureResult.assumeIsolated().whenComplete { _ in
      self.untaken -= 1
      self.deadline?.cancel()
      self.deadline = self.untaken > 0 && context.channel.isActive ? wait() : nil
      guard self.untaken == 0 else { return }
      for (mode, promise) in self.closings { context.close(mode: mode, promise: promise) }
      self.closings.removeAll()
    }
  }

  private func write(
    _ body: OpenBlob, from start: Int, _ context: ChannelHandlerContext, _ written: EventLoopPromise<Void>
  ) {
    // The first piece was read when the blob was opened.
    if start > 0 {
      guard isEncrypted else { return writeRegion(of: body, from: start, context, written) }
      let end = min(start + PromptHandler.pieceByteCount, body.byteCount)
      guard body.read(start..<end, into: &piece) else {
        return written.fail(ChannelError.ioOnClosedChannel)
      }
    }
    let end = start + piece.readableBytes
    sent = end
    guard !isEncrypted, end < body.byteCount else {
      return context.writeAndFlush(wrapOutboundOut(.body(piece)), promise: written)
    }
    isCorked = true
    PromptHandler.cork(context, true)
    context.write(wrapOutboundOut(.body(piece)), promise: nil)
    writeRegion(of: body, from: end, context, written)
  }

  private func writeRegion(
    of body: OpenBlob, from start: Int, _ context: ChannelHandlerContext, _ written: EventLoopPromise<Void>
  ) {
    guard let encoder = try? context.pipeline.syncOperations.context(handlerType: HTTPResponseEncoder.self) else {
      written.fail(ChannelError.ioOnClosedChannel)
      return
    }
    let end = min(start + PromptHandler.regionByteCount, body.byteCount)
    sent = end
    // Past the encoder, which has nothing to add to a body of a known length.
    encoder.writeAndFlush(NIOAny(IOData.fileRegion(body.region(start..<end))), promise: written)
  }

  /// Has the system send full packets only, or what it has left.
  private static func cork(_ context: ChannelHandlerContext, _ isCorked: Bool) {
    #if os(Linux)
      try? context.channel.syncOptions?.setOption(
        ChannelOptions.Types.SocketOption(level: .tcp, name: .init(rawValue: TCP_CORK)), value: isCorked ? 1 : 0)
    #endif
  }

  private func end() {
    (answer, sent) = (nil, nil)
    waiting.removeAll()
    deadline?.cancel()
    bodyDeadline?.cancel()
    (deadline, bodyDeadline) = (nil, nil)
  }
}
