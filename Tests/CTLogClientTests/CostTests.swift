import CertificateTransparency
import TestSupport
import Testing

@testable import CTLogClient

@Suite("What a log's answers cost", .serialized)
struct CostTests {
  @Test("A page is read in linear time, whatever the log puts in its place", arguments: costlyPieces)
  func pages(_ piece: String) {
    for (before, after) in [
      ("", ""), ("{\"entries\":[{\"leaf_input\":\"AQID\",\"extra_data\":\"", "\"}]}"),
      ("{\"entries\":[{\"leaf_input\":\"", "\",\"extra_data\":\"\"}]}"), ("{\"", "\":1}"), ("{\"a\":", "}"),
      ("{\"entries\":[", "]}"), ("{\"entries\":[{", "}]}"),
    ] {
      let ratio = growth(
        to: 1 << 16, input: { Array((before + String(repeating: piece, bytes: $0) + after).utf8) }
      ) { body in
        var page = EntriesPage()
        try? page.scan(body.span, maximumEntries: 1000)
        for index in 0..<page.count { _ = try? page.extraData(at: index, in: body.span) }
      }
      #expect(ratio < 3, "\(before)")
    }
  }

  @Test("Many entries take linear time")
  func entries() {
    let ratio = growth(
      to: 8000,
      input: { count in
        let entry = #"{"leaf_input":"AAAA","extra_data":"AA\u0041A"}"#
        return Array("{\"entries\":[\(Array(repeating: entry, count: count).joined(separator: ","))]}".utf8)
      }
    ) { body in
      var page = EntriesPage()
      try? page.scan(body.span, maximumEntries: 10_000)
      for index in 0..<page.count { _ = try? page.extraData(at: index, in: body.span) }
    }
    #expect(ratio < 3)
  }
}
