import CertificateTransparency
import Foundation
import MerkleTree
import TestSupport
import Testing

@testable import OrielContacts

struct TakeActionTests {
  private static let names = ["shop.example.com", "evil\u{202e}moc.example.com\r\nBcc: all@x.example"]

  /// A certificate for hostile names, by a CA of Amazon that DigiCert runs.
  private static func issuance(
    _ concern: UnexplainedIssuance.Concern = .ownName(watched: "example.com"), names: [String] = names,
    chain: [SHA256Hash] = [], reasons: [String] = ["No certificate was ever issued by this CA before."]
  ) -> UnexplainedIssuance {
    UnexplainedIssuance(
      concern: concern, facts: CertificateFacts(tbsCertificate: tbs(names)), certificate: SHA256Hash.hash([1]),
      precertificate: SHA256Hash.hash([2]), issuerKeyHash: SHA256Hash.hash([3]), chain: chain,
      entries: [.init(log: "Log of 2026", index: 12_345, timestamp: Timestamp(milliseconds: 1_780_000_000_000))],
      reasons: reasons)
  }

  private static func der(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
    content.count < 128
      ? [tag, UInt8(content.count)] + content
      : [tag, 0x82, UInt8(content.count >> 8), UInt8(content.count & 255)] + content
  }

  private static func tbs(_ names: [String]) -> [UInt8] {
    let cn = der(0x30, der(0x06, [0x55, 4, 3]) + der(0x0c, Array("Evil CA".utf8)))
    let name = der(0x30, der(0x31, cn))
    let validity = der(0x30, der(0x17, Array("260101000000Z".utf8)) + der(0x17, Array("260401000000Z".utf8)))
    let alternatives = der(0x30, names.flatMap { der(0x82, Array($0.utf8)) })
    let san = der(0x30, der(0x06, [0x55, 0x1d, 0x11]) + der(0x04, alternatives))
    return der(
      0x30,
      der(0x02, [0x12, 0x34]) + der(0x30, []) + name + validity + der(0x30, []) + der(0x30, [])
        + der(0xa3, der(0x30, san)))
  }

  private static func amazon() throws -> SHA256Hash {
    try #require(SHA256Hash(hex: "205154B777EDC55A5146585A5E54E054A70BE4AAD3B85D02318DA27BF807ADF1"))
  }

  @Test("for one's own name the CA comes first, with its address and a report that is ready", .needsTestData)
  func ownName() throws {
    let action = TakeAction(Self.issuance(chain: [try Self.amazon()]), owners: try CAOwnersTests.sample())
    let steps = action.steps
    #expect(steps.map(\.kind) == [.reportToCA, .reportToRegistrar, .warnVisitors, .restrictIssuance, .tellBrowsers])
    #expect(steps.map(\.fits) == [.yes, .no, .perhaps, .perhaps, .perhaps])
    #expect(steps.allSatisfy { !$0.why.isEmpty })
    let ca = steps[0]
    #expect(ca.addressee == "Amazon Trust Services")
    #expect(ca.addresses.map(\.text) == ["ats-tsp-requests@amazon.com"])
    #expect(ca.pages.map(\.url) == ["https://www.amazontrust.com/repository/"])
    #expect(ca.notes.contains { $0.contains("ats-tsp-requests[at]amazon.com ; https://") })
    #expect(ca.notes.contains { $0.contains("run by Amazon; its certificate is from Amazon Trust Services") })
    let report = try #require(ca.report)
    #expect(report.to == ca.addresses)
    for part in [
      SHA256Hash.hash([1]).hex, SHA256Hash.hash([2]).hex, SHA256Hash.hash([3]).hex, "1234", "CN=Evil CA",
      "shop.example.com", "Log of 2026, entry 12345, 2026-", "No certificate was ever issued", "4.9.1.1", "4.9.5",
      "within 24 hours", "2026-01-01T00:00:00Z to 2026-04-01T00:00:00Z", "We control the domain of example.com",
    ] {
      #expect(report.body.contains(part), "\(part)")
    }
  }

  @Test("hostile names can't add lines, turn the text round, or leave the body of the mail")
  func hostile() throws {
    let report = try #require(TakeAction(Self.issuance(), owners: nil).steps[0].report)
    #expect(!report.body.contains("\n\u{42}cc:"))
    #expect(report.body.contains("evil\u{fffd}moc.example.com Bcc: all@x.example"))
    #expect(report.body.unicodeScalars.allSatisfy { $0 == "\n" || !$0.isDeceptive })
    #expect(!report.subject.contains("\n"))
    let watched = TakeAction(Self.issuance(.ownName(watched: "a.test\r\nX: y\u{202e}")), owners: nil).steps
    for step in watched {
      for text in [step.title, step.why, step.report?.subject ?? ""] + step.notes {
        #expect(text.unicodeScalars.allSatisfy { !$0.isDeceptive })
      }
    }
  }

  @Test("the link for mail is plain ASCII, bounded, and carries the letter unharmed")
  func mailto() throws {
    let to = [try #require(ContactAddress("a&b+c%d@ca.example"))]
    let short = Report(to: to, subject: "A & B? #1", parts: [.init(["één = 1", "zwei"])])
    #expect(
      short.mailto() == "mailto:a%26b%2Bc%25d@ca.example?subject=A%20%26%20B%3F%20%231&body=%C3%A9%C3%A9n%20%3D%201"
        + "%0D%0Azwei%0D%0A")
    #expect(Report(to: [], subject: "", parts: []).mailto() == nil)
    let long = try #require(
      TakeAction(Self.issuance(names: (0..<1000).map { "host\($0).example.com" }), owners: nil).steps[0].report)
    #expect(long.body.contains("and 950 more"))
    #expect(long.body.utf8.count < 6000)
  }

  /// One that has all there can be to say, most of it by strangers.
  private static func longest(_ concern: UnexplainedIssuance.Concern) -> UnexplainedIssuance {
    var issuance = issuance(
      concern, names: (0..<100).map { String(repeating: "ü", count: 200) + "\($0).example.com" },
      chain: [SHA256Hash.hash([4])], reasons: (0..<20).map { "Reason \($0): " + String(repeating: "é", count: 390) })
    issuance.entries = (0..<20).map {
      .init(log: "Log \($0)", index: 1, timestamp: Timestamp(milliseconds: 1_780_000_000_000))
    }
    return issuance
  }

  private static let longName = String(repeating: "abcdefghi.", count: 24) + "example.com"

  @Test(
    "the link for mail has all that is asked for, however much evidence there is",
    arguments: [
      UnexplainedIssuance.Concern.ownName(watched: "example.com"), .ownName(watched: longName),
      .lookalike(imitating: "example.com", domain: longName),
    ])
  func demands(_ concern: UnexplainedIssuance.Concern) throws {
    let reports = TakeAction(Self.longest(concern), owners: nil).steps.compactMap(\.report)
    #expect(reports.count >= 2)
    for made in reports {
      let to = ["problems@ca.example", "certificates@mozilla.org", "chrome-root-program@google.com"]
      let report = Report(to: to.compactMap { ContactAddress($0) }, made)
      let link = try #require(report.mailto())
      #expect(link.utf8.count <= 1900, "\(link.utf8.count)")
      #expect(link.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f })
      #expect(link.hasPrefix("mailto:" + to.joined(separator: ",") + "?subject="))
      let decoded = try #require(URLComponents(string: link)?.queryItems?.first { $0.name == "body" }?.value)
      let lines = decoded.components(separatedBy: "\r\n")
      let whole = Set(report.body.components(separatedBy: "\n"))
      #expect(lines.allSatisfy { whole.contains($0) || $0.hasPrefix("[Shortened") })
      // What is left out is evidence: all else is there, and so is what the certificate is found by.
      let evidence = whole.filter { line in
        ["Issuer", "Valid: ", "  ", "Names:", "Logged:", "See also", "- ", "Why ", "Precertificate SHA"]
          .contains { line.hasPrefix($0) }
      }
      #expect(whole.subtracting(evidence).isSubset(of: lines), "\(decoded)")
      #expect(decoded.contains("Certificate SHA-256: \(SHA256Hash.hash([1]).hex)"))
      #expect(decoded.contains("[Shortened"))
      let bounded = report.body(limit: 4000)
      #expect(bounded.utf8.count <= 4000 && bounded.hasSuffix("and how to reach you]\n"))
    }
  }

  @Test("the browsers' letter goes to all root programmes")
  func browsers() throws {
    let report = try #require(TakeAction(Self.issuance(), owners: nil).steps[4].report)
    #expect(
      report.mailto()?.hasPrefix(
        "mailto:certificates@mozilla.org,chrome-root-program@google.com,certificate-authority-program@apple.com,"
          + "msroot@microsoft.com?subject=") == true)
  }

  @Test("a name that ends in a full stop gets no second one")
  func fullStops() throws {
    var reader = CAOwnersReader()
    let hash = SHA256Hash.hash([9])
    try reader.addRecords(
      Array("CA Owner,SHA-256 Fingerprint,Parent SHA-256 Fingerprint\nOld Authority Inc.,\(hash.hex),\n".utf8))
    let steps = TakeAction(Self.issuance(chain: [hash]), owners: reader.finish(asOf: .init(milliseconds: 0))).steps
    let texts = steps.flatMap { [$0.why, $0.report?.body ?? ""] + $0.notes }
    #expect(texts.contains { $0.contains("Old Authority Inc.") })
    #expect(texts.allSatisfy { !$0.contains("..") })
  }

  @Test("without CCADB's data, or without this CA in them, that is said, with where to look")
  func unknownCA() throws {
    let without = TakeAction(Self.issuance(), owners: nil).steps[0]
    #expect(without.addresses.isEmpty && without.addressee == nil)
    #expect(without.notes.contains { $0.contains("no CCADB data") && $0.contains("https://ccadb") })
    let empty = CAOwnersReader().finish(asOf: .init(milliseconds: 0))
    let unlisted = TakeAction(Self.issuance(), owners: empty).steps[0]
    #expect(unlisted.notes.contains { $0.contains("have no CA with this certificate or key") })
    #expect(unlisted.report?.mailto() == nil)
  }

  @Test("for a look-alike the registrar can act, by its real contact; CAA can't help", .needsTestData)
  func lookalike() throws {
    let contact = try RegistrarContact(json: TestData.bytes("rdap/whoisit_domain3.json"), domain: "themarquetry.com")
    let concern = UnexplainedIssuance.Concern.lookalike(imitating: "marquetry.com", domain: "themarquetry.com")
    let steps = TakeAction(Self.issuance(concern), owners: nil, registrar: .found(contact)).steps
    #expect(steps.map(\.kind) == [.reportToCA, .reportToRegistrar, .warnVisitors, .restrictIssuance, .tellBrowsers])
    #expect(steps.map(\.fits) == [.perhaps, .yes, .perhaps, .no, .perhaps])
    #expect(steps[1].addressee == "Hosting Concepts B.V. d/b/a Registrar.eu (IANA registrar 1647)")
    #expect(steps[1].addresses.map(\.text) == ["abuse@registrar.eu"])
    #expect(steps[1].phones == ["+31.104482297"])
    let report = try #require(steps[1].report)
    #expect(report.to.map(\.text) == ["abuse@registrar.eu"])
    #expect(report.body.contains("themarquetry.com") && report.body.contains("We control marquetry.com"))
    #expect(!report.body.contains("revoke"))
    #expect(steps[4].pages.count == 2)
  }

  @Test("a registrar that is not known is said to be, with what can be done")
  func unknownRegistrar() throws {
    let concern = UnexplainedIssuance.Concern.lookalike(imitating: "a.test", domain: "b.zz")
    let page = try #require(WebPage("https://www.iana.org/domains/root/db/zz.html"))
    for (answer, words) in [
      (nil, "has not been looked up yet"), (.failed(domain: "b.zz", reason: "broken"), "broken"),
      (.noService(domain: "b.zz", reason: "IANA lists no RDAP service for it", page: page), "IANA lists no RDAP"),
    ] as [(RegistrarLookup.Answer?, String)] {
      let step = TakeAction(Self.issuance(concern), owners: nil, registrar: answer).steps[1]
      #expect(step.notes.contains { $0.contains(words) })
      #expect(step.addresses.isEmpty)
      if case .noService = answer { #expect(step.pages == [page]) }
    }
  }

  @Test("CAA is advised where there is none, with the CAs in use, and not known is not none")
  func caa() throws {
    func step(_ caa: CAAResult?, _ domains: [String] = []) -> ActionStep {
      TakeAction(Self.issuance(), owners: nil, caa: caa, allowedCAADomains: domains).steps[3]
    }
    #expect(step(.noRecords, ["letsencrypt.org"]).fits == .yes)
    let notes = step(.noRecords, ["letsencrypt.org"]).notes
    #expect(notes.first == "example.com. IN CAA 0 issue \"letsencrypt.org\"" && notes.count == 2)
    for item in ["*.example.com", "=example.com", ".example.com"] {
      let step = TakeAction(Self.issuance(.ownName(watched: item)), owners: nil).steps[3]
      #expect(step.notes.first == "example.com. IN CAA 0 issue \"ca.example\"")
    }
    #expect(TakeAction(Self.issuance(.ownName(watched: "a b\"")), owners: nil).steps[3].notes.count == 1)
    let failure = CAAFailure(name: "example.com", reason: .serverFailure)
    #expect(step(.notKnown(failure)).fits == .perhaps)
    #expect(step(.notKnown(failure)).why.contains("SERVFAIL"))
    let set = CAASet(name: "example.com", records: [CAARecord(flags: 0, tag: "issue", value: "ca.test")])
    #expect(step(.found(set)).fits == .perhaps)
    #expect(step(.found(set)).notes == ["There is: example.com. IN CAA 0 issue \"ca.test\""])
    #expect(step(.found(set), ["letsencrypt.org"]).notes[1] == "example.com. IN CAA 0 issue \"letsencrypt.org\"")
    let open = CAASet(name: "example.com", records: [CAARecord(flags: 0, tag: "iodef", value: "mailto:a@b.test")])
    #expect(step(.found(open)).fits == .yes)
    #expect(step(nil).fits == .perhaps)
  }

  @Test("records that forbid the CA are told to it, those that permit it are not")
  func caaEvidence() throws {
    var reader = CAOwnersReader()
    let hash = SHA256Hash.hash([9])
    try reader.addRecords(
      Array("CA Owner,SHA-256 Fingerprint,Parent SHA-256 Fingerprint\nEvil,\(hash.hex),\n".utf8))
    try reader.addCAAIdentifiers(Array("CA Owner,Recognized CAA Domains\nEvil,evil.test\n".utf8))
    let owners = reader.finish(asOf: .init(milliseconds: 0))
    for (permitted, isTold) in [("good.test", true), ("evil.test", false), (";", true)] {
      let set = CAASet(name: "example.com", records: [CAARecord(flags: 0, tag: "issue", value: permitted)])
      let action = TakeAction(Self.issuance(chain: [hash]), owners: owners, caa: .found(set))
      let body = try #require(action.steps[0].report?.body)
      #expect(body.contains("The CAA records at example.com permit") == isTold)
    }
  }
}

extension Report {
  /// The same letter to others.
  fileprivate init(to: [ContactAddress], _ report: Report) {
    self.init(to: to, subject: report.subject, parts: report.parts)
  }
}
