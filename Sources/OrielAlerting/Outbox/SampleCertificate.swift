import CertificateTransparency
import MerkleTree

/// A certificate that was never issued, to try channels with.
enum SampleCertificate {
  static func alert(at time: Timestamp) -> CertificateAlert {
    let hash = SHA256Hash.hash(Array("sample".utf8))
    return CertificateAlert(
      item: "example.com", matchedNames: ["www.example.com"], issuance: IssuanceID(hash), issuerKeyHash: hash,
      facts: CertificateFacts(tbsCertificate: tbsCertificate), certificates: [],
      sightings: [CertificateAlert.Sighting(log: "Sample log", logID: LogID(hash), index: 0, timestamp: time)],
      problems: [])
  }

  /// A TBSCertificate of `www.example.com`, issued by “Sample CA”, from 2026-01-01 to 2026-03-31.
  private static let tbsCertificate: [UInt8] = {
    func element(_ tag: UInt8, _ parts: [UInt8]...) -> [UInt8] { DEREncoder.element(tag: tag, parts.flatMap { $0 }) }
    func name(_ attribute: UInt8, _ text: String) -> [UInt8] {
      element(0x31, element(0x30, element(0x06, [0x55, 0x04, attribute]), element(0x0c, Array(text.utf8))))
    }
    let alternative = element(0x30, element(0x82, Array("www.example.com".utf8)))
    let algorithm = element(0x30, element(0x06, [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02]))
    let keyAlgorithm = element(
      0x30, element(0x06, [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01]),
      element(0x06, [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]))
    return element(
      0x30, element(0xa0, [0x02, 0x01, 0x02]), element(0x02, [0x5a, 0x4d, 0x50]), algorithm,
      element(0x30, name(0x0a, "Sample Trust Services"), name(0x03, "Sample CA")),
      element(0x30, element(0x17, Array("260101000000Z".utf8)), element(0x17, Array("260331235959Z".utf8))),
      element(0x30, name(0x03, "www.example.com")),
      element(0x30, keyAlgorithm, element(0x03, [0x00, 0x04] + [UInt8](repeating: 0x11, count: 64))),
      element(0xa3, element(0x30, element(0x30, element(0x06, [0x55, 0x1d, 0x11]), element(0x04, alternative)))))
  }()
}
