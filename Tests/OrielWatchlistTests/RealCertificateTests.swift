import CertificateTransparency
import Foundation
import OrielWatchlist
import TestSupport
import Testing

/// The names of real certificates, as an independent parser reads them, and the leaves that hold those.
struct RealCertificateTests {
  private struct Names: Decodable {
    let dns: [String]?
  }

  private struct Entry: Decodable {
    let leaf_input: Data
  }

  private static func read<T: Decodable>(_ type: T.Type, _ file: String) throws -> [T] {
    try TestData.text("logs/real-entries/" + file).split(separator: "\n").map {
      try JSONDecoder().decode(type, from: Data($0.utf8))
    }
  }

  @Test("every name hits the item that watches it, as a name and within the bytes of its leaf", .needsTestData)
  func ownItems() throws {
    let names = try Self.read(Names.self, "names.jsonl").map { $0.dns ?? [] }
    let leaves = try Self.read(Entry.self, "entries.jsonl").map { [UInt8]($0.leaf_input) }
    try #require(names.count == leaves.count && names.count > 2000)
    // What IDNA or DNS does not allow cannot be watched.
    let items = names.flatMap { $0 }.compactMap { try? WatchedItem(parsing: "=" + $0, allowPublicSuffix: true) }
    let index = WatchIndex(items)
    try #require(items.count > 4000)
    for (names, leaf) in zip(names, leaves) {
      let unreadable = Set(index.matches(inUnreadable: leaf).map(\.item))
      for name in names {
        guard let item = try? WatchedItem(parsing: "=" + name, allowPublicSuffix: true) else { continue }
        let found = FoundName(source: .dnsName, bytes: Array(name.utf8))
        #expect(index.mightMatch(found) && index.items(hitBy: found).contains(item), "\(name)")
        #expect(unreadable.contains(item), "\(name)")
      }
    }
  }

  @Test("names that are not watched are mostly denied at once", .needsTestData)
  func denials() throws {
    let names = try Self.read(Names.self, "names.jsonl").flatMap { $0.dns ?? [] }
    let index = WatchIndex(
      try ["watched.example", "watched.com", "watched.co.uk"].map { try WatchedItem(parsing: $0) })
    let asked = names.filter { index.mightMatch(FoundName(source: .dnsName, bytes: Array($0.utf8))) }
    #expect(asked.count * 50 < names.count, "\(asked.prefix(20))")
  }
}
