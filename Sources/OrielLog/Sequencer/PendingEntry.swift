package import CertificateTransparency
import Crypto
package import MerkleTree

/// A certificate of a chain, with its fingerprint.
package struct ChainCertificate: Hashable, Sendable {
  package let fingerprint: SHA256Hash
  package let der: [UInt8]

  package init(fingerprint: SHA256Hash, der: [UInt8]) {
    self.fingerprint = fingerprint
    self.der = der
  }

  package init(_ der: [UInt8]) { self.init(fingerprint: SHA256Hash.hash(der), der: der) }
}

/// A submission that was admitted, and waits for its place in the log.
///
/// All that can be made of it without the place is made here, before the sequencer has it.
package struct PendingEntry: Sendable {
  package let kind: LogEntryKind
  /// What certifies the entry, nearest first, the root last.
  package let issuers: [ChainCertificate]
  /// Whether it gives way to others when there are too many.
  package let isLowPriority: Bool
  /// What tells it from other submissions: SHA-256 over all of the leaf that the submitter determines.
  package let key: SHA256Hash

  /// Of the `TimestampedEntry`, the type and what was signed.
  let signedEntry: [UInt8]
  /// What follows the `TimestampedEntry` in a data tile.
  let tail: [UInt8]
  /// The line of the names tile without its timestamp.
  let names: [UInt8]

  /// - Throws: a `FormatError` if a part is too long to be logged.
  package init(
    _ body: LogEntryBody, precertificate: [UInt8]?, issuers: [ChainCertificate], isLowPriority: Bool = false
  ) throws(FormatError) {
    kind = body.kind
    self.issuers = issuers
    self.isLowPriority = isLowPriority
    var writer = ByteWriter("TimestampedEntry")
    try body.write(to: &writer)
    signedEntry = writer.bytes
    key = SHA256Hash.hash(signedEntry)
    var tail = ByteWriter("TileLeaf")
    guard (precertificate != nil) == (body.kind == .precertificate) else {
      throw tail.error("a precertificate goes with entries of its type, and only with them")
    }
    if let precertificate { try tail.vector24(precertificate, "precertificate") }
    try tail.vector16(issuers.flatMap(\.fingerprint.bytes), "certificate chain")
    self.tail = tail.bytes
    names = NamesLine.withoutTimestamp(body)
  }

  /// What it takes up while it waits.
  var byteCount: Int { signedEntry.count + tail.count + names.count }

  /// The `TimestampedEntry` at a place in the log: what the leaf hash covers.
  func appendTimestampedEntry(at place: LogPlace, to bytes: inout [UInt8]) {
    for shift in stride(from: UInt64(56), through: 0, by: -8) {
      bytes.append(UInt8(truncatingIfNeeded: place.timestamp.milliseconds >> shift))
    }
    bytes += signedEntry
    bytes += [0, 8]
    bytes += PendingEntry.extensions(index: place.index)
  }

  /// `CtExtensions` with the leaf index (static-ct-api, "SCT Extension").
  static func extensions(index: UInt64) -> [UInt8] {
    [0, 0, 5] + stride(from: UInt64(32), through: 0, by: -8).map { UInt8(truncatingIfNeeded: index >> $0) }
  }

  /// What the SCT for this place signs: the bytes of the leaf.
  func signatureInput(at place: LogPlace) -> [UInt8] {
    var bytes: [UInt8] = [0, 0]
    bytes.reserveCapacity(signedEntry.count + 20)
    appendTimestampedEntry(at: place, to: &bytes)
    return bytes
  }

  /// The ``key`` of an entry that is in the log.
  static func key(of entry: EntryRanges, in tile: Span<UInt8>) -> SHA256Hash {
    // Timestamp first, extensions last: what is between them is the submitter's.
    SHA256Hash.hash(tile.extracting((entry.start + 8)..<entry.certificate.upperBound))
  }
}
