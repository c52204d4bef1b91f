import CertificateTransparency
import Testing

@testable import CTPolicy

@Suite struct SecondListTests {
  private static func scene() throws -> (world: PolicyWorld, certificate: PresentedCertificate, other: LogView) {
    let world = try PolicyWorld()
    let certificate = try world.certificate(
      embedded: [
        Promise(.a), Promise(.b, breaksSignature: true), Promise(.unlisted), Promise(.c, at: 20 * PolicyWorld.day),
        Promise(.tiled, extensions: [0]),
      ], ocsp: [Promise(.d), Promise(.c, breaksSignature: true)], tls: [Promise(.b), Promise(.a2, trailing: [1])])
    let logs: [PolicyLog] = [.b, .c, .d, .a2, .unlisted, .tiled.with { $0.state = .rejected }]
    return (world, certificate, LogView(logs.map(\.description), timestamp: world.now))
  }

  @Test func `a second list says of SCTs what it would say alone`() throws {
    let (world, certificate, other) = try SecondListTests.scene()
    let alone = SCTVerifier(logs: other).verify(certificate, at: world.now)
    let second = SCTVerifier(logs: other).verify(certificate, at: world.now, reusing: world.verify(certificate))
    #expect(second.scts == alone.scts && second.scts.count == 9)
    #expect(Set(second.scts.map { "\($0.status)" }).count > 3)
  }

  @Test func `a second list verifies no signature again`() throws {
    let (world, certificate, other) = try SecondListTests.scene()
    let first = world.verify(certificate)
    let marked = first.scts.map { sct in
      var sct = sct
      if sct.isOfKnownLog { sct.status = .badSignature(.notASignature) }
      return sct
    }
    let report = SCTReport(
      scts: marked, listProblems: [], validity: first.validity, issuerCount: first.issuerCount, logs: first.logs,
      verificationTime: first.verificationTime)
    let second = SCTVerifier(logs: other).verify(certificate, at: world.now, reusing: report)
    for (before, after) in zip(first.scts, second.scts) where after.isOfKnownLog {
      #expect((after.status == .badSignature(.notASignature)) == before.isOfKnownLog)
    }
  }
}
