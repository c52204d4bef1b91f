import MerkleTree
import OrielAccounts
import OrielVerdicts

extension Site {
  func inventoryPage(_ visit: Visit) async throws -> Page {
    let actor = try visit.someone()
    let domain = try await accounts.domain(actor, visit.domain)
    let limit = 100
    let entries = try await accounts.inventory(
      actor, of: domain.id, after: visit.query["after"].flatMap { InventoryID($0) }, limit: limit + 1)
    let own: Values = [
      "hasEntries": !entries.isEmpty,
      "entries": entries.prefix(limit).map { entry -> Values in
        [
          "entryID": "\(entry.id)", "kindOf": entry.kind == .key ? "Key for" : "Certificate for",
          "names": entry.names.prefix(10).map { String($0.prefix(253)) }, "hash": entry.hash.hex,
          "origin": entry.source, "seen": Phrase.day(entry.lastSeen),
          "expires": entry.notAfter.map { Phrase.day(seconds: $0) } ?? "–",
          "removed": entry.removedAt.map { Phrase.day($0) },
        ]
      },
      "nextPage": entries.count > limit ? "/domains/\(domain.id)/inventory?after=\(entries[limit - 1].id)" : nil,
    ]
    return Page("inventory", title: "Inventory of \(domain.item)", head(domain, tab: "/inventory").merging(own))
  }

  func addInventory(_ visit: Visit) async throws -> Outcome {
    let (actor, id) = (try visit.someone(), try visit.domain)
    let found = FoundCredentials(upload: Array((visit.form["pem"] ?? "").utf8))
    guard found.problems.isEmpty else {
      throw AccountError.refused(field: .hash, reason: found.problems.prefix(3).joined(separator: "; "))
    }
    guard !found.entries.isEmpty else {
      throw AccountError.refused(
        field: .hash, reason: "only CA certificates are in there; add the ones that they issued")
    }
    let entries = found.entries.map { entry in
      NewInventoryEntry(
        kind: entry.kind == .key ? .key : .certificate, hash: entry.hash, names: entry.names, notAfter: entry.notAfter)
    }
    try await accounts.addInventory(actor, to: id, entries, source: visit.form["note"] ?? "uploaded")
    return .redirect("/domains/\(id)/inventory?done=added")
  }
}
