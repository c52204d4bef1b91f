/// A value with an exact binary form, in the presentation language of TLS (RFC 5246, section 4).
///
/// Decoding is strict: all of the bytes are used, every length is right, and encoding gives the same bytes back.
public protocol WireFormat: Hashable, Sendable {
  /// Decodes all of `bytes`.
  ///
  /// - Throws: a `FormatError` with the offset at which they are not what the specification says.
  init(decoding bytes: Span<UInt8>) throws(FormatError)

  /// The binary form.
  ///
  /// - Throws: a `FormatError` if a part is longer than the format can express.
  func encoded() throws(FormatError) -> [UInt8]
}

extension WireFormat {
  /// Decodes all of `bytes`.
  public init(decoding bytes: [UInt8]) throws(FormatError) { try self.init(decoding: bytes.span) }
}
