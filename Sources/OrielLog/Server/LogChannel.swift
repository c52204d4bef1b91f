import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOSSL

/// A connection to the server: HTTP/1.1, over TLS where there is a certificate.
struct LogChannel: ServerChildChannel {
  let base: HTTP1Channel
  let responder: LogResponder
  let credentials: TLSCredentials?
  let bodyTimeout: TimeAmount
  let writeTimeout: TimeAmount

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
    channel.eventLoop.makeCompletedFuture {
      guard let credentials else { return }
      try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: credentials.context))
    }.flatMap {
      base.setup(channel: channel, logger: logger)
    }.flatMapThrowing { value in
      // Behind the handler that knows which requests are under way, and ends silent connections.
      let pipeline = channel.pipeline.syncOperations
      try pipeline.addHandler(
        PromptHandler(
          responder, isEncrypted: credentials != nil, bodyTimeout: bodyTimeout, writeTimeout: writeTimeout),
        position: .after(try pipeline.handler(type: HTTPConnectionStateHandler.self)))
      return value
    }
  }

  func handle(value: HTTP1Channel.Value, logger: Logger) async { await base.handle(value: value, logger: logger) }
}
