import CertificateTransparency
import Foundation
import MerkleTree
import OrielStore
import TestWorld

/// `oriel serve` with so many alerts waiting: how soon the first is out, how many mails a second go over one SMTP
/// connection, and at what cost; and how long a certificate takes from the log's head to the mail server.
struct OutboxBenchmark {
  let directory: URL
  let oriel: String
  let count: Int

  func run() async throws {
    let data = directory.appending(path: "outbox-data")
    try? FileManager.default.removeItem(at: data)
    try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
    try await fill(data)
    let sink = try await Sink(directory)
    defer { sink.stop() }
    let log = try TestLog(.staticCT, name: "idle", seed: 3, now: Corpus.time)
    let list = try write(
      LogList(
        version: "1.0", timestamp: Corpus.time(), operators: [LogList.Operator(name: "Bench")],
        logs: [log.description(url: "http://127.0.0.1:1/", operatorName: "Bench")]
      ).json(), "outbox-list.json")
    let start = Date()
    let process = try serve(configuration(sink, list: list, data: data, from: "now"), "outbox.yaml")
    defer { process.terminate() }
    var peak = 0.0
    while sink.last(count) == nil, process.isRunning {
      peak = max(peak, ProcessBenchmark.peak(of: process.processIdentifier))
      try await Task.sleep(for: .milliseconds(50))
    }
    guard let first = sink.last(1), let last = sink.last(count) else { throw Ended() }
    let processor = ProcessBenchmark.used(by: process.processIdentifier)
    print(
      "\(count) alerts waiting: first mail after \(text(first - start.timeIntervalSince1970)) s,",
      "\(text(Double(count - 1) / (last - first), 0)) mails/s over one connection,",
      "\(text(processor * 1e6 / Double(count), 0)) µs of processor each, peak \(text(peak, 0)) MiB")
    fflush(nil)
  }

  /// From the publication of a head to the mail server's acceptance, poll interval one second.
  func latency(rounds: Int) async throws {
    let sink = try await Sink(directory, every: 1)
    defer { sink.stop() }
    try await World.run { world in
      let data = directory.appending(path: "latency-data")
      try? FileManager.default.removeItem(at: data)
      let process = try serve(
        configuration(sink, list: world.logListURL, data: data, from: "start"), "latency.yaml", pollInterval: "1")
      defer { process.terminate() }
      var took: [Double] = []
      for round in 1...rounds {
        try await Task.sleep(for: .milliseconds(Int.random(in: 300...1300)))
        let published = Date().timeIntervalSince1970
        try world.issue("n\(round).watched.example")
        while sink.last(round) == nil, process.isRunning { try await Task.sleep(for: .milliseconds(5)) }
        guard process.isRunning else { throw Ended() }
        took.append((sink.last(round) ?? .infinity) - published)
      }
      took.sort()
      print(
        "head to mail server, poll interval 1 s, \(rounds) certificates:",
        "median \(text(took[rounds / 2])) s, longest \(text(took[rounds - 1])) s")
    }
  }

  private struct Ended: Error, CustomStringConvertible {
    let description = "oriel serve ended early"
  }

  // MARK: - Material

  /// Sights so many certificates for one owner, and routes their alerts.
  private func fill(_ data: URL) async throws {
    let database = try SQLiteDatabase(path: data.appending(path: "oriel.db").path)
    let following = FollowingStore(database, writesAlerts: true)
    let authority = try TestAuthority(seed: 7, signatureMode: .filler, now: Corpus.time)
    let log = try TestLog(.staticCT, name: "outbox", seed: 9, now: Corpus.time).description(url: "https://log.example/")
    _ = try await following.register([log], start: "start", now: 0)
    try await following.begin(log.logID, at: LogPosition(index: 0, frontier: Frontier()), head: nil)
    var frontier = Frontier()
    let now = Int64(Date().timeIntervalSince1970 * 1000)
    for batch in stride(from: 0, to: count, by: 1000) {
      var sightings: [NewSighting] = []
      for number in batch..<min(batch + 1000, count) {
        let name = "host\(number).watched.example"
        let pair = try authority.issue(CertificateRequest([name, "www.\(name)"]))
        sightings.append(
          NewSighting(
            index: UInt64(number), timestamp: UInt64(now), issuance: pair.issuanceID,
            issuerKeyHash: pair.issuerKeyHash, entryType: "x509", certificate: pair.certificate, chain: [],
            issuers: [], facts: CertificateFacts(certificate: pair.certificate),
            matches: [StoredMatch(item: "watched.example", name: name)], problems: []))
        try frontier.append(.zero)
      }
      try await following.commit(
        sightings, of: log.logID, downloaded: LogPosition(index: UInt64(batch + sightings.count), frontier: frontier),
        verified: nil, unreadable: 0, now: now)
    }
    let alerts = AlertStore(database)
    let target = AlertTarget(recipient: "owner", target: "mail:owner@mail.example")
    while case let some = try await alerts.unrouted(limit: 1000).alerts, !some.isEmpty {
      try await alerts.route(
        some.map { RoutedAlert($0, to: [RoutedTarget(target)]) }, burst: BurstLimit(first: .max, window: 3_600_000),
        now: now)
    }
  }

  private func configuration(_ sink: Sink, list: String, data: URL, from: String) -> String {
    """
    watch: [watched.example]
    recipients: {owner: {mail: [owner@mail.example]}}
    defaults: {recipients: [owner]}
    digest: {first: 100000}
    smtp: {host: 127.0.0.1, port: \(sink.port), security: none, from: oriel@mail.example}
    log_lists: ["\(list)"]
    data_dir: \(data.path)
    from: \(from)
    """
  }

  private func write(_ bytes: [UInt8], _ name: String) throws -> String {
    let file = directory.appending(path: name)
    try Data(bytes).write(to: file)
    return file.path
  }

  private func serve(_ configuration: String, _ name: String, pollInterval: String = "15") throws -> Process {
    let process = Process()
    process.executableURL = URL(filePath: oriel)
    process.arguments = [
      "serve", "--config", try write(Array(configuration.utf8), name), "--poll-interval", pollInterval,
    ]
    process.standardError = FileHandle.nullDevice
    try process.run()
    return process
  }

  /// The sink's process, and what it has said.
  private final class Sink {
    let port: Int
    private let process = Process()
    private let said: URL

    init(_ directory: URL, every: Int = 1000) async throws {
      said = directory.appending(path: "sink-\(UUID().uuidString)")
      try Data().write(to: said)
      process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
      process.arguments = ["sink", "\(every)"]
      process.standardOutput = try FileHandle(forWritingTo: said)
      try process.run()
      var text = ""
      while !text.contains("\n") {
        try await Task.sleep(for: .milliseconds(10))
        text = try String(contentsOf: said, encoding: .utf8)
      }
      port = text.split(separator: "\n").first.flatMap { Int($0) } ?? 0
    }

    func stop() {
      kill(process.processIdentifier, SIGKILL)
      try? FileManager.default.removeItem(at: said)
    }

    /// When it had so many messages.
    func last(_ count: Int) -> Double? {
      let text = (try? String(contentsOf: said, encoding: .utf8)) ?? ""
      for line in text.split(separator: "\n").dropFirst() {
        let parts = line.split(separator: " ")
        if parts.first == "\(count)" { return parts.last.flatMap { Double($0) } }
      }
      return nil
    }
  }
}
