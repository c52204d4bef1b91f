import CTPolicy
import CertificateTransparency
import Foundation
import TestSupport

/// The results of an independent implementation, `ground_truth/` of the collected material.
enum GroundTruth {
  struct SCT: Decodable {
    let log_id: String
    let timestamp: UInt64
    let signature_valid: Bool?
    let leaf_index: UInt64?
    let hash_alg: UInt8?
    let sig_alg: UInt8?
    let delivery: String?
  }

  struct Certificate: Decodable, CustomStringConvertible {
    let file: String
    let not_before: String
    let not_after: String
    let precert_tbs_sha256: String
    let chain_sha256: [String]
    let scts: [SCT]

    var description: String { file }
  }

  struct Bulk: Decodable {
    let scts: [SCT]
  }

  struct Capture: Decodable, CustomStringConvertible {
    let chain: String
    let scts: [SCT]
    let ocsp: String?
    let tls_sct_list: String?

    var description: String { chain }
  }

  struct Judgement: Decodable {
    let compliant: Bool
    /// This and what follows are absent where no SCT is valid.
    let required: Int?
    let counted_logs: Int?
    let has_current: Bool?
    let operators: [String]?
    let check_time_ms: UInt64
  }

  struct Judged: Decodable, CustomStringConvertible {
    let file: String
    let verdicts: [String: Judgement]

    var description: String { file }
  }

  struct Verdicts: Decodable {
    let verdicts: [Judged]
  }

  static func read<Value: Decodable>(_ type: Value.Type, _ path: String) throws -> Value {
    try JSONDecoder().decode(type, from: TestData.data(path))
  }

  static func readLines<Value: Decodable>(_ type: Value.Type, _ path: String) throws -> [Value] {
    try TestData.data(path).split(separator: UInt8(ascii: "\n")).map { try JSONDecoder().decode(type, from: $0) }
  }

  private struct KnownKey: Decodable {
    let key: String
    let descriptions: [String]
    let operators: [String]
    let type: String
  }

  /// Every log that was ever listed, as if all were usable.
  static let allLogs: LogView = {
    let known = (try? read([KnownKey].self, "loglists/derived/all_known_log_keys.json")) ?? []
    let logs = known.compactMap { item -> LogDescription? in
      guard let der = Base64.decode(item.key) else { return nil }
      return description(
        der, name: item.descriptions.first ?? "?", operatorName: item.operators.first ?? "?",
        isTiled: item.type == "tiled")
    }
    return LogView(logs, timestamp: nil)
  }()

  static func description(
    _ der: [UInt8], name: String, operatorName: String, isTiled: Bool = false,
    state: LogDescription.State = .usable, stateTimestamp: Timestamp? = nil
  ) -> LogDescription? {
    guard let key = try? LogKey(derRepresentation: der) else { return nil }
    return LogDescription(
      kind: isTiled
        ? .staticCT(submission: "https://a.example/", monitoring: "https://b.example/")
        : .rfc6962(url: "https://a.example/"),
      key: key, description: name, operatorName: operatorName, maximumMergeDelay: 86_400, state: state,
      stateTimestamp: stateTimestamp)
  }

  private struct MozillaTable: Decodable {
    struct Log: Decodable {
      let name: String
      let state: String
      let format: String
      let timestamp_ms: UInt64
      let `operator`: String
      let key: String
    }

    let expiration_time_us: UInt64
    let logs: [Log]
  }

  /// Mozilla's table; its expiry is 70 days after its making.
  static func mozilla() throws -> LogView {
    let table = try read(MozillaTable.self, "loglists/mozilla/mozilla_known_logs_esr140.12.json")
    let logs = table.logs.compactMap { log -> LogDescription? in
      guard let der = Base64.decode(log.key) else { return nil }
      return description(
        der, name: log.name, operatorName: log.operator, isTiled: log.format == "Tiled",
        state: log.state == "Retired" ? .retired : .usable,
        stateTimestamp: Timestamp(milliseconds: log.timestamp_ms))
    }
    return LogView(logs, timestamp: Timestamp(milliseconds: table.expiration_time_us / 1000 - 70 * 86_400_000))
  }

  /// A time by which all that is to come has come.
  static let late = Timestamp(milliseconds: 4_000_000_000_000)

  static func presented(_ chain: [[UInt8]]) -> PresentedCertificate {
    PresentedCertificate(leaf: chain.first ?? [], issuers: Array(chain.dropFirst()))
  }
}
