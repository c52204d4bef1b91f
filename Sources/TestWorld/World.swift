package import CertificateTransparency

/// A small world on loopback: an authority, a log of each kind, and a server with both and their list.
package final class World: Sendable {
  /// Moves only by hand; what logs and authority go by, unless the world was given another time.
  package let clock: HeldClock
  package let authority: TestAuthority
  package let staticLog: LyingLog
  package let rfc6962Log: LyingLog
  package let server: TestServer

  private init(clock: HeldClock, authority: TestAuthority, logs: (LyingLog, LyingLog), server: TestServer) {
    self.clock = clock
    self.authority = authority
    (staticLog, rfc6962Log) = logs
    self.server = server
  }

  /// Makes a world that lasts while `body` runs.
  ///
  /// - Parameter now: the time of logs and authority; by default that of the world's ``clock``.
  package static func run<Result>(
    seed: UInt64 = 1, port: Int = 0, now: (@Sendable () -> Timestamp)? = nil, _ body: (World) async throws -> Result
  ) async throws -> Result {
    let clock = HeldClock()
    let time = now ?? { clock.timestamp }
    let authority = try TestAuthority(seed: seed, now: time)
    let tiled = LyingLog(try TestLog(.staticCT, name: "tiled", seed: seed, now: time))
    let classic = LyingLog(try TestLog(.rfc6962, name: "classic", seed: seed, now: time))
    return try await TestServer.run(port: port) { request in
      respond(to: request, tiled, classic)
    } _: { server in
      try await body(World(clock: clock, authority: authority, logs: (tiled, classic), server: server))
    }
  }

  private static func respond(to request: TestRequest, _ tiled: LyingLog, _ classic: LyingLog) -> TestResponse {
    let target = request.target.drop { $0 == "/" }
    if target.hasPrefix("tiled/") { return tiled.respond(to: String(target.dropFirst(6))) }
    if target.hasPrefix("classic/") { return classic.respond(to: String(target.dropFirst(8))) }
    let host = request.headers.first { $0.name.lowercased() == "host" }
    guard target == "log_list.json", let host,
      let list = try? list("http://\(host.value)/", tiled.log, classic.log).json()
    else { return .notFound }
    return .json(list)
  }

  private static func list(_ url: String, _ tiled: TestLog, _ classic: TestLog) -> LogList {
    let operators = ["Tiled Test Operator", "Classic Test Operator"]
    return LogList(
      version: "1.0", timestamp: HeldClock().start,
      operators: operators.map { LogList.Operator(name: $0, email: ["logs@operator.example"]) },
      logs: [
        tiled.description(url: url + "tiled/", operatorName: operators[0]),
        classic.description(url: url + "classic/", operatorName: operators[1]),
      ])
  }

  package var logListURL: String { server.url + "log_list.json" }
  /// What is served there.
  package var logList: LogList { World.list(server.url, staticLog.log, rfc6962Log.log) }

  /// Issues a certificate for names; see ``issue(_:to:certificateToo:)``.
  @discardableResult
  package func issue(_ names: String..., to logs: [LyingLog]? = nil, certificateToo: Bool = true) throws -> IssuedPair {
    try issue(CertificateRequest(names), to: logs, certificateToo: certificateToo)
  }

  /// Logs a precertificate, issues the certificate with the SCTs, logs it too unless told not to, and publishes.
  ///
  /// - Parameter logs: both by default.
  @discardableResult
  package func issue(
    _ request: CertificateRequest, to logs: [LyingLog]? = nil, certificateToo: Bool = true
  ) throws -> IssuedPair {
    let logs = (logs ?? [staticLog, rfc6962Log]).map(\.log)
    let pending = try authority.begin(request)
    let pair = try pending.finish(try logs.map { try $0.sct(at: try $0.append(pending.entry)) })
    for log in logs {
      if certificateToo { try log.append(pair.certificateEntry) }
      try log.publish()
    }
    return pair
  }
}
