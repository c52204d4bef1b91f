/// The extensions of an SCT or entry, in the form that static-ct-api gives to RFC 6962's opaque `CtExtensions`.
public struct CTExtensions: WireFormat {
  /// One extension of a type, known or not.
  public struct Extension: Hashable, Sendable {
    public let type: UInt8
    public let data: [UInt8]

    public init(type: UInt8, data: [UInt8]) {
      self.type = type
      self.data = data
    }
  }

  /// As they stand; their order means nothing.
  public let extensions: [Extension]
  /// The index of the entry in its log, below 2^40; nil if no extension tells it.
  public let leafIndex: UInt64?

  /// The extensions of an entry of a static log.
  ///
  /// - Throws: a `FormatError` if `leafIndex` is 2^40 or more.
  public init(leafIndex: UInt64) throws(FormatError) {
    var writer = ByteWriter("CtExtensions")
    try writer.uint40(leafIndex, "leaf index")
    extensions = [Extension(type: CTExtensions.leafIndexType, data: writer.bytes)]
    self.leafIndex = leafIndex
  }

  public init(decoding bytes: Span<UInt8>) throws(FormatError) {
    var cursor = ByteCursor("CtExtensions", in: bytes)
    var extensions: [Extension] = []
    var leafIndex: UInt64?
    while cursor.remaining > 0 {
      let type = try cursor.uint8(bytes, "extension type")
      guard !extensions.contains(where: { $0.type == type }) else {
        throw cursor.error("extension \(type) stands there twice")
      }
      let data = try cursor.vector16(bytes, "extension data")
      if type == CTExtensions.leafIndexType {
        var content = ByteCursor("CtExtensions", in: bytes, at: data.lowerBound, end: data.upperBound)
        leafIndex = try content.uint40(bytes, "leaf index")
        try content.finish()
      }
      extensions.append(Extension(type: type, data: bytes.copy(data)))
    }
    self.extensions = extensions
    self.leafIndex = leafIndex
  }

  public func encoded() throws(FormatError) -> [UInt8] {
    var writer = ByteWriter("CtExtensions")
    for item in extensions {
      writer.uint8(item.type)
      try writer.vector16(item.data, "extension data")
    }
    return writer.bytes
  }

  private static let leafIndexType: UInt8 = 0
}
