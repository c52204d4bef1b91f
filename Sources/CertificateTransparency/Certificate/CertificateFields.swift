/// Where the fields of a certificate stand in a buffer (RFC 5280, 4.1).
///
/// Fields are found by their place, not their content: a serial number that is no INTEGER, or a date that is no date,
/// does not hide the names behind it. What can't be found is an empty range.
public struct CertificateFields: Hashable, Sendable {
  /// The TBSCertificate, header included.
  public private(set) var tbs: Range<Int> = 0..<0
  /// The serial number's content octets.
  public private(set) var serialNumber: Range<Int> = 0..<0
  /// The issuer's Name, header included.
  public private(set) var issuer: Range<Int> = 0..<0
  /// The content of Validity.
  public private(set) var validity: Range<Int> = 0..<0
  /// The subject's Name, header included.
  public private(set) var subject: Range<Int> = 0..<0
  /// The SubjectPublicKeyInfo, header included.
  public private(set) var publicKeyInfo: Range<Int> = 0..<0
  /// The `[3]` wrapper of the extensions, header included; empty if there is none.
  public private(set) var extensionsWrapper: Range<Int> = 0..<0
  /// The content of the SEQUENCE OF Extension.
  public private(set) var extensions: Range<Int> = 0..<0
  /// Whether every element up to the extensions' SEQUENCE was there and the TBSCertificate held nothing else.
  public private(set) var isComplete = false

  /// Finds the fields of the Certificate that fills `range`; nil if not even its TBSCertificate can be told.
  public init?(certificate range: Range<Int>, in bytes: Span<UInt8>) {
    guard let outer = DERElement.read(bytes, at: range.lowerBound, limit: range.upperBound, tag: DERTag.sequence)
    else { return nil }
    self.init(tbsCertificate: outer.contentStart..<outer.end, in: bytes)
  }

  /// Finds the fields of the TBSCertificate at the start of `range`; nil if there is no SEQUENCE.
  public init?(tbsCertificate range: Range<Int>, in bytes: Span<UInt8>) {
    guard let outer = DERElement.read(bytes, at: range.lowerBound, limit: range.upperBound, tag: DERTag.sequence)
    else { return nil }
    tbs = outer.range
    var offset = outer.contentStart
    let limit = outer.end
    if offset < limit, bytes[offset] == 0xa0 {
      guard let version = DERElement.read(bytes, at: offset, limit: limit) else { return }
      offset = version.end
    }
    guard let serial = DERElement.read(bytes, at: offset, limit: limit) else { return }
    serialNumber = serial.content
    guard let algorithm = DERElement.read(bytes, at: serial.end, limit: limit) else { return }
    guard let issuer = DERElement.read(bytes, at: algorithm.end, limit: limit) else { return }
    self.issuer = issuer.range
    guard let validity = DERElement.read(bytes, at: issuer.end, limit: limit) else { return }
    self.validity = validity.content
    guard let subject = DERElement.read(bytes, at: validity.end, limit: limit) else { return }
    self.subject = subject.range
    guard let publicKeyInfo = DERElement.read(bytes, at: subject.end, limit: limit) else { return }
    self.publicKeyInfo = publicKeyInfo.range
    isComplete = readTail(bytes, from: publicKeyInfo.end, limit: limit)
  }

  /// Reads the optional unique identifiers and the extensions; false if anything else stands there.
  private mutating func readTail(_ bytes: Span<UInt8>, from start: Int, limit: Int) -> Bool {
    var offset = start
    while offset < limit {
      guard let element = DERElement.read(bytes, at: offset, limit: limit) else { return false }
      switch element.tag {
      case 0x81, 0x82, 0xa1, 0xa2: break
      case 0xa3:
        guard extensionsWrapper.isEmpty,
          let list = DERElement.read(bytes, at: element.contentStart, limit: element.end, tag: DERTag.sequence)
        else { return false }
        extensionsWrapper = element.range
        extensions = list.content
        guard list.end == element.end else { return false }
      default: return false
      }
      offset = element.end
    }
    return true
  }
}

/// One extension: where its identifier and the content of its value stand.
package struct ExtensionFields: Hashable, Sendable {
  /// The whole Extension, header included.
  package let element: Range<Int>
  package let identifier: Range<Int>
  package let isCritical: Bool
  /// The content of the OCTET STRING.
  package let value: Range<Int>

  /// Reads the Extension at `offset`; nil if it is none.
  @inline(__always)
  package init?(_ bytes: Span<UInt8>, at offset: Int, limit: Int) {
    guard let outer = DERElement.read(bytes, at: offset, limit: limit, tag: DERTag.sequence),
      let identifier = DERElement.read(
        bytes, at: outer.contentStart, limit: outer.end, tag: DERTag.objectIdentifier),
      var next = DERElement.read(bytes, at: identifier.end, limit: outer.end)
    else { return nil }
    var critical = false
    if next.tag == DERTag.boolean {
      critical = next.content.count == 1 && bytes[next.contentStart] != 0
      guard let value = DERElement.read(bytes, at: next.end, limit: outer.end) else { return nil }
      next = value
    }
    guard next.tag == DERTag.octetString else { return nil }
    element = outer.range
    self.identifier = identifier.content
    isCritical = critical
    value = next.content
  }

  /// All extensions in `range`; nil if any can't be read.
  package static func list(_ bytes: Span<UInt8>, in range: Range<Int>) -> [ExtensionFields]? {
    var extensions: [ExtensionFields] = []
    var offset = range.lowerBound
    while offset < range.upperBound {
      guard extensions.count < 1024, let next = ExtensionFields(bytes, at: offset, limit: range.upperBound)
      else { return nil }
      extensions.append(next)
      offset = next.element.upperBound
    }
    return extensions
  }
}
