import MerkleTree
import Testing

@Suite struct ProofTests {
  static let largest = 70
  let tree = ReferenceTree(size: largest)
  let store: SubtreeStore
  let roots: [SHA256Hash]

  init() {
    store = SubtreeStore(tree.leaves)
    roots = (0...ProofTests.largest).map(tree.root)
  }

  @Test(arguments: 1...largest)
  func `every leaf is proved, and spoilt proofs are not believed`(size: Int) throws {
    for index in 0..<size {
      let made = try InclusionProof.make(leafIndex: UInt64(index), treeSize: UInt64(size), hashes: store.hash)
      #expect(made.hashes == tree.path(index, 0..<size))
      let (leaf, root) = (tree.leaves[index], roots[size])
      try made.verify(leafHash: leaf, root: root)
      #expect(RFC9162.includes(made, leafHash: leaf, root: root))
      for hashes in spoilt(made.hashes, seed: UInt64(index)) {
        let proof = InclusionProof(leafIndex: made.leafIndex, treeSize: made.treeSize, hashes: hashes)
        #expect(throws: ProofError.self) { try proof.verify(leafHash: leaf, root: root) }
      }
      #expect(throws: ProofError.rootMismatch(computed: root, expected: roots[size - 1])) {
        try made.verify(leafHash: leaf, root: roots[size - 1])
      }
      #expect(throws: ProofError.self) { try made.verify(leafHash: .zero, root: root) }
    }
  }

  @Test(arguments: 1...largest)
  func `every older tree is proved, and spoilt proofs are not believed`(size: Int) throws {
    for old in 1...size {
      let made = try ConsistencyProof.make(oldSize: UInt64(old), newSize: UInt64(size), hashes: store.hash)
      #expect(made.hashes == tree.subproof(0..<old, in: 0..<size))
      try made.verify(oldRoot: roots[old], newRoot: roots[size])
      #expect(old == size || RFC9162.isConsistent(made, oldRoot: roots[old], newRoot: roots[size]))
      for hashes in spoilt(made.hashes, seed: UInt64(old)) {
        let proof = ConsistencyProof(oldSize: made.oldSize, newSize: made.newSize, hashes: hashes)
        #expect(throws: ProofError.self) { try proof.verify(oldRoot: roots[old], newRoot: roots[size]) }
      }
      for wrong in [roots[old - 1], .zero] {
        #expect(throws: ProofError.self) { try made.verify(oldRoot: wrong, newRoot: roots[size]) }
        #expect(throws: ProofError.self) { try made.verify(oldRoot: roots[old], newRoot: wrong) }
      }
    }
  }

  @Test func `with other sizes and indexes, the verdict is that of RFC 9162`() throws {
    var believed = 0
    for size in 1...20 {
      for index in 0..<size {
        let hashes = tree.path(index, 0..<size)
        for (claimed, within) in (0..<24).flatMap({ index in (0..<24).map { (index, $0) } }) {
          let proof = InclusionProof(leafIndex: UInt64(claimed), treeSize: UInt64(within), hashes: hashes)
          let verdict = holds { () throws(ProofError) in
            try proof.verify(leafHash: tree.leaves[index], root: roots[size])
          }
          #expect(verdict == RFC9162.includes(proof, leafHash: tree.leaves[index], root: roots[size]))
          if verdict { believed += 1 }
        }
      }
      for old in 1..<max(size, 2) {
        let hashes = tree.subproof(0..<min(old, size), in: 0..<size)
        for (from, to) in (1..<24).flatMap({ from in ((from + 1)..<25).map { (from, $0) } }) {
          let proof = ConsistencyProof(oldSize: UInt64(from), newSize: UInt64(to), hashes: hashes)
          let verdict = holds { () throws(ProofError) in try proof.verify(oldRoot: roots[old], newRoot: roots[size]) }
          #expect(verdict == RFC9162.isConsistent(proof, oldRoot: roots[old], newRoot: roots[size]))
          if verdict { believed += 1 }
        }
      }
    }
    // Each true proof at least.
    #expect(believed >= 210 + 190)
  }

  @Test func `every subtree is proved to be part of every tree that has it`() throws {
    var proved = 0
    for size in 0...26 {
      for start in 0...size {
        for end in start...size {
          guard let subtree = try? Subtree(start: UInt64(start), end: UInt64(end)) else { continue }
          let made = try SubtreeProof.make(subtree: subtree, treeSize: UInt64(size), hashes: store.hash)
          let hash = tree.root(start..<end)
          #expect(made.hashes == (start == end ? [] : tree.subproof(start..<end, in: 0..<size)))
          try made.verify(subtreeHash: hash, root: roots[size])
          #expect(throws: ProofError.self) { try made.verify(subtreeHash: .zero, root: roots[size]) }
          for hashes in spoilt(made.hashes, seed: 3) {
            let proof = SubtreeProof(subtree: subtree, treeSize: UInt64(size), hashes: hashes)
            #expect(throws: ProofError.self) { try proof.verify(subtreeHash: hash, root: roots[size]) }
          }
          proved += 1
        }
      }
    }
    #expect(proved > 1000)
  }

  @Test func `the proof of the last leaf gives the frontier of the tree`() throws {
    var expected = Frontier()
    for size in 1...ProofTests.largest {
      let last = tree.leaves[size - 1]
      try expected.append(last)
      let proof = try InclusionProof.make(leafIndex: UInt64(size - 1), treeSize: UInt64(size), hashes: store.hash)
      #expect(try proof.frontier(leafHash: last) == expected)
      let longer = InclusionProof(leafIndex: proof.leafIndex, treeSize: proof.treeSize, hashes: proof.hashes + [.zero])
      #expect(throws: ProofError.wrongLength(expected: proof.hashes.count, found: proof.hashes.count + 1)) {
        try longer.frontier(leafHash: last)
      }
      guard size > 1 else { continue }
      let other = try InclusionProof.make(leafIndex: 0, treeSize: UInt64(size), hashes: store.hash)
      #expect(throws: ProofError.notTheLastLeaf(index: 0, size: UInt64(size))) {
        try other.frontier(leafHash: tree.leaves[0])
      }
    }
  }

  @Test func `the empty tree is the beginning of every tree, and contains nothing`() throws {
    let empty = TreeHasher.emptyRoot
    try ConsistencyProof(oldSize: 0, newSize: 0, hashes: []).verify(oldRoot: empty, newRoot: empty)
    try ConsistencyProof(oldSize: 0, newSize: 7, hashes: []).verify(oldRoot: empty, newRoot: roots[7])
    #expect(throws: ProofError.rootMismatch(computed: empty, expected: roots[7])) {
      try ConsistencyProof(oldSize: 0, newSize: 0, hashes: []).verify(oldRoot: empty, newRoot: roots[7])
    }
    #expect(throws: ProofError.subtreeMismatch(computed: empty, expected: .zero)) {
      try ConsistencyProof(oldSize: 0, newSize: 7, hashes: []).verify(oldRoot: .zero, newRoot: roots[7])
    }
    #expect(throws: ProofError.wrongLength(expected: 0, found: 1)) {
      try ConsistencyProof(oldSize: 0, newSize: 7, hashes: [.zero]).verify(oldRoot: empty, newRoot: roots[7])
    }
    #expect(throws: ProofError.indexBeyondSize(index: 0, size: 0)) {
      try InclusionProof(leafIndex: 0, treeSize: 0, hashes: []).verify(leafHash: .zero, root: empty)
    }
  }

  @Test func `proofs that cannot be made are refused, and a missing hash is reported`() throws {
    #expect(throws: ProofError.indexBeyondSize(index: 7, size: 7)) {
      try InclusionProof.make(leafIndex: 7, treeSize: 7, hashes: store.hash)
    }
    #expect(throws: ProofError.sizesReversed(old: 8, new: 7)) {
      try ConsistencyProof.make(oldSize: 8, newSize: 7, hashes: store.hash)
    }
    #expect(throws: ProofError.sizesReversed(old: 8, new: 7)) {
      try ConsistencyProof(oldSize: 8, newSize: 7, hashes: []).verify(oldRoot: .zero, newRoot: .zero)
    }
    #expect(throws: SubtreeStore.Missing.self) {
      try InclusionProof.make(leafIndex: 3, treeSize: 1 << 40, hashes: store.hash)
    }
    #expect(throws: SubtreeStore.Missing.self) {
      try ConsistencyProof.make(oldSize: 3, newSize: 1 << 40, hashes: store.hash)
    }
  }

  @Test func `no size is too large to be judged`() throws {
    let sizes: [UInt64] = [1, 2, 3, 1 << 40, 1 << 62, (1 << 63) - 1, 1 << 63, (1 << 63) + 1, .max - 1, .max]
    for size in sizes {
      for other in sizes {
        for count in [0, 1, 63, 64, 65] {
          let hashes = Array(repeating: SHA256Hash.zero, count: count)
          let inclusion = InclusionProof(leafIndex: other, treeSize: size, hashes: hashes)
          let consistency = ConsistencyProof(oldSize: other, newSize: size, hashes: hashes)
          #expect(throws: ProofError.self) { try inclusion.verify(leafHash: .zero, root: .zero) }
          #expect(throws: ProofError.self) { try consistency.verify(oldRoot: roots[1], newRoot: .zero) }
        }
        let subtree = try? Subtree(start: other, end: size)
        #expect((subtree == nil) == (other > size || !ProofTests.isSubtree(other, size)))
        if other < size {
          let made = try InclusionProof.make(leafIndex: other, treeSize: size) { _, _ in .zero }
          _ = try made.root(leafHash: .zero)
          #expect(made.hashes.count <= 64)
        }
      }
    }
    let last = InclusionProof(leafIndex: .max - 1, treeSize: .max, hashes: Array(repeating: .zero, count: 63))
    #expect(throws: ProofError.treeTooLarge(size: .max)) { try last.frontier(leafHash: .zero) }
  }

  private static func isSubtree(_ start: UInt64, _ end: UInt64) -> Bool {
    var power: UInt64 = 1
    while power < end - start {
      let (doubled, overflow) = power.multipliedReportingOverflow(by: 2)
      if overflow { return start == 0 }
      power = doubled
    }
    return start % power == 0
  }
}
