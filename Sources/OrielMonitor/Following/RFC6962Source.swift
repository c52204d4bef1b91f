import CTLogClient
import CertificateTransparency
import MerkleTree
import OrielStore
import Synchronization

/// An RFC 6962 log: signed tree heads and get-entries.
final class RFC6962Source: LogSource {
  let log: LogDescription
  private let client: RFC6962Client
  private let time: Timekeeper
  private let limit = Mutex(RangeLimit())

  init(log: LogDescription, client: RFC6962Client, time: Timekeeper) {
    self.log = log
    self.client = client
    self.time = time
  }

  func head() async throws -> HeadRecord {
    let (head, bytes) = try await client.signedTreeHead()
    guard head.isSigned(by: log.key) else {
      throw LogFault(
        .badSignature, "signed tree head of size \(head.treeSize): the log's key did not make its signature",
        [(name: "head", bytes: bytes)])
    }
    return HeadRecord(head, signed: bytes, seenAt: time.now())
  }

  func plan(from position: UInt64, to size: UInt64) -> Range<UInt64> {
    limit.withLock { $0.plan(from: position, to: size) }
  }

  func digest(
    _ range: Range<UInt64>, of head: HeadRecord, with digester: Digester
  ) async throws -> (digest: BatchDigest, isVerified: Bool) {
    var digest = BatchDigest()
    var position = range.lowerBound
    while position < range.upperBound {
      let asked = min(range.upperBound - position, limit.withLock { $0.most })
      do {
        position += UInt64(try await digester.digestPage(position..<(position + asked), into: &digest, client: client))
        limit.withLock { $0.answered(asked) }
      } catch let error as FetchError where error.mayBeOfSize {
        limit.withLock { $0.refused(asked) }
        guard error.isImmediate, asked > 1 else { throw error }
      }
    }
    return (digest, false)
  }

  func frontier(at size: UInt64, of head: HeadRecord) async throws -> Frontier {
    guard size > 0 else { return Frontier() }
    let (leafInput, proof) = try await lastEntry(ofTree: size)
    let frontier = try proof.frontier(leafHash: TreeHasher.leafHash(of: leafInput.span))
    let root = try frontier.root()
    if size == head.treeSize {
      guard root == head.root else {
        throw LogFault(
          .rootMismatch, "the proof of the last entry does not lead to the root of size \(size)",
          [(name: "head", bytes: head.signed), (name: "leaf", bytes: leafInput)])
      }
    } else {
      let proof = try await client.consistencyProof(from: size, to: head.treeSize)
      do {
        try proof.verify(oldRoot: root, newRoot: head.root)
      } catch {
        throw LogFault(
          .rootMismatch, "the tree of size \(size) is not proved to be part of that of size \(head.treeSize): \(error)",
          [(name: "head", bytes: head.signed), (name: "root of size \(size)", bytes: root.bytes)])
      }
    }
    return frontier
  }

  /// The last leaf of a tree with its inclusion proof. Not every log answers get-entry-and-proof: get-entries and
  /// get-proof-by-hash together say the same.
  private func lastEntry(ofTree size: UInt64) async throws -> (leafInput: [UInt8], proof: InclusionProof) {
    do {
      let last = try await client.entryAndProof(index: size - 1, treeSize: size)
      return (last.leafInput, last.proof)
    } catch let error as FetchError where error.isRefusal {
      var scratch = Digester.Scratch()
      try await client.entriesPage((size - 1)..<size, into: &scratch.body)
      try scratch.scan(maximumEntries: 1)
      let leaf = [UInt8](scratch.page.leaves[scratch.page.leafRange(0)])
      let proof = try await client.proofByHash(TreeHasher.leafHash(of: leaf.span), treeSize: size)
      // The same leaf may stand at several places: the log then proves one of them, and not the last.
      guard proof.leafIndex == size - 1 else { throw error }
      return (leaf, proof)
    }
  }

  func timestamp(ofEntry index: UInt64, of head: HeadRecord) async throws -> UInt64 {
    try await Digester.timestamp(ofEntry: index, client: client)
  }

  func issuer(_ hash: SHA256Hash) async throws -> [UInt8] {
    throw FormatError("issuer", at: 0, "an RFC 6962 log gives no certificates by hash")
  }
}

extension FetchError {
  /// Whether fewer entries may well be given where these were not.
  fileprivate var mayBeOfSize: Bool {
    switch reason {
    // Too many requests, or none at present: that is for the pacer.
    case .status(let code, _, _): code != 429 && code != 503
    case .tooLarge, .timedOut, .truncated: true
    case .redirect, .connection, .badURL: false
    }
  }

  /// Whether the log said so at once: then fewer are asked for at once, too.
  fileprivate var isImmediate: Bool {
    switch reason {
    case .status, .tooLarge: true
    default: false
    }
  }
}
