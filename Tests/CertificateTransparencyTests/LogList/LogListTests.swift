import CertificateTransparency
import Foundation
import MerkleTree
import TestSupport
import Testing

@Suite struct LogListTests {
  private static let signer = LogSigner()

  /// A list with one operator and the members that `edit` changes in its one log.
  private func list(_ edit: (inout [String: Any]) -> Void = { _ in }) throws -> LogList {
    var log: [String: Any] = [
      "description": "Test", "log_id": Self.signer.logID.base64,
      "key": Base64.encode(Self.signer.publicKey.derRepresentation), "url": "https://ct.example/log/", "mmd": 86400,
      "state": ["usable": ["timestamp": "2026-01-01T00:00:00Z"]],
    ]
    edit(&log)
    let list: [String: Any] = ["operators": [["name": "Operator", "email": ["a@b.example"], "logs": [log]]]]
    return try LogList(json: [UInt8](try JSONSerialization.data(withJSONObject: list)))
  }

  @Test("a log with all members, known and unknown")
  func members() throws {
    let list = try list { log in
      log["tls_only"] = true
      log["log_type"] = "prod"
      log["temporal_interval"] = ["start_inclusive": "2026-01-01T00:00:00Z", "end_exclusive": "2027-01-01T00:00:00Z"]
      log["previous_operators"] = [["name": "Earlier", "end_time": "2025-06-01T00:00:00Z"]]
      log["state"] = [
        "readonly": [
          "timestamp": "2026-01-01T00:00:00Z",
          "final_tree_head": ["sha256_root_hash": Base64.encode(SHA256Hash.zero.bytes), "tree_size": 5],
        ]
      ]
    }
    #expect(list.problems == [])
    let log = try #require(list.log(Self.signer.logID))
    #expect(log.kind == .rfc6962(url: "https://ct.example/log/"))
    #expect(log.operatorName == "Operator")
    #expect(log.logType == "prod")
    #expect(log.finalTreeHead == LogDescription.FinalTreeHead(treeSize: 5, rootHash: .zero))
    #expect(log.stateTimestamp?.description == "2026-01-01T00:00:00Z")
    #expect(log.previousOperators.map(\.name) == ["Earlier"])
    let interval = try #require(log.temporalInterval)
    #expect(interval.contains(interval.startInclusive))
    #expect(!interval.contains(interval.endExclusive))
  }

  @Test("a state that is not known is kept by its name, and none is none")
  func states() throws {
    #expect(
      try list { $0["state"] = ["frozen": ["timestamp": "2026-01-01T00:00:00Z"]] }.logs.first?.state == .other("frozen")
    )
    let without = try list { $0["state"] = nil }
    #expect(without.logs.count == 1)
    #expect(without.logs.first?.state == nil)
  }

  @Test(
    "URL prefixes are brought to one form",
    arguments: [
      ("https://ct.example/log", "https://ct.example/log/"), ("ct.example/log/", "https://ct.example/log/"),
      ("HTTP://127.0.0.1:8080", "http://127.0.0.1:8080/"), ("https://[::1]:80/a/", "https://[::1]:80/a/"),
      ("file:///var/log", "file:///var/log/"),
    ])
  func urls(text: String, url: String) throws {
    #expect(try list { $0["url"] = text }.logs.first?.monitoringURL == url)
  }

  @Test(
    "URL prefixes that are none",
    arguments: [
      "", "ftp://ct.example/", "https://", "https:///log", "https://:80/", "https://a b/", "https://a/?q",
      "https://a/#f",
      "https://u@a/", "file://host/log", "https://\u{e9}.example/", "https://" + String(repeating: "a", count: 2048),
    ])
  func badURLs(text: String) throws {
    let list = try list { $0["url"] = text }
    #expect(list.logs.isEmpty)
    #expect(list.problems.map(\.reason).allSatisfy { $0.hasPrefix("url ") })
    #expect(list.problems.count == 1)
  }

  @Test(
    "what is wrong with a log is said, and costs only that log",
    arguments: [
      ("log_id", #""AAAA""#, "log_id is AAAA"), ("key", #""!""#, "key is not base64"),
      ("key", #""AAAA""#, "SubjectPublicKeyInfo"),
      ("key", "null", "key is null"), ("mmd", "-1", "mmd is negative"), ("mmd", #""60""#, "mmd"),
      ("mmd", "\(Int.max)", "mmd is more than a hundred years"),
      ("mmd", "1e30", "30"),
      ("submission_url", #""https://a.example/""#, "it needs either url"),
      ("state", #"{"usable":{},"retired":{}}"#, "state does not"),
      ("state", "{}", "state does not"), ("state", #"{"usable":{"timestamp":"yesterday"}}"#, "the state's timestamp"),
      (
        "temporal_interval", #"{"start_inclusive":"2026-01-01T00:00:00Z","end_exclusive":"2026-01-01T00:00:00Z"}"#,
        "temporal_interval ends"
      ),
      (
        "temporal_interval", #"{"start_inclusive":"2026-01-01T00:00:00Z"}"#,
        "temporal_interval.end_exclusive is missing"
      ),
      ("state", #"{"usable":{"timestamp":"2026-01-01T00:00:00ZZ"}}"#, "the state's timestamp"),
      ("previous_operators", #"[{"name":"a","end_time":"99999"}]"#, "previous_operators.end_time"),
      ("state", #"{"readonly":{"final_tree_head":{"sha256_root_hash":"AA==","tree_size":1}}}"#, "final_tree_head"),
      (
        "state", #"{"readonly":{"final_tree_head":{"sha256_root_hash":"AA==","tree_size":-1}}}"#,
        "final_tree_head.tree_size: not a whole number"
      ),
      ("mmd", "1e30", "mmd: not a whole number"),
    ])
  func problems(member: String, value: String, reason: String) throws {
    let good = try list().json()
    let text = String(decoding: good, as: UTF8.self)
    let other = LogSigner()
    let second = """
      {"description":"Bad","log_id":"\(other.logID)","key":"\(Base64.encode(other.publicKey.derRepresentation))",\
      "url":"https://bad.example/","mmd":1}
      """
    var object = try #require(try JSONSerialization.jsonObject(with: Data(second.utf8)) as? [String: Any])
    object[member] = try JSONSerialization.jsonObject(with: Data(value.utf8), options: .fragmentsAllowed)
    let bad = String(decoding: try JSONSerialization.data(withJSONObject: object), as: UTF8.self)
    let both = text.replacing(#""logs" : ["#, with: #""logs" : ["# + bad + ",")
    #expect(both != text)
    let list = try LogList(json: Array(both.utf8))
    #expect(list.logs.map(\.description) == ["Test"])
    #expect(list.problems.count == 1)
    #expect(list.problems.first?.reason.contains(reason) == true, "\(list.problems)")
  }

  @Test("a log id stands in a list once")
  func duplicate() throws {
    let log = try #require(try list().logs.first)
    let twice = LogList(operators: [LogList.Operator(name: "Operator")], logs: [log, log])
    let read = try LogList(json: try twice.json())
    #expect(read.logs == [log])
    #expect(read.problems.map(\.reason) == ["its log_id stands in the list already"])
  }

  @Test(
    "what is no list at all",
    arguments: [
      "", "null", "[]", "{}", #"{"operators":{}}"#, #"{"operators":null}"#,
      #"{"operators":[],"log_list_timestamp":"x"}"#,
      String(repeating: "[", count: 100_000), #"{"operators":[]"#,
    ])
  func noList(text: String) {
    let error = #expect(throws: FormatError.self) { try LogList(json: Array(text.utf8)) }
    #expect(error?.description.hasPrefix("log list, offset 0: ") == true, "\(String(describing: error))")
  }

  @Test("an operator that can't be read does not cost the others; empty and absent lists of logs are fine")
  func operators() throws {
    let text = #"{"operators":[{"email":[]},{"name":"A"},{"name":"B","logs":[],"tiled_logs":[]},7]}"#
    let list = try LogList(json: Array(text.utf8))
    #expect(list.operators.map(\.name) == ["A", "B"])
    #expect(list.problems.map(\.operatorName) == ["operator 0", "operator 3"])
  }

  @Test("a list comes back from its JSON")
  func roundTrip() throws {
    let signers = [LogSigner(), LogSigner()]
    let logs = [
      LogDescription(
        kind: .rfc6962(url: "http://127.0.0.1:80/a/"), key: signers[0].publicKey, description: "A \"quoted\"",
        operatorName: "Op", previousOperators: [.init(name: "Q", endTime: Timestamp(milliseconds: 1000))],
        maximumMergeDelay: 1, state: .readonly(finalTreeHead: .init(treeSize: .max, rootHash: .zero)),
        stateTimestamp: Timestamp(milliseconds: 1_768_225_600_256), logType: "test"),
      LogDescription(
        kind: .staticCT(submission: "https://s.example/2026h1/", monitoring: "https://m.example/"),
        key: signers[1].publicKey, description: "B", operatorName: "Op", maximumMergeDelay: 60, state: .other("odd"),
        temporalInterval: .init(
          startInclusive: Timestamp(milliseconds: 0), endExclusive: Timestamp(milliseconds: 253_402_300_799_000))),
    ]
    let list = LogList(
      version: "1.2", timestamp: Timestamp(milliseconds: 5), operators: [.init(name: "Op", email: ["a@b.example"])],
      logs: logs)
    let read = try LogList(json: try list.json())
    #expect(read.logs == logs)
    #expect(read.operators == list.operators)
    #expect(read.problems == [])
    #expect(read.version == "1.2")
    #expect(read.timestamp == list.timestamp)
    #expect(logs[1].origin == "s.example/2026h1")
    #expect(throws: FormatError.self) { try LogList(operators: [], logs: logs).json() }
  }
}
