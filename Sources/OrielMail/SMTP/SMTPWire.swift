import NIOCore
import NIOSSL
import Synchronization

/// Commands sent in one go, and the replies to all of them.
struct SMTPExchange: Sendable {
  /// What each reply answers, for error texts; their number is the number of replies.
  let steps: [String]
  let bytes: ByteBuffer
  let timeout: TimeAmount
  /// Makes the handler that a reply of 220 puts in place.
  var encryption: (@Sendable () throws -> NIOSSLClientHandler)?
  let promise: EventLoopPromise<[SMTPReply]>
}

/// Why a connection ended: kept apart from the wire, which the channel forgets when it closes.
final class SMTPEnding: Sendable {
  private let value = Mutex<SMTPError?>(nil)
  var error: SMTPError? { value.withLock { $0 } }
  func set(_ error: SMTPError) { value.withLock { $0 = error } }
}

/// Sends exchanges, one at a time, and gathers the replies to them.
///
/// Owned by the channel's event loop. Once ended, for whatever cause, it fails every exchange with that cause.
final class SMTPWire: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = SMTPExchange
  typealias OutboundOut = ByteBuffer

  private let server: String
  private let ending: SMTPEnding
  private var parser = SMTPReplyParser()
  private var input = ByteBuffer()
  private var exchange: SMTPExchange?
  private var replies: [SMTPReply] = []
  /// The greeting may come before anybody has asked for it.
  private var hasBegun = false
  private var ended: SMTPError?
  private var deadline = NIODeadline.distantFuture
  private var timer: Scheduled<Void>?

  private static let chunkSize = 65_536
  /// What is cut where nothing was under way.
  static let idleness = "an idle connection"

  init(server: String, ending: SMTPEnding) {
    self.server = server
    self.ending = ending
  }

  private var step: String {
    guard let exchange else { return hasBegun ? SMTPWire.idleness : "the greeting" }
    return exchange.steps.indices.contains(replies.count) ? exchange.steps[replies.count] : "the reply"
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    let next = unwrapOutboundIn(data)
    promise?.succeed()
    if let ended { return next.promise.fail(ended) }
    guard exchange == nil else {
      return next.promise.fail(SMTPError(server: server, cause: .unusableSettings("two exchanges at once")))
    }
    exchange = next
    replies.removeAll(keepingCapacity: true)
    hasBegun = true
    postpone(context, next.timeout)
    send(next, context)
    readReplies(context)
  }

  /// Writes in chunks, so that a slow reader has the time-out for each chunk and not for all.
  private func send(_ exchange: SMTPExchange, _ context: ChannelHandlerContext) {
    var rest = exchange.bytes
    while let chunk = rest.readSlice(length: min(Self.chunkSize, rest.readableBytes)), chunk.readableBytes > 0 {
      if rest.readableBytes == 0 {
        context.write(wrapOutboundOut(chunk), promise: nil)
      } else {
        let written = context.eventLoop.makePromise(of: Void.self)
        let (loopBoundContext, loopBoundWire) = (context.loopBound, NIOLoopBound(self, eventLoop: context.eventLoop))
        written.futureResult.whenSuccess {
          loopBoundWire.value.postpone(loopBoundContext.value, exchange.timeout)
        }
        context.write(wrapOutboundOut(chunk), promise: written)
      }
    }
    context.flush()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard ended == nil else { return }
    var bytes = unwrapInboundIn(data)
    input.writeBuffer(&bytes)
    readReplies(context)
  }

  private func readReplies(_ context: ChannelHandlerContext) {
    let unread = SMTPReplyParser.lineLimit * SMTPReplyParser.lineCountLimit
    guard hasBegun || input.readableBytes > unread else { return }
    do {
      while ended == nil, let reply = try parser.next(from: &input) { take(reply, context) }
      if input.readableBytes == 0 { input.clear() }
    } catch {
      let words =
        switch error {
        case .lineTooLong: "a line without end"
        case .tooManyLines: "more than \(SMTPReplyParser.lineCountLimit) lines"
        case .codesDiffer: "lines with different codes"
        case .notAReply(let line): "“\(line)”"
        }
      end(.malformedReply(during: step, words), context)
    }
  }

  private func take(_ reply: SMTPReply, _ context: ChannelHandlerContext) {
    if reply.code == 421 { return end(.closing(during: step, reply), context) }
    guard let exchange else { return end(.malformedReply(during: step, "an unasked-for “\(reply)”"), context) }
    replies.append(reply)
    guard replies.count == exchange.steps.count else { return postpone(context, exchange.timeout) }
    if let encryption = exchange.encryption, reply.code == 220 {
      // What is already here was sent in the clear, and must not count as said under encryption (CVE-2011-0411 is the
      // server's side of it). What comes later goes to the TLS handler, which takes no clear text.
      guard input.readableBytes == 0 else { return end(.bytesBeforeEncryption, context) }
      do {
        try context.pipeline.syncOperations.addHandler(encryption(), position: .first)
      } catch {
        return end(.encryptionFailed("\(error)"), context)
      }
    }
    deadline = .distantFuture
    self.exchange = nil
    exchange.promise.succeed(replies)
  }

  func channelInactive(context: ChannelHandlerContext) {
    end(.cut(during: step, detail: ""), context)
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    end(cause(of: error), context)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    end(.cut(during: step, detail: ""), context)
  }

  private func cause(of error: any Error) -> SMTPError.Cause {
    let text = "\(error)".withoutControls
    switch error {
    case let error as NIOSSLExtraError where error == .failedToValidateHostname:
      return .certificateNotTrusted("it is for another name (\(text))")
    case NIOSSLError.handshakeFailed where text.contains("CERTIFICATE_VERIFY_FAILED"):
      return .certificateNotTrusted(
        "no trusted authority vouches for it, or it is out of date; an authority of your own goes into smtp.ca_file")
    case NIOSSLError.handshakeFailed where text.contains("WRONG_VERSION_NUMBER"):
      return .encryptionFailed("the server does not begin with TLS on this port; try smtp.security: starttls")
    case NIOSSLError.uncleanShutdown: return .cut(during: step, detail: "")
    case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError: return .encryptionFailed(text)
    default: return .cut(during: step, detail: text)
    }
  }

  private func end(_ cause: SMTPError.Cause, _ context: ChannelHandlerContext) {
    guard ended == nil else { return }
    let error = SMTPError(server: server, cause: cause)
    ended = error
    ending.set(error)
    timer?.cancel()
    input.clear()
    let exchange = self.exchange
    self.exchange = nil
    context.close(promise: nil)
    exchange?.promise.fail(error)
  }

  /// Moves the deadline. One timer serves all exchanges: firing early, it goes to sleep again.
  private func postpone(_ context: ChannelHandlerContext, _ timeout: TimeAmount) {
    guard ended == nil, exchange != nil else { return }
    deadline = context.eventLoop.now + timeout
    if timer == nil { schedule(context) }
  }

  private func schedule(_ context: ChannelHandlerContext) {
    let (loopBoundContext, loopBoundWire) = (context.loopBound, NIOLoopBound(self, eventLoop: context.eventLoop))
    timer = context.eventLoop.scheduleTask(deadline: deadline) {
      loopBoundWire.value.timerFired(loopBoundContext.value)
    }
  }

  private func timerFired(_ context: ChannelHandlerContext) {
    timer = nil
    guard ended == nil, exchange != nil else { return }
    if context.eventLoop.now >= deadline {
      end(.timedOut(during: step), context)
    } else {
      schedule(context)
    }
  }
}
