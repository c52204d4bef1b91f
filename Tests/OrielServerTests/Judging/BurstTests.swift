import Foundation
import OrielAlerting
import OrielMail
import OrielStore
import TestSupport
import TestWorld
import Testing

@testable import OrielServer

@Suite("Thousands of unexplained certificates at once")
struct UnexplainedBurstTests {
  /// 5,000 in a campaign.
  private static let count = isCampaign ? 5000 : 600

  @Test("keep nobody else's alert waiting, and what is rarest among them comes first")
  func burst() async throws {
    let court = try await Courtroom()
    let owner = try await court.account("alpha")
    _ = try await court.domain(owner, "shop.example", telling: ["me@mail.example"])
    let other = try await court.account("beta")
    _ = try await court.domain(other, "other.example", telling: ["you@mail.example"])
    let rare = Self.count / 2..<Self.count / 2 + 5
    for number in 0..<Self.count {
      let name = rare.contains(number) ? "pay\(number).shop.example" : "n\(number).shop.example"
      try await court.sight(try court.issue([name], by: rare.contains(number) ? "Rare Trust" : "Usual Trust"))
    }
    try await court.sight(try court.issue(["www.other.example"]), items: ["other.example"])
    try await court.settle()
    let mails = court.post.mails
    #expect(mails.count { $0.to == "me@mail.example" } == 20 && mails.count { $0.to == "you@mail.example" } == 1)
    #expect(mails.prefix(21).contains { $0.to == "you@mail.example" })

    court.pass(BurstLimit.urgent)
    try await court.settle()
    let digest = try #require(court.post.mails.last)
    #expect(court.post.mails.count == 22 && digest.to == "me@mail.example")
    let subject = digest.subject.replacing(",", with: "")
    #expect(subject.contains("\(Self.count - 20) unexplained certificates for shop.example"), "\(subject)")
    let rows = digest.message.text.split(separator: "\n").filter { $0.hasPrefix("- ") }
    #expect(rows.count <= 51 && rows.prefix(5).allSatisfy { $0.contains("pay") }, "\(rows.prefix(8))")
  }
}
