import CertificateTransparency
import MerkleTree
import SwiftASN1
import X509

/// What a certificate says besides its names and dates, in words: how it is signed, and its extensions.
struct CertificateDetails: Hashable, Sendable {
  struct Detail: Hashable, Sendable {
    let title: String
    var isCritical = false
    let lines: [String]
  }

  let all: [Detail]

  /// - Parameter log: what a log is called; nil where it is not known.
  /// - Throws: if it can't be decoded as a whole. An extension that can't be is shown by its bytes.
  init(certificate: [UInt8], log: (LogID) -> String?) throws {
    guard certificate.count <= Cap.certificate else { throw TooLarge() }
    let decoded = try X509.Certificate(derEncoded: certificate)
    var all = [Detail(title: "Version", lines: ["\(decoded.version)".replacing("X509v", with: "")])]
    if let algorithm = CertificateDetails.signatureAlgorithm(certificate) {
      all.append(Detail(title: "Signature", lines: [algorithm]))
    }
    for item in decoded.extensions.prefix(Cap.extensions) where "\(item.oid)" != "2.5.29.17" {
      let (title, lines) = CertificateDetails.read(item, log)
      all.append(Detail(title: title, isCritical: item.critical, lines: Cap.lines(lines)))
    }
    self.all = all
  }

  struct TooLarge: Error, CustomStringConvertible {
    let description = "it is too large"
  }

  /// No certificate that is meant seriously says more; what somebody else's says must not fill a page.
  private enum Cap {
    static let certificate = 1 << 20
    static let extensions = 50
    private static let lineCount = 50
    private static let lineLength = 300

    static func lines(_ lines: [String]) -> [String] {
      var kept = lines.prefix(lineCount).map { $0.count > lineLength ? $0.prefix(lineLength) + "…" : $0 }
      if lines.count > lineCount { kept.append("and \(Phrase.number(lines.count - lineCount)) more") }
      return kept
    }

    static func hex(_ bytes: some Collection<UInt8>) -> String {
      bytes.prefix(lineLength).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
  }

  // MARK: Extensions

  private typealias Reader = @Sendable (X509.Certificate.Extension, (LogID) -> String?) throws -> [String]

  private static func read(_ item: X509.Certificate.Extension, _ log: (LogID) -> String?) -> (String, [String]) {
    let oid = "\(item.oid)"
    guard let (title, reader) = readers[oid] else {
      return (
        known[oid] ?? "Extension \(oid)",
        ["\(Phrase.plural(item.value.count, "byte", "bytes")): \(Cap.hex(item.value))"]
      )
    }
    do { return (title, try reader(item, log)) } catch {
      return (title, ["can’t be decoded; \(Phrase.plural(item.value.count, "byte", "bytes")): \(Cap.hex(item.value))"])
    }
  }

  /// Extensions that are named, and shown by their bytes.
  private static let known = [
    "1.3.6.1.5.5.7.1.24": "TLS feature (OCSP must-staple)", "1.3.6.1.5.5.7.1.3": "Qualified certificate statements",
    "2.5.29.9": "Subject directory attributes", "2.5.29.18": "Issuer alternative names",
    "2.5.29.33": "Policy mappings", "2.5.29.36": "Policy constraints", "2.5.29.54": "Inhibit any policy",
    "2.5.29.46": "Freshest CRL", "2.23.140.3.1": "CA/Browser Forum organisation identifier",
  ]

  private static let readers: [String: (title: String, reader: Reader)] = [
    "2.5.29.15": ("Key usage", { item, _ in words("\(try KeyUsage(item))") }),
    "2.5.29.37": ("Extended key usage", { item, _ in try ExtendedKeyUsage(item).map(usage) }),
    "2.5.29.19": ("Basic constraints", { item, _ in [constraints(try BasicConstraints(item))] }),
    "2.5.29.14": ("Subject key identifier", { item, _ in [Cap.hex(try SubjectKeyIdentifier(item).keyIdentifier)] }),
    "2.5.29.35": ("Authority key identifier", { item, _ in try authority(try AuthorityKeyIdentifier(item)) }),
    "1.3.6.1.5.5.7.1.1": ("Authority information", { item, _ in try AuthorityInformationAccess(item).map(access) }),
    "2.5.29.31": ("CRL distribution points", { item, _ in try distributionPoints(item.value) }),
    "2.5.29.32": ("Certificate policies", { item, _ in try policies(item.value) }),
    "2.5.29.30": ("Name constraints", { item, _ in names(try NameConstraints(item)) }),
    "1.3.6.1.4.1.11129.2.4.2": ("Embedded SCTs", scts),
    "1.3.6.1.4.1.11129.2.4.3": ("Poison", { _, _ in ["this is a precertificate: nobody may trust it"] }),
  ]

  private static func words(_ list: String) -> [String] { list.isEmpty ? ["none"] : [list] }

  private static let usages = [
    "serverAuth": "TLS server", "clientAuth": "TLS client", "codeSigning": "code signing",
    "emailProtection": "e-mail", "timeStamping": "time stamping", "ocspSigning": "OCSP signing",
    "certificateTransparency": "precertificate signing", "anyKeyUsage": "anything",
  ]

  private static func usage(_ usage: ExtendedKeyUsage.Usage) -> String {
    usages["\(usage)"].map { "\($0) (\(usage))" } ?? "\(usage)"
  }

  private static func constraints(_ constraints: BasicConstraints) -> String {
    switch constraints {
    case .notCertificateAuthority: "no certificate authority"
    case .isCertificateAuthority(nil): "a certificate authority"
    case .isCertificateAuthority(let length?): "a certificate authority, path length at most \(length)"
    }
  }

  private static func authority(_ identifier: AuthorityKeyIdentifier) throws -> [String] {
    var lines = identifier.keyIdentifier.map { [Cap.hex($0)] } ?? []
    if let issuer = identifier.authorityCertIssuer { lines += issuer.map { "issuer: " + text($0) } }
    if let serial = identifier.authorityCertSerialNumber { lines.append("serial number: \(Cap.hex(serial.bytes))") }
    return lines
  }

  private static func access(_ description: AuthorityInformationAccess.AccessDescription) -> String {
    let method =
      description.method == .ocspServer
      ? "OCSP" : description.method == .issuingCA ? "issuer’s certificate" : "\(description.method)"
    return "\(method): \(text(description.location))"
  }

  private static func names(_ constraints: NameConstraints) -> [String] {
    constraints.permittedSubtrees.map { "permitted: " + text($0) }
      + constraints.excludedSubtrees.map { "excluded: " + text($0) }
  }

  private static func scts(_ item: X509.Certificate.Extension, _ log: (LogID) -> String?) throws -> [String] {
    let list = try SCTList(decoding: Array(try ASN1OctetString(derEncoded: item.value).bytes).span)
    return list.items.map { item in
      switch item.sct {
      case .success(let sct):
        "\(log(sct.logID) ?? "a log that is not known here"), \(Phrase.minute(Int64(clamping: sct.timestamp.milliseconds))), "
          + "log ID \(sct.logID)"
      case .failure: "one that can’t be read: \(Cap.hex(item.serialized))"
      }
    }
  }

  private static func text(_ name: GeneralName) -> String {
    switch name {
    case .dnsName(let text), .rfc822Name(let text), .uniformResourceIdentifier(let text): text
    case .directoryName(let name): "\(name)"
    case .registeredID(let oid): "\(oid)"
    case .ipAddress(let octets):
      switch octets.bytes.count {
      case 4: octets.bytes.map(String.init).joined(separator: ".")
      case 8:
        octets.bytes.prefix(4).map(String.init).joined(separator: ".") + "/"
          + octets.bytes.suffix(4).map(String.init).joined(separator: ".")
      default: "address \(Cap.hex(octets.bytes))"
      }
    default: "a name of another kind"
    }
  }

  // MARK: Read here

  private static func children(_ node: ASN1Node) -> [ASN1Node] {
    guard case .constructed(let nodes) = node.content else { return [] }
    return Array(nodes.prefix(1000))
  }

  private static func context(_ number: UInt) -> ASN1Identifier {
    ASN1Identifier(tagWithNumber: number, tagClass: .contextSpecific)
  }

  private static func distributionPoints(_ value: ArraySlice<UInt8>) throws -> [String] {
    try children(try DER.parse(value)).flatMap { point in
      try children(point).flatMap { field -> [String] in
        switch field.identifier {
        case context(0):
          let full = children(field).filter { $0.identifier == context(0) }.flatMap(children)
          return try full.map { text(try GeneralName(derEncoded: $0)) }
        case context(2): return try children(field).map { "issued by " + text(try GeneralName(derEncoded: $0)) }
        default: return []
        }
      }
    }
  }

  /// By the CA/Browser Forum's registry of object identifiers.
  private static let policyNames = [
    "2.23.140.1.1": "extended validation (EV)", "2.23.140.1.2.1": "domain validated (DV)",
    "2.23.140.1.2.2": "organisation validated (OV)", "2.23.140.1.2.3": "individual validated (IV)",
    "2.5.29.32.0": "any policy",
  ]

  private static func policies(_ value: ArraySlice<UInt8>) throws -> [String] {
    try children(try DER.parse(value)).map { policy in
      let fields = children(policy)
      guard let first = fields.first else { throw ASN1Error.invalidASN1Object(reason: "a policy without identifier") }
      let oid = "\(try ASN1ObjectIdentifier(derEncoded: first))"
      let statements = fields.dropFirst().flatMap(children).compactMap { qualifier -> String? in
        let parts = children(qualifier)
        guard parts.count == 2, let kind = try? ASN1ObjectIdentifier(derEncoded: parts[0]),
          "\(kind)" == "1.3.6.1.5.5.7.2.1", let url = try? ASN1IA5String(derEncoded: parts[1])
        else { return nil }
        return "practice statement: \(String(url))"
      }
      return ([policyNames[oid].map { "\($0), \(oid)" } ?? oid] + statements).joined(separator: "; ")
    }
  }

  private static let algorithms = [
    "1.2.840.113549.1.1.4": "RSA with MD5", "1.2.840.113549.1.1.5": "RSA with SHA-1",
    "1.2.840.113549.1.1.10": "RSA-PSS", "1.2.840.113549.1.1.11": "RSA with SHA-256",
    "1.2.840.113549.1.1.12": "RSA with SHA-384", "1.2.840.113549.1.1.13": "RSA with SHA-512",
    "1.2.840.10045.4.1": "ECDSA with SHA-1", "1.2.840.10045.4.3.2": "ECDSA with SHA-256",
    "1.2.840.10045.4.3.3": "ECDSA with SHA-384", "1.2.840.10045.4.3.4": "ECDSA with SHA-512",
    "1.3.101.112": "Ed25519", "1.3.101.113": "Ed448", "2.16.840.1.101.3.4.3.17": "ML-DSA-44",
    "2.16.840.1.101.3.4.3.18": "ML-DSA-65", "2.16.840.1.101.3.4.3.19": "ML-DSA-87",
  ]

  private static func signatureAlgorithm(_ certificate: [UInt8]) -> String? {
    guard let parts = try? children(DER.parse(certificate)), parts.count > 1,
      let first = children(parts[1]).first, let oid = try? ASN1ObjectIdentifier(derEncoded: first)
    else { return nil }
    return algorithms["\(oid)"].map { "\($0) (\(oid))" } ?? "\(oid)"
  }
}
