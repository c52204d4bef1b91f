import CertificateTransparency
import Foundation
import OrielMonitor
import OrielStore
import TestWorld
import Testing

@Suite("The certificate that represents an issuance", .serialized)
struct RepresentativeTests {
  private func request(bySigningCertificate: Bool) -> CertificateRequest {
    var request = CertificateRequest(["www.watched.example"])
    request.usesSigningCertificate = bySigningCertificate
    return request
  }

  @Test(
    "is the final one once it has been seen, else the precertificate, with the issuer of the final one",
    arguments: LogKind.allCases, [false, true])
  func issuer(kind: LogKind, bySigningCertificate: Bool) async throws {
    try await World.run { world in
      let log = kind.log(in: world)
      let pending = try world.authority.begin(request(bySigningCertificate: bySigningCertificate))
      let pair = try pending.finish([try log.log.sct(at: try log.log.append(pending.entry))])
      try log.log.publish()
      let final = CertificateFacts(certificate: pair.certificate)
      let signed = CertificateFacts(certificate: pair.precertificate)
      #expect((signed.issuer == final.issuer) == !bySigningCertificate)
      let watcher = try Watcher(world)
      let search = IssuanceSearch(try SQLiteDatabase(path: watcher.folder.appending(path: "oriel.db").path))
      for isFinalSeen in [false, true] {
        if isFinalSeen {
          try log.log.append(pair.certificateEntry)
          try log.log.publish()
        }
        #expect(try await watcher.watchOnce(kind.description(in: world)).map(\.trouble) == [nil])
        let record = try #require(try await watcher.stored().first)
        #expect(record.certificates.map(\.entryType) == (isFinalSeen ? ["x509", "precert"] : ["precert"]))
        #expect(record.facts.issuer == final.issuer && record.certificates.last?.facts.issuer == final.issuer)
        #expect(record.facts.names == final.names && record.facts.serialNumber == final.serialNumber)
        let report = try IssuanceReport(record).json()
        #expect(report.contains("\"issuer\":\"\(final.issuer?.description ?? "?")\""), "\(report)")
        #expect(try await search.page(IssuanceQuery()).results.map(\.issuer) == [final.issuer?.description])
      }
    }
  }
}
