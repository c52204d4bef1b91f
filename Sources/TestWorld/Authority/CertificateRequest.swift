package import CertificateTransparency

/// What a certificate shall say. All that is not said is filled in as a public authority would.
package struct CertificateRequest: Sendable {
  package var dnsNames: [String]
  /// Four or sixteen bytes each; others give a malformed certificate.
  package var ipAddresses: [[UInt8]] = []
  package var emails: [String] = []
  package var uris: [String] = []
  /// By default the first DNS name, if it is short enough for one.
  package var commonNames: [String]?
  /// The subject's organisation; nil for a domain-validated certificate.
  package var organisation: String?
  /// An hour ago.
  package var notBefore: Timestamp?
  /// In 90 days.
  package var notAfter: Timestamp?
  /// The content octets of the INTEGER: two's complement.
  package var serial: [UInt8]?
  /// DER; by default that of a fresh P-256 key.
  package var subjectPublicKeyInfo: [UInt8]?
  /// The organisation of the issuer; each has an intermediate certificate of its own.
  package var issuerOrganisation: String?
  /// DER of whole extensions, see ``CertificateExtension``.
  package var extraExtensions: [[UInt8]] = []
  /// The content of the subjectAltName extension, instead of the names.
  package var subjectAltNameValue: [UInt8]?
  /// The DER of the subject, instead of the names.
  package var subject: [UInt8]?
  /// Whether the precertificate is signed by a precertificate signing certificate (RFC 6962, section 3.1).
  package var usesSigningCertificate = false

  package init(_ dnsNames: [String] = []) { self.dnsNames = dnsNames }

  /// A request with a DNS name that no resolver would take, of `byteCount` bytes.
  package static func withHugeName(byteCount: Int = 64 << 10, below domain: String = "example.com") -> Self {
    let labels = String(repeating: "a", count: max(byteCount - domain.utf8.count - 1, 1))
    return CertificateRequest([labels + "." + domain])
  }

  var subjectDER: [UInt8] {
    let names = commonNames ?? dnsNames.first.flatMap { $0.utf8.count <= 64 ? [$0] : nil } ?? []
    return subject ?? DERWriter.name(organisation: organisation, commonNames: names)
  }

  func writeAlternativeNames(to writer: inout DERWriter) {
    if let subjectAltNameValue { return writer.raw(subjectAltNameValue) }
    writer.sequence {
      for name in dnsNames { $0.context(2, name.utf8) }
      for name in emails { $0.context(1, name.utf8) }
      for name in uris { $0.context(6, name.utf8) }
      for address in ipAddresses { $0.context(7, address) }
    }
  }
}

extension DERWriter {
  /// A Name with one attribute in each part.
  package static func name(country: String? = nil, organisation: String?, commonNames: [String]) -> [UInt8] {
    build { name in
      name.sequence {
        if let country { $0.attribute([0x55, 0x04, 0x06], tag: 0x13, country) }
        if let organisation { $0.attribute([0x55, 0x04, 0x0a], tag: 0x0c, organisation) }
        for commonName in commonNames { $0.attribute(OID.commonName, tag: 0x0c, commonName) }
      }
    }
  }

  private mutating func attribute(_ identifier: [UInt8], tag: UInt8, _ text: String) {
    set { set in
      set.sequence {
        $0.identifier(identifier)
        $0.string(tag, text.utf8)
      }
    }
  }
}
