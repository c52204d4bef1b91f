import CTPolicy
import CertificateTransparency
import Foundation
import MerkleTree
import TestSupport
import Testing

@Suite(.needsTestData)
struct RealCertificateTests {
  static let certificates = (try? GroundTruth.read([GroundTruth.Certificate].self, "ground_truth/certs.json")) ?? []
  static let verdicts =
    (try? GroundTruth.read(GroundTruth.Verdicts.self, "ground_truth/policy_chrome.json").verdicts) ?? []

  @Test func `there are as many certificates as were collected`() {
    #expect(RealCertificateTests.certificates.count == 503)
    #expect(RealCertificateTests.verdicts.count == 375)
    #expect(GroundTruth.allLogs.knownLogs.count >= 290)
  }

  @Test(arguments: certificates)
  func `every SCT is what the independent implementation says`(_ truth: GroundTruth.Certificate) throws {
    let report = SCTVerifier(logs: GroundTruth.allLogs)
      .verify(GroundTruth.presented(try TestData.pem(truth.file)), at: GroundTruth.late)
    #expect(report.scts.count == truth.scts.count)
    #expect(report.listProblems.isEmpty)
    let dates = [report.validity?.notBefore, report.validity?.notAfter]
    #expect(dates == [truth.not_before, truth.not_after].map(RealCertificateTests.seconds))
    for (sct, expected) in zip(report.scts, truth.scts) {
      #expect(sct.source == .x509)
      #expect(sct.logID?.base64 == expected.log_id)
      #expect(sct.timestamp?.milliseconds == expected.timestamp)
      if let index = expected.leaf_index { #expect(sct.leafIndex == .index(index, byteCount: 5)) }
      let status = sct.status
      switch (sct.log == nil, expected.signature_valid) {
      case (true, _): #expect(status == .unknownLog(.notListed))
      case (false, true?): #expect(status == .valid)
      case (false, false?):
        #expect(status == .badSignature(report.valid.isEmpty ? .differsFromPrecertificate : .damaged))
      case (false, nil) where [expected.hash_alg, expected.sig_alg] == [4, 3]:
        #expect(status == .badSignature(.missingIssuer))
      case (false, nil):
        guard case .badSignature(.algorithm) = status else {
          Issue.record("\(status)")
          continue
        }
      }
    }
  }

  private static func seconds(_ text: String) -> Int64? {
    Timestamp(rfc3339: text).map { Int64($0.milliseconds / 1000) }
  }

  @Test func `every SCT of a bundle of 1,200 certificates is what the independent implementation says`() throws {
    let truths = try GroundTruth.readLines(GroundTruth.Bulk.self, "bulk/wosign_1200.ground_truth.jsonl")
    let leaves = try TestData.pem("bulk/wosign_1200.pem")
    let issuers = try TestData.pem("bulk/wosign_issuer.pem")
    #expect(leaves.count == 1200 && truths.count == 1200)
    let verifier = SCTVerifier(logs: GroundTruth.allLogs)
    for (leaf, truth) in zip(leaves, truths) {
      let report = verifier.verify(PresentedCertificate(leaf: leaf, issuers: issuers), at: GroundTruth.late)
      #expect(report.scts.map { $0.logID?.base64 } == truth.scts.map(\.log_id))
      #expect(report.scts.map { $0.status == .valid } == truth.scts.map { $0.signature_valid == true })
    }
  }

  static let lists = [
    "chrome_v3_2023-11-01_v26.30", "chrome_v3_2025-01-02_v50.57", "chrome_v3_2025-07-01_v57.12",
    "chrome_v3_2026-05-29_v85.92",
  ]

  @Test(arguments: lists)
  func `Chrome's verdicts are those of the independent implementation`(_ list: String) throws {
    let logs = LogView(try LogList(json: TestData.bytes("loglists/chrome/\(list).json")))
    var (compared, early) = (0, 0)
    for truth in RealCertificateTests.verdicts {
      let expected = try #require(truth.verdicts[list])
      let time = Timestamp(milliseconds: expected.check_time_ms)
      let chain = try TestData.pem(truth.file)
      let report = SCTVerifier(logs: logs).verify(GroundTruth.presented(chain), at: time)
      let verdict = BrowserPolicy.chrome.judge(report, asOf: time)
      if let required = expected.required { #expect(verdict.evidence.neededLogs == required, "\(truth)") }
      // The other implementation counts SCTs that are still to come.
      let isEarly = report.scts.contains { $0.status == .future }
      let judged = isEarly ? BrowserPolicy.chrome.judge(report, asOf: GroundTruth.late, staleness: .ignored) : verdict
      early += isEarly ? 1 : 0
      compared += 1
      #expect(judged.passes == expected.compliant, "\(truth)")
      #expect((judged.compliance == .complies) == expected.compliant, "\(truth)")
      // Without a live log Chrome takes no date for that of issuance, and counts no retired log.
      let counted = expected.has_current == true ? expected.counted_logs : 0
      #expect(judged.evidence.countedLogs == counted, "\(truth)")
      #expect(judged.evidence.operators.sorted() == expected.operators ?? [], "\(truth)")
      if isEarly {
        let counted = verdict.evidence.counted.allSatisfy { report.scts[$0].status == .valid }
        #expect(counted, "\(truth): an SCT from the future counts")
      }
    }
    #expect(compared - early > 20)
  }

  @Test func `what came by TLS and OCSP in captures verifies`() throws {
    let captures = try GroundTruth.read([GroundTruth.Capture].self, "ground_truth/tls.json")
    #expect(captures.count == 6)
    for capture in captures {
      var certificate = GroundTruth.presented(try TestData.pem(capture.chain))
      certificate.ocspResponse = try capture.ocsp.map { try TestData.bytes($0) }
      certificate.tlsSCTList = try capture.tls_sct_list.map { try TestData.bytes($0) }
      let report = SCTVerifier(logs: GroundTruth.allLogs).verify(certificate, at: GroundTruth.late)
      #expect(report.listProblems.isEmpty, "\(capture)")
      let found = report.scts.map { [$0.source == .x509 ? "embedded" : $0.source.rawValue, $0.logID?.base64] }
      #expect(found == capture.scts.map { [$0.delivery, $0.log_id] }, "\(capture)")
      #expect(report.scts.allSatisfy { $0.status == .valid }, "\(capture)")
    }
  }

  @Test(arguments: TestData.files(in: "certs/malformed_sct", withExtension: "der"))
  func `a malformed list gives problems or malformed SCTs, and nothing valid`(_ path: String) throws {
    let report = SCTVerifier(logs: GroundTruth.allLogs)
      .verify(PresentedCertificate(leaf: try TestData.bytes(path)), at: GroundTruth.late)
    #expect(report.valid.isEmpty)
    switch path {
    case _ where path.hasSuffix("6376e6f828a76b06.der"):
      #expect(report.scts.count == 3)
      // Their signatures end before they do, which browsers tolerate; their logs are none.
      #expect(report.scts.allSatisfy { $0.status == .unknownLog(.notListed) && $0.trailingByteCount > 0 })
    case _ where path.hasSuffix("96c54a101431bf8c.der"):
      #expect(report.scts.first?.status == .unsupportedVersion(1))
      #expect(report.scts.last?.sct != nil)
    default:
      #expect(report.scts.isEmpty)
      #expect(report.listProblems.count == 1)
      #expect(report.listProblems.first.map { $0.offset > 0 } == true)
    }
    let verdict = BrowserPolicy.chrome.judge(report, asOf: GroundTruth.late)
    #expect(!verdict.passes)
    if report.scts.isEmpty { #expect(verdict.code == .malformedList) }
  }

  @Test func `Apple's list tells who is rejected, and Mozilla's table when it expires`() throws {
    let apple = LogView(
      try LogList(json: TestData.bytes("loglists/apple/apple_2026-04-01_v511_a2d39b.json")),
      timestamp: Timestamp(rfc3339: "2026-04-01T00:00:00Z"))
    let startCom = try #require(LogID(base64: "NLtq1sPfnAPuqKSZ/3iRSGydXlysktAfe/0bzhnbSO8="))
    guard case .unknown(.rejected, let log?) = apple.standing(of: startCom) else {
      Issue.record("StartCom's log counts")
      return
    }
    #expect(log.operatorName == "StartCom")
    #expect(BrowserPolicy.apple(.observed).isTimely(apple, asOf: Timestamp(milliseconds: 1_780_185_600_000)))
    let mozilla = try GroundTruth.mozilla()
    #expect(mozilla.knownLogs.count == 60)
    #expect(BrowserPolicy.firefox.isTimely(mozilla, asOf: Timestamp(milliseconds: 1_786_953_555_000)))
    #expect(!BrowserPolicy.firefox.isTimely(mozilla, asOf: Timestamp(milliseconds: 1_786_953_555_001)))
  }
}
