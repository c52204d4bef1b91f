import CTPolicy
import CTPolicyNIO
import CTPolicyX509
import Crypto
import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization
import TestWorld
import Testing

func connect(
  to host: String, port: Int, verifier: CTServerVerifier,
  handler: @escaping @Sendable (ServerJudgement) -> Void
) async throws -> any Channel {
  var configuration = TLSConfiguration.makeClientConfiguration()
  configuration.certificateVerification = .noHostnameVerification
  let context = try NIOSSLContext(configuration: configuration)
  return try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
    .channelInitializer { channel in
      channel.eventLoop.makeCompletedFuture {
        let isAddress = (try? SocketAddress(ipAddress: host, port: port)) != nil
        try channel.pipeline.syncOperations.addHandler(
          NIOSSLClientHandler(
            context: context, serverHostname: isAddress ? nil : host,
            customVerificationCallbackWithMetadata: verifier.callback(host: host, handler: handler)))
      }
    }
    .connect(host: host, port: port).get()
}

@Suite("CTPolicyNIO on loopback")
struct LoopbackTests {
  private let world: ServerWorld

  init() throws { world = try ServerWorld() }

  private func request(_ name: String = "localhost") -> CertificateRequest {
    var request = CertificateRequest([name])
    request.ipAddresses = [[127, 0, 0, 1]]
    return request
  }

  private static let versions: [TLSVersion] = [.tlsv12, .tlsv13]

  @Test(
    "A server with enough SCTs is talked to, by name and by address", arguments: versions, ["localhost", "127.0.0.1"])
  func accepted(_ version: TLSVersion, _ host: String) async throws {
    try await EchoServer.run(world.present(request()), version) { server in
      let told = Told()
      let channel = try await connect(to: host, port: server.port, verifier: world.verifier()) { told.add($0) }
      #expect(try await Exchange.run("ping", on: channel) == "ping")
      #expect(server.receivedByteCount == 4)
      let judgement = try #require(told.judgements.first)
      #expect(told.judgements.count == 1)
      #expect(judgement.isAccepted && judgement.host == host)
      #expect(judgement.transparency?.verdicts.map(\.passes) == [true, true])
      let chain = try await channel.nioSSL_peerValidatedCertificateChain().get()
      #expect(try chain?.map { try $0.toDERBytes() } == judgement.chain.map { try $0.der })
      #expect(try chain?.last?.toDERBytes() == world.authority.root.chain[0])
      try await channel.close()
    }
  }

  enum Fault: String, CaseIterable { case noSCTs, sameOperator, wrongHost, expired, unknownRoot }

  @Test("A server that is refused gets nothing to read", arguments: versions, Fault.allCases)
  func refused(_ version: TLSVersion, _ fault: Fault) async throws {
    var verifier = try world.verifier()
    let presented: Presented
    switch fault {
    case .noSCTs: presented = try world.present(request(), .none)
    case .sameOperator: presented = try world.present(request(), .sameOperator)
    case .wrongHost: presented = try world.present(request("www.example.com"))
    case .expired:
      presented = try world.present(request())
      verifier = try world.verifier(at: world.time(days: 91))
    case .unknownRoot:
      presented = try ServerWorld(seed: 2).present(request())
    }
    let failure: ServerJudgement.Failure =
      switch fault {
      case .noSCTs, .sameOperator: .transparency
      case .wrongHost: .wrongHost
      case .expired: .expired(position: 0)
      case .unknownRoot: .noChain
      }
    try await EchoServer.run(presented, version) { [verifier] server in
      let told = Told()
      let channel = try await connect(to: "localhost", port: server.port, verifier: verifier) { told.add($0) }
      await #expect(throws: (any Error).self) { try await Exchange.run("ping", on: channel) }
      try await channel.closeFuture.get()
      #expect(told.judgements.map(\.failure) == [failure])
      #expect(server.receivedByteCount == 0)
    }
  }

  @Test("Below a local root a server without SCTs is talked to")
  func localRoot() async throws {
    try await EchoServer.run(world.present(request(), .none), .tlsv13) { server in
      let told = Told()
      let channel = try await connect(to: "localhost", port: server.port, verifier: world.verifier(.local)) {
        told.add($0)
      }
      #expect(try await Exchange.run("ping", on: channel) == "ping")
      #expect(told.judgements.map(\.transparency?.isRequired) == [false])
      try await channel.close()
    }
  }

  @Test("The example of the documentation is the code above, letter for letter")
  func example() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let page = try String(
      contentsOf: root.appending(path: "Sources/CTPolicyNIO/CTPolicyNIO.docc/CTPolicyNIO.md"), encoding: .utf8)
    let examples = page.components(separatedBy: "```").enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
    #expect(examples.count == 1)
    let source = try String(contentsOf: URL(filePath: #filePath), encoding: .utf8)
    for example in examples { #expect(source.contains(example.dropFirst("swift".count))) }
  }
}

/// Collects what a handler is told.
private final class Told: Sendable {
  private let state = Mutex<[ServerJudgement]>([])
  var judgements: [ServerJudgement] { state.withLock { $0 } }
  func add(_ judgement: ServerJudgement) { state.withLock { $0.append(judgement) } }
}

/// A TLS server on loopback that sends back what it gets.
private final class EchoServer: Sendable {
  private final class Echo: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let server: EchoServer

    init(_ server: EchoServer) { self.server = server }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      let count = unwrapInboundIn(data).readableBytes
      server.received.withLock { $0 += count }
      context.writeAndFlush(data, promise: nil)
    }

    // A client that refuses the server is no fault of the server's.
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
  }

  private let listeningPort = Mutex(0)
  private let received = Mutex(0)
  var port: Int { listeningPort.withLock { $0 } }
  var receivedByteCount: Int { received.withLock { $0 } }

  static func run(
    _ presented: Presented, _ version: TLSVersion, _ body: (EchoServer) async throws -> Void
  ) async throws {
    let certificates = try presented.certificates.map { try NIOSSLCertificate(bytes: $0, format: .der) }
    let key = try NIOSSLPrivateKey(bytes: Array(presented.key.derRepresentation), format: .der)
    var configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: certificates.map { .certificate($0) }, privateKey: .privateKey(key))
    configuration.minimumTLSVersion = version
    configuration.maximumTLSVersion = version
    let context = try NIOSSLContext(configuration: configuration)
    let server = EchoServer()
    let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandlers(NIOSSLServerHandler(context: context), Echo(server))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    server.listeningPort.withLock { $0 = listener.localAddress?.port ?? 0 }
    do { try await body(server) } catch {
      try await listener.close()
      throw error
    }
    try await listener.close()
  }
}

/// Sends a text and waits for as much to come back.
private final class Exchange: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  private let length: Int
  private let promise: EventLoopPromise<String>
  private var text = ""

  private init(_ length: Int, _ promise: EventLoopPromise<String>) {
    self.length = length
    self.promise = promise
  }

  static func run(_ text: String, on channel: any Channel) async throws -> String {
    let promise = channel.eventLoop.makePromise(of: String.self)
    channel.eventLoop.execute {
      do {
        try channel.pipeline.syncOperations.addHandler(Exchange(text.utf8.count, promise))
        // The handshake may have failed already.
        channel.closeFuture.whenComplete { _ in promise.fail(ChannelError.eof) }
        channel.writeAndFlush(ByteBuffer(string: text)).cascadeFailure(to: promise)
      } catch {
        promise.fail(error)
      }
    }
    return try await promise.futureResult.get()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    text += String(buffer: unwrapInboundIn(data))
    if text.utf8.count >= length { promise.succeed(text) }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { promise.fail(error) }
}
