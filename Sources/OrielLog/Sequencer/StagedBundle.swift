import CertificateTransparency
import MerkleTree

/// The tiles of a batch in one blob, kept from before the lock is swapped until they are published.
struct StagedBundle: Equatable {
  /// The tree that the tiles are added to.
  let baseSize: UInt64
  let baseRoot: SHA256Hash
  let blobs: [Blob]

  static let folder = "staging/"

  /// A root has a path of its own: what one attempt staged is never taken for another's.
  static func path(size: UInt64, root: SHA256Hash) -> String { "\(folder)\(size)-\(root.hex)" }

  /// The size of the tree that a staged path is for.
  static func size(ofPath path: String) -> UInt64? {
    path.hasPrefix(folder) ? UInt64(path.dropFirst(folder.count).prefix { $0 != "-" }) : nil
  }

  private static let magic = Array("oriel staged tiles 1\n".utf8)

  init(baseSize: UInt64, baseRoot: SHA256Hash, blobs: [Blob]) {
    self.baseSize = baseSize
    self.baseRoot = baseRoot
    self.blobs = blobs
  }

  func encoded() throws(FormatError) -> [UInt8] {
    var writer = ByteWriter("staged tiles")
    writer.raw(StagedBundle.magic)
    writer.uint64(baseSize)
    writer.raw(baseRoot.bytes)
    for blob in blobs {
      try writer.vector16(Array(blob.path.utf8), "path")
      writer.uint64(UInt64(blob.bytes.count))
      writer.raw(blob.bytes)
    }
    return writer.bytes + SHA256Hash.hash(writer.bytes).bytes
  }

  init(decoding bytes: [UInt8]) throws(FormatError) {
    let end = bytes.count - SHA256Hash.byteCount
    guard end >= StagedBundle.magic.count, bytes.starts(with: StagedBundle.magic),
      SHA256Hash.hash(bytes.span.extracting(0..<end)) == SHA256Hash(bytes[end...])
    else { throw FormatError("staged tiles", at: 0, "not a whole bundle of staged tiles") }
    let span = bytes.span
    var cursor = ByteCursor("staged tiles", in: span, at: StagedBundle.magic.count, end: end)
    baseSize = try cursor.uint64(span, "base size")
    baseRoot = SHA256Hash(copying: span, at: try cursor.take(SHA256Hash.byteCount, "base root").lowerBound)
    var blobs: [Blob] = []
    while cursor.remaining > 0 {
      guard let path = String(validating: span.copy(try cursor.vector16(span, "path")), as: UTF8.self) else {
        throw cursor.error("a path that is not UTF-8")
      }
      let count = try cursor.uint64(span, "length")
      let content = try cursor.take(Int(clamping: count), "content")
      blobs.append(Blob(path, span.copy(content)))
    }
    self.blobs = blobs
  }
}
