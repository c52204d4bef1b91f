import CTLogClient
import CTPolicy
import CertificateTransparency
import Foundation
import OrielCheck
import OrielProbe
import TestWorld
import Testing

/// Certificates of a day, judged by lists of other days.
@Suite("A check at another time")
struct CheckerTests {
  private static func day(_ text: String) throws -> Timestamp { try #require(Timestamp(rfc3339: text + "T00:00:00Z")) }

  /// A certificate of `issued` with SCTs of logs that a list of `listed` has as they are then.
  private struct Scene {
    let authority: TestAuthority
    let subject: CheckSubject
    let lists: BrowserLists

    init(issued: String, listed: String, retired: String? = nil, logs names: [String] = ["a", "b"]) throws {
      let (issued, listed) = (try day(issued), try day(listed))
      authority = try TestAuthority(now: { issued })
      let logs = try names.enumerated().map { try TestLog(.rfc6962, name: $1, seed: UInt64($0 + 90), now: { issued }) }
      let pending = try authority.begin(CertificateRequest(["shop.example"]))
      let pair = try pending.finish(try logs.map { try $0.sct(at: try $0.append(pending.entry)) })
      subject = CheckSubject(
        name: "shop.example", host: "shop.example", certificates: [pair.certificate] + pair.chain.dropLast())
      let known = try logs.map { log in
        try log.description(
          url: "https://\(log.name).example/", operatorName: log.name,
          retired: log.name == "a" ? retired.map(day) : nil)
      }
      let list = LogList(
        version: "1", timestamp: listed, operators: known.map { LogList.Operator(name: $0.operatorName) }, logs: known)
      lists = BrowserLists([
        .chrome: BrowserLists.List(name: "list", list, fetchedAt: listed, signature: .verified)
      ])
    }

    func check(asOf time: String, isHistorical: Bool) throws -> CheckReport {
      Checker(
        lists: lists, anchors: try TrustAnchors(certificates: [authority.root.chain[0]]), time: try day(time),
        isHistorical: isHistorical
      ).check(subject)
    }
  }

  private static func standings(_ report: CheckReport) -> [String: PolicyResult.Standing] {
    Dictionary(uniqueKeysWithValues: report.results.map { ($0.policy.identifier, $0.standing) })
  }

  @Test("goes by a later list as it was then: the logs in service, and no older or newer than that day")
  func laterList() throws {
    let scene = try Scene(issued: "2026-06-01", listed: "2026-10-01", retired: "2026-07-01")
    let then = try scene.check(asOf: "2026-06-10", isHistorical: true)
    #expect(then.results.count == 5 && then.results.allSatisfy { $0.verdict.code == .complies })
    // What it says of the list itself stays true.
    #expect(then.json().contains("\"timestamp\":\"2026-10-01T00:00:00Z\""))
  }

  @Test("tells a list that is dated ahead from one that is too old, and who enforces nothing by it")
  func aheadOrOld() throws {
    let scene = try Scene(issued: "2026-06-01", listed: "2026-06-20")
    let ahead = try scene.check(asOf: "2026-06-10", isHistorical: false)
    let text = ahead.text { word, _ in word }
    #expect(text.contains("10 days ahead") && text.contains("dated AHEAD, so Android enforces nothing (CT-LIST-2)"))
    #expect(!text.contains("TOO OLD") && ahead.codes == ["CT-LIST-2"], "\(text)")
    let old = try scene.check(asOf: "2026-08-25", isHistorical: false)
    #expect(old.text { word, _ in word }.contains("TOO OLD to judge by, so Apple") && old.codes == ["CT-LIST-1"])
  }

  @Test(
    "asks nothing where a browser did not enforce CT yet",
    arguments: [
      ("2018-06-01", ["chrome"]), ("2018-11-01", ["chrome", "apple-published", "apple-observed"]),
      ("2025-01-01", ["chrome", "apple-published", "apple-observed"]),
      ("2025-03-01", ["chrome", "apple-published", "apple-observed", "firefox"]),
      ("2025-07-01", ["chrome", "apple-published", "apple-observed", "firefox", "android"]),
    ])
  func enforcement(_ time: String, _ enforcing: [String]) throws {
    let issued = Timestamp(milliseconds: try CheckerTests.day(time).milliseconds - 10 * 86_400_000)
    let scene = try Scene(issued: String("\(issued)".prefix(10)), listed: time, logs: [])
    let report = try scene.check(asOf: time, isHistorical: true)
    for (policy, standing) in CheckerTests.standings(report) {
      let name = policy == "chromium-era" ? "chrome" : policy
      #expect(standing == (enforcing.contains(name) ? .fail : .notRequired), "\(policy) as of \(time)")
    }
  }

  @Test("takes what another list showed of signatures, and judges by both lists")
  func twoLists() throws {
    let scene = try Scene(issued: "2026-06-01", listed: "2026-06-02")
    let other = BrowserLists.List(
      name: "other",
      LogList(version: "2", timestamp: try CheckerTests.day("2026-06-02"), operators: [], logs: []),
      fetchedAt: try CheckerTests.day("2026-06-02"), signature: .unsigned)
    let checker = Checker(
      lists: BrowserLists([.chrome: try #require(scene.lists[.chrome]), .apple: other]),
      anchors: try TrustAnchors(certificates: [scene.authority.root.chain[0]]),
      time: try CheckerTests.day("2026-06-10"))
    let standings = CheckerTests.standings(checker.check(scene.subject))
    #expect(standings["chrome"] == .pass && standings["firefox"] == .pass && standings["android"] == .pass)
    #expect(standings["apple-observed"] == .fail)
  }
}

extension TestLog {
  fileprivate func description(url: String, operatorName: String, retired: Timestamp?) throws -> LogDescription {
    let usual = description(url: url, operatorName: operatorName)
    guard let retired else { return usual }
    return LogDescription(
      kind: usual.kind, key: usual.key, description: usual.description, operatorName: operatorName,
      maximumMergeDelay: usual.maximumMergeDelay, state: .retired, stateTimestamp: retired)
  }
}
