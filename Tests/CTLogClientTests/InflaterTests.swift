import CTLogClient
import TestSupport
import TestWorld
import Testing

@Suite("Inflating")
struct InflaterTests {
  private static func inflate(_ body: [UInt8], limit: Int) throws(InflateError) -> [UInt8] {
    var output: [UInt8] = [1, 2, 3]
    try Inflater().inflate(body.span, into: &output, limit: limit)
    return output
  }

  @Test("gives back what was compressed, up to exactly the limit", arguments: [0, 1, 17, 1000, 70_000])
  func roundTrip(count: Int) throws {
    var random = SeededGenerator(seed: 1)
    let plain = random.bytes(count)
    let body = TestResponse.gzip(plain)
    #expect(try InflaterTests.inflate(body, limit: count) == plain)
    if count > 0 {
      #expect(throws: InflateError.tooLarge(limit: count - 1)) { try InflaterTests.inflate(body, limit: count - 1) }
    }
  }

  @Test("stops a bomb at the limit, whatever length it claims", arguments: [nil, 0, 10, 0xffff_ffff] as [UInt32?])
  func bomb(claimed: UInt32?) {
    var body = TestResponse.gzip([UInt8](repeating: 0, count: 20_000_000), level: 12)
    #expect(body.count < 30_000)
    if let claimed {
      for index in 0..<4 { body[body.count - 4 + index] = UInt8(truncatingIfNeeded: claimed >> UInt32(8 * index)) }
    }
    #expect(throws: InflateError.tooLarge(limit: 1_000_000)) { try InflaterTests.inflate(body, limit: 1_000_000) }
  }

  @Test("refuses what is no gzip, is damaged, cut off or followed by something")
  func refusals() throws {
    var random = SeededGenerator(seed: 2)
    let plain = random.bytes(500)
    let body = TestResponse.gzip(plain)
    for bad in [[], [0x1f], [0x1f, 0x8b], plain, Array(body.dropLast()), Array(body.prefix(20))] {
      #expect(throws: InflateError.self) { try InflaterTests.inflate(bad, limit: 1000) }
    }
    for place in [body.count / 2, body.count - 6, body.count - 2] {
      var damaged = body
      damaged[place] ^= 1
      #expect(throws: InflateError.self) { try InflaterTests.inflate(damaged, limit: 1000) }
    }
    #expect(throws: InflateError.trailingBytes(3)) { try InflaterTests.inflate(body + [0, 0, 0], limit: 1000) }
    #expect(throws: InflateError.trailingBytes(body.count)) { try InflaterTests.inflate(body + body, limit: 1000) }
  }

  @Test("tells gzip by its first bytes")
  func magic() {
    let starts: [([UInt8], Bool)] = [
      ([0x1f, 0x8b], true), ([], false), ([0x1f], false), ([0x8b, 0x1f], false), ([0x7b, 0x22], false),
    ]
    for (bytes, expected) in starts {
      let isGzip = Inflater.isGzip(bytes.span)
      #expect(isGzip == expected)
    }
  }

  @Test("never traps on damaged data")
  func fuzz() {
    var random = SeededGenerator(seed: 3)
    let body = TestResponse.gzip(Array(String(repeating: "certificate ", count: 40).utf8))
    var output: [UInt8] = []
    for _ in 0..<5000 {
      var damaged = body
      for _ in 0..<3 {
        damaged[Int.random(in: 0..<damaged.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      try? Inflater().inflate(damaged.span, into: &output, limit: 600)
      #expect(output.count <= 600)
    }
  }
}
