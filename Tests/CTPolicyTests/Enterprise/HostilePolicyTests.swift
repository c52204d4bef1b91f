import CTPolicy
import Foundation
import TestWorld
import Testing

@Suite struct HostilePolicyTests {
  @Test("files with bytes changed, cut or doubled are refused or read, never more", arguments: 0..<4)
  func mutations(seed: Int) throws {
    let apple = PolicyReadingTests.apple
    let files = [
      Array(PolicyReadingTests.chrome.utf8), Array(PolicyReadingTests.firefox.utf8),
      try PolicyReadingTests.profile(apple, format: .xml), try PolicyReadingTests.profile(apple, format: .binary),
    ]
    let chain = try chain(Draft(), .root)
    var generator = SeededGenerator(seed: UInt64(seed) + 99)
    let original = files[seed]
    var read = 0
    for _ in 0..<2500 {
      var bytes = original
      for _ in 0..<Int.random(in: 1...3, using: &generator) {
        let index = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0...3, using: &generator) {
        case 0: bytes[index] = UInt8.random(in: 0...255, using: &generator)
        case 1: bytes.remove(at: index)
        case 2: bytes.insert(contentsOf: bytes[index...].prefix(20), at: index)
        default: bytes[index] ^= 1 << UInt8.random(in: 0...7, using: &generator)
        }
        if bytes.isEmpty { bytes = original }
      }
      guard let policies = try? EnterprisePolicies(bytes, file: "mutated") else { continue }
      read += 1
      for platform in PolicyPlatform.allCases {
        _ = policies.exemption(on: platform, host: "www.shop.example", chain: chain)
      }
      _ = try? RootStores(bytes, file: "mutated")
    }
    #expect(read > 0 && read < 2500)
  }

  @Test("deep nesting and huge files are refused", arguments: ["[", "{\"a\":", "<array>", "("])
  func nesting(open: String) {
    for head in ["", "{\"policies\":", "<?xml version=\"1.0\"?><plist version=\"1.0\">"] {
      let text = head + String(repeating: open, count: 100_000)
      #expect(throws: PolicyFileError.self) { try EnterprisePolicies(Array(text.utf8), file: "deep") }
      #expect(throws: PolicyFileError.self) { try RootStores(Array(text.utf8), file: "deep") }
    }
    let huge = [UInt8](repeating: 0x20, count: EnterprisePolicies.maximumByteCount + 1)
    let error = #expect(throws: PolicyFileError.self) { try EnterprisePolicies(huge, file: "huge") }
    #expect(error?.expected.contains("at most") == true)
    #expect(throws: PolicyFileError.self) {
      try RootStores([UInt8](repeating: 0x20, count: RootStores.maximumByteCount + 1), file: "huge")
    }
  }

  /// A binary property list of arrays, each holding those that `references` says.
  private func binary(_ count: Int, _ references: (Int) -> [Int]) -> [UInt8] {
    var bytes = Array("bplist00".utf8)
    var offsets: [Int] = []
    for index in 0..<count {
      offsets.append(bytes.count)
      let held = references(index)
      bytes.append(0xa0 | UInt8(held.count))
      for reference in held { bytes += [UInt8(reference >> 8), UInt8(reference & 0xff)] }
    }
    let table = bytes.count
    for offset in offsets { bytes += [UInt8(offset >> 16), UInt8(offset >> 8 & 0xff), UInt8(offset & 0xff)] }
    bytes += [0, 0, 0, 0, 0, 0, 3, 2]
    for value in [count, 0, table] { bytes += withUnsafeBytes(of: UInt64(value).bigEndian) { Array($0) } }
    return bytes
  }

  @Test("binary property lists that unfold without end are refused before they are unfolded")
  func bombs() {
    let bombs = [
      binary(40) { $0 == 39 ? [] : [$0 + 1, $0 + 1] },
      binary(3) { [($0 + 1) % 3] },
      binary(1) { _ in [0] },
      binary(60_000) { $0 == 59_999 ? [] : [$0 + 1] },
      binary(2) { _ in [9] },
    ]
    for bomb in bombs {
      let error = #expect(throws: PolicyFileError.self) { try EnterprisePolicies(bomb, file: "bomb") }
      #expect(error?.expected.contains("unfolded") == true)
    }
    // Sharing alone is no fault.
    let shared = #expect(throws: PolicyFileError.self) {
      try EnterprisePolicies(binary(3) { $0 == 2 ? [] : [2, 2] }, file: "shared")
    }
    #expect(shared?.expected.contains("dictionary") == true)
  }

  @Test("objects of odd kinds in a binary property list are passed over; Foundation on Linux would end the process")
  func oddKinds() throws {
    let original = try PolicyReadingTests.profile(PolicyReadingTests.apple, format: .binary)
    var read = 0
    for index in 8..<(original.count - 32) {
      for kind in 0...15 as ClosedRange<UInt8> {
        var bytes = original
        bytes[index] = bytes[index] & 0xf | kind << 4
        if (try? EnterprisePolicies(bytes, file: "odd")) != nil { read += 1 }
      }
    }
    #expect(read > original.count)
  }
}
