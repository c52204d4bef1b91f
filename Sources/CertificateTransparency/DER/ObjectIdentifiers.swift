/// The object identifiers that Oriel looks for, as their DER content octets.
package enum OID {
  package static let commonName: [UInt8] = [0x55, 0x04, 0x03]
  package static let emailAddress: [UInt8] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01]
  package static let subjectAltName: [UInt8] = [0x55, 0x1d, 0x11]
  package static let basicConstraints: [UInt8] = [0x55, 0x1d, 0x13]
  package static let authorityKeyIdentifier: [UInt8] = [0x55, 0x1d, 0x23]
  package static let extendedKeyUsage: [UInt8] = [0x55, 0x1d, 0x25]
  /// 1.3.6.1.4.1.11129.2.4.2, the SCT list (RFC 6962, section 3.3).
  package static let sctList: [UInt8] = [0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x04, 0x02]
  /// 1.3.6.1.4.1.11129.2.4.3, the poison (RFC 6962, section 3.1).
  package static let poison: [UInt8] = [0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x04, 0x03]
  /// 1.3.6.1.4.1.11129.2.4.4, extended key usage of a precertificate signing certificate (RFC 6962, section 3.1).
  package static let precertificateSigning: [UInt8] = [0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x04, 0x04]
  /// 1.3.6.1.5.5.7.8.7, id-on-dnsSRV (RFC 4985).
  package static let srvName: [UInt8] = [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x08, 0x07]
  /// 1.3.6.1.5.5.7.8.9, id-on-SmtpUTF8Mailbox (RFC 9598).
  package static let smtpUTF8Mailbox: [UInt8] = [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x08, 0x09]

  /// Dotted decimal text; nil if the octets are no object identifier.
  package static func dotted(_ octets: some Collection<UInt8>) -> String? {
    var arcs: [UInt64] = []
    var value: UInt64 = 0
    var started = false
    for octet in octets {
      guard value >> 57 == 0 else { return nil }
      value = value << 7 | UInt64(octet & 0x7f)
      started = true
      if octet & 0x80 == 0 {
        if arcs.isEmpty {
          let first = min(value / 40, 2)
          arcs = [first, value - first * 40]
        } else {
          arcs.append(value)
        }
        value = 0
        started = false
      }
    }
    guard !started, !arcs.isEmpty else { return nil }
    return arcs.map(String.init).joined(separator: ".")
  }
}
