import FuzzTargets
import TestSupport
import TestWorld
import Testing

/// What fuzzers start from, and damaged forms of it, through every parser: the part of fuzzing that needs no fuzzer.
@Suite struct FuzzReplayTests {
  @Test("The properties hold for the seeds", arguments: FuzzTarget.allCases)
  func seeds(_ target: FuzzTarget) throws {
    let seeds = try target.seeds()
    #expect(!seeds.isEmpty && seeds.contains { !$0.isEmpty })
    for seed in seeds { try target.run(seed) }
  }

  @Test("The properties hold for the seeds of other targets", arguments: FuzzTarget.allCases)
  func foreignSeeds(_ target: FuzzTarget) async throws {
    for other in FuzzTarget.allCases {
      for seed in try other.seeds() { try target.run(seed) }
      await Task.yield()
    }
  }

  @Test("The properties hold for damaged seeds", arguments: FuzzTarget.allCases)
  func damage(_ target: FuzzTarget) async throws {
    var generator = SeededGenerator(seed: 20_260_101)
    for seed in try target.seeds() where !seed.isEmpty {
      for _ in 0..<(isCampaign ? 400 : 16) { try target.run(damaged(seed, &generator)) }
      // Others want their turn on the few threads there are.
      await Task.yield()
    }
  }

  @Test("The properties hold for real and malformed certificates", .needsTestData)
  func realCertificates() async throws {
    let files = TestData.files(in: "certs") + TestData.files(in: "malformed")
    try #require(!files.isEmpty)
    for file in files {
      let bytes = try TestData.bytes(file)
      for target in FuzzTarget.allCases { try target.run(bytes) }
      await Task.yield()
    }
  }

  private func damaged(_ seed: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
    var bytes = seed
    for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
      let place = Int.random(in: 0..<bytes.count, using: &generator)
      switch Int.random(in: 0..<5, using: &generator) {
      case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
      case 1: bytes[place] = UInt8.random(in: 0...255, using: &generator)
      case 2: bytes.removeSubrange(place..<min(place + 1 + Int(generator.next() % 8), bytes.count))
      case 3: bytes.insert(contentsOf: generator.bytes(1 + Int(generator.next() % 4)), at: place)
      default: bytes.removeLast(bytes.count - place)
      }
    }
    return bytes
  }
}
