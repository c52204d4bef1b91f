import MerkleTree
import TestWorld
import Testing

@Suite struct FrontierTests {
  let tree = ReferenceTree(size: 300)

  private func frontier(_ range: Range<Int>) throws -> Frontier {
    var frontier = Frontier(start: UInt64(range.lowerBound))
    try frontier.append(leaves: Array(tree.leaves[range]))
    return frontier
  }

  @Test func `leaf by leaf, the root is that of the definition`() throws {
    var frontier = Frontier()
    for size in 0...300 {
      #expect(frontier.end == UInt64(size))
      #expect(frontier.hashes.count == size.nonzeroBitCount)
      #expect(try frontier.root() == tree.root(size))
      if size < 300 { try frontier.append(tree.leaves[size]) }
    }
  }

  @Test func `every range holds the roots of the largest subtrees, wherever it starts`() throws {
    for start in stride(from: 0, to: 70, by: 3) {
      for end in start...90 {
        let range = try frontier(start..<end)
        #expect(range.count == UInt64(end - start))
        var position = start
        for (hash, level) in zip(range.hashes, range.levels) {
          #expect(position % (1 << level) == 0)
          #expect(hash == tree.root(position..<(position + 1 << level)))
          position += 1 << level
        }
        #expect(position == end)
        // No two neighbours may be children of one node.
        var left = start
        for (level, next) in zip(range.levels, range.levels.dropFirst()) {
          #expect(level != next || left >> level & 1 == 1)
          left += 1 << level
        }
      }
    }
  }

  @Test(arguments: 0..<UInt64(40))
  func `leaves in batches of any size give the frontier of the leaves one by one`(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let start = Int.random(in: 0...60, using: &generator)
    let count = 300 - start
    var (whole, batches) = (Frontier(start: UInt64(start)), Frontier(start: UInt64(start)))
    for leaf in tree.leaves[start...] { try whole.append(leaf) }
    for cut in generator.cuts(of: count) {
      try batches.append(leaves: Array(tree.leaves[start...][(start + cut.lowerBound)..<(start + cut.upperBound)]))
    }
    #expect(batches == whole)
  }

  @Test(arguments: 0..<UInt64(60))
  func `ranges that meet merge to the same frontier in whatever order`(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let size = Int.random(in: 0...300, using: &generator)
    var parts = try generator.cuts(of: size).map(frontier)
    while parts.count > 1 {
      let left = Int.random(in: 0..<(parts.count - 1), using: &generator)
      try parts[left].merge(parts.remove(at: left + 1))
    }
    #expect(parts == [try frontier(0..<size)])
    #expect(try parts[0].root() == tree.root(size))
  }

  @Test func `ranges with a gap or an overlap do not merge, and stay as they were`() throws {
    let left = try frontier(0..<5)
    for other in [try frontier(6..<8), try frontier(4..<8), Frontier()] {
      var merged = left
      #expect(throws: TreeError.apart(end: 5, start: other.start)) { try merged.merge(other) }
      #expect(merged == left)
    }
  }

  @Test func `complete subtrees are appended where they fit and nowhere else`() throws {
    var built = Frontier()
    try built.append(subtree: tree.root(0..<64), level: 6)
    try built.append(subtree: tree.root(64..<96), level: 5)
    try built.append(subtree: tree.root(96..<128), level: 5)
    #expect(built == (try frontier(0..<128)))
    #expect(built.levels == [7])
    try built.append(tree.leaves[128])
    for level in [-1, 1, 7, 63, 64, Int.max, Int.min] {
      let before = built
      #expect(throws: TreeError.misaligned(level: level, at: 129)) { try built.append(subtree: .zero, level: level) }
      #expect(built == before)
    }
  }

  @Test func `only a range from the first leaf on has a root`() throws {
    #expect(throws: TreeError.noRoot(start: 4)) { try frontier(4..<8).root() }
    #expect(throws: TreeError.noRoot(start: 1)) { try Frontier(start: 1).root() }
  }

  @Test func `a tree is taken up from the roots of its complete subtrees`() throws {
    for size in 0...300 {
      let whole = try frontier(0..<size)
      #expect(try Frontier(size: UInt64(size), hashes: whole.hashes) == whole)
      #expect(throws: TreeError.wrongCount(expected: size.nonzeroBitCount, found: size.nonzeroBitCount + 1)) {
        try Frontier(size: UInt64(size), hashes: whole.hashes + [.zero])
      }
    }
  }

  @Test func `what is stored is read back`() throws {
    for (start, end) in [(0, 0), (0, 1), (0, 255), (0, 300), (7, 7), (7, 8), (7, 299), (256, 300)] {
      let range = try frontier(start..<end)
      #expect(range.encoded.count == 16 + 32 * range.hashes.count)
      #expect(try Frontier(encoded: range.encoded) == range)
    }
  }

  @Test func `stored bytes that are no frontier are refused`() throws {
    let encoded = try frontier(3..<77).encoded
    for count in 0..<encoded.count {
      #expect(throws: TreeError.self) { try Frontier(encoded: Array(encoded[..<count])) }
    }
    #expect(throws: TreeError.self) { try Frontier(encoded: encoded + [UInt8](repeating: 0, count: 32)) }
    let reversed = [UInt8](repeating: 0, count: 7) + [9] + [UInt8](repeating: 0, count: 7) + [8]
    #expect(throws: TreeError.malformed("a frontier cannot start at leaf 9 and end at 8")) {
      try Frontier(encoded: reversed)
    }
    #expect(throws: TreeError.tooLarge(.max)) { try Frontier(encoded: [UInt8](repeating: 255, count: 16)) }
    var generator = SeededGenerator(seed: 2)
    for count in 0..<400 {
      let bytes = generator.bytes(count)
      if let frontier = try? Frontier(encoded: bytes) { #expect(frontier.encoded == bytes) }
    }
  }

  @Test func `the largest tree takes no more leaves`() throws {
    let largest = Frontier.maximumSize
    let full = try Frontier(size: largest, hashes: Array(repeating: .zero, count: 63))
    #expect(full.levels == (0...62).reversed())
    #expect(try Frontier(encoded: full.encoded) == full)
    _ = try full.root()
    var frontier = full
    #expect(throws: TreeError.tooLarge(largest + 1)) { try frontier.append(.zero) }
    #expect(throws: TreeError.tooLarge(largest + 9)) { try frontier.append(leaves: Array(repeating: .zero, count: 9)) }
    #expect(frontier == full)
    #expect(throws: TreeError.tooLarge(largest + 1)) { try Frontier(size: largest + 1, hashes: [.zero]) }
    for start in [largest, largest + 1, .max] {
      var range = Frontier(start: start)
      #expect(throws: TreeError.self) { try range.append(.zero) }
      #expect(throws: TreeError.self) { try range.append(leaves: [.zero]) }
      #expect(range.levels.isEmpty)
    }
    var empty = Frontier()
    try empty.append(subtree: .zero, level: 62)
    #expect(throws: TreeError.tooLarge(1 << 63)) { try empty.append(subtree: .zero, level: 62) }
    #expect(empty.end == 1 << 62)
  }
}
