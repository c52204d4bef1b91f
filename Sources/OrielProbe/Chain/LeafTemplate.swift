import COpenSSL
import CertificateTransparency
import Synchronization

/// What a CA writes alike into all server certificates of one kind: everything but serial number, validity, subject, key,
/// key identifier, names, SCTs and signature.
///
/// OpenSSL takes longer to read a certificate than to verify its signature. So what it found good once vouches for
/// other certificates that differ in these fields alone, as long as each of them is well-formed by narrower rules than
/// OpenSSL's; the signature and the validity are checked of each. Whatever else there is, OpenSSL judges.
struct LeafTemplate: Hashable, Sendable {
  /// The certificates that came with it, and others that may help.
  private let others: [[UInt8]]
  private let leafIndex: Int
  /// Seconds since 1970.
  private let time: Int64
  private let common: [UInt8]

  /// - Returns: nil if a field is not of the usual form.
  init?(_ leaf: Leaf, among sent: [[UInt8]], at leafIndex: Int, intermediates: [[UInt8]], time: Timestamp) {
    var others = sent
    others.remove(at: leafIndex)
    self.others = others + [[]] + intermediates
    self.leafIndex = leafIndex
    self.time = Int64(time.milliseconds / 1000)
    common = leaf.common
    guard leaf.notBefore <= self.time, self.time < leaf.notAfter else { return nil }
  }

  /// A certificate taken apart into what may differ and what must not.
  struct Leaf {
    let der: [UInt8]
    fileprivate let common: [UInt8]
    fileprivate let tbs: Range<Int>
    fileprivate let signature: Range<Int>
    /// Seconds since 1970.
    fileprivate let notBefore, notAfter: Int64
    let dnsNames: [String]

    /// 2.5.29.14
    private static let subjectKeyIdentifier: [UInt8] = [0x55, 0x1d, 0x0e]

    init?(_ der: [UInt8]) {
      let bytes = der.span
      guard let outer = DERElement.read(bytes, at: 0, limit: bytes.count, tag: DERTag.sequence),
        outer.end == bytes.count,
        let parts = DERElement.list(bytes, in: outer.content, maximum: 3), parts.count == 3,
        let signature = Leaf.bits(bytes, parts[2]),
        let fields = CertificateFields(certificate: 0..<bytes.count, in: bytes), fields.isComplete,
        fields.tbs == parts[0].range, fields.extensionsWrapper.lowerBound == fields.publicKeyInfo.upperBound,
        fields.extensionsWrapper.upperBound == fields.tbs.upperBound,
        Leaf.isSerialNumber(bytes, fields.serialNumber), let times = Leaf.times(bytes, fields.validity),
        Leaf.isPlainName(bytes, fields.subject), let keyAlgorithm = Leaf.keyAlgorithm(bytes, fields.publicKeyInfo),
        bytes.copy(fields.subject) != bytes.copy(fields.issuer),
        let extensions = ExtensionFields.list(bytes, in: fields.extensions)
      else { return nil }
      let tbsContent = parts[0].contentStart
      // Up to the serial number, whose length is two bytes before its content.
      var common = bytes.copy(tbsContent..<(fields.serialNumber.lowerBound - 2))
      var names: [String] = []
      Leaf.append(bytes.copy(fields.serialNumber.upperBound..<fields.issuer.upperBound), to: &common)
      Leaf.append(bytes.copy(keyAlgorithm), to: &common)
      Leaf.append(bytes.copy(parts[1].range), to: &common)
      for field in extensions {
        let identifier = bytes.copy(field.identifier)
        switch identifier {
        case OID.subjectAltName:
          guard let found = Leaf.dnsNames(bytes, field.value) else { return nil }
          names += found
        case OID.sctList, Leaf.subjectKeyIdentifier:
          guard let text = DERElement.read(bytes, at: field.value.lowerBound, limit: field.value.upperBound),
            text.tag == DERTag.octetString, text.end == field.value.upperBound
          else { return nil }
        default:
          Leaf.append(bytes.copy(field.element), to: &common)
          continue
        }
        guard field.value.upperBound == field.element.upperBound else { return nil }
        Leaf.append(identifier + [field.isCritical ? 1 : 0], to: &common)
      }
      self.der = der
      self.common = common
      tbs = fields.tbs
      self.signature = signature
      (notBefore, notAfter) = times
      dnsNames = names
    }

    private static func append(_ part: [UInt8], to common: inout [UInt8]) {
      withUnsafeBytes(of: UInt32(truncatingIfNeeded: part.count).bigEndian) { common += $0 }
      common += part
    }

    /// The content of a BIT STRING of whole bytes.
    private static func bits(_ bytes: Span<UInt8>, _ element: DERElement) -> Range<Int>? {
      guard element.tag == DERTag.bitString, element.content.count > 1, bytes[element.contentStart] == 0 else {
        return nil
      }
      return (element.contentStart + 1)..<element.end
    }

    /// Whether it is a positive INTEGER with no byte too many and a length of one byte.
    private static func isSerialNumber(_ bytes: Span<UInt8>, _ content: Range<Int>) -> Bool {
      guard (1...20).contains(content.count), bytes[content.lowerBound - 2] == DERTag.integer,
        Int(bytes[content.lowerBound - 1]) == content.count
      else { return false }
      let first = bytes[content.lowerBound]
      return first < 0x80 && (first > 0 || content.count == 1 || bytes[content.lowerBound + 1] >= 0x80)
    }

    /// The two times, if they are written as RFC 5280, 4.1.2.5 has it.
    private static func times(_ bytes: Span<UInt8>, _ content: Range<Int>) -> (Int64, Int64)? {
      guard let times = DERElement.list(bytes, in: content, maximum: 2), times.count == 2,
        times.allSatisfy({ $0.content.count == ($0.tag == DERTag.utcTime ? 13 : 15) && bytes[$0.end - 1] == 0x5a }),
        let first = CertificateTime.seconds(times[0], in: bytes),
        let last = CertificateTime.seconds(times[1], in: bytes)
      else { return nil }
      return (first, last)
    }

    /// Whether all of a Name is ASCII in strings that hold it.
    private static func isPlainName(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
      guard let name = DERElement.read(bytes, at: range.lowerBound, limit: range.upperBound, tag: DERTag.sequence),
        let sets = DERElement.list(bytes, in: name.content, maximum: 16)
      else { return false }
      return sets.allSatisfy { set in
        guard set.tag == DERTag.set, let pairs = DERElement.list(bytes, in: set.content, maximum: 1), pairs.count == 1,
          pairs[0].tag == DERTag.sequence, let pair = DERElement.list(bytes, in: pairs[0].content, maximum: 2),
          pair.count == 2, pair[0].tag == DERTag.objectIdentifier, OID.dotted(bytes.copy(pair[0].content)) != nil,
          [DERTag.utf8String, printableString].contains(pair[1].tag)
        else { return false }
        return bytes.copy(pair[1].content).allSatisfy { (0x20..<0x7f).contains($0) }
      }
    }

    private static let printableString: UInt8 = 0x13

    /// The AlgorithmIdentifier of a SubjectPublicKeyInfo.
    private static func keyAlgorithm(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Range<Int>? {
      guard let info = DERElement.read(bytes, at: range.lowerBound, limit: range.upperBound, tag: DERTag.sequence),
        let parts = DERElement.list(bytes, in: info.content, maximum: 2), parts.count == 2,
        bits(bytes, parts[1]) != nil
      else { return nil }
      return parts[0].range
    }

    /// The names of an extension that has DNS names alone.
    private static func dnsNames(_ bytes: Span<UInt8>, _ value: Range<Int>) -> [String]? {
      guard let list = DERElement.read(bytes, at: value.lowerBound, limit: value.upperBound, tag: DERTag.sequence),
        list.end == value.upperBound, let names = DERElement.list(bytes, in: list.content), !names.isEmpty,
        names.allSatisfy({ $0.tag == 0x82 })
      else { return nil }
      let texts = names.map { bytes.copy($0.content) }
      guard texts.allSatisfy({ $0.allSatisfy { (0x21..<0x7f).contains($0) } }) else { return nil }
      return texts.map { String(decoding: $0, as: UTF8.self) }
    }

    /// Whether it is for a host; nil if that is not as plain as a name of letters, or a star before one.
    func matches(_ host: String) -> Bool? {
      let host = (host.hasSuffix(".") ? String(host.dropLast()) : host).lowercased()
      guard host.utf8.contains(where: { (0x61...0x7a).contains($0) }), !host.utf8.contains(0x3a), !host.hasPrefix(".")
      else { return nil }
      let labels = host.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
      let star = labels.count == 2 && labels[1].contains(".") && !labels[0].isEmpty ? "*.\(labels[1])" : host
      return dnsNames.contains { [host, star].contains($0.lowercased()) } ? true : nil
    }
  }
}

/// The issuers above the certificates of a template, as OpenSSL verified them.
struct VerifiedIssuers: Sendable {
  /// The issuer of the certificate first, the trusted root last.
  let chain: [[UInt8]]
  /// Where each member of the chain, the certificate included, stands among those sent.
  let places: [Int?]
  private let issuer: X509Certificate
  private let digest: Int32

  /// 2.5.29.30
  private static let nameConstraints: [UInt8] = [0x55, 0x1d, 0x1e]

  /// - Parameters:
  ///   - leaf: one that OpenSSL verified, and found good.
  ///   - chain: what it found, the certificate first.
  init?(_ leaf: X509Certificate, _ chain: [[UInt8]], places: [Int?], _ issuers: ParsedIssuers) {
    var (digest, keyType): (Int32, Int32) = (0, 0)
    guard chain.count > 1, let issuer = issuers[chain[1]], let key = X509_get0_pubkey(issuer.pointer),
      OBJ_find_sigid_algs(X509_get_signature_nid(leaf.pointer), &digest, &keyType) == 1,
      EVP_get_digestbyname(OBJ_nid2sn(digest)) != nil, EVP_PKEY_get_base_id(key) == keyType,
      !chain.dropFirst().contains(where: VerifiedIssuers.constrainsNames)
    else { return nil }
    self.chain = Array(chain.dropFirst())
    self.places = places
    self.issuer = issuer
    self.digest = digest
  }

  private static func constrainsNames(_ certificate: [UInt8]) -> Bool {
    let bytes = certificate.span
    guard let fields = CertificateFields(certificate: 0..<bytes.count, in: bytes),
      let extensions = ExtensionFields.list(bytes, in: fields.extensions)
    else { return true }
    return extensions.contains { bytes.equals($0.identifier, nameConstraints) }
  }

  /// Whether the issuer signed a certificate.
  func signed(_ leaf: LeafTemplate.Leaf) -> Bool {
    guard let key = X509_get0_pubkey(issuer.pointer), let context = EVP_MD_CTX_new() else { return false }
    defer {
      EVP_MD_CTX_free(context)
      ERR_clear_error()
    }
    guard EVP_DigestVerifyInit(context, nil, EVP_get_digestbyname(OBJ_nid2sn(digest)), nil, key) == 1 else {
      return false
    }
    return leaf.der.withUnsafeBufferPointer { der in
      let (tbs, signature) = (
        UnsafeBufferPointer(rebasing: der[leaf.tbs]), UnsafeBufferPointer(rebasing: der[leaf.signature])
      )
      return EVP_DigestVerify(context, signature.baseAddress, signature.count, tbs.baseAddress, tbs.count) == 1
    }
  }
}

/// What was verified below some roots, some of the last of it.
final class VerifiedTemplates: Sendable {
  private static let maximumCount = 64
  private let kept = Mutex<[LeafTemplate: VerifiedIssuers]>([:])

  subscript(_ template: LeafTemplate) -> VerifiedIssuers? {
    get { kept.withLock { $0[template] } }
    set {
      kept.withLock { kept in
        if kept.count >= VerifiedTemplates.maximumCount { kept.removeAll(keepingCapacity: true) }
        kept[template] = newValue
      }
    }
  }
}
