/// A Name (RFC 5280, 4.1.2.4) as text (RFC 4514).
public struct DistinguishedName: Hashable, Sendable, CustomStringConvertible {
  /// One attribute: its type in dotted decimal, and its value as text.
  public struct Attribute: Hashable, Sendable {
    public let type: String
    public let value: String
    /// The value's DER, header included.
    package let encoded: [UInt8]
  }

  /// Relative distinguished names in the order of the encoding, most general first.
  public let relativeNames: [[Attribute]]

  /// Reads the Name that fills `range`; nil if it is none.
  public init?(_ range: Range<Int>, in bytes: Span<UInt8>) {
    guard let outer = DERElement.read(bytes, at: range.lowerBound, limit: range.upperBound, tag: DERTag.sequence),
      let sets = DERElement.list(bytes, in: outer.content)
    else { return nil }
    var names: [[Attribute]] = []
    for set in sets {
      guard set.tag == DERTag.set, let pairs = DERElement.list(bytes, in: set.content) else { return nil }
      var attributes: [Attribute] = []
      for pair in pairs {
        guard let type = DERElement.read(bytes, at: pair.contentStart, limit: pair.end, tag: DERTag.objectIdentifier),
          let value = DERElement.read(bytes, at: type.end, limit: pair.end),
          let dotted = OID.dotted(bytes.copy(type.content))
        else { return nil }
        let text = DERString.text(bytes.copy(value.content), tag: value.tag)
        attributes.append(Attribute(type: dotted, value: text, encoded: bytes.copy(value.range)))
      }
      names.append(attributes)
    }
    relativeNames = names
  }

  /// All values of an attribute type, most specific first.
  public func values(ofType dotted: String) -> [String] {
    relativeNames.reversed().flatMap { $0.filter { $0.type == dotted }.map(\.value) }
  }

  /// The organisation that the name names, if any.
  public var organisation: String? { values(ofType: "2.5.4.10").first }

  /// RFC 4514 text, most specific first. Characters that could deceive a reader are written as `\XX`.
  public var description: String {
    relativeNames.reversed().map { attributes in
      attributes.map(DistinguishedName.text).joined(separator: "+")
    }.joined(separator: ",")
  }

  /// The descriptors of RFC 4514, section 3: every reader knows them. Other types are written as numbers.
  private static let descriptors: [String: String] = [
    "2.5.4.3": "CN", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.6": "C",
    "2.5.4.9": "STREET", "0.9.2342.19200300.100.1.25": "DC", "0.9.2342.19200300.100.1.1": "UID",
  ]

  private static func text(_ attribute: Attribute) -> String {
    guard let descriptor = descriptors[attribute.type] else {
      let hex = attribute.encoded.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
      return attribute.type + "=#" + hex
    }
    return descriptor + "=" + escaped(attribute.value)
  }

  private static func escaped(_ value: String) -> String {
    var text = ""
    let scalars = value.unicodeScalars
    let last = scalars.count - 1
    for (position, scalar) in scalars.enumerated() {
      let isFirst = position == 0
      let isLast = position == last
      switch scalar {
      case "\"", "+", ",", ";", "<", ">", "\\": text += "\\" + String(Character(scalar))
      case "#" where isFirst, " " where isFirst || isLast: text += "\\" + String(Character(scalar))
      case _ where scalar.isDeceptive:
        for byte in String(Character(scalar)).utf8 {
          text += "\\" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text
  }
}
