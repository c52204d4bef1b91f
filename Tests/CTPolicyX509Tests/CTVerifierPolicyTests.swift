import CTPolicy
import CTPolicyX509
import CertificateTransparency
import Foundation
import SwiftASN1
import TestWorld
import Testing
@_spi(FixedExpiryValidationTime) import X509

@Suite("CTVerifierPolicy")
struct CTVerifierPolicyTests {
  private let world: TransparencyWorld

  init() throws { world = try TransparencyWorld() }

  private func policy(
    _ policies: [BrowserPolicy] = [.chrome], _ publicity: RootPublicity = .public, logs: LogView? = nil,
    tlsSCTList: [UInt8]? = nil, staleness: BrowserPolicy.Staleness = .failOpen,
    handler: @escaping @Sendable (ChainJudgement) -> Void = { _ in }
  ) -> CTVerifierPolicy {
    let (logs, time) = (logs ?? world.logs, world.issued)
    return CTVerifierPolicy(
      policies: policies, logs: { logs }, now: { time }, publicity: { _ in publicity }, tlsSCTList: tlsSCTList,
      staleness: staleness, handler: handler)
  }

  private func chain(_ leaf: [UInt8], _ issuers: [[UInt8]]) throws -> [Certificate] {
    try ([leaf] + issuers).map { try TransparencyWorld.certificate($0) }
  }

  private func chain(_ pair: IssuedPair) throws -> [Certificate] { try chain(pair.certificate, pair.chain) }

  private func validate(_ chain: [Certificate], _ policy: CTVerifierPolicy) async -> CertificateValidationResult {
    let time = Date(timeIntervalSince1970: Double(world.issued.milliseconds / 1000))
    var verifier = Verifier(rootCertificates: CertificateStore(chain.suffix(1))) {
      RFC5280Policy(fixedExpiryValidationTime: time)
      ServerIdentityPolicy(serverHostname: "www.example.com", serverIP: nil)
      policy
    }
    return await verifier.validate(leaf: chain[0], intermediates: CertificateStore(chain.dropFirst().dropLast()))
  }

  @Test("A chain whose SCTs satisfy all policies is valid, and its judgement can be looked up by the chain")
  func passes() async throws {
    let recorder = JudgementRecorder()
    let chain = try chain(world.issue(to: [world.anchor, world.beacon]))
    let policies: [BrowserPolicy] = [.chrome, .apple(.observed), .firefox]
    let result = await validate(chain, policy(policies, handler: { recorder.record($0) }))
    guard case .validCertificate(let valid) = result else {
      Issue.record("\(result)")
      return
    }
    let judgement = try #require(recorder.judgement(of: valid))
    #expect(judgement.chain == chain)
    #expect(judgement.passes && judgement.isRequired && judgement.failures.isEmpty)
    #expect(judgement.verdicts.map(\.policy) == policies)
    #expect(judgement.verdicts.allSatisfy { $0.code == .complies })
    #expect(judgement.report.scts.map(\.operatorName) == ["Anchor", "Beacon"])
    #expect(judgement.report.valid.count == 2)
    #expect(recorder.judgement(of: Array(chain.dropLast())) == nil)
  }

  enum Shortcoming: String, CaseIterable {
    case noSCTs, emptyList, oneLog, sameOperator, otherCertificate

    var codes: [VerdictCode] {
      switch self {
      case .noSCTs: [.noSCTs]
      case .emptyList: [.noSCTs, .malformedList]
      case .oneLog: [.tooFewLogs]
      case .sameOperator: [.oneOperator]
      case .otherCertificate: [.differsFromPrecertificate]
      }
    }
  }

  private func chain(_ shortcoming: Shortcoming) throws -> [Certificate] {
    switch shortcoming {
    case .noSCTs:
      let (leaf, issuers) = try world.issueWithoutSCTs()
      return try chain(leaf, issuers)
    case .emptyList: return try chain(world.issue(to: []))
    case .oneLog: return try chain(world.issue(to: [world.anchor]))
    case .sameOperator: return try chain(world.issue(to: [world.anchor, world.secondAnchor]))
    case .otherCertificate:
      let other = try world.authority.begin(CertificateRequest(["other.example.com"]))
      let scts = try [world.anchor, world.beacon].map { try $0.sct(at: try $0.append(other.entry)) }
      return try chain(world.authority.begin(CertificateRequest(["www.example.com"])).finish(scts))
    }
  }

  @Test("A chain to a public root, or to one of which nothing is known, needs SCTs that are enough")
  func fails() async throws {
    for shortcoming in Shortcoming.allCases {
      for publicity in [RootPublicity.public, .unknown] {
        let recorder = JudgementRecorder()
        let chain = try chain(shortcoming)
        let result = await validate(chain, policy(.init([.chrome]), publicity, handler: { recorder.record($0) }))
        guard case .couldNotValidate(let failures) = result else {
          Issue.record("\(shortcoming) passes")
          continue
        }
        let judgement = try #require(recorder.judgement(of: chain))
        #expect(!judgement.passes)
        #expect(judgement.publicity == publicity)
        let code = try #require(judgement.failures.first?.code)
        #expect(shortcoming.codes.contains(code), "\(shortcoming): \(code)")
        #expect(failures.count == 1)
        #expect(failures.first?.policyFailureReason.description.contains("Chrome: ") == true)
        #expect(failures.first?.policyFailureReason.description.contains(code.rawValue) == true)
      }
    }
  }

  @Test("Nothing is required below a local root, but the verdicts are there", arguments: Shortcoming.allCases)
  func localRoot(_ shortcoming: Shortcoming) async throws {
    let recorder = JudgementRecorder()
    let chain = try chain(shortcoming)
    let result = await validate(chain, policy([.chrome], .local, handler: { recorder.record($0) }))
    guard case .validCertificate = result else {
      Issue.record("\(result)")
      return
    }
    let judgement = try #require(recorder.judgement(of: chain))
    #expect(!judgement.isRequired && judgement.passes && judgement.failures.isEmpty)
    #expect(judgement.verdicts.map(\.passes) == [false])
  }

  @Test("One policy that is not satisfied is enough to refuse, and the others' verdicts say so")
  func everyPolicy() async throws {
    // Certificates of more than 180 days need three logs.
    var request = CertificateRequest(["www.example.com"])
    request.notAfter = Timestamp(milliseconds: world.issued.milliseconds + 300 * 86_400_000)
    let chain = try chain(world.issue(request, to: [world.anchor, world.beacon]))
    for policies: [BrowserPolicy] in [[.chrome], [.firefox, .chrome]] {
      let judgement = await policy(policies).judge(chain)
      #expect(!judgement.passes)
      #expect(judgement.failures.map(\.code).contains(.tooFewLogs))
    }
    #expect(await !policy([]).judge(chain).passes)
    #expect(await policy([], .local).judge(chain).passes)
  }

  @Test("SCTs of the TLS extension count, where they are given")
  func delivered() async throws {
    let (leaf, issuers) = try world.issueWithoutSCTs()
    let chain = try chain(leaf, issuers)
    let list = try world.list(for: leaf, issuers, of: [world.anchor, world.beacon])
    let judgement = await policy(tlsSCTList: list).judge(chain)
    #expect(judgement.passes)
    #expect(judgement.report.scts.map(\.source) == [.tls, .tls])
    #expect(await !policy().judge(chain).passes)
  }

  @Test("A list that is too old passes everything or nothing, as asked")
  func staleness() async throws {
    let old = world.logs(listed: Timestamp(milliseconds: world.issued.milliseconds - 71 * 86_400_000))
    let chain = try chain(.oneLog)
    let enough = try self.chain(world.issue(to: [world.anchor, world.beacon]))
    for (staleness, expected) in [(BrowserPolicy.Staleness.failOpen, [true, true]), (.failClosed, [false, false])] {
      let policy = policy(logs: old, staleness: staleness)
      #expect(await [policy.judge(chain).passes, policy.judge(enough).passes] == expected)
      #expect(await policy.judge(chain).verdicts.map(\.code) == [.staleList])
    }
    let ignoring = policy(logs: old, staleness: .ignored)
    #expect(await [ignoring.judge(chain).passes, ignoring.judge(enough).passes] == [false, true])
  }

  @Test("A chain of the root alone, and no chain at all, are judged without a trap")
  func shortChains() async throws {
    let root = try TransparencyWorld.root(of: world.issue(to: []))
    #expect(await !policy().judge([root]).passes)
    #expect(await policy([.chrome], .local).judge([root]).passes)
    #expect(await !policy([.chrome], .local).judge([]).passes)
  }

  @Test("A precertificate is refused for its poison")
  func precertificate() async throws {
    let pair = try world.issue(to: [world.anchor, world.beacon])
    let chain = try chain(pair.precertificate, pair.chain)
    guard case .couldNotValidate(let failures) = await validate(chain, policy([.chrome], .local)) else {
      Issue.record("the precertificate passes")
      return
    }
    #expect(failures.isEmpty)
  }

  @Test("Root stores say how public a root is")
  func rootStores() throws {
    let root = try TransparencyWorld.root(of: world.issue(to: []))
    let (other, key) = (ChainCertificate([0]).certificateHash, ChainCertificate(world.authority.root.chain[0]))
    var stores = RootStores()
    #expect(stores.publicity(of: root) == .unknown)
    stores.add(hash: other)
    #expect(stores.publicity(of: root) == .local)
    stores.add(hash: try #require(key.publicKeyHash))
    #expect(stores.publicity(of: root) == .public)
  }
}
