import CertificateTransparency
import Foundation
import TestSupport
import Testing

@testable import OrielContacts

@Suite("What strangers' words cost", .serialized)
struct CostTests {
  @Test("Text, addresses and tables are read in linear time", arguments: costlyPieces)
  func words(_ piece: String) {
    let cleaned = growth(of: piece) { _ = $0.cleaned(limit: .max / 2) }
    let mechanism = growth(of: piece) { _ = ReportingMechanism($0) }
    let places = growth(of: piece) { text in
      _ = ContactAddress("a@" + text)
      _ = WebPage("https://a.example/" + text)
      _ = percentEncoded(text)
    }
    let table = growth(of: piece) { text in
      for text in [text, "a,b\n" + text, "a,b\n\"" + text] {
        guard var reader = try? CSVReader(Array(text.utf8)) else { continue }
        try? reader.select([], optional: ["a", "b"])
        while (try? reader.next()) != nil {}
      }
    }
    #expect(cleaned < 3 && mechanism < 3 && places < 3 && table < 3)
  }

  @Test("A registrar's answer is read in linear time", arguments: costlyPieces)
  func registrars(_ piece: String) {
    let ratio = growth(of: piece) { text in
      let quoted = String(decoding: (try? JSONEncoder().encode(text)) ?? Data(), as: UTF8.self)
      let card = "[\"vcard\",[[\"fn\",{},\"text\",\(quoted)],[\"email\",{},\"text\",\(quoted)]]]"
      let entity = "{\"roles\":[\"registrar\",\"abuse\",\(quoted)],\"vcardArray\":\(card),\"handle\":\(quoted)}"
      let answer = """
        {"objectClassName":"domain","links":[{"rel":"related","href":\(quoted)}],"entities":[\(entity),\(entity)]}
        """
      _ = try? RegistrarContact(json: Array(answer.utf8), domain: "a.example")
      _ = try? RDAPBootstrap(json: Array("{\"services\":[[[\(quoted)],[\(quoted)]]]}".utf8))
      _ = try? RegistrarContact(json: Array(text.utf8), domain: "a.example")
    }
    #expect(ratio < 3)
  }
}
