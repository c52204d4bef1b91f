import CertificateTransparency

/// Finds a way from a certificate to an accepted root, through the certificates that were sent with it.
///
/// Deliberately lax (RFC 6962, section 3.1): signatures count and cA; expiry, key usage, name constraints, path lengths
/// and policies do not, for a log is to show what was issued, in error too.
struct PathBuilder {
  let leaf: ParsedCertificate
  /// In the order they were sent. They may be out of order, and some of no use.
  let sent: [Authority]
  let roots: Roots
  let cache: AuthorityCache

  private var checksLeft = 64
  private var path: [Authority] = []
  private var deepest = (depth: -1, issuer: [UInt8]())
  private var badSignature: Rejection?
  private var weakSignature: Rejection?

  init(leaf: ParsedCertificate, sent: [Authority], roots: Roots, cache: AuthorityCache) {
    self.leaf = leaf
    self.sent = sent
    self.roots = roots
    self.cache = cache
  }

  /// What certifies the leaf, nearest first, an accepted root last.
  mutating func build() throws(Rejection) -> [Authority] {
    if try search(from: leaf, weak: leaf.algorithm?.usesSHA1 ?? false) { return path }
    if let weakSignature { throw weakSignature }
    if let badSignature { throw badSignature }
    throw .noPath(issuer: ParsedCertificate.text(ofName: deepest.issuer))
  }

  /// - Parameter weak: whether a signature on the way is of a broken algorithm.
  private mutating func search(from current: ParsedCertificate, weak: Bool) throws(Rejection) -> Bool {
    if path.count > deepest.depth { deepest = (path.count, current.issuer) }
    let accepted = roots.bySubject[current.issuer] ?? []
    // First what was sent, in its order, so that the chain is logged as it was meant.
    for candidate in sent where candidate.certificate.subject == current.issuer {
      guard !path.contains(where: { $0.fingerprint == candidate.fingerprint }) else { continue }
      let root = accepted.first { $0.authority.fingerprint == candidate.fingerprint }
      guard root != nil || candidate.isAuthority, try isSigned(current, by: candidate) else { continue }
      if try reach(candidate, root: root, weak: weak) { return true }
    }
    for root in accepted where try isSigned(current, by: root.authority) {
      if try reach(root.authority, root: root, weak: weak) { return true }
    }
    return false
  }

  private mutating func reach(_ candidate: Authority, root: Root?, weak: Bool) throws(Rejection) -> Bool {
    path.append(candidate)
    if let root {
      if !weak || root.allowsSHA1 { return true }
      weakSignature = .weakSignature(root: ParsedCertificate.text(ofName: candidate.certificate.subject))
    } else if try search(
      from: candidate.certificate, weak: weak || candidate.certificate.algorithm?.usesSHA1 ?? false)
    {
      return true
    }
    path.removeLast()
    return false
  }

  private mutating func isSigned(_ child: ParsedCertificate, by parent: Authority) throws(Rejection) -> Bool {
    guard checksLeft > 0 else { throw .tooManyPaths }
    checksLeft -= 1
    let isSigned =
      if let child = path.last { cache.verify(child, by: parent) } else {
        parent.key.map { child.isSigned(by: $0) } ?? false
      }
    if !isSigned, badSignature == nil {
      badSignature = .badSignature(
        subject: ParsedCertificate.text(ofName: child.subject),
        issuer: ParsedCertificate.text(ofName: parent.certificate.subject))
    }
    return isSigned
  }
}
