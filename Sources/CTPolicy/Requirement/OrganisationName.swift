import CertificateTransparency

/// One organizationName attribute: its string type and its content octets.
public struct OrganisationName: Hashable, Sendable, CustomStringConvertible {
  /// 12 UTF8String, 19 PrintableString, 20 TeletexString, 22 IA5String, 28 UniversalString, 30 BMPString.
  public let stringTag: UInt8
  public let bytes: [UInt8]

  private init(stringTag: UInt8, bytes: [UInt8]) {
    self.stringTag = stringTag
    self.bytes = bytes
  }

  private init?(_ attribute: DistinguishedName.Attribute) {
    let span = attribute.encoded.span
    guard let element = DERElement.read(span, at: 0, limit: span.count) else { return nil }
    self.init(stringTag: element.tag, bytes: span.copy(element.content))
  }

  /// The name as text.
  public var text: String { DERString.text(bytes, tag: stringTag) }

  /// The name as text, without what could deceive a reader.
  public var description: String {
    String(String.UnicodeScalarView(text.unicodeScalars.map { $0.isDeceptive ? "\u{fffd}" : $0 }))
  }

  private static func isOrganisation(_ attribute: DistinguishedName.Attribute) -> Bool { attribute.type == "2.5.4.10" }

  /// The O attributes of a name in their order, as they stand.
  static func list(_ name: DistinguishedName) -> [OrganisationName] {
    name.relativeNames.joined().filter(isOrganisation).compactMap { OrganisationName($0) }
  }

  /// The same after the normalisation of RFC 5280, section 7.1, as BoringSSL does it: the string types that it knows
  /// become UTF8String, ASCII letters fold, runs of spaces shrink, and each set is sorted anew.
  ///
  /// Nil if any attribute of the name holds what its string type forbids: to Chromium the whole certificate is unreadable.
  static func normalisedList(_ name: DistinguishedName) -> [OrganisationName]? {
    var result: [OrganisationName] = []
    for set in name.relativeNames {
      var names: [OrganisationName] = []
      for attribute in set {
        guard let value = OrganisationName(attribute)?.normalised else { return nil }
        if isOrganisation(attribute) { names.append(value) }
      }
      // DER's order of a set: as the types are equal, lengths come first.
      result += names.sorted { left, right in
        left.bytes.count != right.bytes.count
          ? left.bytes.count < right.bytes.count
          : ([left.stringTag] + left.bytes).lexicographicallyPrecedes([right.stringTag] + right.bytes)
      }
    }
    return result
  }

  /// Types that BoringSSL does not know, such as TeletexString, stay as they are.
  private var normalised: OrganisationName? {
    let text: [UInt8]?
    switch stringTag {
    case DERTag.utf8String: text = bytes
    case 0x13: text = bytes.allSatisfy(OrganisationName.isPrintable) ? bytes : nil
    case 0x16: text = bytes.allSatisfy { $0 < 0x80 } ? bytes : nil
    case DERTag.bmpString: text = OrganisationName.scalars(bytes, width: 2)
    case DERTag.universalString: text = OrganisationName.scalars(bytes, width: 4)
    default: return self
    }
    guard let text else { return nil }
    let words = text.split(separator: 0x20).map { word in word.map { 0x41...0x5a ~= $0 ? $0 + 0x20 : $0 } }
    return OrganisationName(stringTag: DERTag.utf8String, bytes: Array(words.joined(separator: [0x20])))
  }

  /// BoringSSL's idea of PrintableString, which has a `*` too many.
  private static func isPrintable(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x20, 0x27...0x3a, 0x3d, 0x3f, 0x41...0x5a, 0x61...0x7a: true
    default: false
    }
  }

  /// Big-endian code points as UTF-8; nil if one is no character.
  private static func scalars(_ bytes: [UInt8], width: Int) -> [UInt8]? {
    guard bytes.count % width == 0 else { return nil }
    var text = ""
    for start in stride(from: 0, to: bytes.count, by: width) {
      let value = bytes[start..<(start + width)].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      guard let scalar = Unicode.Scalar(value) else { return nil }
      text.unicodeScalars.append(scalar)
    }
    return Array(text.utf8)
  }
}
