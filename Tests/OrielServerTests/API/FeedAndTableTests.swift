import CertificateTransparency
import Foundation
import OrielAccounts
import OrielStore
import OrielVerdicts
import TestSupport
import TestWorld
import Testing

@testable import OrielServer

@Suite("Feeds and tables")
struct FeedAndTableTests {
  static let hostile =
    HostileTextTests.texts + ["a\u{fffe}\u{ffff}]]>&amp;<!--.alpha.example", "\u{1}\u{b}\u{c}\u{1f}.alpha.example"]

  private static func hostileDomain(_ all: Premises) async throws {
    for text in hostile {
      let issuance = try await all.dashboard.sight(
        [text], for: all.domain, item: "alpha.example", .unexplained, [.newName([text]), .unknownIssuer(name: text)]
      ) {
        $0.commonNames = [text]
        $0.issuerOrganisation = text
      }
      _ = try await all.dashboard.accounts.setState(
        all.owner, of: all.domain, issuance, to: .acknowledged, note: "=cmd|' /C calc'!A0")
    }
  }

  /// Titles, identities and summaries, as a reader of XML sees them.
  private static let reader = """
    import json, sys, xml.etree.ElementTree as tree
    a = "{http://www.w3.org/2005/Atom}"
    feed = tree.parse(sys.argv[1]).getroot()
    assert feed.tag == a + "feed" and feed.find(a + "updated").text and feed.find(a + "title").text
    entries = [[e.find(a + k).text for k in ("id", "title", "updated", "summary")] + [e.find(a + "link").get("href")]
               for e in feed.findall(a + "entry")]
    print(json.dumps(entries))
    """

  private func read(_ xml: String) async throws -> [[String]] {
    let folder = try TemporaryFolder()
    let path = folder.path + "/feed.xml"
    try Data(xml.utf8).write(to: URL(filePath: path))
    let program = try Command(["-c", FeedAndTableTests.reader, path], program: URL(filePath: "/usr/bin/python3"))
    let result = try await program.finish()
    guard result.status == 0 else { throw Unread(words: result.errors) }
    return try JSONDecoder().decode([[String]].self, from: Data(result.output.utf8))
  }

  private struct Unread: Error { let words: String }

  @Test(
    "A feed is well-formed whatever the names are, and its entries keep their identities",
    .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/python3"), "needs python3"))
  func feed() async throws {
    let dashboard = try await Dashboard()
    let all = try await Premises(dashboard)
    try await FeedAndTableTests.hostileDomain(all)
    let path = "/domains/\(all.domain)/feed.atom"
    try await dashboard.serve { port in
      let program = Program(port, all.token)
      let reply = try await program.get(path)
      #expect(reply.header("content-type") == "application/atom+xml; charset=utf-8")
      let entries = try await read(reply.body)
      #expect(entries.count == FeedAndTableTests.hostile.count + 1)
      #expect(Set(entries.map { $0[0] }).count == entries.count)
      #expect(entries.allSatisfy { $0[0].wholeMatch(of: #/urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-.*/#) != nil })
      #expect(entries.allSatisfy { $0[4].contains("/issuances/") })
      #expect(entries.last?[1] == "Unexplained: www.alpha.example, alpha.example")
      #expect(!reply.body.unicodeScalars.contains { $0.isDeceptive && $0 != "\n" })
      // Not sent again before there is something new in it.
      let mark = try #require(reply.header("etag"))
      for known in [mark, "W/" + mark, "\"x\", " + mark] {
        let again = try await program.send("GET", path, headers: [("If-None-Match", known)])
        #expect(again.status == 304 && again.body.isEmpty && again.header("etag") == mark)
      }
      dashboard.pass(1000)
      _ = try await dashboard.accounts.setState(all.owner, of: all.domain, all.issuance, to: .claimed)
      let later = try await program.send("GET", path, headers: [("If-None-Match", mark)])
      #expect(later.status == 200)
      let now = try await read(later.body)
      #expect(now.map { $0[0] } == entries.map { $0[0] })
      #expect(now.last?[1].hasPrefix("Known") == true && now.last?[2] != entries.last?[2])
    }
  }

  @Test("In the address of a feed a token is taken that may read and nothing else")
  func addresses() async throws {
    let dashboard = try await Dashboard()
    let all = try await Premises(dashboard)
    let (read, write) = (try await all.token([.read]), try await all.token([.write]))
    let both = try await all.token([.read, .metrics])
    let path = "/domains/\(all.domain)/feed.atom"
    try await dashboard.serve { port in
      let nobody = Program(port, nil)
      let reply = try await nobody.get(path + "?token=\(read.text)")
      #expect(reply.status == 200 && !reply.body.contains(read.text))
      for token in [write, both, all.token] {
        #expect(try await nobody.get(path + "?token=\(token.text)").status == 403)
      }
      #expect(try await nobody.get(path + "?token=nonsense").status == 401)
      #expect(try await nobody.get(path).status == 401)
      // Nowhere else.
      for path in ["/api/v1/account", "/search.csv", "/domains/\(all.domain)/export.csv"] {
        #expect(try await nobody.get(path + "?token=\(read.text)").status == 401)
      }
    }
  }

  @Test("A table has everything once, over many pages, and no cell that a spreadsheet would run")
  func tables() async throws {
    let dashboard = try await Dashboard()
    let all = try await Premises(dashboard)
    try await FeedAndTableTests.hostileDomain(all)
    for name in ["=1+1.alpha.example", "@sum.alpha.example", "-x.alpha.example", "+x.alpha.example", " =x", "\t=x"] {
      try await dashboard.sight([name], for: all.domain, item: "alpha.example")
    }
    for index in 0..<210 {
      try await dashboard.sight(["h\(index).alpha.example"], for: all.domain, item: "alpha.example")
    }
    let count = try await dashboard.accounts.historyCount(all.owner, of: all.domain).value
    try await dashboard.serve { port in
      let program = Program(port, all.token)
      for path in ["/domains/\(all.domain)/export.csv", "/search.csv"] {
        let reply = try await program.get(path)
        #expect(reply.status == 200 && reply.header("content-type")?.hasPrefix("text/csv") == true)
        #expect(reply.header("content-disposition")?.hasPrefix("attachment") == true)
        let table = tableRows(try #require(reply.whole))
        #expect(table.first?.first == "first_seen" && table.count == count + 1, "\(path)")
        #expect(table.allSatisfy { $0.count == table[0].count })
        #expect(Set(table.map { $0[6] }).count == table.count)
        for cell in table.joined() {
          let first = cell.unicodeScalars.first { $0 != " " }
          #expect(first.map { !"=+-@\t\r\u{ff1d}".unicodeScalars.contains($0) } ?? true, "\(cell)")
          #expect(!cell.unicodeScalars.contains { $0.isDeceptive })
        }
      }
      let filtered = tableRows(try #require(try await program.get("/search.csv?name=%3Dh7.alpha.example").whole))
      #expect(filtered.dropFirst().map { $0[1] } == ["h7.alpha.example"])
      let acknowledged = "/domains/\(all.domain)/export.csv?state=acknowledged"
      let told = tableRows(try #require(try await program.get(acknowledged).whole))
      #expect(told.count == FeedAndTableTests.hostile.count + 1)
      #expect(told.dropFirst().allSatisfy { $0.contains("'=cmd|' /C calc'!A0") })
      let wrong = try await program.get("/search.csv?serial=xyz&from=tomorrow")
      #expect(wrong.status == 422 && wrong.refusedFields == ["from", "serial"])
    }
  }
}
