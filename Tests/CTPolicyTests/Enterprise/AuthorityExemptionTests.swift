import CTPolicy
import CertificateTransparency
import MerkleTree
import TestSupport
import TestWorld
import Testing

/// The conditions of `…DisabledForCas`: the sixteen cases of ChromeRequireCTDelegateTest.SupportsOrgRestrictions (with
/// Chromium's `net/data/ov_name_constraints`) and those of Apple's CTTests.m, made anew, and others.
@Suite struct AuthorityExemptionTests {
  struct Row: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let leaf: Draft
    let authority: Draft
    let isExempt: Bool
    /// What Apple's code makes of it, where it differs.
    var isExemptAtApple: Bool?

    init(_ name: String, _ leaf: Draft, _ authority: Draft, exempt: Bool, apple: Bool? = nil) {
      testDescription = name
      self.leaf = leaf
      self.authority = authority
      isExempt = exempt
      isExemptAtApple = apple
    }
  }

  private static func leaf(_ organisations: [[Draft.Text]]) -> Draft { Draft("leaf", organisations) }

  private static func authority(
    _ organisations: [[Draft.Text]], permitted: [Draft.Subtree] = [], excluded: [Draft.Subtree] = []
  ) -> Draft {
    Draft("authority", organisations) {
      $0.commonName = "Issuing CA"
      $0.permitted = permitted
      $0.excluded = excluded
    }
  }

  static let rows = [
    Row("leaf O=Acme under CA O=Acme", leaf([[.utf8("Acme")]]), authority([[.utf8("Acme")]]), exempt: true),
    Row(
      "leaf {Acme, Sub} under CA {Sub, Acme}", leaf([[.utf8("Acme")], [.utf8("Sub")]]),
      authority([[.utf8("Sub")], [.utf8("Acme")]]), exempt: false),
    Row(
      "leaf {Acme, Sub} under CA {Acme, Sub}", leaf([[.utf8("Acme")], [.utf8("Sub")]]),
      authority([[.utf8("Acme")], [.utf8("Sub")]]), exempt: true),
    Row("leaf without O under CA O=Acme", leaf([]), authority([[.utf8("Acme")]]), exempt: false),
    Row("leaf without O under CA without O", leaf([]), authority([]), exempt: false),
    Row("leaf O=Acme under CA without O", leaf([[.utf8("Acme")]]), authority([]), exempt: false),
    Row("leaf O=Acme under CA O=Other", leaf([[.utf8("Acme")]]), authority([[.utf8("Other")]]), exempt: false),
    Row(
      "one O of two", leaf([[.utf8("Acme")]]), authority([[.utf8("Acme")], [.utf8("Sub")]]), exempt: false),
    Row(
      "two O in one RDN versus two RDNs", leaf([[.utf8("Acme")], [.utf8("Zeta")]]),
      authority([[.utf8("Acme"), .utf8("Zeta")]]), exempt: true),
    Row(
      "a set that is out of order is sorted first, as its encoding ought to be",
      leaf([[.utf8("Acme")], [.utf8("Zeta")]]), authority([[.utf8("Zeta"), .utf8("Acme")]]), exempt: true,
      apple: false),
    Row(
      "a CA that writes O as BMPString matches", leaf([[.utf8("Acme")]]), authority([[.bmp("Acme")]]), exempt: true),
    Row(
      "PrintableString and UTF8String normalise to the same", leaf([[.printable("Acme")]]),
      authority([[.utf8("Acme")]]), exempt: true),
    Row(
      "case and spaces fold", leaf([[.utf8("ACME  Widgets")]]), authority([[.utf8(" Acme Widgets ")]]),
      exempt: true, apple: false),
    Row(
      "TeletexString is compared with its tag", leaf([[.utf8("Acme")]]), authority([[.teletex("Acme")]]),
      exempt: false, apple: true),
    Row("TeletexString equals itself", leaf([[.teletex("Acme")]]), authority([[.teletex("Acme")]]), exempt: true),
    Row(
      "TeletexString keeps its case", leaf([[.teletex("ACME")]]), authority([[.teletex("Acme")]]), exempt: false),
    Row(
      "letters beyond ASCII do not fold", leaf([[.utf8("ÉCOLE")]]), authority([[.utf8("école")]]), exempt: false),
    Row(
      "a PrintableString that is none makes the leaf unreadable", leaf([[.printable("A_B")]]),
      authority([[.printable("A_B")]]), exempt: false, apple: true),
    Row(
      "a broken BMPString makes the CA unreadable", leaf([[.utf8("Acme")]]),
      authority([[.utf8("Acme")], [.raw(30, [0])]]), exempt: false),
    Row(
      "permitted directoryName with O", leaf([[.utf8("Acme")]]),
      authority([[.utf8("Other")]], permitted: [.organisation(.utf8("Acme"))]), exempt: true),
    Row(
      "permitted directoryName with O as BMPString", leaf([[.utf8("Acme")]]),
      authority([[.utf8("Other")]], permitted: [.organisation(.bmp("Acme"))]), exempt: true),
    Row(
      "one of several permitted directoryNames", leaf([[.utf8("Acme")]]),
      authority([[.utf8("Other")]], permitted: [.dns("example"), .commonName("x"), .organisation(.utf8("Z"))]),
      exempt: true),
    Row(
      "permitted directoryName with O, but a leaf without", leaf([]),
      authority([[.utf8("Other")]], permitted: [.organisation(.utf8("Acme"))]), exempt: false, apple: true),
    Row(
      "permitted directoryName without O", leaf([[.utf8("Acme")]]),
      authority([[.utf8("Other")]], permitted: [.commonName("Acme")]), exempt: false),
    Row(
      "excluded directoryName with O", leaf([[.utf8("Acme")]]),
      authority([[.utf8("Other")]], excluded: [.organisation(.utf8("Acme"))]), exempt: false),
    Row(
      "dNSName constraints alone", leaf([[.utf8("Acme")]]),
      authority([[.utf8("Other")]], permitted: [.dns("test.invalid")]), exempt: false),
    Row(
      "dNSName constraints, and the same O", leaf([[.utf8("Acme")]]),
      authority([[.utf8("Acme")]], permitted: [.dns("test.invalid")]), exempt: true),
  ]

  @Test("a listed CA exempts what its browser's conditions say", arguments: rows)
  func table(row: Row) throws {
    let chain = try chain(row.leaf, row.authority, .root)
    let listed = try policies((.chromeCAs, row.authority.pin))
    let finding = listed.exemption(on: .chrome, host: "shop.example", chain: chain)
    #expect((finding.exemption != nil) == row.isExempt, "\(finding)")
    #expect(finding.nearestMisses.isEmpty == row.isExempt)

    let apple = try policies((.appleKeys, row.authority.base64))
    let expected = row.isExemptAtApple ?? row.isExempt
    #expect((apple.exemption(on: .apple, host: "shop.example", chain: chain).exemption != nil) == expected)

    // Firefox asks for nothing but the key, and the leaf's own key is always enough.
    let firefox = try policies((.firefoxKeys, row.authority.base64))
    #expect(firefox.exemption(on: .firefox, host: "shop.example", chain: chain).exemption != nil)
    let own = try policies((.chromeCAs, row.leaf.pin))
    #expect(own.exemption(on: .chrome, host: "shop.example", chain: chain).exemption?.reason == .leafKey)

    // A key that is not listed exempts nothing.
    let other = try policies((.chromeCAs, Draft("other").pin), (.firefoxKeys, Draft("other").base64))
    for platform in PolicyPlatform.allCases {
      #expect(other.exemption(on: platform, host: "shop.example", chain: chain).exemption == nil)
    }
  }

  @Test("the reason tells which condition was met")
  func reasons() throws {
    let subtree = Draft.Subtree.organisation(.utf8("Acme"))
    let constrained = Self.authority([[.utf8("Other")]], permitted: [subtree])
    let same = Self.authority([[.utf8("Acme")]])
    for (authority, code) in [(constrained, "exempt-constrained-ca"), (same, "exempt-same-organisation")] {
      let finding = try policies((.chromeCAs, authority.pin))
        .exemption(on: .chrome, host: "x", chain: try chain(Self.leaf([[.utf8("Acme")]]), authority, .root))
      #expect(finding.exemption?.code == code)
      #expect(finding.exemption?.entry.text == authority.pin)
      #expect(finding.exemption?.description.contains("Issuing CA") == true)
    }
  }

  @Test("of several listed CAs any one that meets the conditions is enough")
  func several() throws {
    let wrong = Draft("wrong", [[.utf8("Other")]])
    let right = Draft("right", [[.utf8("Acme")]])
    let chain = try chain(Self.leaf([[.utf8("Acme")]]), wrong, right, .root)
    let listed = try policies((.chromeCAs, wrong.pin), (.chromeCAs, right.pin))
    #expect(listed.exemption(on: .chrome, host: "x", chain: chain).exemption?.entry.text == right.pin)
  }

  @Test("a CA whose extensions can't be read exempts nothing in Chrome")
  func unreadable() throws {
    var broken = Self.authority([[.utf8("Acme")]])
    broken.extensions = CertificateExtension.build([0x55, 0x1d, 0x1e]) { $0.octetString([1, 2, 3]) }
    let chain = try chain(Self.leaf([[.utf8("Acme")]]), broken, .root)
    let finding = try policies((.chromeCAs, broken.pin)).exemption(on: .chrome, host: "x", chain: chain)
    #expect(finding.exemption == nil)
    #expect(finding.nearestMisses.map(\.code) == [.unreadableCertificate])
  }

  @Test("hosts go before keys, and tags other than sha256 are ignored")
  func order() throws {
    let leaf = Self.leaf([])
    let chain = try chain(leaf, .root)
    let both = try policies((.chromeCAs, leaf.pin), (.chromeURLs, "shop.example"))
    #expect(both.exemption(on: .chrome, host: "www.shop.example", chain: chain).exemption?.code == "exempt-host")
    for text in ["sha1/\(leaf.base64)", "SHA256/\(leaf.base64)", leaf.base64, "sha256/\(leaf.base64.dropLast())", ""] {
      let listed = try policies((.chromeCAs, text))
      #expect(listed.exemption(on: .chrome, host: "x", chain: chain).exemption == nil)
      #expect(listed.warnings.count == 1)
    }
  }

  @Test("legacy CAs count only where legacy roots are given, and only if marked")
  func legacy() throws {
    let authority = Self.authority([])
    let chain = try chain(Self.leaf([]), authority, .root)
    let listed = try policies((.chromeLegacyCAs, authority.pin))
    let silent = listed.exemption(on: .chrome, host: "x", chain: chain)
    #expect(silent.exemption == nil)
    #expect(silent.nearestMisses.map(\.code) == [.legacyNotHonoured])
    var roots = RootStores()
    roots.add(hash: authority.hash)
    #expect(listed.exemption(on: .chrome, host: "x", chain: chain, legacyRoots: roots).exemption == nil)
    var marked = RootStores.Root()
    marked.isLegacy = true
    roots.add(marked, hash: authority.hash)
    let finding = listed.exemption(on: .chrome, host: "x", chain: chain, legacyRoots: roots)
    #expect(finding.exemption?.code == "exempt-legacy-ca")
  }

  @Test("near misses say what is missing")
  func misses() throws {
    let authority = Self.authority([[.utf8("Acme Ltd")]])
    func reason(_ leaf: Draft, _ entry: String, others: [Draft] = []) throws -> NearestMiss? {
      let chain = try chain(leaf, authority, .root, others: others)
      let misses = try policies((.chromeCAs, entry)).exemption(on: .chrome, host: "x", chain: chain).nearestMisses
      #expect(misses.count <= 1)
      return misses.first
    }
    let bare = try #require(try reason(Self.leaf([]), authority.pin))
    #expect(bare.code == .leafWithoutOrganisation)
    #expect(bare.reason.contains("the certificate has no organisation"))
    let differs = try #require(try reason(Self.leaf([[.utf8("Acme")]]), authority.pin))
    #expect(differs.code == .organisationDiffers)
    #expect(differs.reason.contains("O differs: \"Acme Ltd\" in the CA, \"Acme\" in the certificate"))
    let cross = Draft("cross", [[.utf8("Cross")]]) { $0.commonName = "Cross Root" }
    let elsewhere = try #require(try reason(Self.leaf([[.utf8("Acme")]]), cross.pin, others: [cross]))
    #expect(elsewhere.code == .notInVerifiedChain)
    #expect(elsewhere.reason.contains("Cross Root") && elsewhere.reason.contains("Root R1"))
    #expect(try reason(Self.leaf([]), cross.pin) == nil)
  }

  @Test("what a subject shows can't deceive its reader")
  func deception() throws {
    let authority = Self.authority([[.utf8("Acme\u{202e}\u{1b}[2J")]])
    let chain = try chain(Self.leaf([[.utf8("B")]]), authority)
    let miss = try policies((.chromeCAs, authority.pin)).exemption(on: .chrome, host: "x", chain: chain)
    #expect(!miss.nearestMisses.isEmpty)
    #expect(!"\(miss.nearestMisses)".unicodeScalars.contains { $0.isDeceptive })
  }

  @Test("certificates with a byte changed are read without a trap", arguments: 0..<4)
  func mutations(seed: Int) throws {
    var generator = SeededGenerator(seed: UInt64(seed))
    let authority = Self.authority(
      [[.utf8("Acme"), .bmp("Sub")]], permitted: [.organisation(.utf8("A")), .dns("b")], excluded: [.commonName("c")])
    let original = authority.der
    let listed = try policies((.chromeCAs, authority.pin), (.appleKeys, authority.base64))
    for _ in 0..<1500 {
      var der = original
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        der[Int.random(in: 0..<der.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
      }
      if Bool.random(using: &generator) { der.removeLast(Int.random(in: 0..<der.count, using: &generator)) }
      let chain = try VerifiedChain([Self.leaf([[.utf8("Acme")]]).der, der])
      for platform in PolicyPlatform.allCases { _ = listed.exemption(on: platform, host: "x", chain: chain) }
      _ = PolicySuggestion(try VerifiedChain([der, original])).chromePolicy()
    }
  }

  @Test("chains without a certificate, or with too many or too large ones, are refused")
  func bounds() {
    #expect(throws: FormatError.self) { try VerifiedChain([]) }
    #expect(throws: FormatError.self) { try VerifiedChain([[UInt8]](repeating: [], count: 65)) }
    #expect(throws: FormatError.self) { try VerifiedChain([[UInt8](repeating: 0, count: 1 << 20 | 1)]) }
    #expect(throws: Never.self) { try VerifiedChain([[]]) }
  }
}
