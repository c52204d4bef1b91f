import CertificateTransparency
import Crypto
import MerkleTree
import OrielVerdicts
import TestWorld
import Testing

@Suite struct InventoryListTests {
  private static let secret = Array("correct horse battery staple".utf8)
  private static let now = Timestamp(milliseconds: 1_780_315_200_000)  // 2026-06-01T12:00:00Z
  private static let body = """
    oriel-inventory v1
    host web1.example.com
    time 2026-06-01T12:00:00Z
    certificate 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
    key ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100 example.com www.example.com

    """
  /// By `openssl dgst -sha256 -hmac`.
  private static let mac = "c013481ba24149d7393ad2f53ac7f2dc72a102751149ae94dad0f1a78ea0a487"
  private static let text = body + "mac \(mac)\n"

  private func read(
    _ text: String, secret: [UInt8] = secret, now: Timestamp = now, last: Timestamp? = nil
  ) throws(InventoryList.Fault) -> InventoryList {
    try InventoryList(verifying: Array(text.utf8), secret: secret, now: now, last: last)
  }

  private func signed(_ lines: String...) throws -> String {
    let body = "oriel-inventory v1\n" + lines.map { $0 + "\n" }.joined()
    return body + "mac \(authenticationCode(Array(body.utf8), InventoryListTests.secret))\n"
  }

  @Test func `a list made elsewhere is read`() throws {
    let list = try read(InventoryListTests.text)
    #expect(list.host == "web1.example.com" && list.time == InventoryListTests.now)
    #expect(list.items.map(\.kind) == [.certificate, .key])
    #expect(list.entries.map(\.names) == [[], ["example.com", "www.example.com"]])
    #expect(list.entries.allSatisfy { $0.source == "list of web1.example.com" })
  }

  @Test func `a list is written as it is read`() throws {
    let list = try read(InventoryListTests.text)
    #expect(
      String(decoding: try list.encoded(secret: InventoryListTests.secret), as: UTF8.self) == InventoryListTests.text)
  }

  @Test func `names stay words when a list is written`() throws {
    let hostile = "a\nkey \(String(repeating: "0", count: 64)) evil.example\u{2028}b"
    let list = InventoryList(
      host: hostile, time: InventoryListTests.now,
      items: [InventoryList.Item(kind: .key, hash: .zero, names: [hostile, "", "b.example"])])
    let text = String(decoding: try list.encoded(secret: InventoryListTests.secret), as: UTF8.self)
    let again = try read(text)
    #expect(again.items.count == 1 && again.items.first?.names.count == 3)
    #expect(again.items.first?.names.last == "b.example")
  }

  @Test func `no byte can be changed`() {
    let bytes = Array(InventoryListTests.text.utf8)
    for index in bytes.indices.dropLast() {
      for bit in [UInt8(0x01), 0x20] {
        var changed = bytes
        changed[index] ^= bit
        // Hexadecimal digits of either case are the same number.
        if bit == 0x20, index >= bytes.count - 65, bytes[index] >= UInt8(ascii: "a") { continue }
        #expect(throws: InventoryList.Fault.self) {
          try InventoryList(verifying: changed, secret: InventoryListTests.secret, now: InventoryListTests.now)
        }
      }
    }
  }

  @Test func `another secret, or too short a one, will not do`() {
    #expect(throws: InventoryList.Fault.wrongMAC) {
      try read(InventoryListTests.text, secret: Array("another secret of some length".utf8))
    }
    #expect(throws: InventoryList.Fault.secretTooShort) { try read(InventoryListTests.text, secret: [1, 2, 3]) }
  }

  @Test func `the time counts`() throws {
    let now = InventoryListTests.now.milliseconds
    let at = { (seconds: Int64) in Timestamp(milliseconds: UInt64(Int64(now) + seconds * 1000)) }
    _ = try read(InventoryListTests.text, now: at(-300), last: at(0))
    _ = try read(InventoryListTests.text, now: at(7 * 86_400))
    #expect(throws: InventoryList.Fault.fromTheFuture(at(0))) { try read(InventoryListTests.text, now: at(-301)) }
    #expect(throws: InventoryList.Fault.stale(at(0))) { try read(InventoryListTests.text, now: at(7 * 86_400 + 1)) }
    #expect(throws: InventoryList.Fault.stale(at(0))) { try read(InventoryListTests.text, last: at(1)) }
    _ = try InventoryList(
      verifying: Array(InventoryListTests.text.utf8), secret: InventoryListTests.secret,
      now: Timestamp(milliseconds: .max), maximumAge: .max)
  }

  static let faults: [(String, Int, String)] = [
    ("time now", 2, "expected a time such as 2026-06-01T12:00:00Z"),
    ("certificate 00", 2, "expected 64 hexadecimal digits"), ("certificate", 2, "expected 64 hexadecimal digits"),
    ("key \(String(repeating: "0", count: 64))", 2, "a key needs its names"),
    ("secret 00", 2, "expected certificate, key, host or time"), ("# nothing", 1, "there is no line with the time"),
    ("", 1, "there is no line with the time"), ("host", 1, "there is no line with the time"),
  ]

  @Test(arguments: faults) func `a mistake is told with its line`(line: String, number: Int, reason: String) throws {
    let text = try signed(line)
    #expect(throws: InventoryList.Fault.malformed(line: number, reason)) { try read(text) }
  }

  @Test(arguments: ["", "\n", "mac", "mac 00", InventoryListTests.body, "mac " + String(repeating: "g", count: 64)])
  func `without a MAC nothing is read`(text: String) {
    #expect(throws: InventoryList.Fault.noMAC) { try read(text) }
  }

  @Test func `another version is refused`() {
    let body = "oriel-inventory v2\n"
    let text = body + "mac \(authenticationCode(Array(body.utf8), InventoryListTests.secret))"
    #expect(throws: InventoryList.Fault.malformed(line: 1, "expected “oriel-inventory v1”")) { try read(text) }
  }
}

private func authenticationCode(_ body: [UInt8], _ secret: [UInt8]) -> String {
  HMAC<SHA256>.authenticationCode(for: body, using: SymmetricKey(data: secret)).map { byte in
    (byte < 16 ? "0" : "") + String(byte, radix: 16)
  }.joined()
}
