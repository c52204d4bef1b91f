import OrielAccounts
import OrielStore
import TestSupport
import TestWorld
import Testing

@testable import OrielServer

@Suite("Searching by serial number")
struct SerialSearchTests {
  @Test(
    "what is shown is found, in the API, in tables and on the page, also where it is negative",
    arguments: [
      ([0x80, 0x01], "-7fff", ["-7fff", "-7F:FF", "-00007fff"]), ([0x00], "0", ["0", "00"]),
      ([0x00, 0xff], "ff", ["ff", "FF", "00:ff"]), ([0xff], "-1", ["-1", "-01"]),
    ] as [([UInt8], String, [String])])
  func found(serial: [UInt8], shown: String, asked: [String]) async throws {
    let dashboard = try await Dashboard()
    let all = try await Premises(dashboard)
    let issuance = try await dashboard.sight(["s.alpha.example"], for: all.domain, item: "alpha.example") {
      $0.serial = serial
    }
    let session = try await dashboard.account("Beta").session
    try await dashboard.serve { port in
      let program = Program(port, all.token)
      let visitor = Visitor(port: port)
      await visitor.signIn(session.text)
      for text in asked {
        let found = try await program.get("/api/v1/search?serial=\(text)")
        #expect(found.status == 200 && found.body.contains("\(issuance)"), "\(text): \(found.body)")
        #expect(found.body.contains("\"serial\":\"\(shown)\""), "\(found.body)")
        #expect(try await program.get("/search.csv?serial=\(text)").whole?.contains("\(issuance)") == true)
        #expect(try await visitor.get("/search?serial=\(text)").status == 200)
      }
      #expect(try await program.get("/api/v1/search?serial=--1").status == 422)
    }
  }

  @Test(
    "what is no serial number is none",
    arguments: ["", "-", "--1", "x", "7fff-", "\u{ff17}", String(repeating: "1", count: 1001)])
  func none(text: String) { #expect(IssuanceQuery.serial(parsing: text) == nil) }
}
