import CertificateTransparency

/// Shakes hands with TLS servers and brings back what they showed, raw and unverified.
///
/// One probe serves any number of targets at once: each handshake has a thread of its own, of which there are at most
/// 64; the others wait their turn. A cancelled task closes its connection.
package struct TLSProbe: Sendable {
  package let options: ProbeOptions
  private let context: TLSContext
  private static let threads = WorkerThreads(limit: 64)
  /// The most that is read of a server.
  private static let maximumBytes = 512 * 1024

  /// - Throws: ``ProbeError/unavailable(_:)`` if OpenSSL can't do what the options say.
  package init(_ options: ProbeOptions = ProbeOptions()) throws(ProbeError) {
    self.options = options
    context = try TLSContext(options)
  }

  /// All addresses of the target's host, in the system's order.
  package func addresses(of target: ProbeTarget) async throws(ProbeError) -> [SocketAddress] {
    try await run { watch throws(ProbeError) in
      try Resolver.resolve(target.host, port: target.port, family: options.family, watch)
    }
  }

  /// Shakes hands with the first address that takes the connection.
  package func probe(_ target: ProbeTarget) async throws(ProbeError) -> Handshake {
    try await run { watch throws(ProbeError) in try shakeHands(with: target, watch) }
  }

  /// Runs blocking work on a thread where it may block.
  private func run<Value: Sendable>(
    _ work: @escaping @Sendable (Watch) throws(ProbeError) -> Value
  ) async throws(ProbeError) -> Value {
    let cancellation = Cancellation()
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { (continuation: CheckedContinuation<Result<Value, ProbeError>, Never>) in
        TLSProbe.threads.submit {
          // The time that others took before counts for nobody.
          let watch = Watch(cancellation: cancellation, end: .now + options.totalTimeout)
          let result = Result { () throws(ProbeError) in try work(watch) }
          continuation.resume(returning: result)
        }
      }
    } onCancel: {
      cancellation.cancel()
    }
    return try result.get()
  }

  private func shakeHands(with target: ProbeTarget, _ watch: Watch) throws(ProbeError) -> Handshake {
    let addresses: [SocketAddress] =
      if let address = target.address {
        [address]
      } else {
        try Resolver.resolve(target.host, port: target.port, family: options.family, watch)
      }
    var failure: ProbeError?
    for address in addresses {
      let connection: Connection
      do throws(ProbeError) {
        connection = try Connection.open(to: address, watch.limited(to: options.connectTimeout))
      } catch {
        failure = failure.map { $0.weight >= error.weight ? $0 : error } ?? error
        _ = try watch.slice(.connecting)
        continue
      }
      try target.startTLS?.negotiate(over: connection, watch)
      return try shakeHands(over: connection, address, target.indicatedName, watch)
    }
    throw failure ?? .nameNotResolved(host: target.host, reason: "it has no address")
  }

  private func shakeHands(
    over connection: borrowing Connection, _ address: SocketAddress, _ serverName: String?, _ watch: Watch
  ) throws(ProbeError) -> Handshake {
    let session = try TLSSession(context, serverName: serverName)
    do throws(ProbeError) {
      try drive(session, over: connection, watch)
    } catch {
      return try record(session, address, after: error)
    }
    return try record(session, address)
  }

  /// What a handshake that failed has brought all the same: its chain, if only a client certificate was missing.
  private func record(
    _ session: TLSSession, _ address: SocketAddress, after failure: ProbeError
  ) throws(ProbeError) -> Handshake {
    switch failure {
    case .alert, .closed:
      guard session.flight.asksForCertificate, var handshake = try? record(session, address) else { throw failure }
      handshake.notes.append(.refusedWithoutClientCertificate(failure))
      return handshake
    case .handshakeFailed where session.flight.certificate != nil:
      // What this side can't read of the message says more than OpenSSL's words.
      _ = try record(session, address)
      throw failure
    default: throw failure
    }
  }

  /// Carries bytes until the handshake is done.
  private func drive(
    _ session: TLSSession, over connection: borrowing Connection, _ watch: Watch
  ) throws(ProbeError) {
    var received = 0
    var opening: [UInt8] = []
    while true {
      let step = session.advance()
      if case .done = step { session.close() }
      do throws(ProbeError) {
        try connection.write(session.drain(), watch, .handshake)
      } catch .closed {
        // What the server said before it left is still to be read.
      }
      switch step {
      case .done: return
      case .failed(let failure): throw TLSProbe.isTLS(opening) ? failure : .notTLS(excerpt: Excerpt.text(opening))
      case .needsInput: break
      }
      let bytes = try connection.read(watch, .handshake)
      guard !bytes.isEmpty else {
        throw TLSProbe.isTLS(opening) ? .closed(.handshake) : .notTLS(excerpt: Excerpt.text(opening))
      }
      received += bytes.count
      guard received <= TLSProbe.maximumBytes else {
        throw .limitExceeded("a handshake of more than \(TLSProbe.maximumBytes / 1024) KiB")
      }
      if opening.count < 128 { opening += bytes.prefix(128) }
      session.feed(bytes)
    }
  }

  /// Whether this can be the beginning of a TLS record.
  private static func isTLS(_ bytes: [UInt8]) -> Bool {
    guard let first = bytes.first else { return true }
    return (20...23).contains(first) && (bytes.count < 2 || bytes[1] == 3)
  }

  /// What came.
  private func record(_ session: TLSSession, _ address: SocketAddress) throws(ProbeError) -> Handshake {
    let content: ServerFlight.Content
    do throws(FormatError) {
      content = try session.flight.content(session.version, maximum: options.maximumCertificates)
    } catch {
      throw .handshakeFailed("\(error)")
    }
    guard !content.certificates.isEmpty else { throw .noCertificate }
    guard content.certificates.count <= options.maximumCertificates else {
      throw .limitExceeded("more than \(options.maximumCertificates) certificates")
    }
    return Handshake(
      address: address, version: session.version, cipherSuite: session.cipherSuite,
      certificates: content.certificates, ocspResponse: content.ocspResponse, sctList: content.sctList,
      notes: session.flight.asksForCertificate ? [.clientCertificateRequested] : [])
  }
}
