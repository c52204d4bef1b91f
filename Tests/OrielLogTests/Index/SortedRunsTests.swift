import Foundation
import MerkleTree
import TestSupport
import TestWorld
import Testing

@testable import OrielLog

@Suite("Entries by key, on disk")
struct SortedRunsTests {
  @Test(
    "What is in a table is what was added, lot by lot, before and after it is opened again",
    arguments: [KeyWidth.whole, .prefix], [1, 2, 3])
  func table(_ width: KeyWidth, seed: UInt64) async throws {
    var generator = SeededGenerator(seed: seed)
    let folder = try TemporaryFolder()
    var table = try SortedRuns(folder.path + "/t", width)
    var truth: [SHA256Hash: [UInt64]] = [:]
    var size: UInt64 = 0
    for round in 0..<30 {
      let count = UInt64.random(in: 1...700, using: &generator)
      var lot: [SHA256Hash: UInt64] = [:]
      for index in size..<(size + count) {
        // Some keys come twice.
        let key = SHA256Hash.hash(Array("\(Bool.random(using: &generator) ? index : index / 900)".utf8))
        if lot[key] == nil { lot[key] = index }
      }
      size += count
      for (key, index) in lot { truth[key, default: []].append(index) }
      try await table.insert(lot, covering: size, resting: round == 3)
      #expect(try await table.coveredSize() == size)
      if round % 7 == 0 { table = try SortedRuns(folder.path + "/t", width) }
      // All of it now and then, as it grows.
      let asked = isCampaign || round % 5 == 4 ? Array(truth.keys) : Array(truth.keys.prefix(300))
      #expect(try await table.find(asked + [.zero]) == asked.reduce(into: [:]) { $0[$1] = truth[$1] })
    }
    #expect(try files(folder).count < 10)
  }

  @Test("Keys with the same beginning are all found, over several blocks")
  func sameBeginning() async throws {
    let folder = try TemporaryFolder()
    let table = try SortedRuns(folder.path + "/t", .prefix)
    func key(_ first: UInt8, _ number: Int) throws -> SHA256Hash {
      try #require(SHA256Hash([first] + [UInt8](repeating: 7, count: 29) + [UInt8(number >> 8), UInt8(number & 255)]))
    }
    var lot: [SHA256Hash: UInt64] = [:]
    for number in 0..<1000 { lot[try key(5, number)] = UInt64(number) }
    lot[try key(4, 0)] = 1000
    lot[try key(6, 0)] = 1001
    try await table.insert(lot, covering: 1002, resting: false)
    let (asked, before, after) = (try key(5, 999), try key(4, 0), try key(6, 0))
    let found = try await table.find([asked, before, after, try key(3, 0), try key(7, 0)])
    #expect(found == [asked: (0..<1000).map { $0 }, before: [1000], after: [1001]])
  }

  @Test("The index of an entry has forty bits")
  func largeIndexes() async throws {
    let folder = try TemporaryFolder()
    let table = try SortedRuns(folder.path + "/t", .whole)
    let key = SHA256Hash.hash([1])
    try await table.insert([key: 1 << 40 - 1], covering: 1 << 40, resting: false)
    #expect(try await table.find([key]) == [key: [1 << 40 - 1]])
  }

  @Test(
    "Runs of a size become one, and with them those of the next size",
    arguments: [
      ([], nil), ([9, 9, 9], nil), ([9, 9, 9, 9], 0), ([100, 9, 9, 9, 9], 1), ([9, 8, 4, 1], nil),
      ([1, 1, 1, 9], 0), ([36, 36, 36, 9, 9, 9, 9], 0), ([36, 36, 9, 9, 9, 9], 2), ([200, 36, 36, 36, 9, 9, 9, 9], 1),
      ([9, 9, 9, 9, 9], 0),
    ] as [([UInt64], Int?)])
  func merging(_ sizes: [UInt64], first: Int?) {
    #expect(SortedRuns.firstToMerge(sizes) == first)
  }

  @Test("A run that was cut, or whose ending was changed, is not believed, nor is what comes after it")
  func damage() async throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/t"
    let keys = (0..<400).map { SHA256Hash.hash(Array("\($0)".utf8)) }
    func fill() async throws {
      try? FileManager.default.removeItem(atPath: path)
      let table = try SortedRuns(path, .whole)
      // The first is of another size: three runs stay.
      for part in [0..<300, 300..<301, 301..<400] {
        let lot = Dictionary(uniqueKeysWithValues: part.map { (keys[$0], UInt64($0)) })
        try await table.insert(lot, covering: UInt64(part.upperBound), resting: false)
      }
    }
    try await fill()
    let whole = try Data(contentsOf: URL(filePath: path + "/300-301.run"))
    #expect(whole.count == 4096 + 8 + 56)
    let cuts = [0, 1, 55, 56, 57, 4095, 4096, whole.count - 9, whole.count - 1].map { whole.prefix($0) }
    let flips = stride(from: 4096, to: whole.count, by: 5).map { place in
      var bytes = whole
      bytes[place] ^= 1
      return bytes
    }
    for bytes in cuts + flips + [whole + whole.prefix(1)] {
      try await fill()
      try bytes.write(to: URL(filePath: path + "/300-301.run"))
      let table = try SortedRuns(path, .whole)
      #expect(try await table.coveredSize() == 300)
      #expect(try await table.find([keys[299], keys[300], keys[301]]) == [keys[299]: [299]])
      #expect(try files(folder) == ["0-300.run"])
    }
  }

  @Test("What a crash leaves is put in order: half a run, and runs whose merged one is there")
  func crash() async throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/t"
    let keys = (0..<50).map { SHA256Hash.hash(Array("\($0)".utf8)) }
    var table = try SortedRuns(path, .whole)
    var kept: [String: Data] = [:]
    for part in stride(from: 0, to: 40, by: 10) {
      let lot = Dictionary(uniqueKeysWithValues: (part..<(part + 10)).map { (keys[$0], UInt64($0)) })
      try await table.insert(lot, covering: UInt64(part + 10), resting: false)
      for name in try files(folder) { kept[name] = FileManager.default.contents(atPath: path + "/" + name) }
    }
    #expect(try files(folder) == ["0-40.run"])
    // As if it had ended just after the merged run got its name, and while the next was written.
    for (name, bytes) in kept { try bytes.write(to: URL(filePath: path + "/" + name)) }
    try Data("half".utf8).write(to: URL(filePath: path + "/40-50.run.new"))
    table = try SortedRuns(path, .whole)
    #expect(try await table.coveredSize() == 40)
    #expect(try files(folder) == ["0-40.run"])
    #expect(try await table.find(keys).count == 40)
  }

  @Test("Of a log that was restored from a backup, what it does not have is forgotten")
  func restored() async throws {
    let folder = try TemporaryFolder()
    let keys = (0..<400).map { SHA256Hash.hash(Array("\($0)".utf8)) }
    var table = try SortedRuns(folder.path + "/t", .whole)
    for part in [0..<300, 300..<350, 350..<400] {
      let lot = Dictionary(uniqueKeysWithValues: part.map { (keys[$0], UInt64($0)) })
      try await table.insert(lot, covering: UInt64(part.upperBound), resting: false)
    }
    for (size, left) in [(400, 400), (399, 350), (350, 350), (10, 0)] as [(UInt64, Int)] {
      try await table.forget(after: size)
      #expect(try await table.coveredSize() == UInt64(left))
      #expect(try await table.find(keys).count == left)
      table = try SortedRuns(folder.path + "/t", .whole)
      #expect(try await table.coveredSize() == UInt64(left))
    }
  }

  @Test("Where nothing can be written, the table is as it was")
  func noSpace() async throws {
    let folder = try TemporaryFolder()
    let table = try SortedRuns(folder.path + "/t", .whole)
    let key = SHA256Hash.hash([1])
    try await table.insert([key: 0], covering: 1, resting: false)
    try FileManager.default.moveItem(atPath: folder.path + "/t", toPath: folder.path + "/away")
    await #expect(throws: BlobError.self) {
      try await table.insert([SHA256Hash.hash([2]): 1], covering: 2, resting: false)
    }
    #expect(try await table.coveredSize() == 1)
    #expect(try await table.find([key]) == [key: [0]])
    try FileManager.default.moveItem(atPath: folder.path + "/away", toPath: folder.path + "/t")
    try await table.insert([SHA256Hash.hash([2]): 1], covering: 2, resting: false)
    #expect(try await SortedRuns(folder.path + "/t", .whole).coveredSize() == 2)
  }

  private func files(_ folder: TemporaryFolder) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path + "/t").sorted()
  }
}
