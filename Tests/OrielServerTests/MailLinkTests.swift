import CertificateTransparency
import MerkleTree
import OrielAccounts
import OrielAlerting
import OrielMail
import OrielStore
import TestSupport
import TestWorld
import Testing

@testable import OrielServer

@Suite("Links in mails")
struct MailLinkTests {
  /// What a mail of each kind with links in it tells.
  private static func contents(_ pair: IssuedPair, _ domain: DomainID) -> [(kind: String, content: Alert.Content)] {
    let time = Timestamp(milliseconds: 1_795_000_000_000)
    var alert = CertificateAlert(
      item: "alpha.example", matchedNames: ["www.alpha.example"], issuance: pair.issuanceID,
      issuerKeyHash: pair.issuerKeyHash, facts: CertificateFacts(certificate: pair.certificate), certificates: [],
      sightings: [], problems: [])
    alert.verdict = CertificateVerdict(
      level: .unexplained, isProven: false,
      reasons: [.init(code: "new-name", isFor: false, sentence: "No certificate that you accepted is for it.")])
    let lookalike = LookalikeAlert(
      certificate: alert,
      lookalike: StoredLookalike(
        owner: 1, item: "alpha.example", registrable: "a1pha.example", name: "a1pha.example", unicode: nil,
        reason: "confusable", sentence: "It looks like it.", rating: 85))
    return [
      ("certificate", .certificate(alert)), ("burst", .digest([alert], lookalikes: [lookalike])),
      ("digest", .summary([alert], .daily, lookalikes: [lookalike])), ("look-alike", .lookalike(lookalike)),
      ("follow-up", .followUp(alert, log: "A log", reason: "a wrong root")), ("sample", .sample(alert)),
      (
        "CAA change",
        .caaChange(
          CAAChangeAlert(item: "alpha.example", before: [], now: [], seenAt: time, domain: domain.value))
      ),
    ]
  }

  /// The paths of all addresses in a mail that are below another one.
  private static func paths(in text: String, below base: String) -> Set<String> {
    Set(
      text.split { $0.isWhitespace || "\"<>".contains($0) }.filter { $0.hasPrefix(base) }
        .map { String($0.dropFirst(base.count)) })
  }

  @Test("Every page that a mail links to is there, and both forms of the mail link to the same")
  func alerts() async throws {
    let dashboard = try await Dashboard()
    let (owner, session) = try await dashboard.account("Alpha")
    let domain = try await dashboard.domain(owner, "alpha.example")
    let pair = try dashboard.authority.issue(CertificateRequest(["www.alpha.example"]))
    let issuance = try await dashboard.store(pair, for: domain, item: "alpha.example")
    let added = try await dashboard.accounts.addRecipient(owner, to: domain, address: "me@mail.example")
    _ = try await dashboard.signIn.confirm(try #require(added.letter).secret)
    let addressee = try #require(try await dashboard.service.addressees(of: domain).first)
    try await dashboard.serve { (port: Int) async throws in
      let visitor = Visitor(port: port)
      await visitor.signIn(session.text)
      let base = "http://127.0.0.1:\(port)"
      let leave = "/unsubscribe/\(addressee.unsubscribeCode)"
      for (kind, content) in Self.contents(pair, domain) {
        let alert = Alert(id: "a1", createdAt: Timestamp(milliseconds: 1), content: content)
        let mail = AlertRenderer(publicURL: base).render(alert, leave: base + leave)
        let paths = Self.paths(in: mail.text, below: base)
        #expect(paths == Self.paths(in: mail.html, below: base), "\(kind)")
        #expect(paths.contains(leave) && paths.count >= 2, "\(kind)")
        if kind == "burst" || kind == "digest" {
          #expect(paths == ["/history", "/issuances/\(issuance)", leave])
        }
        if kind == "CAA change" { #expect(paths == ["/domains/\(domain)/settings", leave]) }
        for path in paths {
          let status = try await visitor.get(path).status
          #expect(status == 200, "\(kind): \(path)")
        }
      }
    }
  }

  @Test("So is the page of every letter with a link")
  func letters() async throws {
    let dashboard = try await Dashboard()
    let (owner, _) = try await dashboard.account("Alpha")
    let domain = try await dashboard.domain(owner, "alpha.example")
    let added = try await dashboard.accounts.addRecipient(owner, to: domain, address: "me@mail.example")
    let letters = [
      try #require(added.letter),
      try await dashboard.accounts.addMember(owner, address: "you@mail.example", role: .member).letter,
      try #require(try await dashboard.signIn.requestLink(address: "owner@alpha.example", client: "here")),
    ]
    let mail = LinkMail(from: try MailAddress("oriel@mail.example")) { _, _ in .delivered("") }
    try await dashboard.serve { (port: Int) async throws in
      let base = "http://127.0.0.1:\(port)"
      for letter in letters {
        let url = "\(base)/link/\(letter.secret.text)"
        let message = mail.message(letter, to: try MailAddress(letter.address), url: url, now: dashboard.now)
        let paths = Self.paths(in: message.text, below: base)
        #expect(paths.count == 1)
        for path in paths {
          let status = try await Visitor(port: port).get(path).status
          #expect(status == 200, "\(path)")
        }
      }
    }
  }
}
