import CTLogClient
import CertificateTransparency
import Foundation
import OrielLog
import TestWorld

/// A throw-away CA and two logs on loopback: one is followed by its tiles, the other as RFC 6962 has it.
struct DemoWorld: Sendable {
  /// The static-ct log, then the RFC 6962 one.
  let logs: [LogDescription]
  private let services: [LogService]
  private let clients: [SubmissionClient]
  private let authority: TestAuthority

  /// Makes a world in a folder, which lasts while `body` runs.
  static func run(in folder: URL, _ body: (DemoWorld) async throws -> Void) async throws {
    let now = LogClock.system.now
    let authority = try TestAuthority(seed: .random(in: 1...(.max)), now: now)
    var settings = LogService.Settings()
    settings.period = .milliseconds(100)
    settings.minimumFreeBytes = 64 << 20
    var services: [LogService] = []
    for name in ["tiled", "classic"] {
      let log = try await LogFolder.create(
        folder.appending(path: name).path, roots: PEM.encode(authority.root.chain[0]), clock: .system
      ) { key in
        let url = "http://logs.demo.example/\(name)/"
        return LogFolderSettings(
          description: "Oriel demo log '\(name)'", key: key, submissionURL: url, monitoringURL: url)
      }
      services.append(try await log.open(clock: .system, settings: settings))
    }
    var serving = LogServer.Settings()
    (serving.port, serving.stopTimeout) = (0, .seconds(2))
    let server = LogServer(services, serving)
    try await ServedWhile.run({ try await server.run(onListening: $0, until: $1) }) { port in
      var settings = HTTPTransport.Settings()
      settings.connectionsPerHost = 64
      try await HTTPTransport.withTransport(settings) { transport in
        try await body(
          DemoWorld(services, url: "http://127.0.0.1:\(port)/", transport: transport, authority: authority))
      }
    }
  }

  private init(_ services: [LogService], url: String, transport: HTTPTransport, authority: TestAuthority) {
    (self.services, self.authority) = (services, authority)
    logs = services.enumerated().map { place, service in
      let (entry, url) = (service.entry, url + (place == 0 ? "tiled/" : "classic/"))
      return LogDescription(
        kind: place == 0
          ? .staticCT(submission: entry.submissionURL, monitoring: url) : .rfc6962(url: url),
        key: entry.key, description: entry.description,
        operatorName: place == 0 ? "Tiled Demo Operator" : "Classic Demo Operator", maximumMergeDelay: 60,
        state: .usable)
    }
    // Both kinds take submissions where they are read.
    clients = logs.map { log in
      SubmissionClient(
        url: log.monitoringURL, key: log.key, transport: transport, pacer: Pacer(maximumInFlight: 32))
    }
  }

  /// The number of entries of each log.
  var sizes: [UInt64] { services.map(\.head.size) }

  /// Submits a precertificate, issues the certificate with the SCTs, and submits that too unless told not to.
  ///
  /// - Parameter tell: is told of the precertificate first.
  func issue(
    _ request: CertificateRequest, to kinds: [DemoStory.Destination], certificateToo: Bool = true,
    tell: ([UInt8]) async throws -> Void = { _ in }
  ) async throws {
    let clients = kinds.map { $0 == .staticLog ? self.clients[0] : self.clients[1] }
    let pending = try authority.begin(request)
    try await tell(pending.precertificate)
    let scts = try await DemoWorld.submit([pending.precertificate] + pending.precertificateChain, to: clients)
    let pair = try pending.finish(scts)
    if certificateToo { _ = try await DemoWorld.submit([pair.certificate] + pair.chain, to: clients) }
  }

  private static func submit(
    _ chain: [[UInt8]], to clients: [SubmissionClient]
  ) async throws -> [SignedCertificateTimestamp] {
    try await withThrowingTaskGroup(of: SignedCertificateTimestamp.self) { group in
      for client in clients { group.addTask { try await client.add(chain) } }
      var scts: [SignedCertificateTimestamp] = []
      for try await sct in group { scts.append(sct) }
      return scts
    }
  }

  /// Submits precertificates that concern nobody here.
  func makeNoise(_ count: Int) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<count {
        let name = "host\(Int.random(in: 0..<1_000_000)).stranger.example"
        group.addTask {
          try await issue(CertificateRequest([name]), to: [.staticLog, .rfc6962Log], certificateToo: false)
        }
      }
      try await group.waitForAll()
    }
  }
}
