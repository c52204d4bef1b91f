import CTPolicy
import CertificateTransparency
import Foundation
import MerkleTree
import TestSupport
import Testing

/// What others read from the same certificates, where they are installed.
@Suite(.needsTestData)
struct AgreementTests {
  private static let hasPyca =
    (try? MailServer.output(of: MailServer.python, ["-c", "import cryptography.x509"])) != nil

  private struct Read: Decodable, Equatable {
    let log_id, signature: String
    let timestamp: UInt64
  }

  private static let script = """
    import calendar, json, sys
    from cryptography import x509
    for file in sys.stdin.read().split("\\n"):
        if not file: continue
        pem = open(file, "rb").read()
        end = pem.index(b"-----END CERTIFICATE-----") + 25
        try:
            certificate = x509.load_pem_x509_certificate(pem[pem.index(b"-----BEGIN"):end] + b"\\n")
            scts = certificate.extensions.get_extension_for_class(x509.PrecertificateSignedCertificateTimestamps).value
        except Exception:
            print("null"); continue
        print(json.dumps([{"log_id": s.log_id.hex(), "signature": s.signature.hex(), "timestamp":
            calendar.timegm(s.timestamp.timetuple()) * 1000 + s.timestamp.microsecond // 1000} for s in scts]))
    """

  @Test(
    "pyca/cryptography reads the same SCTs from every real certificate",
    .enabled(if: hasPyca, "needs python3-cryptography (apt-get install it)"))
  func pyca() throws {
    let files = RealCertificateTests.certificates.map(\.file)
    let paths = try files.map { try TestData.url($0).path }
    let output = try MailServer.output(
      of: MailServer.python, ["-c", AgreementTests.script], input: Array(paths.joined(separator: "\n").utf8))
    let lines = String(decoding: output, as: UTF8.self).split(separator: "\n")
    try #require(lines.count == files.count)
    var compared = 0
    for (file, line) in zip(files, lines) {
      // Some certificates are stranger than it takes.
      guard let theirs = try JSONDecoder().decode([Read]?.self, from: Data(line.utf8)) else { continue }
      let report = SCTVerifier(logs: GroundTruth.allLogs)
        .verify(GroundTruth.presented(try TestData.pem(file)), at: GroundTruth.late)
      let ours = report.scts.compactMap(\.sct).map { sct in
        Read(
          log_id: sct.logID.hash.hex, signature: sct.signature.signature.map { String(format: "%02x", $0) }.joined(),
          timestamp: sct.timestamp.milliseconds)
      }
      #expect(ours == theirs, "\(file)")
      compared += 1
    }
    #expect(compared > 400)
  }
}
