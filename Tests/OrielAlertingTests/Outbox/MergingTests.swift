import CertificateTransparency
import OrielStore
import TestWorld
import Testing

@testable import OrielAlerting

@Suite("A certificate that matches several items of a recipient", .serialized)
struct MergingTests {
  /// Judges by the watched item: `u….example` makes it unexplained, and so on.
  private let router = VerdictStub { alert, _ in
    switch alert.item?.first {
    case "u": .unexplained
    case "n": .noHistory
    case "e": .expected
    default: .known
    }
  }

  private func alerts(_ outbox: Outbox) -> [CertificateAlert] {
    outbox.receiver.deliveries.compactMap {
      if case .certificate(let alert) = $0.alert.content { alert } else { nil }
    }
  }

  private func settle(_ outbox: Outbox, first: Int = 20, _ routes: AlertRoutes? = nil) async throws {
    try await outbox.service(first: first, routes: routes, router: router.with(outbox)).settle()
  }

  @Test("is reported once, with the most serious verdict, and the alert lists the other items")
  func once() async throws {
    let outbox = try await Outbox()
    try await outbox.sight("*.example", items: ["e.example", "k.example", "u.example", "u2.example", "n.example"])
    try await settle(outbox)
    #expect(alerts(outbox).map(\.item) == ["u.example"])
    #expect(alerts(outbox).first?.otherItems == ["e.example", "k.example", "n.example", "u2.example"])
    #expect(alerts(outbox).first?.otherItemCount == 4)
    #expect(try await outbox.alerts.counts() == [.delivered: 1])
  }

  @Test(
    "is reported again for what matches later only if the verdict is more serious",
    arguments: ["k", "e", "n", "u"], ["k", "e", "n", "u"])
  func later(_ first: String, _ second: String) async throws {
    let outbox = try await Outbox()
    let pair = try await outbox.sight("*.example", items: ["\(first)1.example"])
    try await settle(outbox)
    try await outbox.sight("*.example", items: ["\(second)2.example"], pair: pair)
    try await settle(outbox)
    let seriousness = ["k", "e", "n", "u"]
    let isAgain = try #require(seriousness.firstIndex(of: second)) > #require(seriousness.firstIndex(of: first))
    #expect(alerts(outbox).map(\.item) == ["\(first)1.example"] + (isAgain ? ["\(second)2.example"] : []))
  }

  @Test("is one of a digest, and what matches later is not told beside it")
  func digest() async throws {
    let outbox = try await Outbox()
    try await outbox.sight("www.u.example", items: ["u.example"])
    let pair = try await outbox.sight("*.example", items: ["u.example", "u2.example"])
    try await settle(outbox, first: 1)
    try await outbox.sight("*.example", items: ["u3.example"], pair: pair)
    try await settle(outbox, first: 1)
    outbox.pass(3_600_000)
    try await settle(outbox, first: 1)
    #expect(alerts(outbox).map(\.matchedNames) == [["www.u.example"]])
    let listed = outbox.receiver.deliveries.flatMap { delivery in
      if case .digest(let all, _) = delivery.alert.content { all } else { [CertificateAlert]() }
    }
    #expect(listed.map(\.otherItems) == [["u2.example", "u3.example"]])
  }

  @Test("is reported to each recipient whom the configuration names, with their own items alone")
  func recipients() async throws {
    let outbox = try await Outbox()
    let routes = AlertRoutes(
      items: ["u1.example": [Outbox.target], "e1.example": [Outbox.target], "u2.example": [Outbox.other]],
      channels: [Outbox.target.target: outbox.receiver, Outbox.other.target: outbox.receiver])
    try await outbox.sight("*.example", items: ["e1.example", "u1.example", "u2.example"])
    try await settle(outbox, routes)
    let told = alerts(outbox).sorted { $0.item < $1.item }
    #expect(told.map(\.item) == ["u1.example", "u2.example"])
    #expect(told.map(\.otherItems) == [["e1.example"], []])
  }

  @Test("in thousands is one delivery, and keeps nobody else's alert waiting")
  func many() async throws {
    let outbox = try await Outbox()
    let own = (0..<3000).map { "u\($0).example" }
    let routes = AlertRoutes(
      items: ["~last.example": [Outbox.other]], standard: [Outbox.target],
      channels: [Outbox.target.target: outbox.receiver, Outbox.other.target: outbox.receiver])
    try await outbox.sight("*.example", items: own)
    try await outbox.sight("www.last.example", items: ["~last.example"])
    let first = try await outbox.alerts.unrouted()
    #expect(first.alerts.contains { $0.item == "~last.example" })
    try await settle(outbox, routes)
    #expect(try await outbox.alerts.counts() == [.delivered: 2])
    let wide = try #require(alerts(outbox).first { $0.item != "~last.example" })
    #expect(wide.otherItemCount == 2999)
    #expect(wide.otherItems == Array(own.filter { $0 != wide.item }.sorted().prefix(100)))
    #expect(try await outbox.alerts.unrouted().alerts.isEmpty)
  }

  @Test("says so in every form, at most a hundred items and how many more there are")
  func forms() throws {
    var alert = try Alerts.certificate()
    alert.add(otherItems: ["shop.example"] + (0..<150).map { "n\($0).example" })
    let delivery = Alerts.delivery(.certificate(alert))
    let json = try #require(try JSONObject(AlertJSON(delivery.alert).encoded())["certificate"])
    #expect(json.texts("also_matches") == (0..<100).map { "n\($0).example" })
    #expect(json["omitted"]?.fields["also_matches"] as? Int == 50)
    let variables = HookEnvironment(delivery).variables
    #expect(variables["ORIEL_ALSO_MATCHES"]?.split(separator: "\n").count == 100)
    #expect(variables["ORIEL_ALSO_MATCHES_COUNT"] == "150")
    let mail = AlertRenderer(publicURL: nil).render(delivery.alert)
    #expect(mail.text.contains("Also matches") && mail.text.contains("n99.example"))
    #expect(mail.text.contains("and 50 more") && !mail.text.contains("n100.example"))
    let words = AlertWords(delivery.alert).lines.first { $0.hasPrefix("also matches: ") }
    #expect(words == "also matches: " + (0..<8).map { "n\($0).example" }.joined(separator: " ") + " and 142 more")
    let digest = AlertRenderer(publicURL: nil).render(Alerts.delivery(.digest([alert])).alert)
    let row = digest.text.replacing(/\s+/, with: " ")
    #expect(row.contains("(also matches n0.example, n1.example, n2.example, and 147 more)"))
    let plain = Alerts.delivery(.certificate(try Alerts.certificate()))
    #expect(!AlertRenderer(publicURL: nil).render(plain.alert).text.contains("Also matches"))
    #expect(HookEnvironment(plain).variables["ORIEL_ALSO_MATCHES_COUNT"] == "0")
  }
}
