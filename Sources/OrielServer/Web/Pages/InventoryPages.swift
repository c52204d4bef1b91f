import MerkleTree
import OrielAccounts
import OrielVerdicts
import OrielWatchlist

extension Site {
  func inventoryPage(_ visit: Visit) async throws -> Page {
    let actor = try visit.someone()
    let domain = try await accounts.domain(actor, visit.domain)
    let limit = 100
    let entries = try await accounts.inventory(
      actor, of: domain.id, after: visit.query["after"].flatMap { InventoryID($0) }, limit: limit + 1)
    let sightings = try await accounts.lastSightings(actor, of: domain.id, Array(entries.prefix(limit)))
    let unread =
      try await AccountService(parts.accounts).isOperators(domain.account) ? await parts.unreadFiles(domain.item) : [:]
    let own: Values = [
      "hasUnread": !unread.isEmpty, "moreUnread": unread.count > 50 ? Phrase.number(unread.count - 50) : nil,
      "unread": unread.sorted { $0.key < $1.key }.prefix(50).map { path, problem -> Values in
        ["path": String(path.prefix(500)), "problem": String(problem.prefix(500))]
      },
      "isComplete": domain.isInventoryComplete, "hasEntries": !entries.isEmpty,
      "entries": entries.prefix(limit).map { values($0, sighted: sightings[$0.id]) },
      "nextPage": entries.count > limit ? "/domains/\(domain.id)/inventory?after=\(entries[limit - 1].id)" : nil,
      "notice": InventoryForm.notice(visit.query), "isTickedBackup": visit.form["backup"] == "yes",
    ]
    return Page("inventory", title: "Inventory of \(domain.item)", head(domain, tab: "/inventory").merging(own))
  }

  private func values(_ entry: OrielAccounts.InventoryEntry, sighted: Int64?) -> Values {
    let names = entry.names.prefix(10).map { String($0.prefix(253)) }
    return [
      "entryID": "\(entry.id)",
      "kindOf": (entry.kind == .key ? "Key" : "Certificate") + (names.isEmpty ? "" : " for"), "names": names,
      "moreNames": entry.names.count > 10 ? Phrase.number(entry.names.count - 10) : nil,
      "isCertificate": entry.kind == .certificate, "hash": entry.hash.hex, "origin": entry.source,
      "isBackup": entry.isBackup, "told": Phrase.day(entry.lastSeen), "isSighted": sighted != nil,
      "sighted": sighted.map { Phrase.day($0) } ?? "never",
      "expires": entry.notAfter.map { Phrase.day(seconds: $0) } ?? "–",
      "isOver": entry.notAfter.map { $0 < now / 1000 } ?? false, "removed": entry.removedAt.map { Phrase.day($0) },
    ]
  }

  func addInventory(_ visit: Visit) async throws -> Outcome {
    let (actor, id) = (try visit.someone(), try visit.domain)
    let domain = try await accounts.domain(actor, id)
    let upload = try await upload(visit.form.files("file"), text: visit.form["pem"], source: "upload", for: domain)
    let isBackup = visit.form["backup"] == "yes"
    let entries = upload.found.entries.map { NewInventoryEntry($0, isBackup: isBackup) }
    try await accounts.addInventory(actor, to: id, entries, source: visit.form["note"] ?? "uploaded")
    let left = upload.otherCount > 0 ? "&others=\(upload.otherCount)" : ""
    return .redirect("/domains/\(id)/inventory?told=\(entries.count)\(left)")
  }

  func setInventoryComplete(_ visit: Visit) async throws -> Outcome {
    var change = DomainChange()
    change.isInventoryComplete = visit.form["complete"] == "yes"
    let domain = try await accounts.change(try visit.someone(), visit.domain, change)
    return .redirect("/domains/\(domain.id)/inventory?done=saved")
  }
}

enum InventoryForm {
  /// What became of an upload.
  static func notice(_ query: Form) -> String? {
    let count = { (name: String) in query[name].flatMap { Int($0) }.map { max(0, min($0, 1_000_000)) } }
    guard let told = count("told") else { return nil }
    let others = count("others") ?? 0
    return "\(Phrase.plural(told, "entry was", "entries were")) taken. "
      + "Unexplained certificates that they explain become known within a minute."
      + (others > 0 ? " \(Phrase.number(others)) for other names were left out." : "")
  }
}
