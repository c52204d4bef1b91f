import CertificateTransparency
import MerkleTree
import OrielWatchlist

/// Decides, entry by entry, whether a watched item may be concerned or imitated: the hot path.
///
/// It allocates nothing per entry and its cost does not depend on how much is watched. It errs on one side only: what it
/// lets pass is certain not to match, what it holds back is looked at in full by ``SightingBuilder``.
struct EntryInspector {
  private let index: WatchIndex
  private let issuers: IssuerDirectory
  private var scanner: LookalikeScanner
  private var names: [NameRange] = []

  /// - Parameter scanner: one that has been at work before, to be given back afterwards.
  init(_ sought: Sought, issuers: IssuerDirectory, _ scanner: inout LookalikeScanner) {
    index = sought.index
    self.issuers = issuers
    self.scanner = LookalikeScanner(.empty)
    if scanner.index !== sought.lookalikes { scanner = LookalikeScanner(sought.lookalikes) }
    swap(&scanner, &self.scanner)
  }

  mutating func giveBack(_ scanner: inout LookalikeScanner) { swap(&scanner, &self.scanner) }

  /// Whether the entry at `entry` may match, or imitate what does.
  ///
  /// - Parameter issuer: SHA-256 of the issuer's certificate, where the log names it (static-ct).
  mutating func mayMatch(_ entry: EntryRanges, issuer: SHA256Hash?, in bytes: Span<UInt8>) -> Bool {
    if index.watchesEverything { return true }
    let located =
      entry.kind == .precertificate
      ? CertificateFields(tbsCertificate: entry.certificate, in: bytes)
      : CertificateFields(certificate: entry.certificate, in: bytes)
    guard let fields = located else { return true }
    names.removeAll(keepingCapacity: true)
    guard NameWalk.find(fields, in: bytes, into: &names) else { return true }
    for name in names
    where index.mightMatch(bytes.extracting(name.range), source: name.source, stringTag: name.stringTag) {
      return true
    }
    if scanner.areLookalikes(names, in: bytes) { return true }
    if index.needsPublicKeyHash, index.contains(publicKey: SHA256Hash.hash(bytes.extracting(fields.publicKeyInfo))) {
      return true
    }
    return index.needsIssuerKeyHash && issuerMayMatch(entry, issuer: issuer, in: bytes)
  }

  private func issuerMayMatch(_ entry: EntryRanges, issuer: SHA256Hash?, in bytes: Span<UInt8>) -> Bool {
    if let keyHash = entry.issuerKeyHash {
      return index.contains(issuer: SHA256Hash(copying: bytes, at: keyHash.lowerBound))
    }
    guard let issuer, let keyHash = issuers.keyHash(ofCertificate: issuer) else { return true }
    return index.contains(issuer: keyHash)
  }
}
