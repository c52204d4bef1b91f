import CertificateTransparency

/// The handshake messages of a server that a diagnosis needs, as they came (RFC 5246, 7.4; RFC 8446, 4).
///
/// They are read here rather than by libssl, which keeps no certificate that it can't parse and no bytes as they were.
struct ServerFlight: Sendable {
  private enum MessageType {
    static let serverHello: UInt8 = 2
    static let certificate: UInt8 = 11
    static let certificateRequest: UInt8 = 13
    static let certificateStatus: UInt8 = 22
    static let all = [serverHello, certificate, certificateRequest, certificateStatus]
  }

  private enum ExtensionType {
    static let statusRequest: UInt16 = 5
    static let sctList: UInt16 = 18
  }

  private enum ContentType {
    static let alert: Int32 = 21
    static let handshake: Int32 = 22
  }

  private(set) var serverHello: [UInt8]?
  private(set) var certificate: [UInt8]?
  private(set) var certificateStatus: [UInt8]?
  private(set) var asksForCertificate = false
  /// The last alert other than close_notify.
  private(set) var alert: TLSAlert?

  /// Whether ``receive(_:_:)`` makes use of a message that begins so.
  static func wants(_ contentType: Int32, firstByte: UInt8) -> Bool {
    contentType == ContentType.alert || contentType == ContentType.handshake && MessageType.all.contains(firstByte)
  }

  /// Takes an alert or a whole handshake message, header included.
  mutating func receive(_ contentType: Int32, _ message: [UInt8]) {
    guard let first = message.first, ServerFlight.wants(contentType, firstByte: first) else { return }
    if contentType == ContentType.alert {
      if message.count == 2, message[1] != 0 { alert = TLSAlert(rawValue: message[1]) }
      return
    }
    switch first {
    case MessageType.serverHello: serverHello = message
    case MessageType.certificate: certificate = certificate ?? message
    case MessageType.certificateStatus: certificateStatus = message
    default: asksForCertificate = true
    }
  }

  /// What the messages say.
  struct Content: Hashable, Sendable {
    var certificates: [[UInt8]] = []
    var ocspResponse: [UInt8]?
    var sctList: [UInt8]?
  }

  /// One certificate more than `maximum` is read, and none after it.
  ///
  /// - Throws: a `FormatError` if a message is not what it must be.
  func content(_ version: TLSVersion, maximum: Int) throws(FormatError) -> Content {
    var content = Content()
    if let certificate {
      try ServerFlight.read(certificate, version, maximum: maximum, into: &content)
    }
    guard version < .tls13 else { return content }
    if let serverHello { try ServerFlight.read(serverHello: serverHello, into: &content) }
    if let certificateStatus {
      let bytes = certificateStatus.span
      var cursor = try ServerFlight.body("CertificateStatus", bytes)
      content.ocspResponse = try ServerFlight.ocspResponse(&cursor, bytes)
      try cursor.finish()
    }
    return content
  }

  /// A cursor behind the header of the message.
  private static func body(_ name: String, _ bytes: Span<UInt8>) throws(FormatError) -> ByteCursor {
    var cursor = ByteCursor(name, in: bytes)
    _ = try cursor.uint8(bytes, "message type")
    let length = try cursor.uint24(bytes, "message length")
    guard length == cursor.remaining else {
      throw cursor.error("the length is \(length), and \(cursor.remaining) bytes follow")
    }
    return cursor
  }

  private static func read(
    _ message: [UInt8], _ version: TLSVersion, maximum: Int, into content: inout Content
  ) throws(FormatError) {
    let bytes = message.span
    var cursor = try body("Certificate", bytes)
    if version >= .tls13 {
      let length = try cursor.uint8(bytes, "certificate_request_context")
      _ = try cursor.take(Int(length), "certificate_request_context")
    }
    let list = try cursor.vector24(bytes, "certificate_list")
    try cursor.finish()
    var entries = ByteCursor("Certificate", in: bytes, at: list.lowerBound, end: list.upperBound)
    while entries.remaining > 0 {
      guard content.certificates.count <= maximum else { return }
      let isFirst = content.certificates.isEmpty
      content.certificates.append(bytes.copy(try entries.vector24(bytes, "certificate", atLeast: 1)))
      guard version >= .tls13 else { continue }
      let extensions = try entries.vector16(bytes, "extensions")
      // Only what belongs to the server's own certificate is about that.
      if isFirst { try read(extensions: extensions, bytes, into: &content) }
    }
  }

  private static func read(
    extensions range: Range<Int>, _ bytes: Span<UInt8>, into content: inout Content
  ) throws(FormatError) {
    var cursor = ByteCursor("extensions", in: bytes, at: range.lowerBound, end: range.upperBound)
    while cursor.remaining > 0 {
      let type = try cursor.uint16(bytes, "extension type")
      let data = try cursor.vector16(bytes, "extension data")
      if type == ExtensionType.sctList {
        content.sctList = bytes.copy(data)
      } else if type == ExtensionType.statusRequest, !data.isEmpty {
        var status = ByteCursor("CertificateStatus", in: bytes, at: data.lowerBound, end: data.upperBound)
        content.ocspResponse = try ocspResponse(&status, bytes)
        try status.finish()
      }
    }
  }

  /// CertificateStatus (RFC 6066, section 8); nil if it is of another type than OCSP.
  private static func ocspResponse(_ cursor: inout ByteCursor, _ bytes: Span<UInt8>) throws(FormatError) -> [UInt8]? {
    guard try cursor.uint8(bytes, "status_type") == 1 else {
      _ = try cursor.take(cursor.remaining, "status")
      return nil
    }
    return bytes.copy(try cursor.vector24(bytes, "OCSPResponse"))
  }

  private static func read(serverHello message: [UInt8], into content: inout Content) throws(FormatError) {
    let bytes = message.span
    var cursor = try body("ServerHello", bytes)
    _ = try cursor.take(2 + 32, "version and random")
    let length = try cursor.uint8(bytes, "session_id")
    _ = try cursor.take(Int(length) + 3, "session_id, cipher suite and compression method")
    guard cursor.remaining > 0 else { return }
    let extensions = try cursor.vector16(bytes, "extensions")
    try cursor.finish()
    try read(extensions: extensions, bytes, into: &content)
  }
}
