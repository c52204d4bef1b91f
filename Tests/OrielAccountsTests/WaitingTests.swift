import CertificateTransparency
import OrielStore
import TestWorld
import Testing

@testable import OrielAccounts

@Suite("What waits for somebody")
struct WaitingTests {
  @Test("a beginning waits as long as it is not confirmed and something was seen that nobody has looked at")
  func beginnings() async throws {
    let registry = try await Registry()
    let owner = try await registry.account("alpha")
    let domain = try await registry.domain(owner, "alpha.example")
    let accounts = registry.accounts
    #expect(try await accounts.waiting(owner).beginnings.isEmpty)
    var issuances: [IssuanceID] = []
    for host in ["a", "b"] {
      let issuance = try await registry.sight(["\(host).alpha.example"], item: "alpha.example").issuanceID
      try await registry.service.judge(issuance, for: domain, .noHistory, isProven: false, reasons: "[]")
      issuances.append(issuance)
    }
    #expect(try await accounts.waiting(owner).beginnings.map(\.count) == [SearchCount(value: 2, isExact: true)])
    _ = try await accounts.setState(owner, of: domain, issuances[0], to: .denied)
    #expect(try await accounts.waiting(owner).beginnings.map(\.count.value) == [1])
    let other = try await registry.account("beta")
    #expect(try await accounts.waiting(other).isEmpty)
    try await accounts.confirmBaseline(owner, domain, shown: [], kept: [])
    #expect(try await accounts.waiting(owner).beginnings.isEmpty)
  }

  @Test("CAA records wait once there are others than were confirmed; that there are none is news only after some")
  func caa() async throws {
    let registry = try await Registry()
    let owner = try await registry.account("alpha")
    let domain = try await registry.domain(owner, "alpha.example")
    let one = #"0 issue "a.example""#
    for (seen, isNews) in [([], false), ([one], true)] {
      _ = try await registry.service.foundCAA(seen, for: domain)
      #expect(try await registry.accounts.domain(owner, domain).hasNewCAA == isNews)
      #expect(try await registry.accounts.waiting(owner).changedCAA.count == (isNews ? 1 : 0))
    }
    try await registry.accounts.confirmCAA(owner, domain, [one])
    #expect(try await registry.accounts.waiting(owner).changedCAA.isEmpty)
    _ = try await registry.service.foundCAA([], for: domain)
    #expect(try await registry.accounts.domain(owner, domain).hasNewCAA)
    #expect(try await registry.accounts.waiting(owner).changedCAA.map(\.item) == ["alpha.example"])
  }

  @Test("nobody is told where all have left, bounced or never confirmed; on plans without recipients, by the members")
  func unreached() async throws {
    let registry = try await Registry()
    let owner = try await registry.account("alpha")
    let (domain, off) = (try await registry.domain(owner, "alpha.example"), DomainID(999))
    let accounts = registry.accounts
    func isUnreached() async throws -> Bool {
      let listed = try await accounts.waiting(owner).unreached.map(\.id)
      let asked = try await accounts.unreached(owner, of: [domain, off])
      #expect(listed == Array(asked))
      return !listed.isEmpty
    }
    #expect(try await isUnreached())
    let letter = try #require(try await accounts.addRecipient(owner, to: domain, address: "a@alpha.example").letter)
    #expect(try await isUnreached())
    _ = try await registry.signIn.confirm(letter.secret)
    #expect(try await !isUnreached())
    try await registry.service.bounced("a@alpha.example", reason: "550 5.1.1 no such mailbox")
    #expect(try await isUnreached())
    let bounce = try #require(try await accounts.waiting(owner).bounced.first)
    #expect(bounce.address == "a@alpha.example" && bounce.item == "alpha.example" && bounce.domain == domain)
    #expect(bounce.reason.contains("5.1.1"))
    let again = try await accounts.recipients(owner, of: domain)[0].id
    _ = try await registry.signIn.confirm(try await accounts.confirmAgain(owner, recipient: again, of: domain).secret)
    let code = try #require(try await registry.service.addressees(of: domain).first).unsubscribeCode
    _ = try await registry.signIn.unsubscribe(code)
    #expect(try await isUnreached())
    #expect(try await accounts.waiting(owner).bounced.isEmpty)
    try await registry.service.setPlan(of: owner.account, to: .pro)
    let hasMember = try await !registry.service.addressees(of: domain).isEmpty
    #expect(try await isUnreached() == !hasMember)
  }

  @Test("a link that confirms says whose mail it is about; what signs in says nothing")
  func links() async throws {
    let registry = try await Registry()
    let owner = try await registry.account("alpha")
    let domain = try await registry.domain(owner, "alpha.example")
    let letter = try #require(
      try await registry.accounts.addRecipient(owner, to: domain, address: "a@alpha.example").letter)
    let subject = try #require(try await registry.signIn.subject(of: letter.secret))
    #expect(subject.account == "alpha" && subject.item == "alpha.example")
    let member = try await registry.accounts.addMember(owner, address: "b@alpha.example", role: .viewer).letter
    #expect(try await registry.signIn.subject(of: member.secret)?.item == nil)
    let link = try #require(try await registry.signIn.requestLink(address: "b@alpha.example", client: "x"))
    #expect(try await registry.signIn.subject(of: link.secret) == nil)
  }
}
