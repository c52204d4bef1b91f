import CTLogClient
import CTPolicy
import CertificateTransparency
import Foundation
import MerkleTree
import OrielProbe

extension CheckReport {
  /// The report for programs: one JSON object on one line (docs/check-json.md).
  package func json() throws -> String { try CheckJSON(self).line }
}

extension Encodable {
  fileprivate var line: String {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      encoder.keyEncodingStrategy = .convertToSnakeCase
      return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
  }
}

/// What could not be checked, as JSON.
package struct CheckFailureJSON: Encodable {
  let version = 1
  let name: String
  let standing = PolicyResult.Standing.couldNotTell.rawValue
  let error: Problem

  struct Problem: Encodable {
    let code: String
    let message: String
  }

  package init(name: String, code: String, message: String) {
    self.name = name
    error = Problem(code: code, message: message)
  }

  package func json() throws -> String { try line }
}

private struct CheckJSON: Encodable {
  struct Verdict: Encodable {
    let policy, standing, code, summary, compliance: String
    let requirement: String?
    let mends: [Mend]
    let evidence: Evidence
    let list: List
    let nearestMisses: [String]
    let decides: Bool
  }

  struct Mend: Encodable {
    let action, actor: String
  }

  struct Evidence: Encodable {
    let route: String
    let lifetime: Int64?
    let neededLogs, countedLogs, neededOperators: Int
    let operators: [String]
    let counted: [Int]
    let uncounted: [Uncounted]
  }

  struct Uncounted: Encodable {
    let index: Int
    let reason: String
  }

  struct List: Encodable {
    let name: String
    let version, timestamp: String?
    let signature: String
    let isSubstitute: Bool
  }

  struct SCT: Encodable {
    let source, status: String
    let position: Int
    let detail: String
    let logID, log, operatorName, state, timestamp: String?
    let leafIndex: UInt64?
    let inclusion, inclusionDetail: String?

    enum CodingKeys: String, CodingKey {
      case source, status, position, detail, log, state, timestamp, inclusion
      case inclusionDetail = "inclusion_detail"
      case logID = "log_id"
      case operatorName = "operator"
      case leafIndex = "leaf_index"
    }
  }

  struct Leaf: Encodable {
    let sha256: String
    let serial, issuer, notBefore, notAfter, spkiSHA256: String?
    let names: [String]

    enum CodingKeys: String, CodingKey {
      case sha256, serial, issuer, names
      case notBefore = "not_before"
      case notAfter = "not_after"
      case spkiSHA256 = "spki_sha256"
    }
  }

  struct Chain: Encodable {
    let isVerified: Bool
    let code, problem: String?
    let isReordered: Bool
    let hostMatches: Bool?
    let publicRoot: String
    let certificates: [String]
  }

  struct Handshake: Encodable {
    let address, tlsVersion, cipherSuite: String
    let notes: [String]
  }

  struct Failure: Encodable {
    let policy, time, code: String
    let events: [String]
  }

  let version = 1
  let name, standing, time: String
  let host: String?
  let codes: [String]
  let verdicts: [Verdict]
  let leaf: Leaf
  let chain: Chain
  let scts: [SCT]
  let listProblems: [String]
  let handshake: Handshake?
  let forecast: [Failure]
  let distrust: String?
  let warnings: [String]

  init(_ report: CheckReport) {
    name = report.subject.name
    host = report.subject.host
    standing = report.standing.rawValue
    time = report.time.description
    codes = report.codes
    verdicts = report.results.map(CheckJSON.verdict)
    let facts = report.facts
    let date = { (seconds: Int64?) in
      seconds.flatMap { $0 < 0 ? nil : Timestamp(milliseconds: UInt64($0) * 1000).description }
    }
    leaf = Leaf(
      sha256: report.leafHash.hex, serial: facts.serialNumber, issuer: facts.issuer?.description,
      notBefore: date(facts.notBefore), notAfter: date(facts.notAfter), spkiSHA256: facts.publicKeyHash?.hex,
      names: facts.text(of: .dnsName) + facts.text(of: .ipAddress))
    chain = Chain(
      isVerified: report.chain.isVerified, code: report.chain.problem?.checkCode,
      problem: report.chain.problem.map { "\($0)" }, isReordered: report.chain.isReordered,
      hostMatches: report.chain.hostMatches, publicRoot: report.publicity.rawValue,
      certificates: report.chain.chain.map { SHA256Hash.hash($0).hex })
    scts = (report.report?.scts ?? []).enumerated().map { place, sct in
      CheckJSON.sct(sct, report.inclusion.indices.contains(place) ? report.inclusion[place] : nil)
    }
    listProblems = report.report?.listProblems.map { "\($0)" } ?? []
    handshake = report.subject.handshake.map {
      Handshake(
        address: "\($0.address)", tlsVersion: "\($0.version)", cipherSuite: $0.cipherSuite,
        notes: $0.notes.map { "\($0)" })
    }
    forecast = report.forecasts.map { failure in
      Failure(
        policy: failure.policy.identifier, time: failure.time.description, code: failure.verdict.code.rawValue,
        events: failure.events.map(CheckJSON.event))
    }
    distrust = report.distrust.map { "\(DistrustFinding.code): \($0.outcome.rawValue)" }
    warnings = report.warnings.map { "\($0)" }
  }

  private static func verdict(_ result: PolicyResult) -> Verdict {
    let verdict = result.verdict
    let evidence = verdict.evidence
    return Verdict(
      policy: verdict.policy.identifier, standing: result.standing.rawValue, code: verdict.code.rawValue,
      summary: verdict.code.summary, compliance: verdict.compliance.rawValue,
      requirement: result.requirement?.outcome.code,
      mends: verdict.mends.map { Mend(action: "\($0)", actor: $0.actor.rawValue) },
      evidence: Evidence(
        route: evidence.route.rawValue, lifetime: evidence.lifetime, neededLogs: evidence.neededLogs,
        countedLogs: evidence.countedLogs, neededOperators: evidence.neededOperators, operators: evidence.operators,
        counted: evidence.counted,
        uncounted: evidence.uncounted.map { Uncounted(index: $0.index, reason: $0.reason.rawValue) }),
      list: List(
        name: result.list.name, version: result.list.version, timestamp: result.list.view.timestamp?.description,
        signature: CheckPage.describe(result.list.signature), isSubstitute: result.list.standsInFor != nil),
      nearestMisses: result.requirement?.nearestMisses.map { "\($0)" } ?? [], decides: result.decides)
  }

  private static func sct(_ sct: ReportedSCT, _ inclusion: InclusionCheck.Finding?) -> SCT {
    var leafIndex: UInt64?
    if case .index(let index, _) = sct.leafIndex { leafIndex = index }
    return SCT(
      source: sct.source.rawValue, status: sct.status.code, position: sct.position,
      detail: CheckPage.describe(sct.status), logID: sct.logID?.description, log: sct.log?.description,
      operatorName: sct.operatorName, state: sct.logState?.name, timestamp: sct.timestamp?.description,
      leafIndex: leafIndex, inclusion: inclusion?.code, inclusionDetail: inclusion.map { "\($0)" })
  }

  private static func event(_ event: Forecast.Event) -> String {
    switch event {
    case .retirement(let log): "retirement \(log)"
    case .readOnly(let log): "read-only \(log)"
    case .shardEnd(let log): "shard-end \(log)"
    case .operatorChange(let log): "operator-change \(log)"
    case .policyChange: "policy-change"
    }
  }
}

extension ReportedSCT.Status {
  /// A stable word for programs.
  package var code: String {
    switch self {
    case .valid: "valid"
    case .unknownLog(.mimic): "mimic-log"
    case .unknownLog: "unknown-log"
    case .badSignature(.missingIssuer): "missing-issuer"
    case .badSignature(.wrongIssuer): "wrong-issuer"
    case .badSignature(.wrongEntryType): "wrong-entry-type"
    case .badSignature(.otherCertificate): "other-certificate"
    case .badSignature(.differsFromPrecertificate): "differs-from-precertificate"
    case .badSignature(.damaged): "damaged"
    case .badSignature: "bad-signature"
    case .future: "future"
    case .unsupportedVersion: "unsupported-version"
    case .malformed: "malformed"
    }
  }
}
