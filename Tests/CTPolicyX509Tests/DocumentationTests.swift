import CTPolicy
import CTPolicyX509
import CertificateTransparency
import Foundation
import TestWorld
import Testing
import X509

func verdicts(
  on leaf: Certificate, _ intermediates: [Certificate], roots: [Certificate], publicRoots: RootStores, logs: LogView,
  now: @escaping @Sendable () -> Timestamp
) async -> [PolicyVerdict]? {
  let recorder = JudgementRecorder()
  var verifier = Verifier(rootCertificates: CertificateStore(roots)) {
    RFC5280Policy()
    CTVerifierPolicy(
      policies: [.chrome, .firefox], logs: { logs }, now: now, publicity: { publicRoots.publicity(of: $0) },
      handler: { recorder.record($0) })
  }
  switch await verifier.validate(leaf: leaf, intermediates: CertificateStore(intermediates)) {
  case .validCertificate(let chain): return recorder.judgement(of: chain)?.verdicts
  case .couldNotValidate: return recorder.judgements.last?.failures
  }
}

@Suite("The documentation of CTPolicyX509")
struct DocumentationTests {
  @Test("Its example is the code above, letter for letter")
  func example() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let page = try String(
      contentsOf: root.appending(path: "Sources/CTPolicyX509/CTPolicyX509.docc/CTPolicyX509.md"), encoding: .utf8)
    let examples = page.components(separatedBy: "```").enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
    #expect(examples.count == 1)
    let source = try String(contentsOf: URL(filePath: #filePath), encoding: .utf8)
    for example in examples { #expect(source.contains(example.dropFirst("swift".count))) }
  }

  @Test("Its example gives the verdicts")
  func exampleRuns() async throws {
    // `RFC5280Policy()` goes by the time of day.
    let now = Timestamp(milliseconds: UInt64(Date.now.timeIntervalSince1970 * 1000))
    let world = try TransparencyWorld(issued: now)
    var stores = RootStores()
    stores.add(hash: ChainCertificate(world.authority.root.chain[0]).certificateHash)
    for (logs, codes) in [
      ([world.anchor, world.beacon], [VerdictCode.complies, .complies]),
      ([world.anchor, world.secondAnchor], [.oneOperator, .oneOperator]),
    ] {
      let pair = try world.issue(to: logs)
      let found = await verdicts(
        on: try TransparencyWorld.certificate(pair.certificate),
        try pair.chain.dropLast().map { try TransparencyWorld.certificate($0) },
        roots: [try TransparencyWorld.root(of: pair)], publicRoots: stores, logs: world.logs, now: { now })
      #expect(found?.map(\.code) == codes)
    }
  }
}
