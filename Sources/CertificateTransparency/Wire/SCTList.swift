/// `SignedCertificateTimestampList` of RFC 6962, section 3.3: the content of the certificate, OCSP and TLS extensions.
///
/// The list is strict about itself but not about its members: each keeps its bytes, and one that can't be read (of a
/// later version, say) does not take the others with it.
public struct SCTList: WireFormat {
  /// One `SerializedSCT`.
  public struct Item: Hashable, Sendable {
    /// The bytes as they stand.
    public let serialized: [UInt8]
    /// What they say, or why they can't be read.
    public let sct: Result<SignedCertificateTimestamp, FormatError>

    public init(serialized: [UInt8]) {
      self.serialized = serialized
      do throws(FormatError) {
        sct = .success(try SignedCertificateTimestamp(decoding: serialized))
      } catch {
        sct = .failure(error)
      }
    }
  }

  public let items: [Item]

  public init(items: [Item]) { self.items = items }

  /// - Throws: a `FormatError` if an SCT has no encoding.
  public init(_ scts: [SignedCertificateTimestamp]) throws(FormatError) {
    var items: [Item] = []
    for sct in scts { items.append(Item(serialized: try sct.encoded())) }
    self.items = items
  }

  /// The SCTs that can be read.
  public var scts: [SignedCertificateTimestamp] { items.compactMap { try? $0.sct.get() } }

  public init(decoding bytes: Span<UInt8>) throws(FormatError) {
    var cursor = ByteCursor("SignedCertificateTimestampList", in: bytes)
    let length = try cursor.uint16(bytes, "list")
    guard length == cursor.remaining else {
      throw cursor.error("the list has \(length) bytes by its length, \(cursor.remaining) are there")
    }
    guard length > 0 else { throw cursor.error("the list is empty") }
    var items: [Item] = []
    while cursor.remaining > 0 {
      items.append(Item(serialized: bytes.copy(try cursor.vector16(bytes, "SCT", atLeast: 1))))
    }
    self.items = items
  }

  public func encoded() throws(FormatError) -> [UInt8] {
    var list = ByteWriter("SignedCertificateTimestampList")
    for item in items { try list.vector16(item.serialized, "SCT") }
    var writer = ByteWriter("SignedCertificateTimestampList")
    try writer.vector16(list.bytes, "list")
    return writer.bytes
  }
}
