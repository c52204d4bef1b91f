import HTTPTypes
import NIOCore
import NIOHTTPTypes

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
  private let pieceByteCount: Int
  private let bodyTimeout: TimeAmount
  private let writeTimeout: TimeAmount
  /// Requests that were passed on and are not answered.
  private var passedOn = 0
  /// The answer to the request that is being read, then sent.
  private var answer: AnswerCache.Item?
  /// What is left of the answer that is being sent; empty while its last piece is.
  private var rest: ByteBuffer?
  /// What came while an answer was sent: no more than was read at once.
  private var waiting: CircularBuffer<Arrival> = []
  private var isReadDue = false
  private var isWriting = false
  private var isAdvancing = false
  private var deadline: Scheduled<Void>?
  private var bodyDeadline: Scheduled<Void>?

  /// A body did not come in time.
  struct BodyTooSlow: Error {}

  /// - Parameters:
  ///   - pieceByteCount: what is written at once.
  ///   - bodyTimeout: the time for a client to send a body, however its bytes trickle in.
  ///   - writeTimeout: the time for a client to take a piece.
  init(_ responder: LogResponder, pieceByteCount: Int, bodyTimeout: TimeAmount, writeTimeout: TimeAmount) {
    (self.responder, self.pieceByteCount) = (responder, pieceByteCount)
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
    guard rest == nil else { return isReadDue = true }
    context.read()
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    if case .end = unwrapOutboundIn(data) { passedOn -= 1 }
    context.write(data, promise: promise)
  }

  func channelInactive(context: ChannelHandlerContext) {
    end()
    context.fireChannelInactive()
  }

  private func arrived(_ arrival: Arrival, _ context: ChannelHandlerContext) {
    guard rest == nil else { return waiting.append(arrival) }
    take(arrival, context)
  }

  private func take(_ arrival: Arrival, _ context: ChannelHandlerContext) {
    switch arrival {
    case .part(.head(let request)):
      answer = passedOn == 0 ? responder.respondNow(to: request) : nil
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

  private func send(_ answer: AnswerCache.Item, _ context: ChannelHandlerContext) {
    answer.metrics.countRead(status: answer.head.status.code)
    context.write(wrapOutboundOut(.head(answer.head)), promise: nil)
    rest = answer.body
    advance(context)
  }

  /// Sends and takes all that can be now.
  private func advance(_ context: ChannelHandlerContext) {
    guard !isAdvancing else { return }
    isAdvancing = true
    var hasTaken = false
    while !isWriting {
      if rest != nil {
        writePiece(context)
      } else if let arrival = waiting.popFirst() {
        take(arrival, context)
        hasTaken = true
      } else {
        break
      }
    }
    isAdvancing = false
    if hasTaken { context.fireChannelReadComplete() }
    guard rest == nil, isReadDue else { return }
    isReadDue = false
    context.read()
  }

  private func writePiece(_ context: ChannelHandlerContext) {
    let count = min(rest?.readableBytes ?? 0, pieceByteCount)
    guard count > 0, let piece = rest?.readSlice(length: count) else {
      rest = nil
      if let answer { responder.finished(answer) }
      answer = nil
      return context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
    isWriting = true
    let written = context.eventLoop.makePromise(of: Void.self)
    written.futureResult.assumeIsolated().whenComplete { result in
      self.isWriting = false
      self.deadline?.cancel()
      self.deadline = nil
      switch result {
      case .success: self.advance(context)
      case .failure: self.end()
      }
    }
    context.writeAndFlush(wrapOutboundOut(.body(piece)), promise: written)
    guard isWriting else { return }
    deadline = context.eventLoop.assumeIsolated().scheduleTask(in: writeTimeout) { context.close(promise: nil) }
  }

  private func end() {
    (rest, answer) = (nil, nil)
    waiting.removeAll()
    deadline?.cancel()
    bodyDeadline?.cancel()
    (deadline, bodyDeadline) = (nil, nil)
  }
}
