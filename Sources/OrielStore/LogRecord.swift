package import CertificateTransparency
package import MerkleTree

/// How a log fares, as its follower last saw it.
package enum LogState: String, Sendable, CaseIterable {
  /// Nothing has been read yet.
  case new
  /// Verified up to the newest head.
  case current
  /// Entries are published that have not been read yet.
  case behind
  /// Its newest head is older than its maximum merge delay allows.
  case frozen
  /// It does not answer, or not with what was asked for.
  case unreachable
  /// What it signed does not add up; the evidence is kept.
  case lying
  /// It left every list, or was retired, and has been read to its end.
  case drained
}

/// A position in a log, with the compact range that all entries before it hash to.
package struct LogPosition: Hashable, Sendable {
  package var index: UInt64
  package var frontier: Frontier

  package init(index: UInt64, frontier: Frontier) {
    self.index = index
    self.frontier = frontier
  }
}

/// A log as the state knows it.
package struct LogRecord: Hashable, Sendable {
  package let logID: LogID
  package var description: String
  package var operatorName: String
  package var kind: String
  package var url: String
  package var firstSeen: Int64
  /// Where reading begins, as it was decided when the log was first seen.
  package var start: String
  /// Entries before it are digested, and their sightings committed. Nil until the start is settled.
  package var downloaded: LogPosition?
  /// Entries before it are proved to be in a tree that the log signed.
  package var verified: LogPosition?
  /// When the log last answered (UTC milliseconds).
  package var lastSuccess: Int64?
  package var state: LogState
  package var stateSince: Int64
  package var reason: String?
  /// Entries whose certificate could not be read and that nobody's watched names were found in.
  package var unreadable: Int64
}

/// A signed head as it was received.
package struct HeadRecord: Hashable, Sendable {
  package let treeSize: UInt64
  package let root: SHA256Hash
  /// Milliseconds since 1970, as signed.
  package let timestamp: UInt64
  /// The checkpoint, or the JSON of the signed tree head, byte for byte.
  package let signed: [UInt8]
  package let seenAt: Int64
  package var isVerified: Bool

  package init(
    treeSize: UInt64, root: SHA256Hash, timestamp: UInt64, signed: [UInt8], seenAt: Int64, isVerified: Bool = false
  ) {
    self.treeSize = treeSize
    self.root = root
    self.timestamp = timestamp
    self.signed = signed
    self.seenAt = seenAt
    self.isVerified = isVerified
  }

  /// A head whose signature was verified.
  package init(_ head: SignedTreeHead, signed: [UInt8], seenAt: Int64) {
    self.init(
      treeSize: head.treeSize, root: head.rootHash, timestamp: head.timestamp.milliseconds, signed: signed,
      seenAt: seenAt)
  }
}

extension LogDescription {
  /// The protocol that the log speaks, in a word.
  package var kindName: String {
    switch kind {
    case .rfc6962: "rfc6962"
    case .staticCT: "static-ct"
    }
  }
}

/// Proof, or at least an exact record, that a log did what it must not.
package struct Evidence: Hashable, Sendable {
  package enum Kind: String, Sendable, CaseIterable {
    case badSignature = "bad-signature"
    case rootMismatch = "root-mismatch"
    case shrinkingHead = "shrinking-head"
    case conflictingHeads = "conflicting-heads"
    case timeBackwards = "time-backwards"
    case wrongEntries = "wrong-entries"
    /// An older head than one seen before, consistent in itself: a stale cache, kept for comparison.
    case staleHead = "stale-head"
  }

  package let kind: Kind
  /// What happened, in words.
  package let detail: String
  /// The bytes that show it, each under its name (`head`, `earlier head`, `tile 3`).
  package let material: [(name: String, bytes: [UInt8])]

  package init(kind: Kind, detail: String, material: [(name: String, bytes: [UInt8])]) {
    self.kind = kind
    self.detail = detail
    self.material = material
  }

  package static func == (left: Evidence, right: Evidence) -> Bool {
    left.kind == right.kind && left.detail == right.detail && left.encodedMaterial == right.encodedMaterial
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(kind)
    hasher.combine(detail)
  }

  /// Each piece as a line with its name and length, then its bytes.
  package var encodedMaterial: [UInt8] {
    material.reduce(into: []) { $0 += Array("\($1.name): \($1.bytes.count) bytes\n".utf8) + $1.bytes + [0x0a] }
  }
}
