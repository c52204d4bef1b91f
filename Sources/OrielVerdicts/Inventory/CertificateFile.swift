package import CertificateTransparency
package import MerkleTree

/// What a file of certificates, certificate requests and other things told.
package struct CertificateFile: Hashable, Sendable {
  package private(set) var certificates: [FoundCertificate] = []
  package private(set) var requests: [FoundRequest] = []
  /// What can't be read; each names its line.
  package private(set) var problems: [String] = []
  private let form: Form

  private enum Form: Hashable, Sendable {
    case pem, keyInDER, empty, other
  }

  /// Reads PEM, or the DER of a single certificate or request. Private keys are passed over unread.
  package init(_ bytes: [UInt8]) {
    let bundle = CertificateBundle(bytes)
    form =
      bytes.isEmpty ? .empty : !bundle.labels.isEmpty ? .pem : CertificateFile.isKey(bytes) ? .keyInDER : .other
    problems = bundle.problems.map(\.description)
    for item in bundle.certificates {
      if let certificate = FoundCertificate(item.der) {
        certificates.append(certificate)
      } else if item.line == nil, let request = try? FoundRequest(item.der) {
        requests.append(request)
      } else if form != .keyInDER {
        problems.append("\(CertificateBundle.Problem(line: item.line, reason: "no certificate that can be read"))")
      }
    }
    for item in bundle.requests {
      do throws(FormatError) {
        requests.append(try FoundRequest(item.der))
      } catch {
        problems.append("\(CertificateBundle.Problem(line: item.line, reason: error.reason))")
      }
    }
  }

  /// What is wrong with it as a file of a folder.
  ///
  /// - Parameter isNamedCertificate: whether by its name it should hold a certificate; of other files, only damaged blocks
  ///   are a problem.
  func problem(isNamedCertificate: Bool) -> String? {
    if form == .pem || isNamedCertificate, let problem = problems.first { return problem }
    guard isNamedCertificate, certificates.isEmpty, requests.isEmpty else { return nil }
    return form == .empty ? "it is empty" : form == .other ? "neither PEM nor DER" : nil
  }

  /// Whether there is a private key among these bytes, or what else is made to be kept secret (PKCS #12): PEM by its
  /// labels, DER by how it begins.
  package static func holdsSecret(_ bytes: [UInt8]) -> Bool {
    if isKey(bytes) { return true }
    let marks = ["PRIVATE KEY-----", "PuTTY-User-Key-File", "AGE-SECRET-KEY-"].map { Array($0.utf8) }
    return PEM.ascii(bytes).split(whereSeparator: { $0 == 0x0a || $0 == 0x0d }).contains { line in
      marks.contains { mark in line.count >= mark.count && line.firstRange(of: mark) != nil }
    }
  }

  /// PKCS #1, #8, #12 and SEC 1 begin with a version; certificates and requests with what is signed.
  private static func isKey(_ bytes: [UInt8]) -> Bool {
    let span = bytes.span
    guard let outer = DERElement.read(span, at: 0, limit: span.count, tag: DERTag.sequence) else { return false }
    return DERElement.read(span, at: outer.contentStart, limit: outer.end, tag: DERTag.integer) != nil
  }
}

/// A certificate found in a file.
package struct FoundCertificate: Hashable, Sendable {
  /// Every name in it, as Oriel compares names.
  package let names: [String]
  package let issuerName: String?
  package let serialNumber: String?
  package let publicKey: SHA256Hash
  package let notBefore: Int64?
  package let notAfter: Int64?
  /// Whether it certifies other certificates' issuers, and not a name.
  package let isAuthority: Bool
  let subject: [UInt8]
  let issuer: [UInt8]
  private let tbsWithoutSCTs: [UInt8]
  private let keyIdentifier: [UInt8]
  private let issuerKeyIdentifier: [UInt8]

  /// 2.5.29.14.
  private static let subjectKeyIdentifier: [UInt8] = [0x55, 0x1d, 0x0e]

  /// Nil if it can't be read as far as its key.
  package init?(_ der: [UInt8]) {
    let bytes = der.span
    let facts = CertificateFacts(certificate: der)
    guard let fields = CertificateFields(certificate: 0..<bytes.count, in: bytes), let publicKey = facts.publicKeyHash,
      let tbs =
        TBSCertificate.isPrecertificate(der)
        ? try? TBSCertificate.withoutPoison(precertificate: der)
        : try? TBSCertificate.withoutSCTs(certificate: der)
    else { return nil }
    names = CertificateName.unique(facts.names)
    issuerName = facts.issuer?.description
    serialNumber = facts.serialNumber
    self.publicKey = publicKey
    notBefore = facts.notBefore
    notAfter = facts.notAfter
    subject = bytes.copy(fields.subject)
    issuer = bytes.copy(fields.issuer)
    let extensions = ExtensionFields.list(bytes, in: fields.extensions) ?? []
    var (constraints, subjectKey, authorityKey) = ([UInt8](), [UInt8](), [UInt8]())
    for item in extensions {
      let identifier = bytes.copy(item.identifier)
      // Without the header of what each of them holds, which is always shorter than 128 bytes.
      let value = Array(bytes.copy(item.value).dropFirst(2))
      if identifier == OID.basicConstraints { constraints = value }
      if identifier == FoundCertificate.subjectKeyIdentifier { subjectKey = value }
      if identifier == OID.authorityKeyIdentifier { authorityKey = value }
    }
    isAuthority = constraints.first == DERTag.boolean
    // Bundles of roots are large, and nobody asks for the identity of their certificates.
    tbsWithoutSCTs = isAuthority ? [] : tbs
    keyIdentifier = subjectKey
    // KeyIdentifier is the first member, [0].
    issuerKeyIdentifier =
      authorityKey.first == 0x80 && authorityKey.count > 2 ? Array(authorityKey[2...].prefix(Int(authorityKey[1]))) : []
  }

  /// Whether the names agree, and the key identifiers where both have one.
  func mayBeIssued(by other: FoundCertificate) -> Bool {
    issuer == other.subject
      && (issuerKeyIdentifier.isEmpty || other.keyIdentifier.isEmpty || issuerKeyIdentifier == other.keyIdentifier)
  }

  /// The key hash of its issuer, if that is among `others` or itself.
  func issuerKeyHash(among others: some Sequence<FoundCertificate>) -> SHA256Hash? {
    others.first { mayBeIssued(by: $0) }?.publicKey ?? (mayBeIssued(by: self) ? publicKey : nil)
  }

  /// The identity of its issuance; not meant for authorities.
  package func issuanceID(issuerKeyHash: SHA256Hash) -> IssuanceID {
    IssuanceID(issuerKeyHash: issuerKeyHash, tbsCertificate: tbsWithoutSCTs)
  }

  /// What it tells: its key for its names, and the certificate itself where its issuer is known.
  package func entries(issuerKeyHash: SHA256Hash?, source: String) -> [InventoryEntry] {
    let key = InventoryEntry(
      kind: .key, hash: publicKey, names: names, notBefore: notBefore, notAfter: notAfter, source: source)
    guard let issuerKeyHash else { return [key] }
    let certificate = InventoryEntry(
      kind: .certificate, hash: issuanceID(issuerKeyHash: issuerKeyHash).hash, names: names, notBefore: notBefore,
      notAfter: notAfter, issuerKeyHash: issuerKeyHash, publicKey: publicKey, source: source)
    return [certificate, key]
  }
}

/// A certificate request (PKCS #10) found in a file: a key, and the names that it will be certified for.
package struct FoundRequest: Hashable, Sendable {
  package let names: [String]
  package let publicKey: SHA256Hash

  /// Its signature is not verified: the file is the owner's own.
  package init(_ der: [UInt8]) throws(FormatError) {
    let bytes = der.span
    guard let outer = DERElement.read(bytes, at: 0, limit: bytes.count, tag: DERTag.sequence),
      let info = DERElement.read(bytes, at: outer.contentStart, limit: outer.end, tag: DERTag.sequence),
      let parts = DERElement.list(bytes, in: info.content), parts.count >= 3
    else { throw FormatError("certificate request", at: 0, "not a PKCS #10 request") }
    let extensions = parts.count > 3 ? FoundRequest.extensions(parts[3], in: bytes) : []
    // Dressed up as a TBSCertificate, it is read by the one reader of names there is.
    let empty = DEREncoder.element(tag: DERTag.sequence, [])
    let body =
      DEREncoder.element(tag: DERTag.integer, [0]) + empty + empty + empty + bytes.copy(parts[1].range)
      + bytes.copy(parts[2].range) + (extensions.isEmpty ? [] : DEREncoder.element(tag: 0xa3, extensions))
    let facts = CertificateFacts(tbsCertificate: DEREncoder.element(tag: DERTag.sequence, body))
    guard let publicKey = facts.publicKeyHash, facts.namesAreComplete else {
      throw FormatError("certificate request", at: 0, "its key or its names can't be read")
    }
    self.publicKey = publicKey
    names = CertificateName.unique(facts.names)
  }

  func entries(source: String) -> [InventoryEntry] {
    [InventoryEntry(kind: .key, hash: publicKey, names: names, notAfter: nil, source: source)]
  }

  /// 1.2.840.113549.1.9.14, extensionRequest (RFC 2985).
  private static let extensionRequest: [UInt8] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e]

  /// The DER of the requested extensions; empty if there are none.
  private static func extensions(_ attributes: DERElement, in bytes: Span<UInt8>) -> [UInt8] {
    for attribute in DERElement.list(bytes, in: attributes.content) ?? [] {
      if let type = DERElement.read(
        bytes, at: attribute.contentStart, limit: attribute.end, tag: DERTag.objectIdentifier),
        bytes.equals(type.content, extensionRequest),
        let set = DERElement.read(bytes, at: type.end, limit: attribute.end, tag: DERTag.set)
      {
        return bytes.copy(set.content)
      }
    }
    return []
  }
}

extension CertificateName {
  /// The names of a certificate as text, each once.
  static func unique(_ names: [FoundName]) -> [String] {
    names.map { normalised($0.text) }.uniqued()
  }
}
