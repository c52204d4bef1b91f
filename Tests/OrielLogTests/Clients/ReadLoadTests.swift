import Foundation
import TestSupport
import TestWorld
import Testing

@testable import OrielLog

/// The read path under load; `make soak` runs it.
@Suite("Readers by the thousand", .serialized)
struct ReadLoadTests {

  @Test(
    "wrk gets nothing but answers", .needs("wrk"), .enabled(if: isCampaign, "only in make soak"),
    arguments: ["checkpoint", "tile/data/000", "tile/0/000", "ct/v1/get-sth", "ct/v1/get-entries?start=0&end=255"])
  func wrk(path: String) async throws {
    try await ServedLog.run { log in
      _ = try await log.fill(300)
      let load = try Command(
        ["-t1", "-c16", "-d5s", "--latency", log.url + path], program: try #require(Programs.path("wrk")))
      // Submissions go on meanwhile.
      _ = try await log.fill(20, from: 300)
      let result = try await load.finish()
      #expect(result.status == 0, "\(result.errors)")
      #expect(!result.output.contains("Non-2xx") && !result.output.contains("Socket errors"), "\(result.output)")
      let rate = result.lines.first { $0.hasPrefix("Requests/sec:") }?.split(separator: " ").last
      #expect(rate.flatMap { Double($0) } ?? 0 > 0)
      print("\(path): \(rate ?? "?") requests/s")
    }
  }
}
