import CertificateTransparency
import Foundation
import TestSupport
import Testing

@testable import OrielProbe

@Suite("A chain", .needsPeers)
struct ChainVerificationTests {
  let certificates: Certificates
  let root, inter, leaf: [UInt8]
  let anchors: TrustAnchors
  let now = Timestamp(milliseconds: UInt64(Date().timeIntervalSince1970 * 1000))

  init() throws {
    certificates = try Certificates.shared.get()
    root = try certificates.der("root.pem")[0]
    inter = try certificates.der("inter.pem")[0]
    leaf = try certificates.der("ec.pem")[0]
    anchors = try Self.anchors(certificates.path("root.pem"))
  }

  private static func anchors(_ file: String) throws -> TrustAnchors {
    try TrustAnchors(file: file, [UInt8](Data(contentsOf: URL(filePath: file))))
  }

  private func verify(
    _ sent: [[UInt8]], intermediates: [[UInt8]] = [], host: String? = nil, at time: Timestamp? = nil,
    anchors other: TrustAnchors? = nil
  ) -> ChainVerification {
    ChainVerification(
      of: sent, intermediates: intermediates, host: host, at: time ?? now, anchors: other ?? anchors)
  }

  @Test("to a trusted root comes back whole, root included")
  func good() throws {
    let found = verify([leaf, inter])
    #expect(found.isVerified && found.chain == [leaf, inter, root])
    #expect(!found.isReordered && found.unused.isEmpty && found.leafIndex == 0 && found.hostMatches == nil)
    #expect(verify([leaf, inter, root]).chain == [leaf, inter, root])
    let same = try TrustAnchors(certificates: [root])
    #expect(verify([leaf, inter], anchors: same).isVerified)
  }

  @Test("out of order is repaired, and that is said")
  func reordered() throws {
    let other = try certificates.der("other.pem")[0]
    for (sent, leafIndex, unused) in [
      ([leaf, root, inter], 0, []), ([inter, leaf], 1, []), ([root, inter, leaf], 2, []),
      ([leaf, root, other, inter, inter], 0, [2, 4]),
    ] {
      let found = verify(sent)
      #expect(found.isVerified && found.chain == [leaf, inter, root])
      #expect(found.isReordered && found.leafIndex == leafIndex && found.unused == unused)
    }
    let extra = verify([leaf, other, inter])
    #expect(extra.isVerified && !extra.isReordered && extra.unused == [1])
  }

  @Test("without its intermediate says where to get it")
  func missing() {
    let found = verify([leaf])
    #expect(found.chain == [leaf])
    #expect(
      found.problem
        == .issuerMissing(
          depth: 0, issuer: "CN=intermediate,O=Oriel", caIssuers: ["http://ca.example/inter.der"]))
    let helped = verify([leaf], intermediates: [inter])
    #expect(helped.isVerified && helped.chain == [leaf, inter, root])
  }

  @Test("to a root that is not trusted")
  func untrusted() throws {
    let others = try Self.anchors(certificates.path("other.pem"))
    #expect(
      verify([leaf, inter], anchors: others).problem
        == .issuerMissing(depth: 1, issuer: "CN=root,O=Oriel", caIssuers: ["http://ca.example/root.der"]))
    #expect(
      verify([leaf, inter, root], anchors: others).problem == .untrustedRoot(depth: 2, subject: "CN=root,O=Oriel"))
    #expect(verify([root], anchors: others).problem == .untrustedRoot(depth: 0, subject: "CN=root,O=Oriel"))
  }

  @Test("to a root of this machine, which is read once, from the file or folder where OpenSSL looks for it")
  func system() async throws {
    let root = certificates.path("root.pem")
    let hash = try await Command(
      ["x509", "-noout", "-subject_hash", "-in", root], program: URL(filePath: "/usr/bin/openssl")
    ).finish().lines
    let pem = try String(contentsOfFile: root, encoding: .utf8)
    for (name, isFound) in [("roots.pem", true), (try #require(hash.first) + ".0", true), ("root.crt", false)] {
      let folder = try TemporaryFolder()
      let file = try folder.write(pem, to: name)
      let environment = [
        "SSL_CERT_FILE": folder.path + "/roots.pem", "SSL_CERT_DIR": "/nowhere:" + folder.path,
      ]
      let anchors = try TrustAnchors.system(environment: environment)
      try FileManager.default.removeItem(atPath: file)
      #expect(verify([leaf, inter], anchors: anchors).isVerified == isFound, "\(name)")
      #expect(!verify([leaf, inter], anchors: try .system(environment: environment)).isVerified)
    }
  }

  @Test("is judged at the time given")
  func time() {
    let day: UInt64 = 86_400_000
    let late = verify([leaf, inter], at: Timestamp(milliseconds: now.milliseconds + 25 * day))
    #expect(late.problem == .expired(depth: 1) || late.problem == .expired(depth: 0))
    let early = verify([leaf, inter], at: Timestamp(milliseconds: now.milliseconds - 25 * day))
    #expect(early.problem?.code == "not-yet-valid")
    #expect(!verify([leaf, inter], at: Timestamp(milliseconds: .max)).isVerified)
  }

  @Test(
    "is for a host, or not",
    arguments: [
      ("probe.example", true), ("PROBE.example.", true), ("a.wild.example", true), ("a.b.wild.example", false),
      ("my_sub.wild.example", true), ("_DMARC.Wild.example.", true), ("a.my_sub.wild.example", false),
      ("my_sub.example", false), ("_.probe.example", false),
      ("wild.example", false), ("127.0.0.1", true), ("127.0.0.2", false), ("ec", false), ("", false),
      (".wild.example", false), ("127.0.0.1\u{0}", false),
      ("probe.example\u{0}x", false),
    ])
  func host(_ host: String, _ matches: Bool) {
    let found = verify([leaf, inter], host: host)
    #expect(found.hostMatches == matches && found.isVerified)
  }

  @Test("with a damaged signature")
  func damaged() {
    var broken = leaf
    broken[broken.count - 1] ^= 1
    #expect(verify([broken, inter]).problem == .badSignature(depth: 0))
  }

  @Test("of bytes that are no certificate")
  func unreadable() {
    #expect(verify([]).problem == .noCertificate)
    #expect(verify([[]]).problem == .unreadable(index: 0))
    #expect(verify([[0x30, 0x80], leaf]).problem == .unreadable(index: 0))
    #expect(verify([leaf + [0], inter]).problem == .unreadable(index: 0))
    #expect(verify([leaf, [1, 2, 3], inter]).chain == [leaf, inter, root])
  }

  @Test("damaged anywhere, is never mistaken for the whole one")
  func mutated() {
    for place in stride(from: 0, to: leaf.count, by: 3) {
      var broken = leaf
      broken[place] ^= 0x11
      #expect(!verify([broken, inter]).isVerified, "byte \(place)")
    }
  }

  @Test("roots are read with a byte order mark and without line feeds between; a damaged one is named by its line")
  func joinedAnchors() throws {
    let text = "\u{feff}" + [root, inter].map { PEM.encode($0).trimmingCharacters(in: .newlines) }.joined()
    #expect(verify([leaf, inter], anchors: try TrustAnchors(file: "roots", Array(text.utf8))).isVerified)
    let broken = PEM.encode(inter) + PEM.encode(root).dropFirst()
    let line = PEM.encode(inter).count(where: \.isNewline) + 1
    let error = #expect(throws: TrustAnchors.Failure.self) {
      try TrustAnchors(file: "roots", Array(broken.utf8))
    }
    #expect(error?.description.hasPrefix("roots: line \(line): ") == true)
  }

  @Test("roots that are none are refused")
  func badAnchors() throws {
    #expect(throws: TrustAnchors.Failure.self) { try TrustAnchors(file: "empty", []) }
    #expect(throws: TrustAnchors.Failure.self) { try Self.anchors(certificates.path("ec.key")) }
    #expect(throws: TrustAnchors.Failure.self) { try TrustAnchors(certificates: [[1, 2, 3]]) }
    #expect(!verify([leaf, inter], anchors: try .system()).isVerified)
  }

  @Test(
    "captured in the wild is judged as openssl verify judges it", .needsTestData,
    arguments: TestData.files(in: "tls/extracted", withExtension: "pem"))
  func asOpenSSL(_ file: String) async throws {
    let roots = try TestData.url("roots/certifi_2026.10.18.pem").path
    let path = try TestData.url(file).path
    let sent = try TestData.pem(file)
    let notBefore = try #require(CertificateFacts(certificate: sent[0]).notBefore)
    let verdict = try await Command(
      [
        "verify", "-attime", "\(notBefore + 86_400)", "-purpose", "sslserver", "-no-CApath", "-no-CAstore", "-CAfile",
        roots, "-untrusted", path,
        path,
      ], program: URL(filePath: Peer.openssl)
    ).finish()
    let time = Timestamp(milliseconds: UInt64(notBefore + 86_400) * 1000)
    let found = verify(sent, at: time, anchors: try Self.anchors(roots))
    #expect(found.isVerified == (verdict.status == 0), "\(String(describing: found.problem)) \(verdict.errors)")
  }
}
