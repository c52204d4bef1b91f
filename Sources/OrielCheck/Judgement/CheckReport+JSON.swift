import CTLogClient
import CTPolicy
import CertificateTransparency
import MerkleTree
import OrielProbe

extension CheckReport {
  /// The report for programs: one JSON object on one line (docs/check-json.md).
  package func json() -> String { value.line }

  /// The same of what could not be checked.
  package static func json(name: String, code: String, message: String) -> String {
    let failure: JSONValue = [
      "version": 1, "name": .text(name), "standing": .text(PolicyResult.Standing.couldNotTell.rawValue),
      "error": ["code": .text(code), "message": .text(message)],
    ]
    return failure.line
  }

  private var value: JSONValue {
    [
      "version": 1, "name": .text(subject.name), "host": subject.host.map(JSONValue.text),
      "standing": .text(standing.rawValue), "time": .text(time.description), "codes": .texts(codes),
      "verdicts": .list(results.map(\.json)), "leaf": leafJSON, "chain": chainJSON,
      "scts": .list((report?.scts ?? []).indices.map(sctJSON)),
      "list_problems": .texts(report?.listProblems.map { "\($0)" } ?? []), "handshake": subject.handshake?.json,
      "forecast": .list(forecasts.map(\.json)),
      "distrust": distrust.map { .text("\(DistrustFinding.code): \($0.outcome.rawValue)") },
      "warnings": .texts(warnings.map { "\($0)" }),
    ]
  }

  private var leafJSON: JSONValue {
    let date = { (seconds: Int64?) in
      seconds.flatMap { $0 < 0 ? nil : JSONValue.text(Timestamp(milliseconds: UInt64($0) * 1000).description) }
    }
    return [
      "sha256": .text(leafHash.hex), "serial": facts.serialNumber.map(JSONValue.text),
      "issuer": facts.issuer.map { .text($0.description) }, "not_before": date(facts.notBefore),
      "not_after": date(facts.notAfter), "spki_sha256": facts.publicKeyHash.map { .text($0.hex) },
      "names": .texts(facts.text(of: .dnsName) + facts.text(of: .ipAddress)),
    ]
  }

  private var chainJSON: JSONValue {
    [
      "is_verified": .flag(chain.isVerified), "code": (chain.problem?.checkCode).map(JSONValue.text),
      "problem": chain.problem.map { .text("\($0)") }, "is_reordered": .flag(chain.isReordered),
      "host_matches": chain.hostMatches.map(JSONValue.flag), "public_root": .text(publicity.rawValue),
      "certificates": .texts(chain.chain.map { SHA256Hash.hash($0).hex }),
    ]
  }

  private func sctJSON(_ place: Int) -> JSONValue {
    report?.scts[place].json(inclusion.indices.contains(place) ? inclusion[place] : nil) ?? [:]
  }
}

extension ReportedSCT {
  fileprivate func json(_ inclusion: InclusionCheck.Finding?) -> JSONValue {
    var index: JSONValue?
    if case .index(let found, _) = leafIndex { index = .integer(Int(clamping: found)) }
    return [
      "source": .text(source.rawValue), "position": .integer(position), "status": .text(status.code),
      "detail": .text(CheckPage.describe(status)), "log_id": logID.map { .text($0.description) },
      "log": log.map { .text($0.description) }, "operator": operatorName.map(JSONValue.text),
      "state": logState.map { .text($0.name) }, "timestamp": timestamp.map { .text($0.description) },
      "leaf_index": index, "inclusion": inclusion.map { .text($0.code) },
      "inclusion_detail": inclusion.map { .text("\($0)") },
    ]
  }
}

extension PolicyResult {
  fileprivate var json: JSONValue {
    [
      "policy": .text(policy.identifier), "decides": .flag(decides), "standing": .text(standing.rawValue),
      "code": .text(verdict.code.rawValue), "summary": .text(verdict.code.summary),
      "compliance": .text(verdict.compliance.rawValue),
      "requirement": requirement.map { .text($0.outcome.code) },
      "mends": .list(
        verdict.mends.map { ["action": .text("\($0)"), "actor": .text($0.actor.rawValue)] }),
      "evidence": verdict.evidence.json, "list": list.json,
      "nearest_misses": .texts(requirement?.nearestMisses.map { "\($0)" } ?? []),
    ]
  }
}

extension Evidence {
  fileprivate var json: JSONValue {
    [
      "route": .text(route.rawValue), "lifetime": lifetime.map { .integer(Int($0)) },
      "needed_logs": .integer(neededLogs), "counted_logs": .integer(countedLogs),
      "needed_operators": .integer(neededOperators), "operators": .texts(operators),
      "counted": .list(counted.map(JSONValue.integer)),
      "uncounted": .list(
        uncounted.map { ["index": .integer($0.index), "reason": .text($0.reason.rawValue)] }),
    ]
  }
}

extension BrowserLists.List {
  fileprivate var json: JSONValue {
    [
      "name": .text(name), "version": version.map(JSONValue.text), "timestamp": timestamp.map { .text($0.description) },
      "signature": .text(CheckPage.describe(signature)), "is_substitute": .flag(standsInFor != nil),
    ]
  }
}

extension Handshake {
  fileprivate var json: JSONValue {
    [
      "address": .text("\(address)"), "tls_version": .text("\(version)"), "cipher_suite": .text(cipherSuite),
      "notes": .texts(notes.map { "\($0)" }),
    ]
  }
}

extension Forecast.Failure {
  fileprivate var json: JSONValue {
    [
      "policy": .text(policy.identifier), "time": .text(time.description), "code": .text(verdict.code.rawValue),
      "events": .texts(events.map(\.text)),
    ]
  }
}

extension Forecast.Event {
  fileprivate var text: String {
    switch self {
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
