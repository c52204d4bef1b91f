import CertificateTransparency
import MerkleTree

/// The `leaf_index` of an SCT's extensions (static-ct-api, "SCT Extension"), as browsers read it.
public enum LeafIndex: Hashable, Sendable {
  /// There is no entry of type 0.
  case absent
  /// The extensions are no list of entries, or have two of type 0, or one of less than five bytes.
  case malformed
  /// Exactly one entry of type 0. Chrome takes five data bytes and more, Firefox five exactly.
  case index(UInt64, byteCount: Int)

  init(_ bytes: Span<UInt8>) {
    guard !bytes.isEmpty else {
      self = .absent
      return
    }
    var found: LeafIndex = .absent
    var cursor = ByteCursor("CtExtensions", in: bytes)
    do throws(FormatError) {
      while cursor.remaining > 0 {
        let type = try cursor.uint8(bytes, "extension type")
        let data = try cursor.vector16(bytes, "extension data")
        guard type == 0 else { continue }
        guard found == .absent, data.count >= 5 else {
          self = .malformed
          return
        }
        let value = data.prefix(5).reduce(UInt64(0)) { $0 << 8 | UInt64(bytes[$1]) }
        found = .index(value, byteCount: data.count)
      }
      self = found
    } catch {
      self = .malformed
    }
  }

  /// Whether Chrome is content with it, as of a tiled log.
  public var satisfiesChrome: Bool { if case .index = self { true } else { false } }
  /// Whether Firefox takes the SCT for one that can be decoded.
  var isReadableToFirefox: Bool { self == .absent || satisfiesFirefox }
  /// Whether Firefox is content with it, as of a tiled log.
  public var satisfiesFirefox: Bool { if case .index(_, byteCount: 5) = self { true } else { false } }
}

/// Splits and reads lists of SCTs exactly as leniently as browsers do.
///
/// An empty list, an empty item and bytes after the list spoil all of it. Within an item, bytes after the signature
/// are tolerated and counted, and a version other than 0 spoils only this item.
enum SCTReading {
  /// The most items of one list that are looked at.
  static let maximumCount = 256

  /// What one item says.
  enum Item {
    case sct(SignedCertificateTimestamp, trailingByteCount: Int)
    case unsupportedVersion(UInt8)
    case malformed(offset: Int, reason: String)
  }

  /// Where the items of the list that fills `range` stand; offsets in errors count from the start of `range`.
  static func split(_ bytes: Span<UInt8>, in range: Range<Int>) throws(FormatError) -> [Range<Int>] {
    var cursor = ByteCursor(
      "SignedCertificateTimestampList", in: bytes, at: range.lowerBound, end: range.upperBound)
    let length = try cursor.uint16(bytes, "list")
    guard length == cursor.remaining else {
      throw cursor.error("the list has \(length) bytes by its length, \(cursor.remaining) are there")
    }
    guard length > 0 else { throw cursor.error("the list is empty") }
    var items: [Range<Int>] = []
    while cursor.remaining > 0 {
      items.append(try cursor.vector16(bytes, "SCT", atLeast: 1))
    }
    return items
  }

  static func read(_ bytes: Span<UInt8>, in range: Range<Int>) -> Item {
    var cursor = ByteCursor(
      "SignedCertificateTimestamp", in: bytes, at: range.lowerBound, end: range.upperBound)
    do throws(FormatError) {
      let version = try cursor.uint8(bytes, "version")
      guard version == 0 else { return .unsupportedVersion(version) }
      let logID = LogID(SHA256Hash(copying: bytes, at: try cursor.take(32, "log id").lowerBound))
      let timestamp = Timestamp(milliseconds: try cursor.uint64(bytes, "timestamp"))
      let extensions = bytes.copy(try cursor.vector16(bytes, "extensions"))
      let signature = try DigitallySigned(reading: &cursor, bytes)
      let sct = SignedCertificateTimestamp(
        logID: logID, timestamp: timestamp, extensions: extensions, signature: signature)
      return .sct(sct, trailingByteCount: cursor.remaining)
    } catch {
      return .malformed(offset: error.offset, reason: error.reason)
    }
  }
}
