import CertificateTransparency
import Foundation
import MerkleTree
import TestSupport
import TestWorld
import Testing

@testable import OrielLog

@Suite("A log in operation")
struct ServiceTests {
  private static let day: Int64 = 86_400_000

  /// Waits for what takes a tick or two.
  private func until(_ isSo: () async throws -> Bool) async throws { try await eventually(isSo) }

  @Test("When window and grace are over the log takes no more, and keeps its final head")
  func sunset() async throws {
    let folder = try TemporaryFolder()
    var (final, window): (SignedTreeHead?, Range<Timestamp>?)
    try await ServedLog.run(
      in: folder,
      { options, clock in
        let now = clock.now.milliseconds
        options.window = Timestamp(milliseconds: now)..<Timestamp(milliseconds: now + 100 * UInt64(Self.day))
        window = options.window
        options.pace.idleRefresh = 20
      }
    ) { log in
      _ = try await log.fill(2)
      log.clock.travel(104 * Self.day)
      #expect(try await log.submit(try log.issue(2), precertificate: true).status == 400, "within the grace: expired")
      let first = try await log.head()
      try await until { try await log.head().timestamp > first.timestamp }
      log.clock.travel(4 * Self.day)
      let reply = try await log.submit(try log.issue(3), precertificate: true)
      #expect(reply.status == 410 && reply.text.contains("takes no more"))
      try await until { try await log.get("log.v3.json").text.contains("final_tree_head") }
      let last = try await log.head()
      try await Task.sleep(for: .milliseconds(200))
      #expect(try await log.head() == last)
      #expect(try await log.get("tile/0/000.p/2").status == 200)
      let entry = try await log.get("log.v3.json").text
      #expect(entry.contains("\"sha256_root_hash\" : \"\(Base64.encode(last.rootHash.bytes))\""))
      #expect(try await log.http.request("GET", "/health").status == 200)
      final = last
    }
    // After a restart too.
    try await ServedLog.run(in: folder, { _, clock in clock.travel(200 * Self.day) }) { log in
      try await Task.sleep(for: .milliseconds(100))
      #expect(try await log.head() == final)
      #expect(try await log.get("log.v3.json").text.contains("final_tree_head"))
      #expect(try await log.submit(try log.issue(4), precertificate: true).status == 410)
      #expect(log.folder.entry.window == window)
    }
  }

  @Test("With little disk space left the log is read-only, and says so")
  func disk() async throws {
    try await ServedLog.run({ options, _ in options.service.minimumFreeBytes = .max }) { log in
      let reply = try await log.submit(try log.issue(0), precertificate: true)
      #expect(reply.status == 503 && reply.text.contains("disk space") && reply.headers["retry-after"] == "60")
      #expect(try await log.get("checkpoint").status == 200)
      let health = try await log.http.request("GET", "/health")
      #expect(health.status == 503 && health.text.contains("disk space"))
    }
  }

  @Test("When the clock is set while it runs the log is read-only", arguments: [-3_600_000, 3_600_000])
  func clock(step: Int64) async throws {
    try await ServedLog.run { log in
      _ = try await log.fill(1)
      #expect(try await log.http.request("GET", "/health").status == 200)
      let before = try await log.head()
      log.clock.step(step)
      // An old checkpoint may be noticed first.
      try await until { try await log.http.request("GET", "/health").text.contains("the clock was moved") }
      #expect(try await log.http.request("GET", "/health").status == 503)
      let reply = try await log.submit(try log.issue(1), precertificate: true)
      #expect(reply.status == 503 && reply.headers["retry-after"] != nil)
      #expect(try await log.head() == before)
      log.clock.step(-step)
      try await until { try await log.http.request("GET", "/health").status == 200 }
      _ = try await log.fill(1, from: 1)
    }
  }

  @Test("Health sees a damaged checkpoint, damaged tiles and a checkpoint that grows old")
  func health() async throws {
    try await ServedLog.run({ options, _ in
      options.pace.idleRefresh = .max
      // Longer than a busy machine may take to get there.
      options.service.freshness = 3_600_000
    }) { log in
      _ = try await log.fill(3)
      #expect(
        try await log.http.request("GET", "/health").text == """
          {
            "status": "ok",
            "logs": [
              {"log": "log.example/logs/2026", "status": "ok", "tree_size": 3, "anchor": null, \
          "public_checkpoint": "own", "problems": []}
            ]
          }

          """)
      for path in ["checkpoint", "tile/0/000.p/3"] {
        let file = URL(filePath: log.folder.publicPath + "/" + path)
        let right = try Data(contentsOf: file)
        var wrong = right
        wrong[wrong.startIndex + 25] ^= 1
        try wrong.write(to: file)
        let health = try await log.http.request("GET", "/health")
        #expect(health.status == 503 && health.text.contains("can't be read"), "\(path)")
        try right.write(to: file)
      }
      // On a busy machine it may have had nothing published for a while.
      try await until { try await log.http.request("GET", "/health").status == 200 }
      log.clock.travel(3_700_000)
      #expect(try await log.http.request("GET", "/health").text.contains("the checkpoint is of"))
    }
  }

  @Test("What is under way when the server is told to stop is published and answered")
  func stop() async throws {
    let folder = try TemporaryFolder()
    // The requests outlive the body, and so are under way when the server stops.
    let requests = try await ServedLog.run(in: folder, { options, _ in options.service.period = .milliseconds(500) }) {
      log in
      let pairs = try (0..<12).map { try log.issue($0) }
      let requests = Task {
        try await withThrowingTaskGroup(of: Int.self) { group in
          for pair in pairs { group.addTask { try await log.submit(pair, precertificate: true).status } }
          return try await group.reduce(into: []) { $0.append($1) }
        }
      }
      try await until { log.service.measurements.contains { $0.samples.contains { $0.hasSuffix(" 12.0") } } }
      return requests
    }
    #expect(try await requests.value == [Int](repeating: 200, count: 12))
    try await ServedLog.run(in: folder) { log in
      let head = try await log.head()
      #expect(head.treeSize == 12)
      #expect(try await log.findings() == [])
    }
  }

  @Test("Several logs are served side by side, the longest path first")
  func several() async throws {
    let folder = try TemporaryFolder()
    let clock = TravelClock()
    let authority = try TestAuthority(seed: 21, now: { clock.now })
    var services: [LogService] = []
    for prefix in ["/", "/a/", "/a/b/"] {
      let path = folder.path + "/log\(services.count)"
      try await ServedLog.create(path, authority, clock, nil, prefix: prefix)
      services.append(try await LogFolder(path).open(clock: clock.clock))
    }
    var settings = LogServer.Settings()
    settings.port = 0
    try await ServedLog.serve(services, settings) { port in
      let http = RawHTTP(port: port)
      for (path, origin) in [("/", "log.example"), ("/a/", "log.example/a"), ("/a/b/", "log.example/a/b")] {
        let note = try await http.request("GET", path + "checkpoint").text
        #expect(note.hasPrefix(origin + "\n"))
      }
      let health = try JSONSerialization.jsonObject(with: Data(try await http.request("GET", "/health").body))
      let origins = ((health as? [String: Any])?["logs"] as? [[String: Any]])?.compactMap { $0["log"] as? String }
      #expect(origins == ["log.example", "log.example/a", "log.example/a/b"])
      let metrics = try await http.request("GET", "/metrics").text
      let sample = try Regex(#"^[a-z_]+\{log="[^"]+"(,[a-z]+="[^"]*")*\} (nan|[0-9.e+-]+)$"#)
      for line in metrics.split(separator: "\n") where !line.hasPrefix("# TYPE ") {
        #expect(try sample.wholeMatch(in: String(line)) != nil, "\(line)")
      }
      let types = metrics.split(separator: "\n").filter { $0.hasPrefix("# TYPE ") }
      #expect(Set(types).count == types.count && types.count > 8)
    }
  }
}
