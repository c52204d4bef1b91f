import CertificateTransparency
import MerkleTree
import TestSupport
import Testing

/// Responses of real logs, against results that an independent implementation computed.
@Suite(.needsTestData) struct RFC6962DataTests {
  struct GroundTruth: Decodable {
    struct Head: Decodable {
      let file: String
      let status: String
      let key: String?
      let logId: String?
      let treeSize: UInt64?
    }

    struct Entry: Decodable {
      let file: String?
      let leafHash: String?
      let timestamp: UInt64?
      let entryType: String?
      let chainLen: Int?
    }

    let sth: [Head]
    let entries: [Entry]
  }

  @Test("signed tree heads verify with their log's key, and with no other")
  func treeHeads() throws {
    let heads = try json("ground_truth/rfc6962.json", as: GroundTruth.self).sth
    let keys = try Dictionary(
      heads.compactMap(\.key).map { text in
        let key = try LogKey(derRepresentation: try #require(Base64.decode(text)))
        return (key.logID.base64, key)
      }, uniquingKeysWith: { first, _ in first })
    var counts: [String: Int] = [:]
    for truth in heads {
      counts[truth.status, default: 0] += 1
      let bytes = try TestData.bytes(truth.file)
      let head = try? SignedTreeHead(json: bytes)
      if let head {
        #expect(head.treeSize == truth.treeSize)
        #expect(head.signatureInput.count == 50)
        #expect(try SignedTreeHead(json: try head.json()) == head)
        for (id, key) in keys {
          #expect(head.isSigned(by: key) == (truth.status == "valid" && id == truth.logId), "\(truth.file)")
        }
      } else {
        #expect(truth.status == "malformed", "\(truth.file)")
      }
    }
    #expect(counts == ["valid": 11, "malformed": 9, "no known log verifies": 23])
  }

  @Test("entries hash as computed elsewhere, and come back from their encoding")
  func entries() throws {
    let truths = try json("ground_truth/rfc6962.json", as: GroundTruth.self).entries.filter { $0.leafHash != nil }
    #expect(truths.count > 20)
    for truth in truths {
      let file = try #require(truth.file)
      let response = try GetEntriesResponse(json: try TestData.bytes(file))
      #expect(try GetEntriesResponse(json: try response.json()) == response)
      var hashes: [String] = []
      for entry in response.entries {
        let leaf = try MerkleTreeLeaf(decoding: entry.leafInput)
        #expect(try leaf.encoded() == entry.leafInput)
        let kind = leaf.timestampedEntry.body.kind
        let extra = try ExtraData(decoding: entry.extraData, kind: kind)
        #expect(try extra.encoded() == entry.extraData)
        let hash = Base64.encode(try leaf.leafHash().bytes)
        hashes.append(hash)
        if hash == truth.leafHash {
          #expect(leaf.timestampedEntry.timestamp.milliseconds == truth.timestamp)
          #expect(extra.chain.count == truth.chainLen)
          #expect((kind == .x509 ? "x509_entry" : "precert_entry") == truth.entryType)
        }
      }
      #expect(hashes.contains(try #require(truth.leafHash)), "\(file)")
    }
  }

  @Test(
    "malformed entries are refused",
    arguments: TestData.files(in: "rfc6962/entries").filter { $0.contains("malformed") })
  func malformedEntries(file: String) throws {
    #expect(throws: FormatError.self) {
      for entry in try GetEntriesResponse(json: try TestData.bytes(file)).entries {
        let kind = try MerkleTreeLeaf(decoding: entry.leafInput).timestampedEntry.body.kind
        _ = try ExtraData(decoding: entry.extraData, kind: kind)
      }
    }
  }

  @Test("proofs and roots")
  func responses() throws {
    let proof = try GetProofByHashResponse(json: try TestData.bytes("rfc6962/argon2020/get-proof-by-hash.json"))
    #expect(proof.leafIndex == 10000)
    #expect(proof.auditPath.count == 30)
    #expect(try GetProofByHashResponse(json: try proof.json()) == proof)
    for file in TestData.files(in: "rfc6962").filter({ $0.contains("get-sth-consistency") }) {
      let response = try GetSTHConsistencyResponse(json: try TestData.bytes(file))
      #expect(!response.consistency.isEmpty)
      #expect(try GetSTHConsistencyResponse(json: try response.json()) == response)
    }
    let roots = try GetRootsResponse(json: try TestData.bytes("rfc6962/get-roots/argon2025h2-get-roots.json"))
    #expect(roots.certificates.count > 100)
    #expect(roots.certificates.allSatisfy { $0.first == 0x30 })
    #expect(try GetRootsResponse(json: try roots.json()) == roots)
  }

  @Test("an empty list is written as [], and other shapes come back too")
  func shapes() throws {
    #expect(try GetSTHConsistencyResponse(consistency: []).json() == Array(#"{"consistency":[]}"#.utf8))
    #expect(try AddChainRequest(chain: [[1, 2, 3]]).json() == Array(#"{"chain":["AQID"]}"#.utf8))
    let entry = GetEntryAndProofResponse(leafInput: [1], extraData: [], auditPath: [.zero])
    #expect(try GetEntryAndProofResponse(json: try entry.json()) == entry)
    for text in ["", "{}", "[]", #"{"consistency":null}"#, #"{"consistency":["AQID"]}"#, #"{"consistency":[1]}"#] {
      #expect(throws: FormatError.self) { try GetSTHConsistencyResponse(json: Array(text.utf8)) }
    }
  }
}
