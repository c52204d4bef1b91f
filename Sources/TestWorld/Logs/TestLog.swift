package import CertificateTransparency
import Crypto
package import MerkleTree
import Synchronization

/// A log in memory, read both as static-ct-api and as RFC 6962 have it.
///
/// Only what is published can be read; entries wait for the next head until then.
package final class TestLog: Sendable {
  /// As which kind the log list shows it; a static log's entries tell their index.
  package enum Kind: Sendable { case staticCT, rfc6962 }

  struct State: Sendable {
    var entries: [StoredEntry] = []
    var tree = TestTree()
    /// The certificates of all chains by fingerprint.
    var issuers: [SHA256Hash: [UInt8]] = [:]
    var roots: [[UInt8]] = []
    /// All that were published, the last one current.
    var heads: [SignedTreeHead] = []

    var publishedSize: Int { heads.last.map { Int($0.treeSize) } ?? 0 }
  }

  package let kind: Kind
  package let name: String
  /// The most entries of one answer to get-entries.
  package let pageSize: Int
  package let signer: LogSigner
  let state: Mutex<State>
  private let now: @Sendable () -> Timestamp

  /// Makes an empty log, and publishes that it is empty.
  ///
  /// - Parameter now: the log's clock; the start of a ``HeldClock`` by default.
  package convenience init(
    _ kind: Kind, name: String, seed: UInt64 = 1, pageSize: Int = 256,
    now: @escaping @Sendable () -> Timestamp = { HeldClock().start }
  ) throws {
    let key = P256.Signing.PrivateKey(seed: seed, label: "log \(name)")
    self.init(kind, name, LogSigner(key), pageSize: pageSize, now: now, State())
    try publish()
  }

  private init(
    _ kind: Kind, _ name: String, _ signer: LogSigner, pageSize: Int, now: @escaping @Sendable () -> Timestamp,
    _ state: State
  ) {
    self.kind = kind
    self.name = name
    self.pageSize = pageSize
    self.signer = signer
    self.now = now
    self.state = Mutex(state)
  }

  /// The name in checkpoints, whatever the address that the log is served at.
  package var origin: String { "\(name).logs.example/2026h1" }
  /// How many entries there are, published or not.
  package var size: Int { state.withLock { $0.entries.count } }
  /// The head that is served.
  package var head: SignedTreeHead? { state.withLock { $0.heads.last } }
  package var tree: TestTree { state.withLock { $0.tree } }

  /// Adds an entry, at the log's time or another, and returns its index.
  @discardableResult
  package func append(_ entry: TestEntry, at time: Timestamp? = nil) throws -> Int {
    let timestamp = time ?? now()
    let fingerprints = entry.chain.map { SHA256Hash.hash($0) }
    return try state.withLock { state in
      let index = state.entries.count
      let extensions = kind == .staticCT ? try CTExtensions(leafIndex: UInt64(index)).encoded() : []
      let stored = try StoredEntry(entry, timestamp: timestamp, extensions: extensions, fingerprints: fingerprints)
      for (fingerprint, certificate) in zip(fingerprints, entry.chain) { state.issuers[fingerprint] = certificate }
      if let root = entry.chain.last, !state.roots.contains(root) { state.roots.append(root) }
      state.entries.append(stored)
      state.tree.append(stored.leafHash)
      return index
    }
  }

  /// The log's promise for an entry that it has.
  package func sct(at index: Int) throws -> SignedCertificateTimestamp {
    let (entry, issuers) = state.withLock { ($0.entries[index], $0.issuers) }
    let ranges = entry.ranges.entry
    return try signer.sign(
      entry.entry(issuers).body, timestamp: ranges.timestamp, extensions: Array(entry.tileLeaf[ranges.extensions]))
  }

  /// Signs the head of any size up to the present one, without publishing it.
  package func signedHead(size: Int? = nil, at time: Timestamp? = nil, root: SHA256Hash? = nil) throws -> SignedTreeHead
  {
    let tree = tree
    return try SignedTreeHead(
      treeSize: UInt64(size ?? tree.size), timestamp: time ?? now(), rootHash: root ?? tree.root(size ?? tree.size)
    ) { try signer.sign($0) }
  }

  /// Makes all entries readable, or the first `size` of them. Unless told the time, each head is later than the last.
  @discardableResult
  package func publish(at time: Timestamp? = nil, size: Int? = nil) throws -> SignedTreeHead {
    let earliest = Timestamp(milliseconds: (head?.timestamp.milliseconds ?? 0) + 1)
    let head = try signedHead(size: size, at: time ?? max(now(), earliest))
    state.withLock { $0.heads.append(head) }
    return head
  }

  /// The log with the same key that agrees up to `index`, and from there on logged each entry a moment later.
  func fork(at index: Int) throws -> TestLog {
    let original = state.withLock { $0 }
    let fork = TestLog(kind, name, signer, pageSize: pageSize, now: now, State())
    for (position, entry) in original.entries.enumerated() {
      let time = entry.ranges.entry.timestamp.milliseconds + (position < index ? 0 : 1)
      try fork.append(entry.entry(original.issuers), at: Timestamp(milliseconds: time))
    }
    for head in original.heads { try fork.publish(at: head.timestamp, size: Int(head.treeSize)) }
    return fork
  }

  /// The log with one bit of an entry's certificate flipped, and the tree as it was.
  func withFlippedBit(inEntry index: Int) -> TestLog {
    var changed = state.withLock { $0 }
    if changed.entries.indices.contains(index) {
      let middle = changed.entries[index].ranges.entry.certificate
      changed.entries[index].tileLeaf[middle.lowerBound + middle.count / 2] ^= 1
    }
    return TestLog(kind, name, signer, pageSize: pageSize, now: now, changed)
  }

  /// The log as a log list has it, read at `url` (which ends with a slash).
  package func description(url: String, operatorName: String = "Test Operator") -> LogDescription {
    LogDescription(
      kind: kind == .rfc6962
        ? .rfc6962(url: url) : .staticCT(submission: "https://\(origin)/", monitoring: url),
      key: signer.publicKey, description: "Oriel test log '\(name)'", operatorName: operatorName,
      maximumMergeDelay: kind == .rfc6962 ? 86_400 : 60, state: .usable,
      stateTimestamp: Timestamp(milliseconds: 1_767_225_600_000))
  }
}
