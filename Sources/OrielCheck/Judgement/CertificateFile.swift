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
    let bundle = CertificateBundle(bytes, limit: CertificateFile.maximumCertificates)
    if let problem = bundle.problems.first { throw Failure(description: "\(name): \(problem)") }
    guard !bundle.certificates.isEmpty else {
      throw Failure(description: CertificateFile.describe(name, bundle.labels, isEmpty: bytes.isEmpty))
    }
    for item in bundle.certificates where !CertificateFile.isCertificate(item.der) {
      guard let line = item.line else {
        throw Failure(description: "\(name) is DER, but no certificate; expected an X.509 certificate")
      }
      throw Failure(description: "\(name): line \(line): the block that begins there is no certificate")
    }
    certificates = bundle.certificates.map(\.der)
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
    if let label = labels.first { return "\(name) is PEM of “\(label.prefix(40))”; expected CERTIFICATE" }
    return "\(name) is neither PEM nor DER; expected a certificate"
  }
}
