import CTLogClient
import CertificateTransparency
import MerkleTree
import OrielStore
import TestWorld
import Testing

@testable import OrielMonitor

@Suite("How many entries a log is asked for", .serialized)
struct RangeTests {
  /// Follows the RFC 6962 log of a world from an entry on, and gives the ranges that it was asked for.
  private func read(_ count: Int, from start: Int, _ fault: Fault) async throws -> [Range<Int>] {
    try await World.run { world in
      _ = try world.plant(count, in: world.rfc6962Log)
      world.rfc6962Log.fault = fault
      let watcher = try Watcher(world)
      let logs = LogKind.rfc6962.description(in: world)
      #expect(try await watcher.watchOnce(logs, from: "\(start)", timeout: 60).map(\.trouble) == [nil])
      #expect(try await watcher.verified(world.rfc6962Log) == UInt64(count))
      // Each tenth is watched; none is read twice or left out.
      #expect(try await watcher.stored().count == (start..<count).count { $0 % 10 == 9 })
      return world.server.targets.filter { $0.contains("get-entries?") }.compactMap { target in
        let numbers = target.split(whereSeparator: { !$0.isNumber }).suffix(2).compactMap { Int($0) }
        return numbers.count == 2 ? numbers[0]..<(numbers[1] + 1) : nil
      }
    }
  }

  @Test(
    "Answers that end with a block of the log's own take as many requests as there are blocks",
    arguments: [(32, 31, 3000), (32, 0, 3000), (1000, 999, 3000), (100, 150, 1000), (1, 0, 50)])
  func aligned(block: Int, start: Int, count: Int) async throws {
    let requests = try await read(count, from: start, .alignedRanges(block))
    // Where the blocks are larger than what is asked for at once, their ends are ends of requests too.
    let ends = Set(stride(from: block, to: count, by: block)).union(stride(from: 256, to: count, by: 256)).filter {
      $0 > start
    }
    #expect(requests.count <= ends.count + 1, "\(requests)")
  }

  @Test("After a short answer the log is asked for as much as before")
  func short() async throws {
    let requests = try await read(2000, from: 0, .shortRanges(200))
    #expect(requests.count { $0.count > 200 } >= 7, "\(requests)")
    #expect(requests.count <= 16, "\(requests)")
  }

  @Test(
    "A range that is refused is halved until it is given, and others are asked for like it",
    arguments: [400, 403, 413, 500])
  func refused(status: Int) async throws {
    let requests = try await read(1300, from: 0, .refusedRanges(above: 20, status: status))
    // Some are under way when the first is refused.
    let refused = requests.count { $0.count > 20 }
    #expect(refused >= 4 && refused <= 4 * 5 + 6, "\(requests)")
    #expect(requests.count <= 1300 / 16 + refused + 2, "\(requests)")
  }

  @Test("Where only single entries are given, all are read")
  func single() async throws {
    let requests = try await read(60, from: 0, .refusedRanges(above: 1, status: 403))
    #expect(Set(requests.filter { $0.count == 1 }.map(\.lowerBound)) == Set(0..<60))
  }

  @Test("A limit is halved by refusals, and raised by trials, the more reluctantly the more of them were refused")
  func limit() {
    var limit = RangeLimit()
    #expect(limit.plan(from: 10, to: 1 << 40) == 10..<256)
    limit.refused(130)
    #expect(limit.count == 64)
    // These were asked for before.
    limit.refused(130)
    limit.refused(65)
    #expect(limit.count == 64)
    limit.refused(64)
    #expect(limit.count == 32 && limit.most == 32)
    #expect(limit.plan(from: 10, to: 1 << 40) == 10..<32 && limit.plan(from: 10, to: 20) == 10..<20)
    var position: UInt64 = 64
    /// So many answers it takes until more is asked for.
    func answers() -> Int {
      for number in 0...10_000 {
        let range = limit.plan(from: position, to: 1 << 40)
        guard range.count <= 32 else { return number }
        position = range.upperBound
        limit.answered(UInt64(range.count))
      }
      return -1
    }
    var counts: [Int] = []
    for _ in 0..<12 {
      position = (position / 64 + 1) * 64
      counts.append(answers())
      #expect(limit.most == 64)
      limit.refused(64)
      #expect(limit.count == 32 && limit.most == 32)
    }
    #expect(counts == [4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 4096])
    // Short answers to less than the limit say nothing of it.
    for _ in 0..<10_000 { limit.answered(31) }
    #expect(limit.plan(from: 0, to: 1 << 40).count == 32)
  }

  @Test("A trial of which nothing came is made again")
  func lostTrial() {
    var limit = RangeLimit()
    for asked: UInt64 in [256, 128] { limit.refused(asked) }
    for _ in 0..<4 { limit.answered(64) }
    #expect(limit.plan(from: 0, to: 1000) == 0..<128)
    // Only one at a time.
    #expect(limit.plan(from: 128, to: 1000) == 128..<192)
    #expect(limit.plan(from: 0, to: 1000) == 0..<128)
    limit.answered(128)
    #expect(limit.count == 128)
  }

  @Test("A log that fails now and then, whatever it is asked for, is read in long ranges still")
  func faults() {
    var (limit, generator) = (RangeLimit(), SeededGenerator(seed: 11))
    var (position, requests) = (UInt64(0), UInt64(0))
    while requests < 100_000 {
      let range = limit.plan(from: position, to: 1 << 40)
      requests += 1
      if generator.next() % 100 == 0 {
        limit.refused(UInt64(range.count))
      } else {
        limit.answered(UInt64(range.count))
        position = range.upperBound
      }
    }
    #expect(position / requests >= 100, "\(position / requests) entries a request")
  }

  @Test("After an outage the limit is soon where it was")
  func outage() {
    var limit = RangeLimit()
    for _ in 0..<20 { limit.refused(limit.count) }
    #expect(limit.count == 1)
    var (position, requests): (UInt64, Int) = (12_345, 0)
    while limit.count < 256, requests < 1000 {
      let range = limit.plan(from: position, to: 1 << 40)
      limit.answered(UInt64(range.count))
      (position, requests) = (range.upperBound, requests + 1)
    }
    #expect(requests < 80, "\(requests)")
    #expect(limit.most == 256)
  }
}

@Suite("Issuers that a log does not give", .serialized)
struct MissingIssuerTests {
  @Test(
    "A missing issuer is asked for once, not for each entry, and every certificate is reported", arguments: [404, 500])
  func requests(status: Int) async throws {
    try await World.run { world in
      let planted = try world.plant(400, watchedEvery: 1, in: world.staticLog)
      world.staticLog.lie(.status(status), on: "issuer/")
      let watcher = try Watcher(world)
      #expect(try await watcher.watchOnce(LogKind.staticCT.description(in: world)).map(\.trouble) == [nil])
      #expect(try await watcher.stored().count == planted)
      let targets = world.server.targets.filter { $0.contains("/issuer/") }
      // A few batches are read side by side; a server in trouble is asked again after a second.
      #expect(targets.count <= Set(targets).count * 16, "\(targets.count) requests for \(Set(targets).count) issuers")
    }
  }

  @Test("The waits double up to an hour, begin anew once it was found, and outlast no clock that is set back")
  func waits() {
    let hash = SHA256Hash.hash([1])
    func waits(_ error: FetchError, _ missing: inout MissingIssuers) -> [Int64] {
      var (now, waits): (Int64, [Int64]) = (1_000_000, [])
      for _ in 0..<9 {
        missing.failed(hash, error, now: now)
        let start = now
        while missing.error(for: hash, now: now) != nil { now += 1000 }
        waits.append((now - start) / 1000)
      }
      return waits
    }
    func refusal(_ code: Int) -> FetchError {
      FetchError(url: "", reason: .status(code: code, retryAfter: nil, body: ""))
    }
    var missing = MissingIssuers()
    #expect(missing.error(for: hash, now: 5) == nil)
    #expect(waits(refusal(404), &missing) == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600])
    missing.found(hash)
    #expect(waits(refusal(503), &missing) == [1, 2, 4, 8, 16, 32, 64, 128, 256])
    missing.failed(hash, refusal(404), now: 1 << 50)
    #expect(missing.error(for: hash, now: 1_000_000) == nil)
    #expect(missing.error(for: SHA256Hash.hash([2]), now: 1 << 50) == nil)
  }
}
