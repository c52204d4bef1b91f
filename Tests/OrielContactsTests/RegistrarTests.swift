import Foundation
import OrielWatchlist
import Synchronization
import TestSupport
import Testing

@testable import OrielContacts

struct RDAPBootstrapTests {
  @Test(
    "IANA's list names the service of a domain's longest suffix", .needsTestData,
    arguments: [
      ("example.com", "query https://rdap.verisign.com/com/v1/domain/example.com"),
      ("home.moscow", "query https://flexireg.net/moscow/rdap/domain/home.moscow"),
      ("lemonde.fr", "query https://rdap.nic.fr/domain/lemonde.fr"), ("example.de", "none"), ("example.ch", "none"),
      ("a.kg", "insecure http://rdap.cctld.kg/domain/a.kg"),
    ])
  func services(name: String, expected: String) throws {
    let bootstrap = try RDAPBootstrap(json: TestData.bytes("iana/rdap_dns_bootstrap_full.json"))
    #expect(bootstrap.publication == "2024-04-24T18:00:02Z")
    #expect(words(bootstrap.service(for: try DomainName(name))) == expected)
  }

  @Test("longer suffixes come first, the root last; services with bad addresses are none", .needsTestData)
  func suffixes() throws {
    let bootstrap = try RDAPBootstrap(json: TestData.bytes("iana/openrdap_bootstrap_complex_dns.json"))
    for (name, expected) in [
      ("a.sub.example.com", "https://example.com/sub/domain/a.sub.example.com"),
      ("a.example.com", "https://example.com/domain/a.example.com"),
      ("a.test", "https://example.root/domain/a.test"),
    ] {
      #expect(words(bootstrap.service(for: try DomainName(name))) == "query " + expected)
    }
    let bad = try RDAPBootstrap(json: TestData.bytes("iana/openrdap_bootstrap_malformed_dns_bad_url.json"))
    #expect(words(bad.service(for: try DomainName("x.example"))) == "none")
    #expect(words(bad.service(for: try DomainName("x.br"))) == "query https://rdap.registro.br/domain/x.br")
  }

  @Test(
    "what is no bootstrap file is refused",
    arguments: ["", "{}", "[1]", "{\"services\":[]}", "{\"services\":[[[\"a\"]]]}"])
  func refused(text: String) {
    #expect(throws: RDAPBootstrap.Unreadable.self) { try RDAPBootstrap(json: Array(text.utf8)) }
  }

  @Test(
    "the registrable name is one label more than the public suffix",
    arguments: [
      ("a.b.example.com", "example.com"), ("example.com", "example.com"), ("www.example.co.uk", "example.co.uk"),
      ("a.b.unknown-top", "b.unknown-top"), ("com", nil), ("co.uk", nil), ("a.foo.ck", "a.foo.ck"),
      ("x.www.ck", "www.ck"),
    ])
  func registrable(name: String, expected: String?) throws {
    #expect(PublicSuffixes.system.registrableName(of: try DomainName(name))?.ascii == expected)
  }
}

/// A service in a word and its address.
private func words(_ service: RDAPBootstrap.Service) -> String {
  switch service {
  case .query(let page): "query \(page)"
  case .insecure(let page): "insecure \(page)"
  case .none: "none"
  }
}

struct RegistrarContactTests {
  struct Known: Sendable, CustomTestStringConvertible {
    let file: String
    let domain: String
    let name: String
    var id: String?
    var abuse: [String] = []
    var phones: [String] = []
    var general: [String] = []
    var testDescription: String { file }
  }

  @Test(
    "real answers give the registrar and its contacts", .needsTestData,
    arguments: [
      Known(
        file: "whoisit_domain1.json", domain: "google.com", name: "MarkMonitor Inc.", id: "292",
        abuse: ["abusecomplaints@markmonitor.com"], phones: ["+1.2083895740"]),
      Known(
        file: "whoisit_domain3.json", domain: "themarquetry.com", name: "Hosting Concepts B.V. d/b/a Registrar.eu",
        id: "1647", abuse: ["abuse@registrar.eu"], phones: ["+31.104482297"]),
      Known(
        file: "icann_home.moscow.json", domain: "home.moscow",
        name: "Limited Liability Company \"Registrar of domain names REG.RU\"", id: "1606", abuse: ["abuse@reg.ru"],
        phones: ["+7 495 5801111"], general: ["info@reg.ru"]),
      Known(
        file: "icann_microsoft.click.json", domain: "microsoft.click", name: "MarkMonitor Inc.",
        abuse: ["abusecomplaints@markmonitor.com"], phones: ["+1.2083895740"], general: ["ccops@markmonitor.com"]),
      Known(
        file: "icann_lemonde.fr.json", domain: "lemonde.fr", name: "NAMESHIELD", id: "1251",
        general: ["registrar@nameshield.net"]),
      Known(
        file: "icann_domain_afnic_fr.json", domain: "afnic.fr", name: "Registry Operations", id: "9999",
        general: ["support@afnic.fr"]),
    ])
  func real(known: Known) throws {
    let contact = try RegistrarContact(json: TestData.bytes("rdap/" + known.file), domain: known.domain)
    #expect(contact.name == known.name)
    #expect(contact.ianaID == known.id)
    #expect(contact.abuseAddresses.map(\.text) == known.abuse)
    #expect(contact.abusePhones == known.phones)
    #expect(contact.generalAddresses.map(\.text) == known.general)
  }

  @Test("every other document of the collection is refused or read, without trap", .needsTestData)
  func others() throws {
    var refused = 0
    for path in TestData.files(in: "rdap") {
      do { _ = try RegistrarContact(json: TestData.bytes(path), domain: "unrelated.example") } catch { refused += 1 }
    }
    #expect(refused == TestData.files(in: "rdap").count)
  }

  @Test("an error, another kind of object or another domain is told", .needsTestData)
  func refusals() throws {
    let error = try TestData.bytes("rdap/icann_error_ripe_net.json")
    #expect(throws: RegistrarContact.Refusal.serverError("501 Not Implemented: Nameserver not supported")) {
      try RegistrarContact(json: error, domain: "a.example")
    }
    let google = try TestData.bytes("rdap/whoisit_domain1.json")
    #expect(throws: RegistrarContact.Refusal.otherDomain("GOOGLE.COM")) {
      try RegistrarContact(json: google, domain: "g00gle.com")
    }
    #expect(throws: RegistrarContact.Refusal.notRDAP) {
      try RegistrarContact(json: TestData.bytes("rdap/whoisit_asn.json"), domain: "a.example")
    }
  }

  @Test("JSContact cards are read too")
  func jsContact() throws {
    let json = """
      {"objectClassName":"domain","ldhName":"x.example","entities":[{"roles":["registrar"],
       "publicIds":[{"type":"IANA Registrar ID","identifier":"9998"}],
       "jscard":{"@type":"Card","version":"1.0","name":{"full":"Registrar X"},
        "emails":{"e1":{"address":"info@r.example"}},"links":{"l1":{"uri":"https://r.example/help"}}},
       "entities":[{"roles":["abuse"],"jscard":{"emails":{"e":{"address":"abuse@r.example"}},
        "phones":{"p1":{"number":"tel:+1-555-0100;ext=1","features":{"voice":true}},
         "p2":{"number":"tel:+1-555-0101","features":{"fax":true}}}}}]}]}
      """
    let contact = try RegistrarContact(json: Array(json.utf8), domain: "x.example")
    #expect(contact.name == "Registrar X")
    #expect(contact.ianaID == "9998")
    #expect(contact.abuseAddresses.map(\.text) == ["abuse@r.example"])
    #expect(contact.abusePhones == ["+1-555-0100"])
    #expect(contact.generalAddresses.map(\.text) == ["info@r.example"])
    #expect(contact.pages.map(\.url) == ["https://r.example/help"])
  }

  /// The registrar's entity, with what stands in it or beside it.
  private func answer(_ entities: String, inside: String = "", roles: String = "[\"registrar\"]") -> [UInt8] {
    Array(
      """
      {"objectClassName":"domain","ldhName":"x.example","entities":[{"roles":\(roles),"entities":[\(inside)]}\(entities)]}
      """.utf8)
  }

  private func abuse(_ rows: String, role: String = "abuse") -> String {
    "{\"roles\":[\"\(role)\"],\"vcardArray\":[\"vcard\",[[\"version\",{},\"text\",\"4.0\"],\(rows)]]}"
  }

  @Test(
    "addresses are read in every form that registrars write them in",
    arguments: [
      (#"["email",{},"text","abuse@r.example"]"#, ["abuse@r.example"]),
      (#"["email",{},"text","mailto:abuse@r.example?subject=x"]"#, ["abuse@r.example"]),
      (#"["email",{},"text","abuse@r.example, second@r.example"]"#, ["abuse@r.example", "second@r.example"]),
      (#"["email",{},"text","abuse@r.example;second@r.example"]"#, ["abuse@r.example", "second@r.example"]),
      (#"["email",{},"text","abuse@r.example","second@r.example"]"#, ["abuse@r.example", "second@r.example"]),
      (#"["email",{},"text",["abuse@r.example","second@r.example"]]"#, ["abuse@r.example", "second@r.example"]),
      (#"["email",{},"text","Abuse Desk <abuse@r.example>"]"#, ["abuse@r.example"]),
      (#"["email",{},"text","A <abuse@r.example>, B <second@r.example>"]"#, ["abuse@r.example", "second@r.example"]),
      (#"["email",{},"text","Abuse Desk abuse@r.example"]"#, ["abuse@r.example"]),
      (#"["email",{},"text","abuse @ r.example"]"#, ["abuse@r.example"]),
      (#"["contact-uri",{},"uri","mailto:abuse@r.example"]"#, ["abuse@r.example"]),
      (#"["email",{},"text","<>"],["email",{},"text","a@@b"],["email",{},"text",","]"#, []),
      (#"["email",{},"text","a@b.example\r\nBcc: x@y.example"],["email",{},"text","a@b.example?bcc=x@y.example"]"#, []),
    ])
  func addresses(rows: String, expected: [String]) throws {
    let contact = try RegistrarContact(json: answer("", inside: abuse(rows)), domain: "x.example")
    #expect(contact.abuseAddresses.map(\.text) == expected)
  }

  @Test("a form for reports is a page to turn to (RFC 8605)")
  func contactPages() throws {
    let rows = #"["contact-uri",{},"uri","https://r.example/abuse"],["contact-uri",{},"uri","javascript:alert(1)"]"#
    let contact = try RegistrarContact(json: answer("", inside: abuse(rows)), domain: "x.example")
    #expect(contact.abusePages.map(\.url) == ["https://r.example/abuse"] && contact.abuseAddresses.isEmpty)
  }

  @Test("abuse contacts are found at any depth in the registrar's entity and beside it, and in no other's")
  func depth() throws {
    let card = abuse(#"["email",{},"text","abuse@r.example"]"#)
    let inner = "{\"roles\":[\"technical\"],\"entities\":[{\"roles\":[\"noc\"],\"entities\":[\(card)]}]}"
    let strange = "{\"roles\":[\"registrant\"],\"entities\":[\(card)]}"
    for (json, count) in [
      (answer("", inside: card), 1), (answer("", inside: inner), 1), (answer("," + card), 1),
      (answer("," + strange), 0),
    ] {
      #expect(try RegistrarContact(json: json, domain: "x.example").abuseAddresses.count == count)
    }
    let both = answer("", roles: #"["registrar","abuse"],"vcardArray":["vcard",[["email",{},"text","a@r.example"]]]"#)
    let contact = try RegistrarContact(json: both, domain: "x.example")
    #expect(contact.abuseAddresses.map(\.text) == ["a@r.example"] && contact.generalAddresses == contact.abuseAddresses)
  }

  @Test("entities without end are read up to a bound")
  func bounded() throws {
    let many = (0..<5000).map { _ in "{\"roles\":[\"technical\"],\"entities\":[{\"roles\":[\"abuse\"]}]}" }.joined(
      separator: ",")
    var deep = abuse(#"["email",{},"text","abuse@r.example"]"#)
    for _ in 0..<100 { deep = "{\"roles\":[\"technical\"],\"entities\":[\(deep)]}" }
    for inside in [many, deep] {
      #expect(try RegistrarContact(json: answer("", inside: inside), domain: "x.example").abuseAddresses.isEmpty)
    }
  }

  @Test("hostile texts are cleaned, addresses that are none left out, all of it bounded")
  func hostile() throws {
    let many = (0..<500).map { "[\"email\",{},\"text\",\"a\($0)@r.example\"]" }.joined(separator: ",")
    let long = String(repeating: "A", count: 5000)
    let json = """
      {"objectClassName":"domain","entities":[{"roles":["registrar"],"vcardArray":["vcard",[
       ["fn",{},"text","Evil\\u202egro\\u0007\\n\(long)"],["email",{},"text","a@b.example?bcc=x@y.example"],
       ["email",{},"text","a@b.example\\r\\nBcc: x@y.example"],["tel",{},"uri","tel:javascript"],
       ["url",{},"uri","javascript:alert(1)"],["email"],7,null,[],["fn",5]]],
       "entities":[{"roles":["abuse"],"vcardArray":["vcard",[\(many)]]}]}]}
      """
    let contact = try RegistrarContact(json: Array(json.utf8), domain: "x.example")
    let name = try #require(contact.name)
    #expect(name.hasPrefix("Evil\u{fffd}gro\u{fffd} AAA"))
    #expect(name.unicodeScalars.count == 201)
    #expect(contact.generalAddresses.isEmpty)
    #expect(contact.pages.isEmpty)
    #expect(contact.abuseAddresses.map(\.text) == (0..<4).map { "a\($0)@r.example" })
    for filler in ["1,", "[],", "{},", "\"\\u202e\","] {
      let list = String(repeating: filler, count: JSONValue.byteLimit / filler.utf8.count - 20)
      let large = "{\"objectClassName\":\"domain\",\"x\":[\(list)0]}"
      #expect(try RegistrarContact(json: Array(large.utf8), domain: "x.example").name == nil)
    }
    let deep = String(repeating: "[", count: 100_000)
    #expect(throws: RegistrarContact.Refusal.notRDAP) { try RegistrarContact(json: Array(deep.utf8), domain: "x") }
  }
}

struct RegistrarLookupTests {
  private let bootstrap = """
    {"services":[[["example"],["https://rdap.registry.example/"]],[["plain"],["http://rdap.registry.example/"]]]}
    """

  private func lookUp(
    _ name: String, _ answer: @escaping @Sendable (String) throws -> String
  ) async throws -> (RegistrarLookup.Answer, [String]) {
    let asked = Mutex<[String]>([])
    let seen: @Sendable (String) -> Void = { url in asked.withLock { $0.append(url) } }
    let lookup = RegistrarLookup(
      bootstrap: try RDAPBootstrap(json: Array(bootstrap.utf8)), suffixes: .system,
      fetch: { url in
        seen(url)
        return Array(try answer(url).utf8)
      })
    let result = await lookup.registrar(of: try DomainName(name))
    return (result, asked.withLock { $0 })
  }

  private static func domain(_ name: String, related: String, abuse: String? = nil) -> String {
    let inner =
      abuse.map { "{\"roles\":[\"abuse\"],\"vcardArray\":[\"vcard\",[[\"email\",{},\"text\",\"\($0)\"]]]}" } ?? ""
    return """
      {"objectClassName":"domain","ldhName":"\(name)","links":[{"rel":"self","href":"https://s.example/"},
       {"rel":"related","href":"\(related)","type":"application/rdap+json"}],
       "entities":[{"roles":["registrar"],"entities":[\(inner)]}]}
      """
  }

  @Test("the registrable name is asked for, and the registrar's own answer fills what the registry left out")
  func related() async throws {
    let (answer, asked) = try await lookUp("www.shop.example") { url in
      url.contains("registry")
        ? Self.domain("SHOP.example.", related: "https://rdap.registrar.example/domain/shop.example")
        : Self.domain("shop.example", related: "https://rdap.third.example/x", abuse: "abuse@registrar.example")
    }
    #expect(
      asked == [
        "https://rdap.registry.example/domain/shop.example", "https://rdap.registrar.example/domain/shop.example",
      ])
    guard case .found(let contact) = answer else {
      Issue.record("\(answer)")
      return
    }
    #expect(contact.abuseAddresses.map(\.text) == ["abuse@registrar.example"])
  }

  @Test("no related link is followed that is not needed, not secure, or a bare address")
  func notFollowed() async throws {
    for (related, abuse) in [
      ("https://r.example/", "abuse@r.example"), ("http://r.example/", nil), ("https://127.0.0.1/", nil),
      ("https://localhost/", nil), ("https://u@r.example/", nil), ("file:///etc/passwd", nil),
      ("https://rdap.registry.example/domain/shop.example", nil),
    ] {
      let (_, asked) = try await lookUp("shop.example") { _ in
        Self.domain("shop.example", related: related, abuse: abuse)
      }
      #expect(asked.count == 1, "\(related)")
    }
  }

  @Test("a registrar whose own answer fails leaves the registry's")
  func relatedFails() async throws {
    let (answer, asked) = try await lookUp("shop.example") { url in
      guard url.contains("registry") else { throw Answers.Broken() }
      return Self.domain("shop.example", related: "https://r.example/")
    }
    #expect(asked.count == 2)
    guard case .found = answer else {
      Issue.record("\(answer)")
      return
    }
  }

  @Test("a top level without RDAP, or without a secure one, is said plainly, and nobody is asked")
  func noService() async throws {
    for (name, words) in [("a.b.zz", "no RDAP service"), ("a.plain", "not secured")] {
      let (answer, asked) = try await lookUp(name) { _ in "" }
      #expect(asked.isEmpty)
      guard case .noService(_, let reason, let page) = answer else {
        Issue.record("\(answer)")
        continue
      }
      #expect(reason.contains(words))
      #expect(page?.url == "https://www.iana.org/domains/root/db/\(name.split(separator: ".").last ?? "").html")
    }
    let (suffix, asked) = try await lookUp("co.uk") { _ in "" }
    #expect(asked.isEmpty)
    guard case .failed(_, let reason) = suffix else {
      Issue.record("\(suffix)")
      return
    }
    #expect(reason.contains("public suffix"))
  }

  @Test("an answer that fails or is none is told with its reason")
  func failed() async throws {
    for (text, words) in [
      ("<html>", "no RDAP answer"), ("{\"errorCode\":404,\"title\":\"Not\\u0007 Found\"}", "Not\u{fffd} Found"),
    ] {
      guard case .failed(_, let reason) = try await lookUp("shop.example", { _ in text }).0 else {
        Issue.record("not failed: \(text)")
        continue
      }
      #expect(reason.contains(words))
    }
  }
}
