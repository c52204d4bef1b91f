import CTPolicy
import Foundation
import MerkleTree
import TestWorld
import Testing

@Suite struct PolicySuggestionTests {
  @Test("each key of a chain is named with the condition that it would meet")
  func conditions() throws {
    let leaf = Draft("leaf", [[.utf8("Acme")]])
    let same = Draft("same", [[.utf8("Acme")]])
    let constrained = Draft("constrained", [[.utf8("X")]]) { $0.permitted = [.organisation(.utf8("Acme"))] }
    let suggestion = PolicySuggestion(try chain(leaf, same, constrained, .root))
    #expect(suggestion.keys.map(\.pin) == [leaf.pin, same.pin, constrained.pin, Draft.root.pin])
    #expect(suggestion.keys.map(\.condition).prefix(3) == [.leaf, .sameOrganisation, .constrainedAuthority])
    guard case .none(let reason) = suggestion.keys[3].condition else {
      Issue.record("the root should not do")
      return
    }
    #expect(reason.contains("O differs"))
    #expect(suggestion.recommended.map(\.pin) == [leaf.pin])
  }

  @Test("what is suggested does exempt, once it is read back")
  func roundTrip() throws {
    let leaf = Draft("leaf", [[.utf8("Acme")]])
    let authority = Draft("same", [[.utf8("Acme")]])
    let chain = try chain(leaf, authority, .root)
    let suggestion = PolicySuggestion(chain)
    for keys in [suggestion.recommended, [suggestion.keys[1]], suggestion.keys] {
      let files: [(PolicyPlatform, String)] = [
        (.chrome, suggestion.chromePolicy(keys)), (.firefox, suggestion.firefoxPolicy(keys)),
        (.apple, suggestion.appleProfile(keys)),
      ]
      for (platform, text) in files {
        let policies = try EnterprisePolicies(Array(text.utf8), file: "suggested")
        #expect(policies.warnings.isEmpty && policies.entries.count == keys.count)
        #expect(policies.entries.allSatisfy { $0.list.platform == platform })
        #expect(policies.exemption(on: platform, host: "shop.example", chain: chain).exemption != nil)
      }
    }
    #expect(suggestion.chromePolicy().contains(leaf.pin))
    #expect(suggestion.appleProfile() == suggestion.appleProfile())
    let profile = try PropertyListSerialization.propertyList(
      from: Data(suggestion.appleProfile().utf8), options: [], format: nil)
    let identifier = (profile as? [String: Any])?["PayloadUUID"] as? String
    #expect(UUID(uuidString: identifier ?? "") != nil)
  }

  @Test("pins are read in each of their notations")
  func pins() throws {
    let leaf = Draft()
    for text in [leaf.pin, leaf.base64, "pin-sha256=\"\(leaf.base64)\"", " PIN-SHA256=\"\(leaf.base64)\" "] {
      let suggestion = try #require(PolicySuggestion(pin: text))
      #expect(suggestion.keys.map(\.hash) == [leaf.hash] && suggestion.keys[0].condition == .unknown)
      #expect(suggestion.chromePolicy().contains(leaf.pin))
    }
    for text in [
      "", "sha256/", "sha256/AAAA", "sha1/\(leaf.base64)", "pin-sha256=", "pin-sha256=\"", "pin-sha256=\"\"",
    ] {
      #expect(PolicySuggestion(pin: text) == nil)
    }
  }
}
