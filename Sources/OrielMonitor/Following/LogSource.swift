import CTLogClient
import CertificateTransparency
import MerkleTree
import OrielStore

/// A log as its follower reads it, whichever of the two protocols it speaks.
protocol LogSource: Sendable {
  var log: LogDescription { get }

  /// The newest head, its signature verified.
  ///
  /// - Throws: ``LogFault`` for a head that is readable but not signed by the log's key; an error of the client's for
  ///   anything that is no head at all.
  func head() async throws -> HeadRecord

  /// The next range to read from `position` towards a tree of `size` entries.
  func plan(from position: UInt64, to size: UInt64) -> Range<UInt64>

  /// Reads and digests exactly the entries of `range`, which `plan` gave.
  ///
  /// - Returns: their leaf hashes in order, and the candidates among them; and whether the hashes are already proved to be
  ///   in the tree of `head`.
  func digest(
    _ range: Range<UInt64>, of head: HeadRecord, with digester: Digester
  ) async throws -> (digest: BatchDigest, isVerified: Bool)

  /// The frontier of the first `size` entries, proved to belong to the tree of `head`.
  func frontier(at size: UInt64, of head: HeadRecord) async throws -> Frontier

  /// The timestamp of one entry, for finding where a date begins.
  func timestamp(ofEntry index: UInt64, of head: HeadRecord) async throws -> UInt64

  /// An issuer's certificate by its hash.
  func issuer(_ hash: SHA256Hash) async throws -> [UInt8]
}

/// A log that did what no log may: the evidence against it.
struct LogFault: Error, CustomStringConvertible {
  let evidence: Evidence

  init(_ kind: Evidence.Kind, _ detail: String, _ material: [(name: String, bytes: [UInt8])]) {
    evidence = Evidence(kind: kind, detail: detail, material: material)
  }

  var description: String { "\(evidence.kind.rawValue): \(evidence.detail)" }
}
