import NIOCore
import NIOPosix
import NIOSSL

/// A connection past greeting, encryption and login: ready for mail.
struct SMTPConnection: Sendable {
  let channel: any Channel
  let settings: SMTPSettings
  private let ending: SMTPEnding
  private(set) var offers = SMTPOffers()

  /// Connects and does all that comes before the first message.
  /// - Throws: ``SMTPError``; `CancellationError` where the task was cancelled.
  static func open(
    _ settings: SMTPSettings, encryption: NIOSSLContext?, on group: any EventLoopGroup
  ) async throws -> SMTPConnection {
    if settings.security == .none, settings.credentials != nil, !settings.allowPlaintextAuth {
      throw SMTPError(server: settings.server, cause: .passwordInClear)
    }
    let makeHandler = try encryption.map { try tlsHandlerMaker(settings, $0) }
    let ending = SMTPEnding()
    let bootstrap = ClientBootstrap(group: group)
      .connectTimeout(settings.connectTimeout)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          if settings.security == .implicit, let makeHandler {
            try channel.pipeline.syncOperations.addHandler(makeHandler())
          }
          try channel.pipeline.syncOperations.addHandler(SMTPWire(server: settings.server, ending: ending))
        }
      }
    let channel: any Channel
    do {
      channel = try await bootstrap.connect(host: settings.host, port: settings.port).get()
    } catch {
      throw SMTPError(server: settings.server, cause: .unreachable("\(error)".withoutControls))
    }
    var connection = SMTPConnection(channel: channel, settings: settings, ending: ending)
    do {
      try await connection.greet(makeHandler)
      return connection
    } catch {
      try? await channel.close()
      throw error
    }
  }

  /// The handler checks the certificate against a name, or against the address connected to where no name is known.
  private static func tlsHandlerMaker(
    _ settings: SMTPSettings, _ context: NIOSSLContext
  ) throws -> @Sendable () throws -> NIOSSLClientHandler {
    let name = settings.verificationName ?? settings.host
    let isAddress = (try? SocketAddress(ipAddress: name, port: 0)) != nil
    if isAddress, name != settings.host {
      throw SMTPError(
        server: settings.server, cause: .unusableSettings("the name to verify has to be the host or a host name"))
    }
    return { try NIOSSLClientHandler(context: context, serverHostname: isAddress ? nil : name) }
  }

  private mutating func greet(_ makeHandler: (@Sendable () throws -> NIOSSLClientHandler)?) async throws {
    let greeting = try await exchange([], steps: ["the greeting"])
    guard greeting[0].code == 220 else { throw error(.refused(step: "the connection", greeting[0])) }
    offers = try await hello()
    if settings.security == .startTLS {
      guard offers.startTLS else { throw error(.encryptionNotOffered) }
      let reply = try await exchange(["STARTTLS"], encryption: makeHandler)[0]
      guard reply.code == 220 else { throw error(.refused(step: "STARTTLS", reply)) }
      // What was offered in the clear counts for nothing (RFC 3207, section 4.2).
      offers = try await hello()
    }
    if let credentials = settings.credentials { try await logIn(credentials) }
  }

  private func hello() async throws -> SMTPOffers {
    let extended = try await exchange(["EHLO \(settings.heloName)"])[0]
    if extended.isPositive { return SMTPOffers(extended) }
    guard extended.isPermanent else { throw error(.refused(step: "EHLO", extended)) }
    let plain = try await exchange(["HELO \(settings.heloName)"])[0]
    guard plain.isPositive else { throw error(.refused(step: "HELO", plain)) }
    return SMTPOffers()
  }

  private func logIn(_ credentials: SMTPCredentials) async throws {
    let usesPlain =
      switch credentials.mechanism {
      case .automatic: offers.mechanisms.contains("PLAIN")
      case .plain: true
      case .login: false
      }
    guard offers.mechanisms.contains(usesPlain ? "PLAIN" : "LOGIN") else {
      throw error(.authenticationNotOffered(offers.mechanisms.joined(separator: " ")))
    }
    let (user, password) = (Array(credentials.username.utf8), Array(credentials.password.utf8))
    guard !user.contains(0), !password.contains(0) else {
      throw error(.unusableSettings("the user name or password holds a NUL"))
    }
    var reply: SMTPReply
    if usesPlain {
      reply = try await exchange(["AUTH PLAIN \(base64([0] + user + [0] + password))"], steps: ["AUTH PLAIN"])[0]
    } else {
      reply = try await exchange(["AUTH LOGIN"])[0]
      for secret in [user, password] where reply.code == 334 {
        reply = try await exchange([base64(secret)], steps: ["AUTH LOGIN"])[0]
      }
    }
    guard reply.isPositive else { throw error(.authenticationRefused(reply)) }
  }

  func error(_ cause: SMTPError.Cause) -> SMTPError { SMTPError(server: settings.server, cause: cause) }

  /// Sends command lines in one go and waits for the reply to each. With no lines, waits for one reply.
  /// - Parameter steps: what error texts call the lines, where they must not be shown themselves.
  func exchange(
    _ lines: [String], steps: [String]? = nil, encryption: (@Sendable () throws -> NIOSSLClientHandler)? = nil
  ) async throws -> [SMTPReply] {
    try await exchange(
      try wire(lines), steps: steps ?? lines, timeout: settings.commandTimeout, encryption: encryption)
  }

  /// Command lines as they go over the wire, and room for so many bytes behind them.
  func wire(_ lines: [String], before count: Int = 0) throws -> ByteBuffer {
    var bytes = channel.allocator.buffer(capacity: 64 * lines.count + count)
    for line in lines {
      guard line.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else {
        throw error(.unusableSettings("“\(line.withoutControls)” can't be said in SMTP"))
      }
      bytes.writeString(line)
      bytes.writeString("\r\n")
    }
    return bytes
  }

  func exchange(
    _ bytes: ByteBuffer, steps: [String], timeout: TimeAmount,
    encryption: (@Sendable () throws -> NIOSSLClientHandler)? = nil
  ) async throws -> [SMTPReply] {
    let exchange = SMTPExchange(
      steps: steps, bytes: bytes, timeout: timeout, encryption: encryption,
      promise: channel.eventLoop.makePromise())
    // Where the handler is gone, the write fails; where it is there, it takes the promise over.
    channel.write(exchange).whenFailure { [server = settings.server, ending] _ in
      let step = steps.first ?? "the reply"
      exchange.promise.fail(ending.error ?? SMTPError(server: server, cause: .cut(during: step, detail: "")))
    }
    return try await withTaskCancellationHandler {
      do {
        return try await exchange.promise.futureResult.get()
      } catch {
        try Task.checkCancellation()
        throw error
      }
    } onCancel: {
      channel.close(promise: nil)
    }
  }

  /// Says QUIT, and closes whatever the answer.
  func close() async {
    if channel.isActive { _ = try? await exchange(["QUIT"]) }
    try? await channel.close()
  }
}

/// What a server says after EHLO that it can do.
struct SMTPOffers: Equatable, Sendable {
  var startTLS = false
  var pipelining = false
  /// BDAT (RFC 3030).
  var chunking = false
  /// The largest message, where there is a limit.
  var sizeLimit: Int?
  var hasSize = false
  var mechanisms: [String] = []

  init() {}

  init(_ reply: SMTPReply) {
    // The first line is the server's name.
    for line in reply.lines.dropFirst() {
      let words = line.uppercased().split(whereSeparator: { $0 == " " || $0 == "=" }).map(String.init)
      switch words.first {
      case "STARTTLS": startTLS = true
      case "PIPELINING": pipelining = true
      case "CHUNKING": chunking = true
      case "SIZE":
        hasSize = true
        sizeLimit = words.dropFirst().first.flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
      // Some servers write AUTH=, as clients of long ago wanted it.
      case "AUTH": mechanisms += words.dropFirst()
      default: break
      }
    }
  }
}
