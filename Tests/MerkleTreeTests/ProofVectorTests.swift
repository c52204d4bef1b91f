import Foundation
import MerkleTree
import TestSupport
import Testing

/// The published vectors of transparency-dev/merkle and of its subtree branch.
struct ProofVector: Decodable, Sendable, CustomTestStringConvertible {
  struct Truth: Decodable {
    struct Entry: Decodable {
      let file, kind: String
      let wantErr: Bool
    }
    let vectors: [Entry]
  }
  struct Content: Decodable {
    let leafIdx, treeSize, start, end, size, size1, size2: UInt64?
    let root, root1, root2, leafHash: String?
    let proof: [String]?
    let wantErr: Bool
  }

  let name, kind: String
  let wantErr: Bool
  let content: Content

  var testDescription: String { "\(kind): \(name)" }

  static func all() throws -> [ProofVector] {
    let truth = try JSONDecoder().decode(Truth.self, from: try TestData.data("ground_truth/merkle.json"))
    return try truth.vectors.map { entry in
      let content = try JSONDecoder().decode(Content.self, from: try TestData.data(entry.file))
      let name = entry.file.split(separator: "/").last.map { String($0.dropLast(5)) }
      return ProofVector(name: name ?? entry.file, kind: entry.kind, wantErr: entry.wantErr, content: content)
    }
  }

  /// Some vectors hold values that are no hashes, which ``SHA256Hash`` cannot hold: another value stands in for them, so
  /// that what is left for the verifier to find stays the same.
  private func hash(_ base64: String?) throws -> SHA256Hash {
    let text = try #require(base64)
    let bytes = [UInt8](try #require(Data(base64Encoded: text)))
    return SHA256Hash(bytes) ?? SHA256Hash.hash(Array("no hash".utf8) + bytes)
  }

  /// Checks the vector with what it is a vector for.
  func verify() throws {
    let hashes = try (content.proof ?? []).map(hash)
    let (first, second) = (content.leafIdx, content.treeSize)
    switch kind {
    case "inclusion":
      let proof = InclusionProof(leafIndex: try #require(first), treeSize: try #require(second), hashes: hashes)
      try proof.verify(leafHash: hash(content.leafHash), root: hash(content.root))
    case "consistency":
      let proof = ConsistencyProof(
        oldSize: try #require(content.size1), newSize: try #require(content.size2), hashes: hashes)
      try proof.verify(oldRoot: hash(content.root1), newRoot: hash(content.root2))
    case "subtreeinclusion":
      try subtree().verifyInclusion(
        of: hash(content.leafHash), at: try #require(first), hashes: hashes, root: hash(content.root))
    default:
      try #require(kind == "subtreeconsistency")
      let proof = SubtreeProof(subtree: try subtree(), treeSize: try #require(content.size), hashes: hashes)
      try proof.verify(subtreeHash: hash(content.root1), root: hash(content.root2))
    }
  }

  private func subtree() throws -> Subtree {
    try Subtree(start: try #require(content.start), end: try #require(content.end))
  }
}

@Suite(.needsTestData) struct ProofVectorTests {
  /// The one vector that is judged differently here: a tree of no leaves is said to have some root, and that it has
  /// another is not minded there, since the subtree in question is empty too.
  private static let stricter =
    "additional_subtree-is-empty-sizes-are-equal-zero-subtree-root-valid-tree-root-random-proof-is-empty"

  @Test func `all published vectors are judged as they say`() throws {
    let vectors = try ProofVector.all()
    try #require(vectors.count == 312)
    for vector in vectors {
      #expect(vector.wantErr == vector.content.wantErr)
      var found: String?
      do {
        try vector.verify()
      } catch let error as ProofError {
        found = ProofVectorTests.kind(of: error)
      }
      guard vector.name != ProofVectorTests.stricter else {
        #expect(found == "root", "\(vector.testDescription)")
        continue
      }
      #expect((found != nil) == vector.wantErr, "\(vector.testDescription)")
      if let found, let expected = ProofVectorTests.expected(vector.name) {
        #expect(expected.contains(found), "\(vector.testDescription): \(found)")
      }
    }
  }

  private static func kind(of error: ProofError) -> String {
    switch error {
    case .wrongLength: "length"
    case .rootMismatch: "root"
    case .subtreeMismatch: "subtree"
    case .sizesReversed, .indexBeyondSize, .outsideSubtree: "range"
    case .notASubtree: "no subtree"
    case .notTheLastLeaf, .treeTooLarge: "unexpected"
    }
  }

  /// What is wrong with a vector, by what was done to it; nil where that depends on its sizes.
  private static func expected(_ name: String) -> Set<String>? {
    let table: [(String, Set<String>)] = [
      ("additional_0_", ["range"]), ("additional_1_", ["root"]), ("additional_2_", ["range"]),
      ("additional_3_", ["range"]), ("proof-is-not-empty", ["length"]), ("roots-match-but-not-valid", ["subtree"]),
      ("trailing-", ["length"]), ("preceding-", ["length"]), ("inserted-", ["length"]), ("removed-", ["length"]),
      ("truncated-", ["length"]), ("empty-proof", ["length"]),
      ("modified-", ["root", "subtree"]), ("wrong-", ["root", "subtree"]), ("random-", ["root"]),
      ("empty-root", ["root"]), ("invalid-subtree", ["no subtree"]), ("oob-", ["range"]), ("is-greater", ["range"]),
    ]
    return table.first { name.contains($0.0) }?.1
  }
}

@Suite(.needsTestData) struct RealProofTests {
  struct Truth: Decodable {
    struct Inclusion: Decodable {
      let proof: String
      let leaf_index, tree_size: UInt64
      let leaf_hash, root: String
    }
    struct Consistency: Decodable {
      let proof: String
      let first, second: UInt64
      let root1, root2: String
    }
    let inclusion: [Inclusion]
    let consistency: [Consistency]
  }
  struct Response: Decodable {
    let audit_path, consistency: [String]?
  }

  private func hash(_ base64: String) throws -> SHA256Hash { try SHA256Hash(base64: base64) }

  private func response(_ file: String) throws -> Response {
    try JSONDecoder().decode(Response.self, from: try TestData.data(file))
  }

  @Test func `proofs of real logs lead to the roots that these signed`() throws {
    let truth = try JSONDecoder().decode(Truth.self, from: try TestData.data("ground_truth/rfc6962.json"))
    try #require(!truth.inclusion.isEmpty && !truth.consistency.isEmpty)
    for vector in truth.inclusion {
      let path = try #require(try response(vector.proof).audit_path).map(hash)
      try InclusionProof(leafIndex: vector.leaf_index, treeSize: vector.tree_size, hashes: path)
        .verify(leafHash: hash(vector.leaf_hash), root: hash(vector.root))
    }
    for vector in truth.consistency {
      let path = try #require(try response(vector.proof).consistency).map(hash)
      try ConsistencyProof(oldSize: vector.first, newSize: vector.second, hashes: path)
        .verify(oldRoot: hash(vector.root1), newRoot: hash(vector.root2))
    }
  }
}
