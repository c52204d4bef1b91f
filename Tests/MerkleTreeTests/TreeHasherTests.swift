import Foundation
import MerkleTree
import TestSupport
import TestWorld
import Testing

@Suite struct TreeHasherTests {
  @Test func `the empty tree hashes to SHA-256 of nothing`() {
    #expect(TreeHasher.emptyRoot.hex == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
  }

  @Test(
    arguments: [
      ([], "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
      ([0x00], "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"),
      ([0x40, 0x41, 0x42, 0x43], "4271a26be0d8a84f0bd54c8c302e7cb3a3b5d1fa6780a40bcce2873477dab658"),
    ] as [([UInt8], String)])
  func `a leaf is hashed behind a zero byte`(leaf: [UInt8], hash: String) {
    #expect(TreeHasher.leafHash(of: leaf).hex == hash)
    #expect(TreeHasher.leafHash(of: leaf.span).hex == hash)
  }

  @Test func `a timestamped entry is hashed as the leaf around it`() {
    var generator = SeededGenerator(seed: 1)
    for count in [0, 1, 31, 61, 64, 1000] {
      let entry = generator.bytes(count)
      #expect(TreeHasher.timestampedEntryLeafHash(entry.span) == TreeHasher.leafHash(of: [0, 0] + entry))
    }
  }

  @Test func `a node is hashed behind a one byte, left before right`() {
    let (left, right) = (TreeHasher.leafHash(of: []), TreeHasher.leafHash(of: [0]))
    let hash = TreeHasher.nodeHash(left, right)
    #expect(hash.hex == "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125")
    #expect(hash != TreeHasher.nodeHash(right, left))
  }

  @Test func `folding in place gives the root for any number of hashes`() {
    let tree = ReferenceTree(size: 300)
    for size in 0...300 {
      var hashes = Array(tree.leaves[..<size])
      #expect(TreeHasher.root(ofComplete: &hashes) == tree.root(size))
    }
  }
}

@Suite(.needsTestData) struct ReferenceVectorTests {
  struct Vectors: Decodable {
    struct Inclusion: Decodable {
      let leaf_index, tree_size: UInt64
      let leaf_hash, root: String
      let audit_path: [String]
    }
    struct Consistency: Decodable {
      let first, second: UInt64
      let root1, root2: String
      let proof: [String]
    }
    let leaves_hex, leaf_hashes, roots_by_size: [String]
    let inclusion: [Inclusion]
    let consistency: [Consistency]
  }

  let vectors: Vectors

  init() throws {
    vectors = try JSONDecoder().decode(Vectors.self, from: try TestData.data("merkle/rfc6962_reference_tree.json"))
  }

  private func hash(_ hex: String) throws -> SHA256Hash { try #require(SHA256Hash(hex: hex)) }

  @Test func `the reference tree has the published roots at every size`() throws {
    var frontier = Frontier()
    try #require(vectors.roots_by_size.count == 9)
    #expect(try frontier.root().hex == vectors.roots_by_size[0])
    for (size, leaf) in vectors.leaves_hex.enumerated() {
      let bytes = stride(from: 0, to: leaf.utf8.count, by: 2).compactMap {
        UInt8(leaf.dropFirst($0).prefix(2), radix: 16)
      }
      let leafHash = TreeHasher.leafHash(of: bytes)
      #expect(leafHash.hex == vectors.leaf_hashes[size])
      try frontier.append(leafHash)
      #expect(try frontier.root().hex == vectors.roots_by_size[size + 1])
    }
  }

  @Test func `the published proofs of the reference tree are made, and pass`() throws {
    let store = SubtreeStore(try vectors.leaf_hashes.map(hash))
    try #require(vectors.inclusion.count == 36 && vectors.consistency.count == 36)
    for vector in vectors.inclusion {
      let proof = try InclusionProof.make(
        leafIndex: vector.leaf_index, treeSize: vector.tree_size, hashes: store.hash)
      #expect(proof.hashes.map(\.hex) == vector.audit_path)
      try proof.verify(leafHash: hash(vector.leaf_hash), root: hash(vector.root))
    }
    for vector in vectors.consistency {
      let proof = try ConsistencyProof.make(oldSize: vector.first, newSize: vector.second, hashes: store.hash)
      #expect(proof.hashes.map(\.hex) == vector.proof)
      try proof.verify(oldRoot: hash(vector.root1), newRoot: hash(vector.root2))
    }
  }
}
