import CertificateTransparency
import Foundation
import OrielStore
import TestWorld
import Testing

@Suite("NUL in what comes from outside", .serialized)
struct NULTests {
  private static let text = "watched.example\0.attacker.example"

  /// Every text of a certificate that can have one.
  private func request() -> CertificateRequest {
    var request = CertificateRequest(["\0www.watched.example", NULTests.text, "\0", "x.watched.example\0"])
    request.commonNames = [NULTests.text, "\0"]
    request.organisation = "Org\0anisation"
    request.issuerOrganisation = "Trust\0 Services"
    request.emails = ["postmaster\0@watched.example", NULTests.text]
    request.uris = ["https://www.watched.example\0/", "\0://" + NULTests.text]
    return request
  }

  @Test("in every text of a certificate stops nothing, and nothing of it is cut off", arguments: LogKind.allCases)
  func certificate(kind: LogKind) async throws {
    try await World.run { world in
      let log = kind.log(in: world)
      let pair = try world.issue(request(), to: [log])
      try world.issue("after.watched.example", to: [log])
      let watcher = try Watcher(world, watching: ["watched.example", "attacker.example"])
      #expect(try await watcher.watchOnce(kind.description(in: world)).map(\.trouble) == [nil])
      #expect(try await watcher.verified(log) == UInt64(log.log.size))
      let record = try #require(try await watcher.stored().first { $0.id == pair.issuanceID })
      #expect(Set(record.matches.map(\.item)) == ["watched.example", "attacker.example"])
      let search = IssuanceSearch(try SQLiteDatabase(path: watcher.folder.appending(path: "oriel.db").path))
      var query = IssuanceQuery()
      query.name = .exactly(NULTests.text)
      let found = try await search.page(query).results
      #expect(found.map(\.id) == [pair.issuanceID] && found.first?.names.contains(NULTests.text) == true)
      for name in ["watched.example", "www.watched.example", "x.watched.example"] {
        query.name = .exactly(name)
        #expect(try await search.count(query).value == 0, "\(name)")
      }
    }
  }

  @Test("in answers of a log, and in what the list says of it, stops nothing", arguments: LogKind.allCases)
  func answers(kind: LogKind) async throws {
    try await World.run { world in
      let log = kind.log(in: world)
      try world.issue("www.watched.example", to: [log])
      let listed = try #require(kind.description(in: world).first)
      let described = log.log.description(url: listed.monitoringURL, operatorName: "Oper\0ator")
      for (part, type) in [("", "text/plain\0"), ("get-entries", "application/json"), ("tile/data", "text/html")] {
        log.lie(.wrongContent(Array("{\"error\0\": \"no\0thing\"}\0".utf8), type: type), .times(2), on: part)
      }
      let watcher = try Watcher(world)
      _ = try? await watcher.watchOnce([described], timeout: 2)
      let stored = try #require(try await watcher.store().logs().first)
      #expect(stored.operatorName == "Oper\0ator")
      log.fault = nil
      #expect(try await watcher.watchOnce([described]).map(\.trouble) == [nil])
      #expect(try await watcher.stored().count == 1)
    }
  }
}
