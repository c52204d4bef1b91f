package import NIOCore
import NIOPosix
import NIOSSL

/// Sends mail to one server, message after message over one connection that is opened when it is needed.
package actor SMTPClient {
  private let settings: SMTPSettings
  private let group: any EventLoopGroup
  private var encryption: NIOSSLContext?
  private var connection: SMTPConnection?
  /// Sends wait for each other here, first come, first served.
  private var isBusy = false
  private var waiting: [CheckedContinuation<Void, Never>] = []

  private static let recipientsPerMessage = 100

  package init(_ settings: SMTPSettings, group: (any EventLoopGroup)? = nil) {
    self.settings = settings
    self.group = group ?? MultiThreadedEventLoopGroup.singleton
  }

  /// Sends a message, and says for each recipient what became of it.
  ///
  /// - Parameter message: as ``MailMessage/encoded()`` gives it.
  /// - Throws: ``SMTPError`` where there is no fate to report for any recipient; `CancellationError`.
  package func send(
    from sender: MailAddress, to recipients: [MailAddress], message: [UInt8]
  ) async throws -> [MailResult] {
    await takeTurn()
    defer { passTurn() }
    let body = SMTPBody(message)
    var results: [MailResult] = []
    while results.count < recipients.count {
      let some = Array(recipients[results.count...].prefix(Self.recipientsPerMessage))
      do {
        results += try await sendOnce(from: sender, to: some, body: body, size: message.count)
      } catch let error as SMTPError where !results.isEmpty {
        let rest = recipients[results.count...]
        return results + rest.map { MailResult(recipient: $0, outcome: .temporary(error.description)) }
      }
    }
    return results
  }

  /// Says goodbye to the server. The client can be used again after it.
  package func close() async {
    await takeTurn()
    defer { passTurn() }
    await connection?.close()
    connection = nil
  }

  /// A connection kept from an earlier message may have been given up by the server meanwhile: then a new one is tried,
  /// once, and only where the message has not been sent.
  private func sendOnce(
    from sender: MailAddress, to recipients: [MailAddress], body: SMTPBody, size: Int
  ) async throws -> [MailResult] {
    if let kept = connection {
      do {
        if kept.channel.isActive { return try await kept.send(from: sender, to: recipients, body: body, size: size) }
      } catch let error as SMTPError where error.isGoodbye && !error.mayHaveBeenDelivered {
        try? await kept.channel.close()
      } catch {
        await drop(kept)
        throw error
      }
      connection = nil
    }
    let fresh = try await SMTPConnection.open(settings, encryption: encryptionContext(), on: group)
    connection = fresh
    do {
      return try await fresh.send(from: sender, to: recipients, body: body, size: size)
    } catch {
      await drop(fresh)
      throw error
    }
  }

  private func drop(_ failed: SMTPConnection) async {
    connection = nil
    try? await failed.channel.close()
  }

  private func encryptionContext() throws -> NIOSSLContext? {
    if settings.security == .none { return nil }
    if let encryption { return encryption }
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.minimumTLSVersion = .tlsv12
    if let file = settings.caCertificateFile { configuration.trustRoots = .file(file) }
    do {
      let context = try NIOSSLContext(configuration: configuration)
      encryption = context
      return context
    } catch {
      let file = settings.caCertificateFile.map { " (\($0))" } ?? ""
      throw SMTPError(
        server: settings.server,
        cause: .unusableSettings("the trusted certificates\(file) can't be read: \(error)".withoutControls))
    }
  }

  private func takeTurn() async {
    guard isBusy else {
      isBusy = true
      return
    }
    await withCheckedContinuation { waiting.append($0) }
  }

  private func passTurn() {
    if waiting.isEmpty {
      isBusy = false
    } else {
      waiting.removeFirst().resume()
    }
  }
}

extension SMTPError {
  /// The server ended the connection, as it may between two messages.
  fileprivate var isGoodbye: Bool {
    switch cause {
    case .cut, .closing: true
    default: false
    }
  }
}
