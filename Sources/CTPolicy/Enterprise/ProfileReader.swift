import CertificateTransparency
import Foundation

/// Property lists, XML or binary.
enum ProfileReader {
  static func dictionary(_ bytes: [UInt8], file: String) throws(PolicyFileError) -> [String: Any] {
    let value: Any
    if bytes.starts(with: "bplist".utf8) {
      guard let list = BinaryPropertyList.read(bytes) else {
        throw PolicyFileError(file, "", "a well-formed binary property list that stays small when it is unfolded")
      }
      value = list
    } else {
      var format = PropertyListSerialization.PropertyListFormat.openStep
      guard let list = try? PropertyListSerialization.propertyList(from: Data(bytes), options: [], format: &format),
        format == .xml
      else { throw PolicyFileError(file, "", "a property list, XML or binary") }
      value = list
    }
    guard let dictionary = value as? [String: Any] else {
      throw PolicyFileError(file, "", "a property list with a dictionary at its top")
    }
    return dictionary
  }
}

/// Reads binary property lists to what Foundation makes of XML ones.
///
/// Foundation is not asked: on Linux it ends the process over a list with a set in it, and it copies an object for each
/// that holds it, so that thirty arrays, each holding the next twice, take all memory there is.
struct BinaryPropertyList {
  private let bytes: [UInt8]
  private let referenceSize: Int
  private let offsets: [Int]
  /// How much memory may still be made of the file.
  private var budget = 8 * EnterprisePolicies.maximumByteCount

  private static let maximumDepth = 64
  private static let trailerSize = 32

  /// The object at the top; nil if the list is malformed, too deep, or would become too large.
  static func read(_ bytes: [UInt8]) -> Any? {
    guard bytes.count >= 8 + trailerSize else { return nil }
    let trailer = Array(bytes.suffix(trailerSize))
    let numbers = stride(from: 8, to: trailerSize, by: 8).map { number(trailer[$0..<($0 + 8)]) }
    guard
      var list = BinaryPropertyList(
        bytes, offsetSize: Int(trailer[6]), referenceSize: Int(trailer[7]), count: numbers[0], table: numbers[2])
    else { return nil }
    return list.object(numbers[1], depth: 1)
  }

  private init?(_ bytes: [UInt8], offsetSize: Int, referenceSize: Int, count: Int, table: Int) {
    let limit = bytes.count - BinaryPropertyList.trailerSize
    guard 1...8 ~= offsetSize, 1...8 ~= referenceSize, table <= limit, count <= (limit - table) / offsetSize
    else { return nil }
    self.bytes = bytes
    self.referenceSize = referenceSize
    offsets = (0..<count).map { index in
      let start = table + index * offsetSize
      return BinaryPropertyList.number(bytes[start..<(start + offsetSize)])
    }
  }

  /// A number, most significant byte first; those beyond any file's size are given as one such.
  private static func number(_ digits: ArraySlice<UInt8>) -> Int {
    digits.reduce(0) { min($0 << 8 | Int($1), 1 << 40) }
  }

  private mutating func object(_ index: Int, depth: Int) -> Any? {
    budget -= 64
    guard budget > 0, depth <= BinaryPropertyList.maximumDepth, offsets.indices.contains(index),
      offsets[index] < bytes.count - BinaryPropertyList.trailerSize
    else { return nil }
    let position = offsets[index]
    let size = Int(bytes[position] & 0xf)
    switch bytes[position] >> 4 {
    case 0: return size == 8 || size == 9 ? NSNumber(value: size == 9) : NSNull()
    case 1: return content(position + 1, count: 1, width: 1 << size).map { NSNumber(value: Self.number($0)) }
    case 4: return content(at: position, width: 1).map { Data($0) }
    case 5: return content(at: position, width: 1).map { String(decoding: $0, as: UTF8.self) }
    case 6:
      return content(at: position, width: 2).map { text in
        let units = stride(from: text.startIndex, to: text.endIndex, by: 2)
        return String(decoding: units.map { UInt16(text[$0]) << 8 | UInt16(text[$0 + 1]) }, as: UTF16.self)
      }
    case 0xa: return references(at: position, width: 1).flatMap { list($0, depth: depth) }
    case 0xd:
      guard let held = references(at: position, width: 2) else { return nil }
      let (names, values) = (held.prefix(held.count / 2), held.suffix(held.count / 2))
      guard let keys = list(names, depth: depth) as? [String], let items = list(values, depth: depth) else {
        return nil
      }
      return Dictionary(zip(keys, items)) { first, _ in first }
    // Dates, reals, sets and the like: nothing that a policy is made of.
    default: return NSNull()
    }
  }

  private mutating func list(_ held: some Collection<Int>, depth: Int) -> [Any]? {
    var items: [Any] = []
    for index in held {
      guard let item = object(index, depth: depth + 1) else { return nil }
      items.append(item)
    }
    return items
  }

  private mutating func references(at position: Int, width: Int) -> [Int]? {
    guard let content = content(at: position, width: width * referenceSize) else { return nil }
    return stride(from: content.startIndex, to: content.endIndex, by: referenceSize).map { start in
      BinaryPropertyList.number(content[start..<(start + referenceSize)])
    }
  }

  /// The content of an object whose marker, and perhaps an integer behind it, says of how many items of a width it is.
  private mutating func content(at position: Int, width: Int) -> ArraySlice<UInt8>? {
    let size = Int(bytes[position] & 0xf)
    guard size == 0xf else { return content(position + 1, count: size, width: width) }
    let marker = bytes[position + 1]
    guard marker >> 4 == 1, let digits = content(position + 2, count: 1, width: 1 << Int(marker & 0xf))
    else { return nil }
    return content(digits.endIndex, count: BinaryPropertyList.number(digits), width: width)
  }

  private mutating func content(_ start: Int, count: Int, width: Int) -> ArraySlice<UInt8>? {
    let limit = bytes.count - BinaryPropertyList.trailerSize
    guard start <= limit, count <= (limit - start) / width else { return nil }
    budget -= count * width
    return budget > 0 ? bytes[start..<(start + count * width)] : nil
  }
}

/// A profile wrapped in CMS SignedData (RFC 5652, section 5).
enum SignedProfile {
  /// 1.2.840.113549.1.7.2
  private static let signedData: [UInt8] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02]

  /// What was signed; nil if it is not there, or not in DER.
  static func content(_ profile: [UInt8]) -> [UInt8]? {
    let bytes = profile.span
    guard let outer = DERElement.read(bytes, at: 0, limit: bytes.count, tag: DERTag.sequence),
      let type = DERElement.read(bytes, at: outer.contentStart, limit: outer.end, tag: DERTag.objectIdentifier),
      bytes.equals(type.content, signedData),
      let wrapper = DERElement.read(bytes, at: type.end, limit: outer.end, tag: 0xa0),
      let data = DERElement.read(bytes, at: wrapper.contentStart, limit: wrapper.end, tag: DERTag.sequence),
      let parts = DERElement.list(bytes, in: data.content),
      let inner = parts.first(where: { $0.tag == DERTag.sequence }),
      let innerType = DERElement.read(
        bytes, at: inner.contentStart, limit: inner.end, tag: DERTag.objectIdentifier),
      let explicit = DERElement.read(bytes, at: innerType.end, limit: inner.end, tag: 0xa0),
      let content = DERElement.read(
        bytes, at: explicit.contentStart, limit: explicit.end, tag: DERTag.octetString)
    else { return nil }
    return bytes.copy(content.content)
  }
}
