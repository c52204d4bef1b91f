import CertificateTransparency
import Foundation
import MerkleTree
import OrielAccounts
import TestSupport
import TestWorld
import Testing

@testable import OrielServer

@Suite("A certificate, decoded")
struct CertificateDetailTests {
  private static func details(_ certificate: [UInt8], log: String? = nil) throws -> [String: CertificateDetails.Detail]
  {
    let all = try CertificateDetails(certificate: certificate) { _ in log }.all
    return Dictionary(all.map { ($0.title, $0) }, uniquingKeysWith: { first, _ in first })
  }

  @Test("Signature, usages, identifiers, addresses, policies and SCTs are told")
  func leaf() throws {
    let authority = try TestAuthority(organisation: "Harbour Trust Services")
    let log = try TestLog(.staticCT, name: "Lighthouse")
    let pending = try authority.begin(CertificateRequest(["www.alpha.example"]))
    let sct = try log.sct(at: try log.append(pending.entry))
    let pair = try pending.finish([sct])
    let details = try Self.details(pair.certificate, log: "Lighthouse")
    #expect(details["Signature"]?.lines == ["ECDSA with SHA-256 (1.2.840.10045.4.3.2)"])
    #expect(details["Key usage"] == .init(title: "Key usage", isCritical: true, lines: ["digitalSignature"]))
    #expect(details["Extended key usage"]?.lines == ["TLS server (serverAuth)", "TLS client (clientAuth)"])
    #expect(details["Basic constraints"]?.lines == ["no certificate authority"])
    #expect(details["Basic constraints"]?.isCritical == true)
    #expect(details["Authority key identifier"]?.lines.first?.count == 40)
    let access = details["Authority information"]?.lines ?? []
    #expect(access.count == 2 && access[0].hasPrefix("OCSP: http://ocsp."))
    #expect(access[1].hasPrefix("issuer’s certificate: http://aia.") && access[1].hasSuffix("/intermediate.crt"))
    #expect(details["CRL distribution points"]?.lines.first?.hasPrefix("http://crl.") == true)
    let policies = details["Certificate policies"]?.lines ?? []
    #expect(policies.first == "domain validated (DV), 2.23.140.1.2.1")
    #expect(policies.last?.contains("practice statement: http://cps.") == true)
    let scts = details["Embedded SCTs"]?.lines ?? []
    #expect(scts == ["Lighthouse, 2026-06-01 00:00 UTC, log ID \(sct.logID)"])
    #expect(details["Poison"] == nil)
    #expect(try Self.details(pair.precertificate)["Poison"]?.isCritical == true)
    #expect(
      try Self.details(pair.chain[0])["Basic constraints"]?.lines.first?.hasPrefix("a certificate authority") == true)
  }

  @Test(
    "An extension that nobody knows is there by its identifier and its bytes; one that is broken does not hide others")
  func others() throws {
    let authority = try TestAuthority()
    var request = CertificateRequest(["www.alpha.example"])
    request.extraExtensions = [
      CertificateExtension.build([0x2a, 0x03, 0x04], critical: true) { $0.octetString([0xab, 0xcd]) },
      // Name constraints that are none.
      CertificateExtension.build([0x55, 0x1d, 0x1e]) { $0.octetString([1]) },
    ]
    let details = try Self.details(try authority.issue(request).certificate)
    #expect(details["Extension 1.2.3.4"]?.isCritical == true)
    #expect(details["Extension 1.2.3.4"]?.lines == ["4 bytes: 0402abcd"])
    #expect(details["Name constraints"]?.lines.first?.hasPrefix("can’t be decoded") == true)
    #expect(details["Key usage"]?.lines == ["digitalSignature"])
  }

  @Test("However much a certificate says, little is shown, and soon")
  func bounds() throws {
    let authority = try TestAuthority()
    var request = CertificateRequest(["www.alpha.example"])
    request.extraExtensions = [
      CertificateExtension.build([0x2a, 0x03, 0x04]) { $0.octetString([UInt8](repeating: 0, count: 600_000)) }
    ]
    let long = try Self.details(try authority.issue(request).certificate)["Extension 1.2.3.4"]
    #expect(long?.lines.allSatisfy { $0.count <= 301 } == true)
    request.extraExtensions = (0..<5000).map { number in
      CertificateExtension.build([0x2a, 0x83 | UInt8(number & 0x7c), UInt8(number >> 6)]) { $0.null() }
    }
    let crowded = try authority.issue(request).certificate
    #expect(throws: (any Error).self) { try CertificateDetails(certificate: crowded) { _ in nil } }
    #expect(throws: CertificateDetails.TooLarge.self) {
      try CertificateDetails(certificate: [UInt8](repeating: 0x30, count: 2 << 20)) { _ in nil }
    }
    for count in stride(from: 0, to: crowded.count, by: 997) {
      #expect(throws: (any Error).self) { try CertificateDetails(certificate: Array(crowded[..<count])) { _ in nil } }
    }
  }

  @Test("The viewer shows them, and of a certificate that can’t be decoded what there was before")
  func viewer() async throws {
    let dashboard = try await Dashboard()
    let session = try await dashboard.account("Alpha").session
    let pair = try dashboard.authority.issue(CertificateRequest(["www.alpha.example"]))
    var crowded = CertificateRequest(["crowd.alpha.example"])
    crowded.extraExtensions = (0..<100).map { number in
      CertificateExtension.build([0x2a, 0x03, UInt8(number)]) { $0.null() }
    }
    let undecodable = try dashboard.authority.issue(crowded).certificate
    try await dashboard.serve { port in
      let member = Visitor(port: port)
      await member.signIn(session.text)
      let page = try await member.post("/certificate", [("pem", PEM.encode(pair.certificate))]).body
      #expect(page.contains("Signature and extensions") && page.contains("domain validated (DV), 2.23.140.1.2.1"))
      #expect(page.contains("<dt>Key usage <small>(critical)</small></dt>"))
      HostileTextTests.check(page, "viewer")
      let other = try await member.post("/certificate", [("pem", PEM.encode(undecodable))]).body
      #expect(other.contains("crowd.alpha.example") && other.contains("can’t be decoded: "))
      #expect(!other.contains("Signature and extensions"))
    }
  }
}
