import CTPolicy
import CertificateTransparency
import TestSupport
import TestWorld
import Testing

/// Whatever the bytes are, there is a report, and nothing becomes valid that was not.
@Suite struct HostileBytesTests {
  private let world: PolicyWorld
  private let certificate: PresentedCertificate
  private let report: SCTReport

  init() throws {
    world = try PolicyWorld()
    certificate = try world.certificate(
      embedded: [.init(.a), .init(.b)], ocsp: [.init(.c), .init(.d)], tls: [.init(.tiled), .init(.a)])
    report = world.verify(certificate)
  }

  @Test func `unharmed, everything is valid`() {
    #expect(report.scts.map(\.source) == [.x509, .x509, .ocsp, .ocsp, .tls, .tls])
    #expect(report.scts.allSatisfy { $0.status == .valid })
    #expect(report.listProblems.isEmpty)
  }

  @Test func `mutations never trap and never make an SCT valid`() throws {
    var generator = SeededGenerator(seed: 20_260_601)
    let genuine = Set(report.scts.map(\.serialized))
    let tbs = try TBSCertificate.withoutSCTs(certificate: certificate.leaf)
    for round in 0..<1500 {
      var mutant = certificate
      switch round % 3 {
      case 0: mutant.tlsSCTList = mutated(certificate.tlsSCTList ?? [], &generator)
      case 1: mutant.ocspResponse = mutated(certificate.ocspResponse ?? [], &generator)
      default: mutant.leaf = mutated(certificate.leaf, &generator)
      }
      let report = world.verify(mutant)
      for sct in report.valid {
        let signed = Array(sct.serialized.dropLast(sct.trailingByteCount))
        #expect(genuine.contains(signed), "round \(round)")
      }
      if report.valid.contains(where: { $0.source == .x509 }) {
        #expect((try? TBSCertificate.withoutSCTs(certificate: mutant.leaf)) == tbs, "round \(round)")
      }
      if report.valid.contains(where: { $0.source == .tls }) { #expect(mutant.leaf == certificate.leaf) }
      for policy in BrowserPolicy.current { _ = policy.judge(report, asOf: world.now) }
      _ = Forecast(report, asOf: world.now)
    }
  }

  private func mutated(_ bytes: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
      let index = Int.random(in: bytes.indices, using: &generator)
      switch Int.random(in: 0..<5, using: &generator) {
      case 0: bytes[index] = UInt8.random(in: 0...255, using: &generator)
      case 1: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
      case 2: bytes.removeSubrange(index..<min(index + 5, bytes.count))
      case 3: bytes.insert(contentsOf: [0, 0x80, 0xff].shuffled(using: &generator), at: index)
      default: bytes.removeSubrange(index...)
      }
    }
    return bytes
  }

  @Test(arguments: [
    [], [0x30], [0x30, 0x80], [0x30, 0x84, 0xff, 0xff, 0xff, 0xff], [0xff, 0xff], [0, 1, 0], [0, 0],
  ])
  func `scraps of bytes give a report`(_ bytes: [UInt8]) {
    let report = world.verify(
      PresentedCertificate(leaf: bytes, issuers: [bytes], ocspResponse: bytes, tlsSCTList: bytes))
    #expect(report.scts.isEmpty)
    #expect(report.validity == nil)
    #expect(report.listProblems.contains { $0.source == .tls })
    for policy in BrowserPolicy.current { #expect(!policy.judge(report, asOf: world.now).passes) }
  }

  struct ListCase: CustomTestStringConvertible {
    let testDescription: String
    let change: @Sendable ([UInt8]) -> [UInt8]
    /// Nil if the list is taken.
    let offset: Int?
  }

  static let lists = [
    ListCase(testDescription: "as it is", change: { $0 }, offset: nil),
    ListCase(testDescription: "a byte after the list", change: { $0 + [0] }, offset: 2),
    ListCase(testDescription: "an empty list", change: { _ in [0, 0] }, offset: 2),
    ListCase(testDescription: "nothing", change: { _ in [] }, offset: 0),
    ListCase(
      testDescription: "an empty item at the end",
      change: { list in
        let count = list.count
        return [UInt8(count >> 8), UInt8(count & 0xff)] + list.dropFirst(2) + [0, 0]
      }, offset: -1),
    ListCase(testDescription: "a byte is missing", change: { Array($0.dropLast()) }, offset: 2),
  ]

  @Test(arguments: lists)
  func `what is wrong with a list spoils all of it`(_ list: ListCase) throws {
    var certificate = certificate
    let original = try #require(certificate.tlsSCTList)
    let changed = list.change(original)
    certificate.tlsSCTList = changed
    let report = world.verify(certificate)
    #expect(report.scts.count { $0.source == .tls } == (list.offset == nil ? 2 : 0))
    let offset = list.offset.map { $0 < 0 ? changed.count : $0 }
    #expect(report.listProblems.map(\.offset) == (offset.map { [$0] } ?? []))
  }

  @Test func `a second extension with an SCT list spoils both`() throws {
    var request = CertificateRequest(["twice.example.com"])
    request.extraExtensions = [CertificateExtension.build(OID.sctList) { $0.octetString([0, 3, 0, 1, 0]) }]
    let pair = try world.authority.issue(request)
    let report = world.verify(PresentedCertificate(leaf: pair.certificate, issuers: pair.chain))
    #expect(report.scts.isEmpty)
    #expect(report.listProblems.map(\.source) == [.x509])
  }

  @Test func `an embedded SCT that was issued as for a certificate is told`() throws {
    let pending = try world.authority.begin(CertificateRequest(["confused.example.com"]))
    let sct = try PolicyLog.a.signer.sign(.x509(certificate: pending.tbsWithoutPoison), timestamp: world.issued)
    let pair = try pending.finish([sct])
    let report = world.verify(PresentedCertificate(leaf: pair.certificate, issuers: pair.chain))
    #expect(report.scts.map(\.status) == [.badSignature(.wrongEntryType)])
  }

  @Test func `an item may have bytes after its signature, and another be of a later version`() throws {
    let list = try SCTList(decoding: try #require(certificate.tlsSCTList))
    var items = list.items.map(\.serialized)
    items[0] += [1, 2, 3]
    items[1][0] = 7
    var changed = certificate
    changed.tlsSCTList = VectorTests.list(items)
    let scts = world.verify(changed).scts.filter { $0.source == .tls }
    #expect(scts.map(\.status) == [.valid, .unsupportedVersion(7)])
    #expect(scts.map(\.trailingByteCount) == [3, 0])
  }

  @Test func `of an endless list only the beginning is looked at`() throws {
    var changed = certificate
    changed.tlsSCTList = VectorTests.list(Array(repeating: [9], count: 20_000))
    let report = world.verify(changed)
    #expect(report.scts.count { $0.source == .tls } == 256)
    #expect(report.listProblems.contains { $0.source == .tls })
  }

  @Test func `the OCSP response has to be about this certificate and this issuer`() throws {
    let other = try world.certificate(ocsp: [.init(.a)])
    var swapped = certificate
    swapped.ocspResponse = other.ocspResponse
    let report = world.verify(swapped)
    #expect(!report.scts.contains { $0.source == .ocsp })
    #expect(report.listProblems.map(\.source) == [.ocsp])
    var orphan = certificate
    orphan.issuers = []
    #expect(!world.verify(orphan).scts.contains { $0.source == .ocsp })
  }

  @Test(arguments: [OCSPShape.sha1, .sha256, .otherName, .secondOfTwo, .critical])
  func `the OCSP response is found by serial number and key hash alone`(_ shape: OCSPShape) throws {
    let certificate = try world.certificate(ocsp: [.init(.a)], shape: shape)
    #expect(world.verify(certificate).scts.map(\.status) == [.valid])
  }

  @Test(arguments: [OCSPShape.otherKey, .sha384, .noAnswer, .noList])
  func `an OCSP response without a list for the certificate gives none`(_ shape: OCSPShape) throws {
    let certificate = try world.certificate(ocsp: [.init(.a)], shape: shape)
    #expect(world.verify(certificate).scts.isEmpty)
  }
}
