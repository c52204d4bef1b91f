/// What a log keeps beside a leaf: `extra_data` of get-entries (RFC 6962, section 4.6).
public enum ExtraData: Hashable, Sendable {
  /// The certificates that certify an entry of type x509, nearest first.
  case x509(chain: [[UInt8]])
  /// The precertificate as submitted, and the certificates that certify it, nearest first.
  case precertificate(precertificate: [UInt8], chain: [[UInt8]])

  public var kind: LogEntryKind {
    switch self {
    case .x509: .x509
    case .precertificate: .precertificate
    }
  }

  /// The certificates that certify the entry, nearest first.
  public var chain: [[UInt8]] {
    switch self {
    case .x509(let chain), .precertificate(_, let chain): chain
    }
  }

  /// Decodes all of `bytes`, which belong to an entry of type `kind`.
  public init(decoding bytes: Span<UInt8>, kind: LogEntryKind) throws(FormatError) {
    var cursor = ByteCursor("extra_data", in: bytes)
    switch kind {
    case .x509:
      self = .x509(chain: try ExtraData.chain(&cursor, bytes))
    case .precertificate:
      let precertificate = bytes.copy(try cursor.vector24(bytes, "precertificate", atLeast: 1))
      self = .precertificate(precertificate: precertificate, chain: try ExtraData.chain(&cursor, bytes))
    }
    try cursor.finish()
  }

  /// Decodes all of `bytes`, which belong to an entry of type `kind`.
  public init(decoding bytes: [UInt8], kind: LogEntryKind) throws(FormatError) {
    try self.init(decoding: bytes.span, kind: kind)
  }

  private static func chain(_ cursor: inout ByteCursor, _ bytes: Span<UInt8>) throws(FormatError) -> [[UInt8]] {
    let length = try cursor.uint24(bytes, "chain")
    guard length == cursor.remaining else {
      throw cursor.error("the chain has \(length) bytes by its length, \(cursor.remaining) are there")
    }
    var chain: [[UInt8]] = []
    while cursor.remaining > 0 {
      chain.append(bytes.copy(try cursor.vector24(bytes, "chain certificate", atLeast: 1)))
    }
    return chain
  }

  /// - Throws: a `FormatError` if a part is longer than the format can express.
  public func encoded() throws(FormatError) -> [UInt8] {
    var certificates = ByteWriter("extra_data")
    for certificate in chain { try certificates.vector24(certificate, "chain certificate") }
    var writer = ByteWriter("extra_data")
    if case .precertificate(let precertificate, _) = self { try writer.vector24(precertificate, "precertificate") }
    try writer.vector24(certificates.bytes, "chain")
    return writer.bytes
  }
}
