public import CertificateTransparency

/// The time that a certificate is valid for, in seconds since 1970 (RFC 5280, section 4.1.2.5).
public struct CertificateValidity: Hashable, Sendable {
  public let notBefore: Int64
  public let notAfter: Int64

  public init(notBefore: Int64, notAfter: Int64) {
    self.notBefore = notBefore
    self.notAfter = notAfter
  }

  /// `notAfter` less `notBefore`, as browsers count; the last second is not part of it.
  public var lifetime: Int64 { notAfter - notBefore }

  /// The last moment, as log lists write moments.
  public var end: Timestamp { Timestamp(milliseconds: UInt64(max(0, notAfter)) * 1000) }
}

/// What verification needs of a certificate, found in one pass without copies.
struct LeafReading {
  let fields: CertificateFields
  let validity: CertificateValidity?
  let embedded: FoundList

  /// Nil if no fields can be told at all.
  init?(_ bytes: Span<UInt8>) {
    guard bytes.count <= PresentedCertificate.maximumByteCount,
      let fields = CertificateFields(certificate: 0..<bytes.count, in: bytes)
    else { return nil }
    self.fields = fields
    validity = LeafReading.validity(fields.validity, in: bytes)
    embedded = LeafReading.sctList(in: fields.extensions, identifier: OID.sctList, bytes)
  }

  private static func validity(_ range: Range<Int>, in bytes: Span<UInt8>) -> CertificateValidity? {
    guard let first = DERElement.read(bytes, at: range.lowerBound, limit: range.upperBound),
      let second = DERElement.read(bytes, at: first.end, limit: range.upperBound),
      let notBefore = CertificateTime.seconds(first, in: bytes),
      let notAfter = CertificateTime.seconds(second, in: bytes)
    else { return nil }
    return CertificateValidity(notBefore: notBefore, notAfter: notAfter)
  }

  /// The content of the one extension with this identifier: an OCTET STRING in the extension's own.
  static func sctList(in extensions: Range<Int>, identifier: [UInt8], _ bytes: Span<UInt8>) -> FoundList {
    guard let list = ExtensionFields.list(bytes, in: extensions) else {
      return .malformed(offset: extensions.lowerBound, reason: "the extensions can't be read")
    }
    var found: ExtensionFields?
    for item in list where bytes.equals(item.identifier, identifier) {
      guard found == nil else {
        return .malformed(offset: item.element.lowerBound, reason: "a second SCT list extension stands here")
      }
      found = item
    }
    guard let value = found?.value else { return .absent }
    guard
      let inner = DERElement.read(bytes, at: value.lowerBound, limit: value.upperBound, tag: DERTag.octetString),
      inner.end == value.upperBound
    else {
      return .malformed(offset: value.lowerBound, reason: "the SCT list extension does not hold one OCTET STRING")
    }
    return .list(inner.content)
  }

  /// The SubjectPublicKeyInfo of a certificate, header included; nil if it can't be told.
  static func publicKeyInfo(of certificate: Span<UInt8>) -> Range<Int>? {
    guard certificate.count <= PresentedCertificate.maximumByteCount,
      let fields = CertificateFields(certificate: 0..<certificate.count, in: certificate),
      !fields.publicKeyInfo.isEmpty
    else { return nil }
    return fields.publicKeyInfo
  }
}
