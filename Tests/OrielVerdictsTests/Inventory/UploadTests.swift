import CertificateTransparency
import Foundation
import MerkleTree
import OrielVerdicts
import TestSupport
import TestWorld
import Testing

@Suite struct UploadTests {
  @Test func `a chain gives the certificate and its key`() throws {
    let pair = try TestAuthority().issue(CertificateRequest(["Example.com", "www.example.com"]))
    let found = FoundCredentials(upload: Array(pair.fullChain.utf8))
    #expect(found.entries.map(\.kind) == [.certificate, .key])
    #expect(found.entries.first?.hash == pair.issuanceID.hash)
    #expect(found.entries.allSatisfy { $0.names == ["example.com", "www.example.com"] && $0.source == "upload" })
    let accepted = try #require(found.certificates.first).accepted(where: { $0 == "example.com" }, owner: "Alpha Trust")
    #expect(accepted.names == ["example.com"] && accepted.isTold && accepted.owner == "Alpha Trust")
    #expect(accepted.issuerKeyHash == pair.issuerKeyHash && accepted.notBefore != nil && accepted.notAfter != nil)
  }

  @Test func `a precertificate is the same issuance`() throws {
    let pair = try TestAuthority().issue(CertificateRequest(["example.com"]))
    let found = FoundCredentials(upload: Array(pem([pair.precertificate, pair.chain[0]]).utf8))
    #expect(found.entries.first?.hash == pair.issuanceID.hash)
  }

  @Test func `DER of one certificate will do`() throws {
    let pair = try TestAuthority().issue(CertificateRequest(["example.com"]))
    #expect(FoundCredentials(upload: pair.certificate).entries.map(\.kind) == [.key])
  }

  @Test(
    .needsTestData, arguments: TestData.files(in: "pairs", withExtension: "der").filter { $0.hasSuffix("_final.der") })
  func `a real certificate gives the id that its precertificate has in the log`(_ path: String) throws {
    let final = try TestData.bytes(path)
    let issuer = try TestData.bytes(path.replacingOccurrences(of: "_final", with: "_issuer"))
    let precertificate = try TestData.bytes(path.replacingOccurrences(of: "_final", with: "_precert"))
    let key = try #require(CertificateFacts(certificate: issuer).publicKeyHash)
    let id = IssuanceID(
      issuerKeyHash: key, tbsCertificate: try TBSCertificate.withoutPoison(precertificate: precertificate))
    let found = FoundCredentials(upload: Array(pem([final, issuer]).utf8))
    #expect(found.certificates.map(\.issuanceID) == [id])
  }

  @Test(
    .needsTestData,
    arguments: TestData.files(in: "submission/certificate-transparency-go", withExtension: "pem").filter {
      $0.hasSuffix(".csr.pem")
    })
  func `a real request gives its key`(_ path: String) throws {
    let found = FoundCredentials(upload: try TestData.bytes(path))
    #expect(found.problems.isEmpty && found.entries.map(\.kind) == [.key])
  }

  @Test(arguments: [
    ("", "no certificate and no certificate request"), ("hello", "no certificate and no certificate request"),
    ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "no certificate and no certificate request"),
  ])
  func `an upload that is no certificate is refused with the reason`(text: String, reason: String) {
    let found = FoundCredentials(upload: Array(text.utf8))
    #expect(found.entries.isEmpty && found.problems == [reason])
  }

  @Test func `what is too large is not read`() throws {
    let bytes = [UInt8](repeating: 0x0a, count: FoundCredentials.maximumUpload + 1)
    #expect(FoundCredentials(upload: bytes).problems == ["more than 4 MiB"])
  }

  @Test(.needsTestData) func `malformed certificates are read or refused`() throws {
    for path in TestData.files(in: "malformed") {
      let bytes = try TestData.bytes(path)
      _ = FoundCredentials(upload: bytes)
      _ = FoundCredentials(upload: Array(pem([bytes]).utf8))
      _ = FoundCredentials(upload: Array(pem([bytes], label: "CERTIFICATE REQUEST").utf8))
    }
  }

  @Test func `cut and changed bytes are read or refused`() throws {
    var generator = SeededGenerator(seed: 5)
    let pair = try TestAuthority().issue(CertificateRequest(["example.com"]))
    let request = try #require(
      Data(base64Encoded: Samples.request.split(separator: "\n").dropFirst().dropLast().joined()))
    for (der, label) in [(pair.certificate, "CERTIFICATE"), ([UInt8](request), "CERTIFICATE REQUEST")] {
      for length in 0..<der.count {
        _ = FoundCredentials(upload: Array(pem([Array(der.prefix(length))], label: label).utf8))
        var changed = der
        changed[length] ^= UInt8(1 + generator.next() % 255)
        let found = FoundCredentials(upload: Array(pem([changed], label: label).utf8))
        #expect(found.entries.allSatisfy { $0.kind == .key })
      }
    }
  }
}

@Suite struct CrtShImportTests {
  @Test(
    .needsTestData, arguments: [("mcgyver5_python_org.json", 1227), ("crtsh-js_readme_sample.txt", 8)])
  func `a real answer is read, each certificate once`(name: String, count: Int) throws {
    let result = try CrtShImport.read(TestData.bytes("crtsh/" + name))
    #expect(result.problems.isEmpty)
    #expect(result.candidates.count == count)
    #expect(result.candidates.map(\.notBefore) == result.candidates.map(\.notBefore).sorted(by: >))
  }

  @Test func `a row has its names, dates and issuer`() throws {
    let text = """
      [{"issuer_ca_id":1,"issuer_name":"C=US, O=Alpha Trust, CN=A1","common_name":"Example.com",
      "name_value":"www.example.com\\nexample.com","id":5,"entry_timestamp":"2026-04-04T04:41:42.875",
      "not_before":"2026-04-04T03:41:42","not_after":"2026-07-03T03:41:42","serial_number":"0AFF"},
      {"issuer_name":"C=US, O=Alpha Trust, CN=A1","common_name":"example.com",
      "name_value":"example.com\\nwww.example.com","not_before":"2026-04-04T03:41:42",
      "not_after":"2026-07-03T03:41:42","serial_number":"0aff"},
      {"issuer_name":"x","name_value":"","not_before":"2026-04-04T03:41:42","not_after":"2026-07-03T03:41:42"},
      {"issuer_name":"x","name_value":"a","not_before":"yesterday","not_after":"2026-07-03T03:41:42"},
      {"name_value":"a"}, 7, null]
      """
    let result = try CrtShImport.read(Array(text.utf8))
    let only = try #require(result.candidates.first)
    #expect(result.candidates.count == 1)
    #expect(only.names == ["example.com", "www.example.com"] && only.serialNumber == "0aff")
    #expect(only.notBefore == 1_775_274_102 && only.notAfter == 1_783_050_102)
    #expect(result.problems.count == 5 && result.problems.first?.hasPrefix("row 3:") == true)
    let accepted = only.accepted(where: { $0.hasPrefix("www.") }, owner: nil)
    #expect(accepted.names == ["www.example.com"] && accepted.publicKey == nil && accepted.isTold)
  }

  @Test(arguments: ["", "{}", "7", "[", "<html>502 Bad Gateway</html>", String(repeating: "[", count: 100_000)])
  func `what is no answer of crt.sh is refused`(text: String) {
    #expect(throws: FormatError.self) { try CrtShImport.read(Array(text.utf8)) }
  }
}
