import OrielAccounts
import OrielAlerting
import OrielMail
import TestWorld
import Testing

@testable import OrielServer

@Suite("The mail about what nothing explains")
struct UnexplainedMailTests {
  private static let me = "me@mail.example"

  private func text(_ court: Courtroom) throws -> String { try #require(court.post.mails.last).message.text }

  @Test("It has all steps in their order, and the whole report, in the owner's voice, for whoever has no account")
  func wholeMail() async throws {
    let court = try await Courtroom()
    try court.learnOwners("Old Authority Inc.")
    let domain = try await court.domain(try await court.account("alpha"), telling: [Self.me])
    let known = try court.issue(["known.shop.example"])
    try await court.tell(known, of: domain)
    try await court.sight(known)
    let pair = try court.issue(["new.shop.example"])
    try await court.sight(pair)
    try await court.settle()
    let text = try text(court)
    var rest = text[...]
    for part in [
      "1. Report it to the CA that issued it [Do this].", "Old Authority Inc.: problems@honest.example\n",
      "2. Report the domain to its registrar [Not here].", "3. Tell your visitors [Perhaps].",
      "4. Restrict who may issue, by CAA records [", "5. Report the CA to the browsers [Perhaps].",
      "certificates@mozilla.org, chrome-root-program@google.com,", "https://bugzilla.mozilla.org/",
      "https://oriel.example/issuances/\(pair.issuanceID)\n", "The report to the CA\n", "To: problems@honest.example\n",
      "Subject: Certificate problem report: unauthorised certificate for\nshop.example\n",
      "We control the domain of shop.example.", "Serial number: ", "Please\n", "1. revoke it within 24 hours",
      "2. tell us how", "3. look for other certificates", "We expect your preliminary report within 24 hours",
      "https://oriel.example/unsubscribe/",
    ] {
      let range = try #require(rest.firstRange(of: part), "\(part) is not there, or not in its place:\n\(text)")
      rest = rest[range.upperBound...]
    }
    #expect(!text.contains("..\n") && !text.contains(".. "))
    let report = try #require(text.split(separator: String(repeating: "=", count: 76)).dropFirst().first)
    let words = report.lowercased().split { !$0.isLetter }
    // What the owner accepted, and what could not be found out, proves nothing to a CA.
    for word in ["accepted", "inventory", "found"] { #expect(!words.contains { $0 == word }, "\(word)") }
    // It asks the CA for its report, and says nothing else of “you”.
    #expect(words.count { ["you", "yours"].contains($0) } == 1 && report.contains("how to reach you]"))
  }

  @Test("Only what was accepted makes an issuer usual; what was unexplained before is said to be")
  func before() async throws {
    let court = try await Courtroom()
    let account = try await court.account("alpha")
    let domain = try await court.domain(account, telling: [Self.me])
    let first = try await court.sight(try court.issue(["a.shop.example"]))
    try await court.settle()
    #expect(try text(court).contains("No certificate for shop.example has been seen"))
    court.pass(Courtroom.hour)
    try await court.sight(try court.issue(["b.shop.example"]))
    try await court.settle()
    let usual = { (text: String) in text.replacing(/\s+/, with: " ") }
    #expect(
      usual(try text(court)).contains(
        "None that you accepted is from this issuer. One of the earlier ones is unexplained itself, or was denied."))
    _ = try await court.accounts.setState(account, of: domain.id, first, to: .claimed, note: nil)
    court.pass(Courtroom.hour)
    try await court.sight(try court.issue(["c.shop.example"]))
    try await court.settle()
    #expect(
      usual(try text(court)).contains(
        "Among those that you accepted are some from the same issuer. One of the earlier ones is unexplained itself"))
    _ = try await court.accounts.setState(account, of: domain.id, first, to: .denied, note: nil)
    court.pass(Courtroom.hour)
    try await court.sight(try court.issue(["d.shop.example"]))
    try await court.settle()
    #expect(
      usual(try text(court)).contains("is from this issuer. 3 of the earlier ones are unexplained themselves"))
  }
}
