package import CertificateTransparency
import MerkleTree

/// What is submitted to a log.
package struct TestEntry: Sendable {
  package var body: LogEntryBody
  /// As submitted; nil unless the entry is one.
  package var precertificate: [UInt8]?
  /// Nearest first, the root last.
  package var chain: [[UInt8]]

  package init(body: LogEntryBody, precertificate: [UInt8]?, chain: [[UInt8]]) {
    self.body = body
    self.precertificate = precertificate
    self.chain = chain
  }
}

/// An entry as a log keeps it: in the form that data tiles have, from which all others follow.
struct StoredEntry: Sendable {
  var tileLeaf: [UInt8]
  let ranges: DataTileEntry

  init(_ entry: TestEntry, timestamp: Timestamp, extensions: [UInt8], fingerprints: [SHA256Hash]) throws {
    let timestamped = TimestampedEntry(timestamp: timestamp, body: entry.body, extensions: extensions)
    let leaf = StaticCTEntry(
      timestampedEntry: timestamped, precertificate: entry.precertificate, chainFingerprints: fingerprints)
    let bytes = try leaf.encoded()
    tileLeaf = bytes
    ranges = try DataTileEntry(in: bytes.span, at: 0)
  }

  var leafHash: SHA256Hash { ranges.entry.leafHash(in: tileLeaf.span) }

  /// The encoded `MerkleTreeLeaf`.
  var leafInput: [UInt8] { [0, 0] + tileLeaf[..<ranges.entry.end] }

  func extraData(_ issuers: [SHA256Hash: [UInt8]]) throws -> [UInt8] {
    let chain = (0..<ranges.chainCount).compactMap { issuers[ranges.chainFingerprint($0, in: tileLeaf.span)] }
    guard let precertificate = ranges.precertificate else { return try ExtraData.x509(chain: chain).encoded() }
    return try ExtraData.precertificate(precertificate: Array(tileLeaf[precertificate]), chain: chain).encoded()
  }

  func entry(_ issuers: [SHA256Hash: [UInt8]]) -> TestEntry {
    let stored = StaticCTEntry(ranges, in: tileLeaf.span)
    return TestEntry(
      body: stored.timestampedEntry.body, precertificate: stored.precertificate,
      chain: stored.chainFingerprints.compactMap { issuers[$0] })
  }
}
