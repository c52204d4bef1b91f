import CertificateTransparency
import Crypto

/// The SCT list in a stapled OCSP response (RFC 6962, section 3.3; RFC 6960, section 4.2.1).
///
/// The single response is found by serial number and the hash of the issuer's key. The hash of the issuer's name and
/// the signature are passed over, as Chromium does: SCTs carry signatures of their own.
struct OCSPStaple {
  /// 1.3.6.1.4.1.11129.2.4.5.
  static let sctList: [UInt8] = [0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x04, 0x05]
  /// 1.3.6.1.5.5.7.48.1.1, id-pkix-ocsp-basic.
  private static let basicResponse: [UInt8] = [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01]
  private static let sha1: [UInt8] = [0x2b, 0x0e, 0x03, 0x02, 0x1a]
  private static let sha256: [UInt8] = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01]

  private struct Malformed: Error {
    let offset: Int
    let reason: String
  }

  /// The list in `response` for the certificate with this serial number (content octets), issued by the owner of a
  /// SubjectPublicKeyInfo.
  static func find(in response: Span<UInt8>, serialNumber: [UInt8], issuerKey: [UInt8]?) -> FoundList {
    guard response.count <= PresentedCertificate.maximumByteCount else {
      return .malformed(offset: 0, reason: "the OCSP response has \(response.count) bytes")
    }
    do throws(Malformed) {
      guard let singles = try singleResponses(response) else { return .absent }
      let keys = KeyHashes(issuerKey)
      var holdsOther = false
      for single in singles {
        let extensions = try extensions(of: single, response)
        let isSubject = try matches(single, serialNumber, keys, response)
        let found = extensions.map { LeafReading.sctList(in: $0, identifier: sctList, response) } ?? .absent
        if isSubject { return found }
        if case .list = found { holdsOther = true }
      }
      return holdsOther
        ? .malformed(offset: 0, reason: "the SCTs in the OCSP response are not for this certificate") : .absent
    } catch {
      return .malformed(offset: error.offset, reason: error.reason)
    }
  }

  /// The issuer's key, hashed in both ways that a CertID may name; computed when first asked for.
  private struct KeyHashes {
    let sha1: [UInt8]?
    let sha256: [UInt8]?

    init(_ subjectPublicKeyInfo: [UInt8]?) {
      guard let info = subjectPublicKeyInfo, let key = KeyHashes.bits(info) else {
        (sha1, sha256) = (nil, nil)
        return
      }
      sha1 = Array(Insecure.SHA1.hash(data: key))
      sha256 = Array(SHA256.hash(data: key))
    }

    /// What the BIT STRING of the key holds, without the count of unused bits.
    private static func bits(_ info: [UInt8]) -> [UInt8]? {
      let bytes = info.span
      guard let outer = DERElement.read(bytes, at: 0, limit: bytes.count, tag: DERTag.sequence),
        let algorithm = DERElement.read(bytes, at: outer.contentStart, limit: outer.end),
        let key = DERElement.read(bytes, at: algorithm.end, limit: outer.end, tag: DERTag.bitString),
        !key.content.isEmpty
      else { return nil }
      return bytes.copy((key.contentStart + 1)..<key.end)
    }
  }

  private static func read(
    _ bytes: Span<UInt8>, at offset: Int, limit: Int, tag: UInt8? = nil, _ what: String
  ) throws(Malformed) -> DERElement {
    guard let element = DERElement.read(bytes, at: offset, limit: limit), tag == nil || element.tag == tag else {
      throw Malformed(offset: offset, reason: "expected \(what) of an OCSP response")
    }
    return element
  }

  /// The SingleResponses; nil if the responder gave no answer.
  private static func singleResponses(_ bytes: Span<UInt8>) throws(Malformed) -> [DERElement]? {
    let outer = try read(bytes, at: 0, limit: bytes.count, tag: DERTag.sequence, "the SEQUENCE")
    let status = try read(bytes, at: outer.contentStart, limit: outer.end, tag: 0x0a, "the status")
    guard status.end < outer.end else { return nil }
    let wrapper = try read(bytes, at: status.end, limit: outer.end, tag: 0xa0, "responseBytes")
    let typed = try read(bytes, at: wrapper.contentStart, limit: wrapper.end, tag: DERTag.sequence, "responseBytes")
    let type = try read(
      bytes, at: typed.contentStart, limit: typed.end, tag: DERTag.objectIdentifier, "the response type")
    guard bytes.equals(type.content, basicResponse) else { return nil }
    let content = try read(bytes, at: type.end, limit: typed.end, tag: DERTag.octetString, "the response")
    let basic = try read(
      bytes, at: content.contentStart, limit: content.end, tag: DERTag.sequence, "the BasicOCSPResponse")
    let data = try read(bytes, at: basic.contentStart, limit: basic.end, tag: DERTag.sequence, "the ResponseData")
    var next = try read(bytes, at: data.contentStart, limit: data.end, "the responder's identity")
    if next.tag == 0xa0 { next = try read(bytes, at: next.end, limit: data.end, "the responder's identity") }
    let producedAt = try read(bytes, at: next.end, limit: data.end, "producedAt")
    let list = try read(bytes, at: producedAt.end, limit: data.end, tag: DERTag.sequence, "the responses")
    guard let singles = DERElement.list(bytes, in: list.content, maximum: 64) else {
      throw Malformed(offset: list.contentStart, reason: "the single responses can't be read, or are more than 64")
    }
    return singles
  }

  /// The content of the SEQUENCE of singleExtensions; nil if there is none.
  private static func extensions(of single: DERElement, _ bytes: Span<UInt8>) throws(Malformed) -> Range<Int>? {
    guard single.tag == DERTag.sequence, let parts = DERElement.list(bytes, in: single.content, maximum: 8) else {
      throw Malformed(offset: single.start, reason: "a single response can't be read")
    }
    guard let wrapper = parts.dropFirst(3).first(where: { $0.tag == 0xa1 }) else { return nil }
    let list = try read(
      bytes, at: wrapper.contentStart, limit: wrapper.end, tag: DERTag.sequence, "the extensions of a single response")
    return list.content
  }

  private static func matches(
    _ single: DERElement, _ serialNumber: [UInt8], _ keys: KeyHashes, _ bytes: Span<UInt8>
  ) throws(Malformed) -> Bool {
    let id = try read(bytes, at: single.contentStart, limit: single.end, tag: DERTag.sequence, "the CertID")
    let algorithm = try read(bytes, at: id.contentStart, limit: id.end, tag: DERTag.sequence, "the hash algorithm")
    let oid = try read(
      bytes, at: algorithm.contentStart, limit: algorithm.end, tag: DERTag.objectIdentifier, "the hash algorithm")
    let name = try read(bytes, at: algorithm.end, limit: id.end, tag: DERTag.octetString, "the issuer's name hash")
    let key = try read(bytes, at: name.end, limit: id.end, tag: DERTag.octetString, "the issuer's key hash")
    let serial = try read(bytes, at: key.end, limit: id.end, tag: DERTag.integer, "the serial number")
    guard bytes.equals(serial.content, serialNumber) else { return false }
    let expected = bytes.equals(oid.content, sha1) ? keys.sha1 : bytes.equals(oid.content, sha256) ? keys.sha256 : nil
    return expected.map { bytes.equals(key.content, $0) } ?? false
  }
}
