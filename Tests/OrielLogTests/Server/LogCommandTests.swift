import CertificateTransparency
import Foundation
import MerkleTree
import Synchronization
import TestSupport
import TestWorld
import Testing

@testable import OrielLog

/// Killed at any instant, a log forgets nothing that it promised. `make soak` kills more often.
@Suite("oriel log, as its operator runs it", .serialized)
struct LogCommandTests {
  private static let kills = isCampaign ? 200 : 8

  /// A log that was made by the program.
  private struct Made {
    let temporary = try? TemporaryFolder()
    let path: String
    let authority: TestAuthority

    init() async throws {
      let clock = TravelClock()
      authority = try TestAuthority(seed: 21, now: { clock.now })
      let temporary = try #require(temporary)
      path = temporary.path + "/log"
      let roots = try temporary.write(PEM.encode(authority.root.chain[0]), to: "roots.pem")
      let result = try await Command.run(
        [
          "log", "init", path, "--submission-url", "http://127.0.0.1:1\(ServedLog.prefix)", "--roots", roots,
          "--no-anchor",
        ])
      #expect(result.status == 0, "\(result.errors)")
    }

    func serve(_ more: String...) async throws -> (Command, RawHTTP) {
      let command = try Command(["log", "serve", path, "--listen", "127.0.0.1:0", "--min-free", "0"] + more)
      return (command, RawHTTP(port: try #require(try await command.port(), "\(command.errors)")))
    }

    func fsck(_ more: String...) async throws -> Command.Result { try await Command.run(["log", "fsck", path] + more) }
  }

  /// Submits until the server is gone, and keeps every promise.
  private final class Load: Sendable {
    private let promises = Mutex<[ServedLog.Promise]>([])
    private let number = Atomic<Int>(0)
    let authority: TestAuthority
    let key: LogKey

    init(_ authority: TestAuthority, _ key: LogKey) { (self.authority, self.key) = (authority, key) }

    var kept: [ServedLog.Promise] { promises.withLock { $0 } }

    func run(_ http: RawHTTP) async {
      await withTaskGroup(of: Void.self) { group in
        for _ in 0..<8 { group.addTask { while await self.submit(http) {} } }
      }
    }

    private func submit(_ http: RawHTTP) async -> Bool {
      do {
        let number = number.add(1, ordering: .relaxed).newValue
        let pair = try authority.issue(CertificateRequest(["host\(number).example"]))
        let body = try AddChainRequest(chain: [pair.certificate] + pair.chain).json()
        let reply = try await http.request("POST", ServedLog.prefix + "ct/v1/add-chain", body: body)
        guard reply.status == 200 else { return true }
        let promise = try ServedLog.Promise(reply, pair.certificateEntry, key)
        promises.withLock { $0.append(promise) }
        return true
      } catch {
        return false
      }
    }
  }

  @Test("Killed again and again under load, the log keeps every SCT and checkpoint it gave")
  func kills() async throws {
    let made = try await Made()
    let folder = try LogFolder(made.path)
    let load = Load(made.authority, folder.entry.key)
    var heads: [LogHead] = []
    var generator = SeededGenerator(seed: 5)
    for _ in 0..<Self.kills {
      let (command, http) = try await made.serve("--period", "20")
      async let submitting: Void = load.run(http)
      try await Task.sleep(for: .milliseconds(Int.random(in: 100...600, using: &generator)))
      let note = try await http.request("GET", ServedLog.prefix + "checkpoint").body
      heads.append(try folder.publicIdentity.head(reading: note))
      command.send(SIGKILL)
      _ = try await command.finish()
      await submitting
      let check = try await made.fsck()
      #expect(check.status == 0, "\(check.output)\(check.errors)")
    }
    let (command, http) = try await made.serve()
    let last = try folder.publicIdentity.head(
      reading: try await http.request("GET", ServedLog.prefix + "checkpoint").body)
    command.send(SIGTERM)
    #expect(try await command.finish().status == 0)
    #expect(load.kept.count > Self.kills)
    let tiles = TileReader(storage: try DirectoryStore(folder.publicPath, isReadOnly: true))
    var leaves: [SHA256Hash] = []
    for tile in TileCoordinate.tiles(.hashes(level: 0), treeSize: last.size) { leaves += try await tiles.hashes(tile) }
    for promise in load.kept { #expect(leaves[Int(promise.index)] == promise.leafHash) }
    for head in heads {
      var frontier = Frontier()
      try frontier.append(leaves: Array(leaves.prefix(Int(head.size))))
      #expect(try frontier.root() == head.root)
    }
    #expect(try await made.fsck().status == 0)
  }

  @Test("A flipped bit is found by fsck and repaired from a mirror over HTTP; an archive is a mirror too")
  func repair() async throws {
    let made = try await Made()
    let folder = try LogFolder(made.path)
    let archive = try #require(made.temporary).path + "/archive"
    let load = Load(made.authority, folder.entry.key)
    var (command, http) = try await made.serve("--period", "20")
    let loading = Task { [http] in await load.run(http) }
    while load.kept.count < 300 { try await Task.sleep(for: .milliseconds(20)) }
    // fsck and export while it runs.
    #expect(try await made.fsck().status == 0)
    let export = try await Command.run(["log", "export", made.path, archive, "--json"])
    #expect(export.status == 0 && export.output.contains("\"tree_size\""), "\(export.errors)")
    command.send(SIGTERM)
    #expect(try await command.finish().status == 0)
    await loading.value
    #expect(try await Command.run(["log", "export", made.path, archive]).status == 73)

    // A second copy is served as the mirror.
    let copy = try #require(made.temporary).path + "/copy"
    try FileManager.default.copyItem(atPath: made.path, toPath: copy)
    let mirror = try Command(["log", "serve", copy, "--moved", "--listen", "127.0.0.1:0", "--min-free", "0"])
    let port = try #require(try await mirror.port())
    for source in ["http://127.0.0.1:\(port)\(ServedLog.prefix)", archive] {
      let file = URL(filePath: made.path + "/public/tile/data/000")
      let right = try Data(contentsOf: file)
      var wrong = right
      wrong[wrong.count / 2] ^= 4
      try FileManager.default.removeItem(at: file)
      try wrong.write(to: file)
      let check = try await made.fsck("--json")
      #expect(check.status == 1 && check.output.contains("\"path\" : \"tile/data/000\""), "\(check.output)")
      let repair = try await Command.run(["log", "repair", made.path, "--from", source])
      #expect(repair.status == 0 && repair.output == "repaired tile/data/000\n", "\(repair.output)\(repair.errors)")
      #expect(try Data(contentsOf: file) == right)
      #expect(try await made.fsck().status == 0)
    }
    mirror.send(SIGTERM)
    #expect(try await mirror.finish().status == 0)
    (command, http) = try await made.serve()
    #expect(try await http.request("GET", "/health").status == 200)
    let other = try await Command.run(["log", "serve", made.path, "--listen", "127.0.0.1:0"])
    #expect(other.status == 73, "two servers of one folder: \(other.errors)")
    #expect(try await Command.run(["log", "repair", made.path, "--from", archive]).status == 73)
    command.send(SIGTERM)
    #expect(try await command.finish().status == 0)
  }

  @Test("A folder from a restored backup, another lock or another key: the log refuses to start and says why")
  func refusals() async throws {
    let made = try await Made()
    let folder = try LogFolder(made.path)
    let backup = try #require(made.temporary).path + "/backup"
    try FileManager.default.copyItem(atPath: made.path, toPath: backup)
    let load = Load(made.authority, folder.entry.key)
    let (command, http) = try await made.serve("--period", "20")
    let loading = Task { await load.run(http) }
    while load.kept.count < 20 { try await Task.sleep(for: .milliseconds(20)) }
    command.send(SIGTERM)
    #expect(try await command.finish().status == 0)
    await loading.value
    func refused(_ reason: String, _ change: (String) throws -> Void) async throws {
      let copy = try #require(made.temporary).path + "/copy"
      try FileManager.default.copyItem(atPath: made.path, toPath: copy)
      defer { try? FileManager.default.removeItem(atPath: copy) }
      try change(copy)
      let result = try await Command.run(["log", "serve", copy, "--moved", "--listen", "127.0.0.1:0"])
      #expect([65, 78].contains(result.status) && result.errors.contains(reason), "\(result.errors)")
    }
    func restore(_ names: String..., to copy: String) throws {
      for name in names {
        try FileManager.default.removeItem(atPath: copy + "/" + name)
        try FileManager.default.copyItem(atPath: backup + "/" + name, toPath: copy + "/" + name)
      }
    }
    try await refused("it is another directory, or was restored from a backup") { try restore("public", to: $0) }
    try await refused("this is not the lock that the log was run with") { copy in
      for name in ["lock.db-wal", "lock.db-shm"] { try? FileManager.default.removeItem(atPath: copy + "/" + name) }
      try restore("lock.db", to: copy)
    }
    let other = try await Made()
    try await refused("it is the key of log") { copy in
      try FileManager.default.removeItem(atPath: copy + "/key.pem")
      try FileManager.default.copyItem(atPath: other.path + "/key.pem", toPath: copy + "/key.pem")
    }
    let again = try await Command.run(
      [
        "log", "init", made.path, "--submission-url", "http://x.example/", "--roots", backup + "/roots.pem",
        "--no-anchor",
      ])
    #expect(again.status == 78 && again.errors.contains("created once in its life"))
  }

  @Test("Every command explains itself with an example", arguments: ["init", "serve", "fsck", "repair", "export"])
  func help(name: String) async throws {
    let result = try await Command.run(["log", name, "--help"])
    #expect(result.status == 0 && result.output.contains("Example") && result.output.contains("oriel log \(name)"))
  }
}
