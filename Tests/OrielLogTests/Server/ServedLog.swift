import CTLogClient
import CertificateTransparency
import Foundation
import Logging
import MerkleTree
import OrielLogging
import Synchronization
import TestSupport
import TestWorld
import Testing

@testable import OrielLog

/// The real time, and whatever is put on top of it.
final class TravelClock: Sendable {
  private let start = ContinuousClock.now
  private let shifts = Mutex((time: Int64(0), steady: Int64(0)))

  /// Time passes.
  func travel(_ milliseconds: Int64) { shifts.withLock { $0 = ($0.time + milliseconds, $0.steady + milliseconds) } }

  /// Somebody sets the time of day.
  func step(_ milliseconds: Int64) { shifts.withLock { $0.time += milliseconds } }

  var now: Timestamp {
    let shift = shifts.withLock { $0.time }
    return Timestamp(milliseconds: UInt64(Int64(Date().timeIntervalSince1970 * 1000) + shift))
  }

  var clock: LogClock {
    LogClock(
      now: { self.now },
      steady: { Int64((ContinuousClock.now - self.start) / .milliseconds(1)) + self.shifts.withLock { $0.steady } })
  }
}

/// A log on disk behind its own server on loopback.
struct ServedLog: Sendable {
  struct Options {
    var window: Range<Timestamp>?
    var pace = SequencerSettings()
    var service = LogService.Settings()
    var server = LogServer.Settings()
    var logger = Logger.silent

    init() {
      service.period = .milliseconds(20)
      // Whoever runs the tests may have little space left.
      service.minimumFreeBytes = 0
      server.port = 0
    }
  }

  let folder: LogFolder
  let service: LogService
  let clock: TravelClock
  let authority: TestAuthority
  let http: RawHTTP

  static let prefix = "/logs/2026/"

  var key: LogKey { folder.entry.key }
  var url: String { "http://127.0.0.1:\(http.port)\(ServedLog.prefix)" }

  /// Runs a log while `body` does.
  static func run<Result: Sendable>(
    in given: TemporaryFolder? = nil, _ change: (inout Options, TravelClock) -> Void = { _, _ in },
    _ body: (ServedLog) async throws -> Result
  ) async throws -> Result {
    let temporary = try given ?? TemporaryFolder()
    let clock = TravelClock()
    let authority = try TestAuthority(seed: 21, now: { clock.now })
    var options = Options()
    change(&options, clock)
    let path = temporary.path + "/log"
    if !FileManager.default.fileExists(atPath: path) { try await create(path, authority, clock, options.window) }
    let folder = try LogFolder(path)
    let service = try await folder.open(
      clock: clock.clock, pace: options.pace, settings: options.service, logger: options.logger)
    return try await serve([service], options.server) { port in
      try await body(
        ServedLog(
          folder: folder, service: service, clock: clock, authority: authority, http: RawHTTP(port: port)))
    }
  }

  static func create(
    _ path: String, _ authority: TestAuthority, _ clock: TravelClock, _ window: Range<Timestamp>?,
    prefix: String = ServedLog.prefix
  ) async throws {
    let pem = PEM.encode(authority.root.chain[0])
    _ = try await LogFolder.create(path, roots: pem, clock: clock.clock) { key in
      var settings = LogFolderSettings(
        description: "A test", key: key, submissionURL: "http://log.example\(prefix)",
        monitoringURL: "http://log.example\(prefix)")
      settings.notAfterStart = window?.lowerBound.description
      settings.notAfterEnd = window?.upperBound.description
      return settings
    }
  }

  /// Serves logs while `body` runs; it is given the port.
  static func serve<Result: Sendable>(
    _ services: [LogService], _ settings: LogServer.Settings, _ body: (Int) async throws -> Result
  ) async throws -> Result {
    let (stops, stopper) = AsyncStream<Void>.makeStream()
    let (ports, opener) = AsyncStream<Int>.makeStream()
    let server = Task {
      defer { opener.finish() }
      try await LogServer(services, settings).run(
        onListening: { opener.yield($0) }, until: { for await _ in stops {} })
    }
    let port = await ports.first { _ in true }
    let result: Swift.Result<Result, any Error>
    do {
      result = .success(try await body(port ?? 0))
    } catch {
      result = .failure(error)
    }
    stopper.finish()
    try await server.value
    return try result.get()
  }

  // MARK: - Submitting

  func issue(_ number: Int, notAfter: Timestamp? = nil) throws -> IssuedPair {
    var request = CertificateRequest(["host\(number).example"])
    request.usesSigningCertificate = number % 5 == 4
    request.notAfter = notAfter
    return try authority.issue(request)
  }

  func submit(_ chain: [[UInt8]], to endpoint: String) async throws -> RawHTTP.Reply {
    try await http.request(
      "POST", ServedLog.prefix + "ct/v1/" + endpoint, body: try AddChainRequest(chain: chain).json())
  }

  /// Submits a precertificate, or the certificate.
  func submit(_ pair: IssuedPair, precertificate: Bool) async throws -> RawHTTP.Reply {
    precertificate
      ? try await submit([pair.precertificate] + pair.pending.precertificateChain, to: "add-pre-chain")
      : try await submit([pair.certificate] + pair.chain, to: "add-chain")
  }

  /// Submits so many entries, and gives the leaves that their SCTs promise; the SCTs verify.
  func fill(_ count: Int, from first: Int = 0) async throws -> [Promise] {
    try await withThrowingTaskGroup(of: Promise.self) { group in
      var promises: [Promise] = []
      for number in first..<(first + count) {
        // As many at once as there may be threads.
        if number - first >= 48, let promise = try await group.next() { promises.append(promise) }
        group.addTask {
          let pair = try issue(number)
          let isPrecertificate = number % 2 == 0
          let reply = try await submit(pair, precertificate: isPrecertificate)
          guard reply.status == 200 else { throw Unanswered(reply: reply.text) }
          let entry = isPrecertificate ? pair.precertificateEntry : pair.certificateEntry
          return try Promise(reply, entry, key)
        }
      }
      for try await promise in group { promises.append(promise) }
      return promises
    }
  }

  struct Unanswered: Error { let reply: String }

  /// What an SCT says will be in the tree.
  struct Promise: Sendable {
    let sct: SignedCertificateTimestamp
    let entry: TestEntry
    let index: UInt64
    let leafHash: SHA256Hash

    init(_ reply: RawHTTP.Reply, _ entry: TestEntry, _ key: LogKey) throws {
      sct = try AddChainResponse(json: reply.body).sct
      #expect(key.verify(sct, for: entry.body))
      index = try #require(sct.leafIndex)
      leafHash = try sct.leaf(for: entry.body).leafHash()
      self.entry = entry
    }
  }

  // MARK: - Reading

  /// Reads the log as its monitors do.
  func read<Result>(_ body: (StaticCTClient, RFC6962Client) async throws -> Result) async throws -> Result {
    let transport = HTTPTransport()
    let pacer = Pacer()
    let tiled = StaticCTClient(
      monitoringURL: url, origin: folder.settings.origin, transport: transport, pacer: pacer)
    let result: Swift.Result<Result, any Error>
    do {
      result = .success(try await body(tiled, RFC6962Client(url: url, transport: transport, pacer: pacer)))
    } catch {
      result = .failure(error)
    }
    try await transport.shutdown()
    return try result.get()
  }

  func get(_ path: String, headers: [String: String] = [:]) async throws -> RawHTTP.Reply {
    try await http.request("GET", ServedLog.prefix + path, headers: headers)
  }

  func head() async throws -> SignedTreeHead {
    try SignedTreeHead(
      checkpoint: try await get("checkpoint").body, origin: folder.settings.origin, key: key)
  }

  /// What is wrong in the folder.
  func findings() async throws -> [Finding] { try await ServedLog.findings(folder) }

  static func findings(_ folder: LogFolder, _ path: String? = nil) async throws -> [Finding] {
    var findings: [Finding] = []
    let storage = try DirectoryStore(path ?? folder.publicPath, isReadOnly: true)
    var check = LogCheck(folder.publicIdentity, storage: storage) { findings.append($0) }
    try await check.run()
    return findings
  }
}
