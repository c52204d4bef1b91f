import CertificateTransparency
import Foundation
import MerkleTree
import TestSupport
import Testing

@Suite("The TBSCertificate that a log signs for")
struct TBSCertificateTests {
  @Test(
    "A precertificate and the certificate issued from it yield the same bytes", .needsTestData,
    arguments: TestData.files(in: "pairs").filter { $0.hasSuffix("_precert.der") })
  func pairs(precertificate path: String) throws {
    let precertificate = try TestData.bytes(path)
    let final = try TestData.bytes(path.replacingOccurrences(of: "_precert", with: "_final"))
    let issuer = try TestData.bytes(path.replacingOccurrences(of: "_precert", with: "_issuer"))
    let withoutSCTs = try TBSCertificate.withoutSCTs(certificate: final)
    // Where the issuer at hand is a precertificate signing certificate, its own issuer stands in the final certificate.
    let signers: [[UInt8]?] = [nil, issuer]
    let rebuilt = try signers.map {
      try TBSCertificate.withoutPoison(precertificate: precertificate, signingCertificate: $0)
    }
    #expect(rebuilt.contains(withoutSCTs))
    #expect(TBSCertificate.isPrecertificate(precertificate))
    #expect(!TBSCertificate.isPrecertificate(final))
  }

  @Test("Precertificates without their poison hash to the given value", .needsTestData)
  func precertificates() throws {
    for entry in try Manifest.entries(below: "precerts/") {
      guard let expected = entry.expected["precert_tbs_sha256"] as? String else { continue }
      let bytes = try TestData.bytes(entry.path)
      let tbs = try TBSCertificate.withoutPoison(precertificate: bytes)
      #expect(SHA256Hash.hash(tbs).hex == expected, "\(entry.path)")
    }
  }

  @Test("Real certificates without their SCT list hash to the given value", .needsTestData)
  func certificates() throws {
    let truth = try JSONSerialization.jsonObject(with: TestData.data("ground_truth/certs.json"))
    var checked = 0
    for case let entry as [String: Any] in try #require(truth as? [Any]) {
      guard let file = entry["file"] as? String, let expected = entry["precert_tbs_sha256"] as? String else { continue }
      let leaf = try #require(try TestData.pem(file).first, "\(file)")
      let tbs = try TBSCertificate.withoutSCTs(certificate: leaf)
      #expect(SHA256Hash.hash(tbs).hex == expected, "\(file)")
      checked += 1
    }
    #expect(checked > 300)
  }

  @Test("A poison that is absent, doubled, not critical or not NULL is refused")
  func poison() throws {
    let good = Certificates.extension(OIDs.poison, critical: true, value: [5, 0])
    let precertificate = Certificates.certificate(extensions: [good])
    #expect(throws: Never.self) { try TBSCertificate.withoutPoison(precertificate: precertificate) }
    let wrong: [[[UInt8]]] = [
      [], [good, good], [Certificates.extension(OIDs.poison, critical: false, value: [5, 0])],
      [Certificates.extension(OIDs.poison, critical: true, value: [5, 1, 0])],
    ]
    for extensions in wrong {
      let bytes = Certificates.certificate(extensions: extensions)
      #expect(throws: FormatError.self) { try TBSCertificate.withoutPoison(precertificate: bytes) }
    }
  }

  @Test("A certificate whose only extension is removed has no extensions at all")
  func lastExtension() throws {
    let poison = Certificates.extension(OIDs.poison, critical: true, value: [5, 0])
    let bytes = Certificates.certificate(extensions: [poison])
    let expected = Certificates.tbs(extensions: [])
    #expect(try TBSCertificate.withoutPoison(precertificate: bytes) == expected)
  }

  @Test("A precertificate signing certificate lends its issuer and key identifier")
  func signingCertificate() throws {
    let poison = Certificates.extension(OIDs.poison, critical: true, value: [5, 0])
    let old = Certificates.extension(OIDs.authorityKeyIdentifier, critical: false, value: [0x30, 2, 0x80, 0])
    let new = Certificates.extension(OIDs.authorityKeyIdentifier, critical: false, value: [0x30, 3, 0x80, 1, 7])
    let usage = Certificates.extension(
      OIDs.extendedKeyUsage, critical: false,
      value: Certificates.element(0x30, Certificates.element(6, OIDs.precertificateSigning)))
    let signer = Certificates.certificate(issuer: "The CA", extensions: [usage, new])
    #expect(TBSCertificate.isPrecertificateSigningCertificate(signer))
    let precertificate = Certificates.certificate(issuer: "The signer", extensions: [old, poison])
    let rebuilt = try TBSCertificate.withoutPoison(precertificate: precertificate, signingCertificate: signer)
    #expect(rebuilt == Certificates.tbs(issuer: "The CA", extensions: [new]))
    let bare = Certificates.certificate(issuer: "The signer", extensions: [poison])
    #expect(
      try TBSCertificate.withoutPoison(precertificate: bare, signingCertificate: signer)
        == Certificates.tbs(issuer: "The CA", extensions: [new]))
  }
}

/// The manifest of the collected material.
enum Manifest {
  struct Entry {
    let path: String
    let expected: [String: Any]
  }

  static func entries(below prefix: String) throws -> [Entry] {
    let manifest = try JSONSerialization.jsonObject(with: TestData.data("MANIFEST.json"))
    let rows = (manifest as? [String: Any])?["entries"] as? [[String: Any]] ?? []
    return rows.compactMap { row in
      guard let path = row["path"] as? String, path.hasPrefix(prefix) else { return nil }
      return Entry(path: path, expected: row["expected"] as? [String: Any] ?? [:])
    }
  }
}
