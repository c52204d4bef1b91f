/// Why a probe brought nothing back.
package enum ProbeError: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Phase: String, Hashable, Sendable {
    case resolving, connecting, startTLS = "starttls", handshake

    var doing: String {
      switch self {
      case .resolving: "looking up the name"
      case .connecting: "connecting"
      case .startTLS: "asking for encryption"
      case .handshake: "shaking hands"
      }
    }
  }

  /// What was asked for can't be a host, a port or a name.
  case invalidTarget(String)
  case nameNotResolved(host: String, reason: String)
  case refused(SocketAddress)
  case unreachable(SocketAddress, reason: String)
  case timedOut(Phase)
  /// The server ended the connection, or it broke.
  case closed(Phase)
  /// The server speaks the protocol and does not let TLS begin.
  case startTLSRefused(StartTLS, reply: String)
  /// The server does not speak the protocol that STARTTLS was asked for.
  case wrongProtocol(StartTLS, found: String)
  case notTLS(excerpt: String)
  /// The server ended the handshake with a fatal alert.
  case alert(TLSAlert)
  /// This side ended the handshake.
  case handshakeFailed(String)
  case noCertificate
  case limitExceeded(String)
  /// This machine has no socket, thread or memory to give, or its OpenSSL can't do what was asked for.
  case unavailable(String)
  case cancelled

  /// A stable word for programs.
  package var code: String {
    switch self {
    case .invalidTarget: "invalid-target"
    case .nameNotResolved: "name-not-resolved"
    case .refused: "refused"
    case .unreachable: "unreachable"
    case .timedOut(let phase): "timed-out-\(phase.rawValue)"
    case .closed(let phase): "closed-\(phase.rawValue)"
    case .startTLSRefused: "starttls-refused"
    case .wrongProtocol: "wrong-protocol"
    case .notTLS: "not-tls"
    case .alert: "alert"
    case .handshakeFailed: "handshake-failed"
    case .noCertificate: "no-certificate"
    case .limitExceeded: "limit-exceeded"
    case .unavailable: "unavailable"
    case .cancelled: "cancelled"
    }
  }

  package var description: String {
    switch self {
    case .invalidTarget(let reason): "no such target: \(reason)"
    case .nameNotResolved(let host, let reason): "the name \(host) does not resolve: \(reason)"
    case .refused(let address): "\(address) refuses the connection: nothing listens on that port, or a filter says no"
    case .unreachable(let address, let reason): "\(address) can't be reached: \(reason)"
    case .timedOut(let phase): "no answer in time while \(phase.doing)"
    case .closed(let phase): "the server closed the connection while \(phase.doing)"
    case .startTLSRefused(let kind, let reply): "the server does not begin TLS when asked by \(kind): “\(reply)”"
    case .wrongProtocol(let kind, let found): "the server does not speak \(kind): “\(found)”"
    case .notTLS(let excerpt): "the server does not speak TLS on this port; it answered “\(excerpt)”"
    case .alert(let alert): "the server ended the handshake with the alert \(alert)"
    case .handshakeFailed(let reason): "the handshake failed: \(reason)"
    case .noCertificate: "the server sent no certificate"
    case .limitExceeded(let what): "the server sent too much: \(what)"
    case .unavailable(let reason): "this machine can't probe: \(reason)"
    case .cancelled: "the probe was cancelled"
    }
  }

  /// Which of several addresses' errors to tell: the one that came closest to an answer.
  var weight: Int {
    switch self {
    case .cancelled, .unavailable: 3
    case .refused: 2
    case .timedOut: 1
    default: 0
    }
  }
}

/// An alert (RFC 8446, section 6), by its number.
package struct TLSAlert: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  package let rawValue: UInt8

  package init(rawValue: UInt8) { self.rawValue = rawValue }

  package static let handshakeFailure = TLSAlert(rawValue: 40)
  package static let protocolVersion = TLSAlert(rawValue: 70)
  package static let unrecognisedName = TLSAlert(rawValue: 112)
  package static let certificateRequired = TLSAlert(rawValue: 116)

  /// The name in IANA's registry.
  package var name: String? { TLSAlert.names[rawValue] }

  package var description: String {
    guard let name else { return "\(rawValue)" }
    switch self {
    case .handshakeFailure: return "\(name): it has nothing in common with what was offered"
    case .protocolVersion: return "\(name): it speaks none of the versions offered"
    case .unrecognisedName: return "\(name): it knows no site of the name that was sent"
    case .certificateRequired: return "\(name): it serves only clients with a certificate"
    default: return name
    }
  }

  private static let names: [UInt8: String] = [
    0: "close_notify", 10: "unexpected_message", 20: "bad_record_mac", 21: "decryption_failed",
    22: "record_overflow", 30: "decompression_failure", 40: "handshake_failure", 41: "no_certificate",
    42: "bad_certificate", 43: "unsupported_certificate", 44: "certificate_revoked", 45: "certificate_expired",
    46: "certificate_unknown", 47: "illegal_parameter", 48: "unknown_ca", 49: "access_denied", 50: "decode_error",
    51: "decrypt_error", 60: "export_restriction", 70: "protocol_version", 71: "insufficient_security",
    80: "internal_error", 86: "inappropriate_fallback", 90: "user_canceled", 100: "no_renegotiation",
    109: "missing_extension", 110: "unsupported_extension", 111: "certificate_unobtainable",
    112: "unrecognized_name", 113: "bad_certificate_status_response", 114: "bad_certificate_hash_value",
    115: "unknown_psk_identity", 116: "certificate_required", 120: "no_application_protocol",
  ]
}

/// What a peer said, shortened to its first line and made fit for a terminal.
enum Excerpt {
  static func text(_ bytes: some Sequence<UInt8>) -> String {
    let line = bytes.prefix(81).prefix { $0 != 0x0d && $0 != 0x0a }
    let text = String(decoding: line.prefix(80).map { $0 >= 0x20 && $0 < 0x7f ? $0 : 0x2e }, as: UTF8.self)
    return line.count > 80 ? text + "…" : text
  }

  static func text(_ string: String) -> String { text(string.utf8) }
}
