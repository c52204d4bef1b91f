public import MerkleTree

/// What a certificate says, each field read on its own: one that is broken never hides another.
///
/// This is the slow, complete reading, for certificates that matter to somebody. Names are kept as they stand.
public struct CertificateFacts: Hashable, Sendable {
  /// The kind of the certified key.
  public enum KeyType: Hashable, Sendable, CustomStringConvertible {
    case rsa(bits: Int)
    case ec(curve: String)
    case other(oid: String)

    public var description: String {
      switch self {
      case .rsa(let bits): "RSA \(bits)"
      case .ec(let curve): curve
      case .other(let oid): oid
      }
    }
  }

  /// Lower-case hexadecimal without leading zeros (`0` for zero, a leading `-` where it is negative); nil if it is no INTEGER.
  public private(set) var serialNumber: String?
  public private(set) var issuer: DistinguishedName?
  public private(set) var subject: DistinguishedName?
  /// Seconds since 1970, UTC.
  public private(set) var notBefore: Int64?
  /// Seconds since 1970, UTC; the certificate is valid up to and including this second.
  public private(set) var notAfter: Int64?
  /// SHA-256 of the SubjectPublicKeyInfo as it stands.
  public private(set) var publicKeyHash: SHA256Hash?
  public private(set) var keyType: KeyType?
  /// Every name, in the order of the certificate: subject first, then subjectAltName.
  public private(set) var names: [FoundName] = []
  /// Whether all that may hold names could be read.
  public private(set) var namesAreComplete = false
  /// What could not be read, in words.
  public private(set) var problems: [String] = []

  /// Reads a Certificate.
  public init(certificate: [UInt8]) {
    let bytes = certificate.span
    self.init(CertificateFields(certificate: 0..<bytes.count, in: bytes), in: bytes)
  }

  /// Reads a TBSCertificate.
  public init(tbsCertificate: [UInt8]) {
    let bytes = tbsCertificate.span
    self.init(CertificateFields(tbsCertificate: 0..<bytes.count, in: bytes), in: bytes)
  }

  private init(_ found: CertificateFields?, in bytes: Span<UInt8>) {
    guard let fields = found else {
      problems.append("not a certificate: no TBSCertificate can be told")
      return
    }
    if !fields.isComplete { problems.append("certificate: the TBSCertificate is not well formed") }
    serialNumber = CertificateFacts.serial(bytes.copy(fields.serialNumber))
    if serialNumber == nil { problems.append("serial number: absent or empty") }
    issuer = DistinguishedName(fields.issuer, in: bytes)
    if issuer == nil { problems.append("issuer: not a Name") }
    subject = DistinguishedName(fields.subject, in: bytes)
    if subject == nil { problems.append("subject: not a Name") }
    readValidity(fields.validity, in: bytes)
    if !fields.publicKeyInfo.isEmpty {
      publicKeyHash = SHA256Hash.hash(bytes.extracting(fields.publicKeyInfo))
      keyType = CertificateFacts.keyType(fields.publicKeyInfo, in: bytes)
    }
    if keyType == nil { problems.append("public key: its kind can't be told") }
    var ranges: [NameRange] = []
    namesAreComplete = NameWalk.find(fields, in: bytes, into: &ranges)
    if !namesAreComplete { problems.append("names: not all of them can be read") }
    names = ranges.map { FoundName(source: $0.source, stringTag: $0.stringTag, bytes: bytes.copy($0.range)) }
  }

  private mutating func readValidity(_ range: Range<Int>, in bytes: Span<UInt8>) {
    guard let first = DERElement.read(bytes, at: range.lowerBound, limit: range.upperBound) else {
      problems.append("validity: absent")
      return
    }
    notBefore = CertificateTime.seconds(first, in: bytes)
    if notBefore == nil { problems.append("notBefore: not a time") }
    if let second = DERElement.read(bytes, at: first.end, limit: range.upperBound) {
      notAfter = CertificateTime.seconds(second, in: bytes)
    }
    if notAfter == nil { problems.append("notAfter: not a time") }
  }

  private static func serial(_ octets: [UInt8]) -> String? {
    guard let first = octets.first else { return nil }
    var magnitude = octets
    let isNegative = first & 0x80 != 0
    if isNegative {
      var carry = true
      for index in magnitude.indices.reversed() {
        magnitude[index] = ~magnitude[index] &+ (carry ? 1 : 0)
        carry = carry && magnitude[index] == 0
      }
    }
    let hex = magnitude.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined().drop { $0 == "0" }
    return (isNegative ? "-" : "") + (hex.isEmpty ? "0" : hex)
  }

  private static let curves = [
    "1.2.840.10045.3.1.7": "EC P-256", "1.3.132.0.34": "EC P-384", "1.3.132.0.35": "EC P-521",
  ]

  private static func keyType(_ range: Range<Int>, in bytes: Span<UInt8>) -> KeyType? {
    guard let outer = DERElement.read(bytes, at: range.lowerBound, limit: range.upperBound, tag: DERTag.sequence),
      let algorithm = DERElement.read(bytes, at: outer.contentStart, limit: outer.end, tag: DERTag.sequence),
      let oid = DERElement.read(
        bytes, at: algorithm.contentStart, limit: algorithm.end, tag: DERTag.objectIdentifier),
      let dotted = OID.dotted(bytes.copy(oid.content))
    else { return nil }
    switch dotted {
    case "1.2.840.113549.1.1.1":
      guard let key = DERElement.read(bytes, at: algorithm.end, limit: outer.end, tag: DERTag.bitString),
        let pair = DERElement.read(bytes, at: key.contentStart + 1, limit: key.end, tag: DERTag.sequence),
        let modulus = DERElement.read(bytes, at: pair.contentStart, limit: pair.end, tag: DERTag.integer)
      else { return nil }
      let significant = bytes.copy(modulus.content).drop { $0 == 0 }
      guard let top = significant.first else { return nil }
      return .rsa(bits: significant.count * 8 - top.leadingZeroBitCount)
    case "1.2.840.10045.2.1":
      guard let curve = DERElement.read(bytes, at: oid.end, limit: algorithm.end, tag: DERTag.objectIdentifier),
        let name = OID.dotted(bytes.copy(curve.content))
      else { return .ec(curve: "EC") }
      return .ec(curve: curves[name] ?? "EC \(name)")
    case "1.3.101.112": return .other(oid: "Ed25519")
    default: return .other(oid: dotted)
    }
  }

  /// All commonName attributes as text.
  public var commonNames: [String] {
    names.filter { $0.source == .commonName }.map { DERString.text($0.bytes, tag: $0.stringTag) }
  }

  /// The names of one source as text, as found.
  public func text(of source: FoundName.Source) -> [String] {
    names.filter { $0.source == source }.map { $0.text }
  }
}

extension FoundName {
  /// The name as a person would read it, bytes that are no text shown as Latin-1; addresses in their usual notation.
  public var text: String {
    guard source == .ipAddress else { return DERString.text(bytes, tag: stringTag) }
    switch bytes.count {
    case 4: return bytes.map(String.init).joined(separator: ".")
    case 16: return FoundName.ipv6(bytes)
    default: return bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
  }

  /// RFC 5952 notation: the longest run of two or more zero groups is shortened.
  private static func ipv6(_ bytes: [UInt8]) -> String {
    let groups = stride(from: 0, to: 16, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
    var best = 0..<0
    var start: Int?
    for index in 0...8 {
      if index < 8, groups[index] == 0 {
        start = start ?? index
      } else if let first = start {
        if index - first > best.count, index - first > 1 { best = first..<index }
        start = nil
      }
    }
    let text = { (part: ArraySlice<UInt16>) in part.map { String($0, radix: 16) }.joined(separator: ":") }
    if best.isEmpty { return text(groups[...]) }
    return text(groups[..<best.lowerBound]) + "::" + text(groups[best.upperBound...])
  }
}
