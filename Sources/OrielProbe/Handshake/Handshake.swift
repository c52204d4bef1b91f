/// What a server showed in a handshake, nothing of it verified.
package struct Handshake: Hashable, Sendable {
  package enum Note: Hashable, Sendable, CustomStringConvertible {
    /// The server asked for a client certificate, and none was sent.
    case clientCertificateRequested
    /// It then ended the connection; what it had shown before is here.
    case refusedWithoutClientCertificate(ProbeError)

    package var description: String {
      switch self {
      case .clientCertificateRequested: "the server asks for a client certificate; none was sent"
      case .refusedWithoutClientCertificate(let error):
        "without a client certificate the server did not go on (\(error))"
      }
    }
  }

  /// Where it was shown.
  package let address: SocketAddress
  package let version: TLSVersion
  /// By IANA's name; empty if the handshake did not come that far.
  package let cipherSuite: String
  /// As sent, in the order sent, the server's own first.
  package let certificates: [[UInt8]]
  /// The stapled OCSPResponse; nil if there was none.
  package let ocspResponse: [UInt8]?
  /// The data of extension 18, a `SignedCertificateTimestampList` if it is as it should be; nil if there was none.
  package let sctList: [UInt8]?
  package var notes: [Note] = []
}
