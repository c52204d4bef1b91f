import COpenSSL
import CertificateTransparency

extension X509Certificate {
  /// - Parameter der: the certificate's bytes.
  func matches(_ host: String, _ der: [UInt8]) -> Bool {
    // OpenSSL would stop at a NUL, and take a leading dot for all names below.
    guard !host.utf8.contains(0), !host.hasPrefix(".") else { return false }
    if X509_check_ip_asc(pointer, host, 0) == 1 { return true }
    let name = host.hasSuffix(".") ? String(host.dropLast()) : host
    // As browsers do: subjectAltName alone counts, and a star stands for a whole label.
    let flags = UInt32(X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS)
    guard !name.isEmpty else { return false }
    return X509_check_host(pointer, name, name.utf8.count, flags, nil) == 1
      || X509Certificate.isBelowStar(name, der)
  }

  /// Whether a star stands for the first label. Browsers do not look at what it stands for; OpenSSL takes letters,
  /// digits and hyphens alone, and no underscores.
  private static func isBelowStar(_ host: String, _ der: [UInt8]) -> Bool {
    let labels = host.lowercased().split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    // As for OpenSSL, a star before a top-level domain stands for nothing.
    guard labels.count == 2, !labels[0].isEmpty, labels[1].contains(".") else { return false }
    return CertificateFacts(certificate: der).text(of: .dnsName).contains { $0.lowercased() == "*.\(labels[1])" }
  }
}

extension ChainVerification {
  /// Builds the chain and verifies it.
  mutating func verify(
    _ sent: [[UInt8]], _ intermediates: [[UInt8]], _ host: String?, _ time: Timestamp, _ anchors: TrustAnchors
  ) {
    let leaf = LeafTemplate.Leaf(sent[leafIndex])
    let template = leaf.flatMap {
      LeafTemplate($0, among: sent, at: leafIndex, intermediates: intermediates, time: time)
    }
    if let leaf, let template, let issuers = anchors.templates[template], isVerified(leaf, host, issuers) {
      note(issuers.places, among: sent.count)
      return
    }
    guard let good = build(sent, intermediates, host, time, anchors), let template else { return }
    anchors.templates[template] = VerifiedIssuers(good.leaf, chain, places: good.places, anchors.issuers)
  }

  /// Verifies a certificate by what is known of its issuers; where that is not enough to find it good, nothing changes.
  private mutating func isVerified(_ leaf: LeafTemplate.Leaf, _ host: String?, _ issuers: VerifiedIssuers) -> Bool {
    let hostMatches = host.map { leaf.matches($0) ?? false }
    guard hostMatches != false, issuers.signed(leaf) else { return false }
    self.hostMatches = hostMatches
    chain = [leaf.der] + issuers.chain
    return true
  }

  /// Lets OpenSSL build the chain and verify it.
  ///
  /// - Returns: the server's own certificate, and where the chain's members stand among those sent; nil if the chain is
  ///   not good.
  private mutating func build(
    _ sent: [[UInt8]], _ intermediates: [[UInt8]], _ host: String?, _ time: Timestamp, _ anchors: TrustAnchors
  ) -> (leaf: X509Certificate, places: [Int?])? {
    let parsed = sent.enumerated().map { $0 == leafIndex ? X509Certificate($1) : anchors.issuers[$1] }
    guard let leaf = parsed[leafIndex] else {
      problem = .unreadable(index: leafIndex)
      return nil
    }
    if let host { hostMatches = leaf.matches(host, sent[leafIndex]) }
    let others = intermediates.map { anchors.issuers[$0] }
    guard let context = X509_STORE_CTX_new(), let untrusted = oriel_chain_new() else {
      problem = .other(number: X509_V_ERR_OUT_OF_MEM, reason: "out of memory", depth: 0)
      return nil
    }
    defer {
      X509_STORE_CTX_free(context)
      oriel_chain_free(untrusted)
      ERR_clear_error()
    }
    for certificate in (parsed + others).compactMap({ $0 }) where X509_up_ref(certificate.pointer) == 1 {
      if oriel_chain_push(untrusted, certificate.pointer) != 1 { X509_free(certificate.pointer) }
    }
    guard X509_STORE_CTX_init(context, anchors.store, leaf.pointer, untrusted) == 1,
      X509_STORE_CTX_set_purpose(context, X509_PURPOSE_SSL_SERVER) == 1
    else {
      problem = .other(number: X509_V_ERR_UNSPECIFIED, reason: "OpenSSL does not verify", depth: 0)
      return nil
    }
    X509_STORE_CTX_set_time(context, 0, time_t(clamping: time.milliseconds / 1000))
    let isGood = X509_verify_cert(context) == 1
    let places = read(X509_STORE_CTX_get0_chain(context), sent, parsed)
    guard !isGood else { return (leaf, places) }
    problem = problem(X509_STORE_CTX_get_error(context), depth: Int(X509_STORE_CTX_get_error_depth(context)))
    return nil
  }

  /// Takes over the chain; where a member was sent, its bytes are those sent.
  ///
  /// - Returns: where its members stand among those sent.
  private mutating func read(_ built: OpaquePointer?, _ sent: [[UInt8]], _ parsed: [X509Certificate?]) -> [Int?] {
    guard let built else { return [] }
    var places: [Int?] = []
    for index in 0..<max(0, oriel_chain_count(built)) {
      guard let member = oriel_chain_at(built, index) else { continue }
      let place = parsed.firstIndex { $0.map { X509_cmp($0.pointer, member) == 0 } ?? false }
      places.append(place)
      chain.append(place.map { sent[$0] } ?? X509Certificate.der(member))
    }
    note(places, among: sent.count)
    return places
  }

  private func problem(_ number: Int32, depth: Int) -> Problem {
    switch number {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
      X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return ChainVerification.issuerMissing(in: chain, depth: depth)
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return .untrustedRoot(depth: depth, subject: ChainVerification.subject(of: chain.last))
    case X509_V_ERR_CERT_HAS_EXPIRED: return .expired(depth: depth)
    case X509_V_ERR_CERT_NOT_YET_VALID: return .notYetValid(depth: depth)
    case X509_V_ERR_CERT_SIGNATURE_FAILURE: return .badSignature(depth: depth)
    default:
      let words = X509_verify_cert_error_string(Int(number)).map { String(cString: $0) }
      return .other(number: number, reason: words ?? "error \(number)", depth: depth)
    }
  }
}
