import CTPolicy
import CertificateTransparency
import MerkleTree
import TestWorld
import Testing

@Suite struct ExpectCTTests {
  struct Row: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// Nil where the strict reading refuses the field.
    let strict: String?
    /// Nil where the lenient one does as well; by default as strict.
    let lenient: String?

    init(_ value: String, _ strict: String?, lenient: String?? = nil) {
      testDescription = value
      self.strict = strict
      self.lenient = lenient ?? strict
    }
  }

  private static let report = "https://report.example/ct?a,b;c"

  static let rows = [
    Row("max-age=86400", "86400"),
    Row("max-age=86400, enforce", "86400 enforce"),
    Row("enforce,max-age=86400", "86400 enforce"),
    Row("MAX-Age=86400 ,\tEnforce", "86400 enforce"),
    Row("max-age=\"86400\"", "86400"),
    Row("max-age=0", "0"),
    Row("max-age=00060", "60"),
    Row("max-age=99999999999999999999999", "18446744073709551615"),
    Row("max-age=1, report-uri=\"\(report)\"", "1 \(report)"),
    Row("max-age=1, report-uri=\"https://\\r.example/\"", "1 https://r.example/"),
    Row(",, max-age=1 ,,enforce,", "1 enforce"),
    Row("max-age=1, unknown, other=token, third=\"a, b\"", "1"),
    Row("", nil),
    Row("enforce", nil),
    Row("max-age", nil),
    Row("max-age=", nil),
    Row("max-age=\"\"", nil),
    Row("max-age=-1", nil),
    Row("max-age=1.5", nil),
    Row("max-age=1x", nil),
    Row("max-age=1, report-uri", nil),
    Row("max-age=1, report-uri=\"/relative\"", nil),
    Row("max-age=1, report-uri=\"https://open.example", nil),
    Row("max-age=1 enforce", nil),
    Row("max-age=1, =2", nil),
    Row("max-age=1, \"enforce\"", nil),
    Row("max-age=1\u{0}", nil),
    Row("max-age=1, max-age=2", nil, lenient: "1"),
    Row("max-age=1, enforce, ENFORCE", nil, lenient: "1 enforce"),
    Row("max-age=1, twice=1, twice=2", nil, lenient: "1"),
    Row("max-age=1; enforce", nil, lenient: "1 enforce"),
    Row("max-age = 1", nil, lenient: "1"),
    Row("max-age=1, enforce=true", nil, lenient: "1 enforce"),
    Row("max-age=1, report-uri=https://r.example/ct, enforce", nil, lenient: "1 enforce https://r.example/ct"),
  ]

  private static func summary(_ header: ExpectCTHeader) -> String {
    (["\(header.maxAge)"] + (header.enforce ? ["enforce"] : []) + (header.reportURI.map { [$0] } ?? []))
      .joined(separator: " ")
  }

  @Test("the field is read as its grammar has it", arguments: rows)
  func grammar(row: Row) {
    let strict = try? ExpectCTHeader(row.testDescription)
    #expect(strict.map(Self.summary) == row.strict)
    #expect(strict?.faults.isEmpty != false)
    let lenient = try? ExpectCTHeader(row.testDescription, reading: .lenient)
    #expect(lenient.map(Self.summary) == row.lenient)
    #expect(lenient.map { $0.faults.isEmpty } == row.lenient.map { _ in row.strict != nil })
  }

  private let start = Timestamp(milliseconds: 1_600_000_000_000)

  @Test("a host is remembered until its time is over, or it says 0")
  func expiry() {
    var state = TransportSecurityState()
    #expect(state.note(expectCT: "max-age=60", host: "Shop.example.", at: start) == .noted)
    let end = Timestamp(milliseconds: start.milliseconds + 60_000)
    #expect(state.entry(for: "shop.example", at: Timestamp(milliseconds: end.milliseconds - 1)) != nil)
    #expect(state.entry(for: "shop.example", at: end) == nil)
    #expect(state.entry(for: "www.shop.example", at: start) == nil)
    #expect(state.note(expectCT: "max-age=0", host: "shop.example", at: start) == .forgotten)
    #expect(state.count == 0)
    #expect(state.note(expectCT: "max-age=4000000000", host: "shop.example", at: start) == .noted)
    let limit = start.milliseconds + TransportSecurityState.maximumAge * 1000
    #expect(state.entry(for: "shop.example", at: start)?.expiry == Timestamp(milliseconds: limit))
    #expect(state.note(expectCT: "max-age=9", host: "late.example", at: Timestamp(milliseconds: .max)) == .noted)
  }

  @Test("addresses, malformed fields and a 0 for an unknown host have no effect")
  func ignored() {
    var state = TransportSecurityState()
    for (host, value) in [
      ("192.0.2.1", "max-age=1"), ("[2001:db8::1]", "max-age=1"), ("2001:db8::1", "max-age=1"), ("", "max-age=1"),
      ("a.example", "enforce"), ("a.example", "max-age=0"), (String(repeating: "a", count: 300), "max-age=1"),
      ("a.example", "max-age=1," + String(repeating: " ", count: ExpectCTHeader.maximumByteCount)),
    ] {
      guard case .ignored(let reason) = state.note(expectCT: value, host: host, at: start) else {
        Issue.record("\(host) \(value.prefix(20)) should be ignored")
        continue
      }
      #expect(!reason.isEmpty)
    }
    #expect(state.count == 0)
  }

  @Test("the number of hosts is bounded: what expires first gives way")
  func bounds() {
    var state = TransportSecurityState()
    for index in 0..<(TransportSecurityState.maximumHosts + 10) {
      #expect(state.note(expectCT: "max-age=\(1000 + index)", host: "h\(index).example", at: start) == .noted)
    }
    #expect(state.count == TransportSecurityState.maximumHosts)
    #expect(state.entry(for: "h9.example", at: start) == nil)
    #expect(state.entry(for: "h10.example", at: start) != nil)
    let later = Timestamp(milliseconds: start.milliseconds + 3_600_000)
    #expect(state.note(expectCT: "max-age=60", host: "new.example", at: later) == .noted)
    #expect(state.count == 1)
  }

  @Test("obsolete fields are recognised and explained")
  func obsolete() throws {
    let pin = Draft("pin").base64
    let hpkp = try #require(
      ObsoleteHeader(
        name: "public-key-pins", value: "pin-sha256=\"\(pin)\"; pin-sha1=\"x\"; max-age=5; includeSubDomains; \(pin)"))
    #expect(hpkp.kind == .publicKeyPins && hpkp.pins == [Draft("pin").hash])
    #expect(hpkp.advice.contains("obsolete") && hpkp.advice.contains("CAA"))
    let report = ObsoleteHeader(name: "Public-Key-Pins-Report-Only", value: "")
    #expect(report?.kind == .publicKeyPinsReportOnly && report?.pins == [])
    let expect = ObsoleteHeader(name: "expect-ct", value: "max-age=1; enforce")
    #expect(expect?.expectCT?.enforce == true && expect?.advice.contains("107") == true)
    #expect(ObsoleteHeader(name: "Expect-CT", value: "nonsense")?.expectCT == nil)
    #expect(ObsoleteHeader(name: "Strict-Transport-Security", value: "max-age=1") == nil)
  }

  @Test("fields with bytes changed never trap, and what is read strictly is read leniently to the same")
  func mutations() {
    var generator = SeededGenerator(seed: 5)
    let alphabet = Array("max-ge=0123,; \t\"\\enforcptui:/\u{0}é")
    for row in Self.rows {
      for _ in 0..<300 {
        var text = Array(row.testDescription)
        for _ in 0..<Int.random(in: 1...3, using: &generator) {
          let index = Int.random(in: 0...text.count, using: &generator)
          let character = alphabet[Int.random(in: 0..<alphabet.count, using: &generator)]
          if index < text.count, Bool.random(using: &generator) {
            text[index] = character
          } else {
            text.insert(character, at: index)
          }
        }
        let lenient = try? ExpectCTHeader(String(text), reading: .lenient)
        if let strict = try? ExpectCTHeader(String(text)) { #expect(strict == lenient, "\(String(text))") }
        _ = ObsoleteHeader(name: "Public-Key-Pins", value: String(text))
      }
    }
  }
}
