import OrielAccounts
import OrielSettings
import OrielWatchlist
import TestSupport
import Testing

@testable import OrielServer

@Suite("Domains of the configuration file")
struct ConfiguredDomainTests {
  @Test("The pages say what the file says of a domain, and refuse to change it")
  func pages() async throws {
    let dashboard = try await Dashboard()
    let (owner, session) = try await dashboard.account("Alpha")
    var said = ConfiguredDomain(try WatchedItem(parsing: "alpha.example"))
    (said.allowedOwners, said.isBaselineConfirmed, said.isInventoryComplete) = (["Harbour Trust"], true, true)
    said.confirmedCAA = [#"0 issue "harbour.example""#]
    try await dashboard.service.mirror([said], in: owner.account)
    let id = try #require(try await dashboard.accounts.domains(owner).first).id
    let seen = #"0 issue "other.example""#
    _ = try await dashboard.service.foundCAA([seen], for: id)
    let path = "/domains/\(id)"
    try await dashboard.serve { _, parts in
      parts.ownersSummary = { "CA owners are not known: nobody has said." }
    } _: { port in
      let visitor = Visitor(port: port)
      await visitor.signIn(session.text)
      let settings = try await visitor.get(path + "/settings").body
      #expect(settings.contains("CA owners are not known: nobody has said."))
      #expect(settings.contains("Harbour Trust") && settings.contains("harbour.example"))
      #expect(settings.contains("the configuration file confirmed what was in use"))
      #expect(!settings.contains(#"action="\#(path)/owners">"#) || settings.contains(" readonly"))
      for (page, form) in [("/settings", "/caa"), ("/inventory", "/inventory/complete"), ("/first-day", "/baseline")] {
        let body = try await visitor.get(path + page).body
        #expect(body.contains("The configuration file says"), "\(page)")
        #expect(!body.contains(#"action="\#(path)\#(form)""#), "\(page)")
      }
      for (form, fields) in [
        ("/owners", [("owners", "Other Trust")]), ("/baseline", [("confirmed", "no")]),
        ("/inventory/complete", [("complete", "no")]), ("/caa", [("records", seen)]),
      ] {
        let reply = try await visitor.post(path + form, fields, of: path + "/settings")
        #expect(reply.status == 422 && reply.body.contains("set in the configuration file"), "\(form)")
      }
    }
    let domain = try await dashboard.accounts.domain(owner, id)
    #expect(domain.allowedOwners == ["Harbour Trust"] && domain.isInventoryComplete)
    #expect(domain.baselineConfirmedAt != nil && domain.confirmedCAA == said.confirmedCAA)
  }

  @Test("What watch lists have is shown with the defaults' times; a canary is not")
  func lists() throws {
    let folder = try TemporaryFolder()
    let list = try folder.write("listed.example\nown.example\n192.0.2.0/24\n=canary.example\n", to: "names.txt")
    let configuration = try ConfigurationLoader(environment: [:], overrides: [:]) { _ in "" }.load(
      """
      watch:
        - {item: own.example, owners: [One Trust], history: confirmed, caa: ['0  issue "b"', '0 issue "a"']}
        - {item: own.example, tell: {known: daily}}
      watch_lists: [\(list)]
      canaries: [{name: canary.example}]
      defaults: {tell: {expected: weekly}, lookalikes: yes}
      """.replacing("0  issue", with: "0 issue"), file: "/etc/oriel.yaml"
    ).configuration
    let mirrored = try ServicePlan(configuration).mirrored
    #expect(mirrored.map(\.item.description) == ["own.example", "listed.example", "192.0.2.0/24"])
    #expect(mirrored.map(\.watchesLookalikes) == [true, true, false])
    #expect(mirrored.allSatisfy { $0.delivery.expected == .weekly && $0.delivery.known == .atOnce })
    #expect(mirrored[0].allowedOwners == ["One Trust"] && mirrored[0].isBaselineConfirmed == true)
    #expect(mirrored[0].confirmedCAA == [#"0 issue "a""#, #"0 issue "b""#] && mirrored[0].isInventoryComplete == nil)
    #expect(mirrored[1].allowedOwners == nil && mirrored[1].isBaselineConfirmed == nil)
  }
}
