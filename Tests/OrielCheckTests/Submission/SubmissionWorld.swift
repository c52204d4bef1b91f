import CTLogClient
import CTPolicy
import CertificateTransparency
import MerkleTree
import OrielCheck
import Synchronization
import TestWorld
import Testing

/// A log that takes submissions, in one of many ways.
struct SubmissionLog: Sendable {
  enum Behaviour: Sendable {
    case right
    case refusing(Int, String)
    case wrongSignature, wrongLogID, garbage, huge
    /// As a tiled log must not.
    case withoutIndex
    /// So many milliseconds ahead of everybody.
    case ahead(UInt64)
  }

  let name: String
  var operatorName: String
  var isTiled = false
  var state = LogDescription.State.usable
  var since: Timestamp?
  var interval: LogDescription.TemporalInterval?
  var behaviour = Behaviour.right
  let signer = LogSigner()

  init(
    _ name: String, of operatorName: String, isTiled: Bool = false, _ change: (inout SubmissionLog) -> Void = { _ in }
  ) {
    self.name = name
    self.operatorName = operatorName
    self.isTiled = isTiled
    change(&self)
  }

  var logID: LogID { signer.logID }

  func with(_ change: (inout SubmissionLog) -> Void) -> SubmissionLog {
    var log = self
    change(&log)
    return log
  }

  func description(url: String = "http://127.0.0.1:1/") -> LogDescription {
    LogDescription(
      kind: isTiled
        ? .staticCT(submission: "\(url)\(name)/", monitoring: "\(url)\(name)/") : .rfc6962(url: "\(url)\(name)/"),
      key: signer.publicKey, description: "\(name) 2026", operatorName: operatorName, maximumMergeDelay: 60,
      state: state, stateTimestamp: since, temporalInterval: interval)
  }

  func sct(_ entry: LogEntryBody, at time: Timestamp = SubmissionWorld.time) throws -> SignedCertificateTimestamp {
    let extensions = isTiled ? try CTExtensions(leafIndex: 7).encoded() : []
    return try signer.sign(entry, timestamp: time, extensions: extensions)
  }

  func item(_ certificate: PresentedCertificate) throws -> SCTList.Item {
    SCTList.Item(serialized: try sct(.x509(certificate: certificate.leaf)).encoded())
  }

  /// The answer to add-chain or add-pre-chain.
  func respond(to request: TestRequest) throws -> TestResponse {
    let chain = try AddChainRequest(json: request.body).chain
    var entry = LogEntryBody.x509(certificate: chain[0])
    if request.target.hasSuffix("add-pre-chain") {
      let issuer = chain[1]
      let bytes = issuer.span
      guard let fields = CertificateFields(certificate: 0..<bytes.count, in: bytes) else {
        return TestResponse(status: 400, "no issuer")
      }
      entry = .precertificate(
        issuerKeyHash: SHA256Hash.hash(Array(issuer[fields.publicKeyInfo])),
        tbsCertificate: try TBSCertificate.withoutPoison(precertificate: chain[0]))
    }
    let right = try sct(entry)
    switch behaviour {
    case .right: return .json(try AddChainResponse(sct: right).json())
    case .refusing(let status, let words): return TestResponse(status: status, words)
    case .wrongSignature:
      return .json(try AddChainResponse(sct: sct(.x509(certificate: chain[0] + [0]))).json())
    case .wrongLogID:
      return .json(try AddChainResponse(sct: SubmissionLog("x", of: "X").sct(entry)).json())
    case .garbage: return .json(Array("{}".utf8))
    case .huge: return .json([UInt8](repeating: 0x20, count: 1 << 20))
    case .withoutIndex:
      return .json(try AddChainResponse(sct: signer.sign(entry, timestamp: SubmissionWorld.time)).json())
    case .ahead(let milliseconds):
      let time = Timestamp(milliseconds: SubmissionWorld.time.milliseconds + milliseconds)
      return .json(try AddChainResponse(sct: sct(entry, at: time)).json())
    }
  }
}

/// Logs on loopback, and certificates to submit.
enum SubmissionWorld {
  static let day: UInt64 = 86_400_000
  static let time = HeldClock().start
  private static let authority = Result { try TestAuthority() }

  static func days(_ count: Int64) -> Timestamp {
    Timestamp(milliseconds: UInt64(Int64(time.milliseconds) + count * Int64(day)))
  }

  static let a = SubmissionLog("a", of: "Anchor")
  static let a2 = SubmissionLog("a2", of: "Anchor")
  static let b = SubmissionLog("b", of: "Beacon", isTiled: true)
  static let c = SubmissionLog("c", of: "Cairn")
  static let d = SubmissionLog("d", of: "Dune", isTiled: true)
  static let usual = [a, a2, b, c, d]

  /// A certificate of 90 days, with SCTs of these logs embedded (or of unknown ones).
  static func certificate(embedded: [SubmissionLog] = []) throws -> PresentedCertificate {
    let pending = try authority.get().begin(CertificateRequest(["www.example.com"]))
    let pair = try embedded.isEmpty ? pending.finish() : pending.finish(embedded.map { try $0.sct(pending.entry.body) })
    return PresentedCertificate(leaf: pair.certificate, issuers: pair.chain)
  }

  static func precertificate() throws -> PresentedCertificate {
    let pending = try authority.get().begin(CertificateRequest(["www.example.com"]))
    return PresentedCertificate(leaf: pending.precertificate, issuers: pending.precertificateChain)
  }

  static func view(_ logs: [SubmissionLog], url: String = "http://127.0.0.1:1/", age: Int64 = 1) -> LogView {
    LogView(logs.map { $0.description(url: url) }, timestamp: days(-age))
  }

  /// These policies, all with one list.
  static func enforced(
    _ logs: [SubmissionLog], _ policies: [BrowserPolicy] = BrowserPolicy.current, url: String = "http://127.0.0.1:1/",
    age: Int64 = 1
  ) -> [EnforcedPolicy] {
    policies.map { EnforcedPolicy($0, logs: view(logs, url: url, age: age)) }
  }

  static func standings(
    _ certificate: PresentedCertificate, _ policies: [EnforcedPolicy]
  ) -> [EnforcedPolicy.Standing] {
    policies.map { $0.judge(certificate, asOf: time).standing }
  }

  /// Serves the logs, and gives their submission.
  static func run(
    _ logs: [SubmissionLog], policies: [BrowserPolicy] = BrowserPolicy.current, at now: Timestamp = time,
    listAge: Int64 = 1, _ body: (SCTSubmission, TestServer) async throws -> Void
  ) async throws {
    try await TestServer.run(respond: { request in
      guard let log = logs.first(where: { request.target.hasPrefix("/\($0.name)/ct/v1/add-") }) else {
        return .notFound
      }
      return (try? log.respond(to: request)) ?? TestResponse(status: 400, "not a chain")
    }) { server in
      try await HTTPTransport.withTransport { transport in
        let enforced = enforced(logs, policies, url: server.url, age: listAge)
        try await body(SCTSubmission(policies: enforced, transport: transport, now: { now }), server)
      }
    }
  }
}
