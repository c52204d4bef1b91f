import CertificateTransparency

/// Certificates out of a file: PEM with any number of blocks, or the DER of one.
package struct CertificateFile: Sendable {
  package struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String
  }

  /// More is not read.
  package static let maximumByteCount = 4 << 20
  private static let maximumCertificates = 64

  /// DER, in the order of the file.
  package let certificates: [[UInt8]]

  /// - Throws: ``Failure``, which says what the file is instead.
  package init(_ bytes: [UInt8], name: String) throws(Failure) {
    guard bytes.count <= CertificateFile.maximumByteCount else {
      throw Failure(
        description: "\(name) has more than \(CertificateFile.maximumByteCount) bytes: no certificate chain")
    }
    if bytes.first == 0x30 {
      guard CertificateFile.isCertificate(bytes) else {
        throw Failure(description: "\(name) is DER, but no certificate; expected an X.509 certificate")
      }
      certificates = [bytes]
      return
    }
    let blocks = PEM.blocks(in: bytes)
    let found = blocks.filter { ["CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"].contains($0.label) }
    guard !found.isEmpty else {
      throw Failure(description: CertificateFile.describe(name, blocks.map(\.label), isEmpty: bytes.isEmpty))
    }
    guard found.count <= CertificateFile.maximumCertificates else {
      throw Failure(description: "\(name) has more than \(CertificateFile.maximumCertificates) certificates")
    }
    var certificates: [[UInt8]] = []
    for block in found {
      guard let der = try? block.bytes(), CertificateFile.isCertificate(der) else {
        throw Failure(description: "\(name): the block that begins in line \(block.line) is damaged: no certificate")
      }
      certificates.append(der)
    }
    self.certificates = certificates
  }

  private static func isCertificate(_ der: [UInt8]) -> Bool {
    CertificateFields(certificate: 0..<der.count, in: der.span) != nil
  }

  private static func describe(_ name: String, _ labels: [String], isEmpty: Bool) -> String {
    if isEmpty { return "\(name) is empty; expected a certificate" }
    if labels.contains(where: { $0.hasSuffix("PRIVATE KEY") }) {
      return "\(name) is a private key, not a certificate: keep it to yourself, and give the certificate's file"
    }
    if labels.contains("PUBLIC KEY") { return "\(name) is a public key; expected a certificate" }
    if labels.contains(where: { $0.hasSuffix("CERTIFICATE REQUEST") }) {
      return "\(name) is a request for a certificate; expected the certificate that the CA made of it"
    }
    if labels.contains(where: { $0 == "PKCS7" || $0 == "CMS" }) {
      return "\(name) is PKCS #7: `openssl pkcs7 -print_certs -in \(name)` gives the certificates in it"
    }
    if let label = labels.first { return "\(name) is PEM of “\(label.prefix(40))”; expected CERTIFICATE" }
    return "\(name) is neither PEM nor DER; expected a certificate"
  }
}
