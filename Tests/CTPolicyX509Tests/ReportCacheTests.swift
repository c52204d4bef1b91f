import CTPolicy
import CTPolicyX509
import CertificateTransparency
import TestWorld
import Testing
import X509

@Suite("The cache of CTVerifierPolicy")
struct ReportCacheTests {
  private let world: TransparencyWorld
  private let time: Held<Timestamp>
  private let logs: Held<LogView>

  init() throws {
    world = try TransparencyWorld()
    time = Held(world.issued)
    logs = Held(world.logs)
  }

  private var policy: CTVerifierPolicy {
    CTVerifierPolicy(policies: [.chrome], logs: { [logs] in logs.value }, now: { [time] in time.value }) { _ in .public
    }
  }

  private func chain(_ name: String = "www.example.com") throws -> [Certificate] {
    let pair = try world.issue(CertificateRequest([name]), to: [world.anchor, world.beacon])
    return try ([pair.certificate] + pair.chain).map { try TransparencyWorld.certificate($0) }
  }

  @Test("SCTs are verified once, but judged whenever they are asked about")
  func judgedAnew() async throws {
    let (policy, chain) = (policy, try chain())
    time.value = Timestamp(milliseconds: world.issued.milliseconds - 1000)
    let early = await policy.judge(chain)
    #expect(early.verdicts.map(\.code) == [.futureSCT])
    time.value = world.issued
    // The copy has the same cache.
    let copy = policy
    let later = await copy.judge(chain)
    #expect(later.passes)
    #expect(later.report.verificationTime == early.report.verificationTime)
    time.value = Timestamp(milliseconds: world.issued.milliseconds + 80 * 86_400_000)
    #expect(await policy.judge(chain).verdicts.map(\.code) == [.staleList])
  }

  @Test("Another list is another report")
  func otherList() async throws {
    let (policy, chain) = (policy, try chain())
    #expect(await policy.judge(chain).passes)
    let later = Timestamp(milliseconds: world.issued.milliseconds + 1000)
    logs.value = LogView([world.anchor.description(url: "https://logs.example/")], timestamp: later)
    #expect(await !policy.judge(chain).passes)
    logs.value = world.logs
    #expect(await policy.judge(chain).passes)
  }

  @Test("Nothing is kept for a list that does not tell its time")
  func timelessList() async throws {
    let (policy, chain) = (policy, try chain())
    logs.value = world.logs(listed: nil)
    #expect(await policy.judge(chain).passes)
    logs.value = LogView([], timestamp: nil)
    #expect(await !policy.judge(chain).passes)
  }

  @Test("The same leaf below another key of an issuer is verified for itself")
  func otherIssuer() async throws {
    let (policy, chain) = (policy, try chain())
    #expect(await policy.judge(chain).passes)
    #expect(await !policy.judge([chain[0], chain[2]]).passes)
    #expect(await !policy.judge([chain[0]]).passes)
    #expect(await policy.judge(chain).passes)
  }

  @Test("Only so many reports are kept, the latest ones")
  func bounded() async throws {
    let policy = policy
    let chains = try (0...128).map { try chain("\($0).example.com") }
    for chain in chains { _ = await policy.judge(chain) }
    time.value = Timestamp(milliseconds: world.issued.milliseconds + 1000)
    let first = await policy.judge(chains[0]).report
    let last = await policy.judge(chains[128]).report
    #expect(first.verificationTime == time.value)
    #expect(last.verificationTime == world.issued)
  }

  @Test("A recorder keeps the latest judgements, and no more than it should", arguments: [-1, 1, 3])
  func recorder(_ limit: Int) async throws {
    let recorder = JudgementRecorder(limit: limit)
    let chains = try (0..<5).map { try chain("\($0).example.com") }
    for chain in chains { recorder.record(await policy.judge(chain)) }
    #expect(recorder.judgements.map(\.chain) == Array(chains.suffix(max(limit, 1))))
    #expect(recorder.judgement(of: chains[4]) != nil)
    #expect(recorder.judgement(of: chains[0]) == nil)
  }
}
