/// Object identifiers, as content octets.
enum OIDs {
  static let poison: [UInt8] = [0x2b, 6, 1, 4, 1, 0xd6, 0x79, 2, 4, 3]
  static let precertificateSigning: [UInt8] = [0x2b, 6, 1, 4, 1, 0xd6, 0x79, 2, 4, 4]
  static let authorityKeyIdentifier: [UInt8] = [0x55, 0x1d, 0x23]
  static let extendedKeyUsage: [UInt8] = [0x55, 0x1d, 0x25]
  static let subjectAltName: [UInt8] = [0x55, 0x1d, 0x11]
  static let commonName: [UInt8] = [0x55, 4, 3]
}

/// Certificates built from pieces, so that any piece can be wrong.
enum Certificates {
  static func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
    if content.count < 0x80 { return [tag, UInt8(content.count)] + content }
    if content.count < 0x100 { return [tag, 0x81, UInt8(content.count)] + content }
    if content.count < 0x1_0000 {
      return [tag, 0x82, UInt8(content.count >> 8), UInt8(content.count & 0xff)] + content
    }
    return [tag, 0x83, UInt8(content.count >> 16), UInt8(content.count >> 8 & 0xff), UInt8(content.count & 0xff)]
      + content
  }

  static func name(_ commonNames: [(tag: UInt8, bytes: [UInt8])]) -> [UInt8] {
    element(
      0x30,
      commonNames.flatMap { name in
        element(0x31, element(0x30, element(6, OIDs.commonName) + element(name.tag, name.bytes)))
      })
  }

  static func name(_ text: String) -> [UInt8] { name([(0x0c, Array(text.utf8))]) }

  static func `extension`(_ oid: [UInt8], critical: Bool, value: [UInt8]) -> [UInt8] {
    element(0x30, element(6, oid) + (critical ? [1, 1, 0xff] : []) + element(4, value))
  }

  static func alternativeNames(_ names: [(tag: UInt8, bytes: [UInt8])], trailing: [UInt8] = []) -> [UInt8] {
    let list = element(0x30, names.flatMap { element($0.tag, $0.bytes) })
    return `extension`(OIDs.subjectAltName, critical: false, value: list + trailing)
  }

  static let validity = element(
    0x30, element(0x17, Array("250101000000Z".utf8)) + element(0x17, Array("260101000000Z".utf8)))
  static let publicKeyInfo = element(
    0x30, element(0x30, element(6, [0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1])) + element(3, [0, 4, 1, 2]))

  static func tbs(
    serial: [UInt8] = element(2, [1]), issuer: String = "The CA", validity: [UInt8] = validity,
    subject: [UInt8] = element(0x30, []), publicKeyInfo: [UInt8] = publicKeyInfo, extensions: [[UInt8]]
  ) -> [UInt8] {
    let algorithm = element(0x30, element(6, [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]))
    let wrapped = extensions.isEmpty ? [] : element(0xa3, element(0x30, extensions.flatMap { $0 }))
    return element(
      0x30,
      element(0xa0, element(2, [2])) + serial + algorithm + name(issuer) + validity + subject + publicKeyInfo + wrapped)
  }

  static func certificate(
    serial: [UInt8] = element(2, [1]), issuer: String = "The CA", validity: [UInt8] = validity,
    subject: [UInt8] = element(0x30, []), publicKeyInfo: [UInt8] = publicKeyInfo, extensions: [[UInt8]]
  ) -> [UInt8] {
    let body = tbs(
      serial: serial, issuer: issuer, validity: validity, subject: subject, publicKeyInfo: publicKeyInfo,
      extensions: extensions)
    return element(
      0x30, body + element(0x30, element(6, [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2])) + element(3, [0, 1]))
  }
}
