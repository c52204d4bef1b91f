import CertificateTransparency
import Crypto
import Foundation
import MerkleTree
import TestSupport
import TestWorld
import Testing

@testable import OrielLog

@Suite("Real chains", .needsTestData)
struct RealChainTests {
  private static let now = HeldClock().start

  @Test("Real certificates of all years verify up to the last certificate of their chains")
  func realCertificates() throws {
    var counts: [String: Int] = [:]
    for path in TestData.files(in: "certs/real", withExtension: "pem") {
      let chain = try TestData.pem(path)
      // Two servers send a mangled certificate along, and what is above it.
      let usable = chain.prefix { (try? ParsedCertificate($0).algorithm) != nil }
      guard usable.count > 1, let last = usable.last else { continue }
      let roots = RootStore()
      #expect(roots.add([last], allowingSHA1: true).unreadable == [], "\(path)")
      var rules = AdmissionRules()
      rules.maximumCertificateByteCount = 1 << 20
      let admission = Admission(rules, roots: roots)
      do {
        let entry = try admission.admit(chain: chain, as: .x509, at: Self.now)
        #expect(entry.issuers.last?.der == last, "\(path)")
        counts["admitted", default: 0] += 1
      } catch { Issue.record("\(path): \(error)") }
      var forged = chain[0]
      forged[forged.count - 9] ^= 4
      #expect(throws: Rejection.self, "\(path)") {
        try admission.admit(chain: [forged] + chain.dropFirst(), as: .x509, at: Self.now)
      }
    }
    #expect(counts["admitted", default: 0] > 50)
  }

  @Test("A precertificate's entry is what its certificate, once issued, leads to")
  func pairs() throws {
    let names = TestData.files(in: "pairs", withExtension: "der").filter { $0.hasSuffix("_precert.der") }
    #expect(names.count > 3)
    for name in names {
      let stem = name.dropLast("_precert.der".count)
      let issuer = try TestData.bytes("\(stem)_issuer.der")
      let roots = RootStore()
      roots.add([issuer], allowingSHA1: true)
      let entry = try Admission(AdmissionRules(), roots: roots)
        .admit(chain: [try TestData.bytes(name)], as: .precertificate, at: Self.now)
      let body = LogEntryBody.precertificate(
        issuerKeyHash: try #require(CertificateFacts(certificate: issuer).publicKeyHash),
        tbsCertificate: try TBSCertificate.withoutSCTs(certificate: try TestData.bytes("\(stem)_final.der")))
      let leaf = MerkleTreeLeaf(
        TimestampedEntry(timestamp: Self.now, body: body, extensions: try CTExtensions(leafIndex: 3).encoded()))
      #expect(entry.signatureInput(at: LogPlace(index: 3, timestamp: Self.now)) == (try leaf.encoded()))
    }
  }

  @Test("The chains that certificate-transparency-go tests with are admitted")
  func submissions() throws {
    let folder = "submission/certificate-transparency-go"
    let roots = RootStore()
    for file in TestData.files(in: folder, withExtension: "cert") where file.contains("/fake-ca") {
      roots.add(file: try TestData.bytes(file))
    }
    let admission = Admission(AdmissionRules(), roots: roots)
    var admitted = 0
    for file in TestData.files(in: folder, withExtension: "chain") {
      let chain = try TestData.pem(file)
      let kind = TBSCertificate.isPrecertificate(chain[0]) ? LogEntryKind.precertificate : .x509
      do {
        _ = try admission.admit(chain: chain, as: kind, at: Self.now)
        admitted += 1
      } catch { Issue.record("\(file): \(error)") }
    }
    #expect(admitted > 10)
  }

  @Test("Root stores are read whole, and only grow")
  func rootStores() throws {
    let roots = RootStore()
    let text = try TestData.text("roots/certifi_2026.10.18.pem")
    let count = text.components("BEGIN CERTIFICATE")
    let addition = roots.add(file: Array(text.utf8))
    #expect(addition.unreadable == [])
    #expect(addition.added.count == count)
    #expect(roots.add(file: Array(text.utf8)).added == [])
    #expect(roots.certificates.count == count)
    let blocks = try TestData.pem("roots/itko_ct2025_bundle.pem")
    let more = roots.add(blocks)
    #expect(more.unreadable.count * 50 < blocks.count, "\(more.unreadable)")
    #expect(roots.certificates.count == count + more.added.count)
  }

  @Test("CCADB's report gives its roots for servers, and no others")
  func ccadb() throws {
    let pem = try TestData.text("roots/certifi_2026.10.18.pem")
    let blocks = pem.split(separator: "-----END CERTIFICATE-----").prefix(3).compactMap { part in
      part.range(of: "-----BEGIN").map { String(part[$0.lowerBound...]) + "-----END CERTIFICATE-----" }
    }
    let server = "Server Authentication (TLS) 1.3.6.1.5.5.7.3.1"
    let report = """
      "CA Owner","X.509 Certificate (PEM)","Intended Use Case(s) Served"
      "A ""quoted"", owner","'\(blocks[0])'","\(server);Secure Email (S/MIME) 1.3.6.1.5.5.7.3.4"\r
      "B","\(blocks[1])","Secure Email (S/MIME) 1.3.6.1.5.5.7.3.4"
      C,"\(blocks[2])",\(server)
      short
      """
    let roots = RootStore()
    #expect(try roots.add(ccadb: report).added.count == 2)
    #expect(throws: FormatError.self) { try roots.add(ccadb: "\"CA Owner\",\"Status\"\n") }
    #expect(throws: FormatError.self) { try roots.add(ccadb: "") }
  }

  @Test("Names tiles are byte for byte those that a log with names tiles serves", arguments: ["000", "001", "002"])
  func namesTiles(tile: String) throws {
    let folder = "static/tiles/navigli2025h2/tile"
    let data = try inflated(try TestData.bytes("\(folder)/data/\(tile)"))
    var names: [UInt8] = []
    try DataTile.forEach(in: data.span) { _, entry throws(FormatError) in
      NamesLine.append(entry.entry, in: data.span, to: &names)
    }
    let expected = try inflated(try TestData.bytes("\(folder)/names/\(tile)"))
    #expect(names.split(separator: 10).count == 256)
    for (found, line) in zip(names.split(separator: 10), expected.split(separator: 10)) where found != line {
      Issue.record("\(String(decoding: found, as: UTF8.self)) is not \(String(decoding: line, as: UTF8.self))")
    }
    #expect(names == expected)
  }

  private func inflated(_ bytes: [UInt8]) throws -> [UInt8] {
    bytes.starts(with: [0x1f, 0x8b]) ? try Gunzip().inflate(bytes) : bytes
  }
}

extension String {
  fileprivate func components(_ part: String) -> Int { ranges(of: part).count }
}
