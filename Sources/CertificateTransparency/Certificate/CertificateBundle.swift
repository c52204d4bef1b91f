/// The certificates and certificate requests of a file, judged by its content and not by its name: PEM between any
/// other text, or the DER of a single structure.
///
/// Nothing is dropped silently: what may be a certificate and can't be read is a problem. Private keys are neither
/// decoded nor kept.
package struct CertificateBundle: Sendable {
  package struct Item: Hashable, Sendable {
    package let der: [UInt8]
    /// Where its block begins, counted from 1; nil for a file in DER.
    package let line: Int?
  }

  /// What can't be read; it names the line.
  package struct Problem: Error, Hashable, Sendable, CustomStringConvertible {
    package let line: Int?
    package let reason: String

    package init(line: Int?, reason: String) {
      self.line = line
      self.reason = reason
    }

    package var description: String { (line.map { "line \($0): " } ?? "") + reason }
  }

  package private(set) var certificates: [Item] = []
  package private(set) var requests: [Item] = []
  package private(set) var problems: [Problem] = []
  /// The labels of all blocks of PEM.
  package private(set) var labels: [String] = []

  /// - Parameter limit: how many blocks are read; more are a problem.
  package init(_ bytes: [UInt8], limit: Int = 1000) {
    if let structure = CertificateBundle.structure(bytes) {
      certificates = [Item(der: structure, line: nil)]
      return
    }
    let blocks = PEM.blocks(in: bytes)
    labels = blocks.prefix(limit).map(\.label)
    for block in blocks.prefix(limit) {
      do throws(Problem) { try add(block) } catch { problems.append(error) }
    }
    if let next = blocks.dropFirst(limit).first {
      problems.append(
        Problem(line: next.line, reason: "more than \(limit) blocks; this and those after it are not read"))
    }
    if blocks.isEmpty, bytes.first == DERTag.sequence {
      problems.append(Problem(line: nil, reason: "DER that is cut short, or followed by something else"))
    }
  }

  /// Whether all there is are private keys.
  package var holdsOnlyPrivateKeys: Bool { !labels.isEmpty && labels.allSatisfy { $0.hasSuffix("PRIVATE KEY") } }

  /// The one DER structure that a file consists of, but for line ends behind it.
  package static func structure(_ bytes: [UInt8]) -> [UInt8]? {
    guard let element = DERElement.read(bytes.span, at: 0, limit: bytes.count, tag: DERTag.sequence),
      bytes[element.end...].allSatisfy({ $0 == 0x0a || $0 == 0x0d })
    else { return nil }
    return Array(bytes[..<element.end])
  }

  private mutating func add(_ block: PEM.Block) throws(Problem) {
    switch block.label {
    case "CERTIFICATE", "X509 CERTIFICATE": certificates.append(try CertificateBundle.item(block))
    case "TRUSTED CERTIFICATE":
      // OpenSSL's: the certificate, then what it is trusted for.
      let whole = try CertificateBundle.item(block)
      let element = DERElement.read(whole.der.span, at: 0, limit: whole.der.count, tag: DERTag.sequence)
      certificates.append(Item(der: element.map { Array(whole.der[..<$0.end]) } ?? whole.der, line: block.line))
    case "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST": requests.append(try CertificateBundle.item(block))
    case "PKCS7", "CMS":
      let command = "`openssl pkcs7 -print_certs` gives the certificates in it"
      throw Problem(line: block.line, reason: "PKCS #7 is not read: \(command)")
    case let label where label.contains("CERT"):
      throw Problem(line: block.line, reason: "the block \(label) is not read; expected CERTIFICATE")
    default: break
    }
  }

  private static func item(_ block: PEM.Block) throws(Problem) -> Item {
    do throws(FormatError) {
      return Item(der: try block.bytes(), line: block.line)
    } catch {
      throw Problem(line: block.line, reason: error.reason)
    }
  }
}
