public import MerkleTree

/// The text of a note that states the size and root of a log's tree (c2sp.org/tlog-checkpoint).
public struct Checkpoint: WireFormat {
  /// The name of the log.
  public let origin: String
  public let treeSize: UInt64
  public let rootHash: SHA256Hash
  /// Opaque lines; a static CT log writes none.
  public let extensionLines: [String]

  public init(origin: String, treeSize: UInt64, rootHash: SHA256Hash, extensionLines: [String] = []) {
    self.origin = origin
    self.treeSize = treeSize
    self.rootHash = rootHash
    self.extensionLines = extensionLines
  }

  /// Reads the text of a signed note.
  ///
  /// - Throws: a `FormatError` whose offset is the number of the line.
  public init(text: String) throws(FormatError) {
    var lines = text.utf8.split(separator: 0x0a, omittingEmptySubsequences: false)
    guard lines.popLast()?.isEmpty == true else {
      throw FormatError("checkpoint", at: lines.count + 1, "the last line does not end")
    }
    guard lines.count >= 3 else {
      throw FormatError("checkpoint", at: lines.count + 1, "\(lines.count) lines, at least 3 expected")
    }
    if let empty = lines.firstIndex(where: \.isEmpty) { throw FormatError("checkpoint", at: empty + 1, "empty line") }
    guard let treeSize = Checkpoint.decimal(lines[1]) else {
      throw FormatError("checkpoint", at: 2, "the tree size is not a decimal number below 2^64")
    }
    guard let root = Base64.decode(Array(lines[2]).span), let rootHash = SHA256Hash(root) else {
      throw FormatError("checkpoint", at: 3, "the root is not base64 of 32 bytes")
    }
    origin = String(Substring(lines[0]))
    self.treeSize = treeSize
    self.rootHash = rootHash
    extensionLines = lines[3...].map { String(Substring($0)) }
  }

  public init(decoding bytes: Span<UInt8>) throws(FormatError) {
    guard let text = String(validating: bytes.copy(0..<bytes.count), as: UTF8.self) else {
      throw FormatError("checkpoint", at: 0, "not UTF-8")
    }
    try self.init(text: text)
  }

  /// A number without sign and leading zeros.
  private static func decimal(_ digits: some Collection<UInt8>) -> UInt64? {
    guard let first = digits.first, first != UInt8(ascii: "0") || digits.count == 1 else { return nil }
    var value: UInt64 = 0
    for digit in digits {
      guard digit >= 0x30, digit <= 0x39 else { return nil }
      let (product, tooLarge) = value.multipliedReportingOverflow(by: 10)
      let (sum, overflow) = product.addingReportingOverflow(UInt64(digit - 0x30))
      guard !tooLarge, !overflow else { return nil }
      value = sum
    }
    return value
  }

  /// The text of the note.
  public var text: String {
    ([origin, String(treeSize), Base64.encode(rootHash.bytes)] + extensionLines).map { $0 + "\n" }.joined()
  }

  public func encoded() throws(FormatError) -> [UInt8] {
    let bytes = Array(text.utf8)
    guard try Checkpoint(text: text) == self else {
      throw FormatError("checkpoint", at: 0, "it would be read as another checkpoint")
    }
    return bytes
  }
}
