import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import OrielLogging
import ServiceLifecycle

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Logs behind one HTTP/1.1 address, each under its path.
package struct LogServer: Sendable {
  package struct Settings: Sendable {
    package var host = "127.0.0.1"
    /// 0 for any that is free.
    package var port = 8080
    /// Submissions per second and client; nil for as many as they like.
    package var clientRate: Double?
    /// Whether a proxy in front tells who the client is, in X-Forwarded-For.
    package var trustsForwarded = false
    /// The time for the body of a request, however its bytes trickle in.
    package var bodyTimeout: Duration = .seconds(10)
    /// The time for the head of a request, and for silence between two.
    package var idleTimeout: Duration = .seconds(30)
    /// The time for a client to make room for more of an answer.
    package var writeTimeout: Duration = .seconds(60)
    package var connections = 8192
    /// For TLS; nil for plain HTTP.
    package var credentials: TLSCredentials?
    /// The time for answers under way, once the server is to stop.
    package var stopTimeout: Duration = .seconds(15)

    package init() {}
  }

  /// The server can't listen at its address.
  package struct Unlistenable: Error, CustomStringConvertible {
    let address: String
    let reason: String

    package var description: String { "\(address) can't be listened on: \(reason)" }
  }

  private let services: [LogService]
  private let settings: Settings

  package init(_ services: [LogService], _ settings: Settings = Settings()) {
    self.services = services
    self.settings = settings
  }

  /// Runs the logs and serves them until `stop` returns; what was submitted by then is answered.
  ///
  /// - Parameter onListening: is told the port.
  /// - Throws: ``Unlistenable``; the logs are stopped then.
  package func run(
    onListening: @escaping @Sendable (Int) async -> Void = { _ in }, until stop: @escaping @Sendable () async -> Void
  ) async throws {
    var http = HTTP1Channel.Configuration(idleTimeout: TimeAmount(settings.idleTimeout))
    http.httpDecoder = .init(maxHeaderFieldSize: 16 << 10, maxHeaderListSize: 32 << 10, maxHeaderFieldCount: 100)
    let logs = LogResponder(services, settings)
    let server = HTTPServerBuilder { [http, settings] responder in
      LogChannel(
        base: HTTP1Channel(responder: responder, configuration: http), responder: logs,
        credentials: settings.credentials, bodyTimeout: TimeAmount(settings.bodyTimeout),
        writeTimeout: TimeAmount(settings.writeTimeout))
    }
    let application = Application(
      responder: logs, server: server,
      configuration: ApplicationConfiguration(
        address: .hostname(settings.host, port: settings.port), backlog: 1024,
        availableConnectionsDelegate: MaximumAvailableConnections(settings.connections, logger: .silent)),
      onServerRunning: { await onListening($0.localAddress?.port ?? 0) }, logger: .silent)
    var configuration = ServiceGroupConfiguration(services: [application], logger: .silent)
    configuration.maximumGracefulShutdownDuration = settings.stopTimeout
    let serving = ServiceGroup(configuration: configuration)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for service in services { group.addTask { await service.run() } }
      group.addTask {
        await stop()
        await serving.triggerGracefulShutdown()
      }
      group.addTask {
        do {
          try await serving.run()
        } catch let error as IOError {
          throw unlistenable(String(cString: strerror(error.errnoCode)))
        } catch let error as SocketAddressError.UnknownHost {
          throw unlistenable("there is no host \(error.host)")
        } catch let error as SocketAddressError {
          throw unlistenable("\(error)")
        }
        // Only now: those whose requests were under way wait for the tree that has them.
        for service in services { service.stop() }
      }
      // What fails, such as an address that somebody else has, ends the rest.
      while try await group.next() != nil {}
    }
  }

  private func unlistenable(_ reason: String) -> Unlistenable {
    let host = settings.host.contains(":") ? "[\(settings.host)]" : settings.host
    return Unlistenable(address: "\(host):\(settings.port)", reason: reason)
  }
}
