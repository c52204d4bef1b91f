import COpenSSL

/// The settings of a set of handshakes, in libssl's form. It is never changed once made, and libssl counts its uses.
final class TLSContext: Sendable {
  nonisolated(unsafe) fileprivate let pointer: OpaquePointer

  /// The largest handshake message that is read.
  static let maximumMessage = 256 * 1024

  /// - Throws: ``ProbeError/unavailable(_:)``.
  init(_ options: ProbeOptions) throws(ProbeError) {
    // OpenSSL would tidy up when the process exits, under the hands of threads that still shake hands.
    OPENSSL_init_ssl(UInt64(OPENSSL_INIT_NO_ATEXIT), nil)
    guard let context = SSL_CTX_new(TLS_client_method()) else { throw .unavailable("OpenSSL gives no context") }
    pointer = context
    // Whatever the server has is looked at, weak keys and signatures included; others judge it.
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nil)
    SSL_CTX_set_cert_verify_callback(context, { _, _ in 1 }, nil)
    SSL_CTX_set_security_level(context, 0)
    oriel_ctx_set_diagnosing(context)
    oriel_ctx_set_max_certificate_list(context, TLSContext.maximumMessage)
    guard
      oriel_ctx_set_versions(context, Int32(options.minimumVersion.rawValue), Int32(options.maximumVersion.rawValue))
        == 1, options.minimumVersion <= options.maximumVersion
    else { throw .unavailable("OpenSSL does not offer \(options.minimumVersion) to \(options.maximumVersion)") }
    try ask(for: options.certificateKind)
    // Empty in the ClientHello; what comes back is read by ServerFlight. libssl's own SCT code stays off.
    let places = UInt32(SSL_EXT_CLIENT_HELLO | SSL_EXT_TLS1_2_SERVER_HELLO | SSL_EXT_TLS1_3_CERTIFICATE)
    guard SSL_CTX_add_custom_ext(context, 18, places, nil, nil, nil, nil, nil) == 1 else {
      throw .unavailable("OpenSSL does not ask for SCTs")
    }
  }

  private func ask(for kind: ProbeOptions.CertificateKind) throws(ProbeError) {
    let (ciphers, algorithms): (String, String?) =
      switch kind {
      case .any: ("DEFAULT:!aNULL", nil)
      case .rsa:
        (
          "aRSA:!eNULL:!PSK",
          "RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:RSA+SHA256:RSA+SHA384:RSA+SHA512:RSA+SHA1"
        )
      case .ecdsa: ("aECDSA:!eNULL:!PSK", "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ECDSA+SHA1")
      }
    guard SSL_CTX_set_cipher_list(pointer, ciphers) == 1 else {
      throw .unavailable("OpenSSL has no cipher suites for \(kind.rawValue)")
    }
    guard let algorithms else { return }
    guard oriel_ctx_set_signature_algorithms(pointer, algorithms) == 1 else {
      throw .unavailable("OpenSSL has no signature algorithms for \(kind.rawValue)")
    }
  }

  deinit { SSL_CTX_free(pointer) }
}

/// One client's side of a handshake, over bytes that others carry.
final class TLSSession {
  enum Step {
    case done
    case needsInput
    /// By this side, or because of an alert.
    case failed(ProbeError)
  }

  private final class Record { var flight = ServerFlight() }

  private let ssl: OpaquePointer
  /// Owned by `ssl`.
  private let input: OpaquePointer
  private let output: OpaquePointer
  private let record = Record()

  /// - Throws: ``ProbeError/unavailable(_:)`` where memory is short, or the name is too long to be sent.
  init(_ context: TLSContext, serverName: String?) throws(ProbeError) {
    guard let ssl = SSL_new(context.pointer) else { throw .unavailable("OpenSSL gives no session") }
    guard let input = BIO_new(BIO_s_mem()) else {
      SSL_free(ssl)
      throw .unavailable("OpenSSL gives no buffer")
    }
    guard let output = BIO_new(BIO_s_mem()) else {
      BIO_free(input)
      SSL_free(ssl)
      throw .unavailable("OpenSSL gives no buffer")
    }
    self.ssl = ssl
    self.input = input
    self.output = output
    SSL_set_bio(ssl, input, output)
    SSL_set_connect_state(ssl)
    SSL_set_msg_callback(ssl) { isWritten, _, type, bytes, count, _, argument in
      guard isWritten == 0, count > 0, let bytes, let argument else { return }
      let message = UnsafeRawBufferPointer(start: bytes, count: count)
      guard ServerFlight.wants(type, firstByte: message[0]) else { return }
      Unmanaged<Record>.fromOpaque(argument).takeUnretainedValue().flight.receive(type, [UInt8](message))
    }
    oriel_ssl_set_message_argument(ssl, Unmanaged.passUnretained(record).toOpaque())
    guard oriel_ssl_ask_for_ocsp(ssl) == 1 else { throw .unavailable("OpenSSL does not ask for OCSP") }
    if let serverName {
      guard oriel_ssl_set_server_name(ssl, serverName) == 1 else {
        throw .unavailable("OpenSSL does not take the server name “\(serverName)”")
      }
    }
  }

  deinit { SSL_free(ssl) }

  /// What the server has sent so far.
  var flight: ServerFlight { record.flight }

  var version: TLSVersion { TLSVersion(rawValue: UInt16(truncatingIfNeeded: SSL_version(ssl))) }

  var cipherSuite: String {
    guard let cipher = SSL_get_current_cipher(ssl), let name = SSL_CIPHER_standard_name(cipher) else { return "" }
    return String(cString: name)
  }

  /// Goes on as far as the bytes reach.
  func advance() -> Step {
    ERR_clear_error()
    let result = SSL_do_handshake(ssl)
    if result == 1 { return .done }
    if SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ { return .needsInput }
    if let alert = flight.alert { return .failed(.alert(alert)) }
    let code = ERR_peek_last_error()
    ERR_clear_error()
    if code == 0 { return .failed(.closed(.handshake)) }
    if Int32(truncatingIfNeeded: code & 0x7f_ffff) == SSL_R_EXCESSIVE_MESSAGE_SIZE {
      return .failed(.limitExceeded("a handshake message larger than \(TLSContext.maximumMessage / 1024) KiB"))
    }
    let reason = ERR_reason_error_string(code).map { String(cString: $0) }
    return .failed(.handshakeFailed(reason ?? "OpenSSL error \(code)"))
  }

  /// Takes what the server sent.
  func feed(_ bytes: [UInt8]) {
    // A memory buffer takes everything, or there is no memory: then the handshake waits in vain until its time is up.
    _ = bytes.withUnsafeBytes { BIO_write(input, $0.baseAddress, Int32(clamping: $0.count)) }
  }

  /// What is to be sent to the server.
  func drain() -> [UInt8] {
    let count = BIO_ctrl_pending(output)
    guard count > 0 else { return [] }
    return [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      initialized = max(0, Int(BIO_read(output, buffer.baseAddress, Int32(clamping: count))))
    }
  }

  /// Says goodbye; the words are to be drained.
  func close() {
    SSL_shutdown(ssl)
    ERR_clear_error()
  }
}
