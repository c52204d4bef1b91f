import OrielAccounts
import OrielStore
import OrielWatchlist

extension Site {
  /// Names that imitate a domain.
  func lookalikesPage(_ visit: Visit) async throws -> Page {
    let actor = try visit.someone()
    let domain = try await accounts.domain(actor, visit.domain)
    let cursor = visit.query["after"].flatMap { Int64($0) }
    let page = try await accounts.lookalikes(actor, of: domain.id, after: cursor, limit: 50)
    let count = try await accounts.lookalikeCount(actor, of: domain.id)
    let own: Values = [
      "areSought": domain.watchesLookalikes, "hasLookalikes": count.value > 0,
      "lookalikeWords":
        "\(Phrase.plural(count, "name", "names")) that somebody has registered, the newest first.",
      "imitations": page.results.map(values),
      "nextPage": page.next.map { "/domains/\(domain.id)/lookalikes?after=\($0)" },
    ]
    return Page(
      "lookalikes", title: "Names that imitate \(domain.item)", head(domain, tab: "/lookalikes").merging(own))
  }

  private func values(_ record: LookalikeRecord) -> Values {
    let (lookalike, issuance) = (record.lookalike, record.issuance)
    return [
      "lookalikeID": "\(record.id)", "imitation": String(lookalike.name.prefix(253)),
      "looks": lookalike.unicode.map { String($0.prefix(253)) },
      "registered": String(lookalike.registrable.prefix(253)), "how": String(lookalike.sentence.prefix(1000)),
      "rating": lookalike.rating, "ratingBadge": lookalike.level.badge, "ratingWords": lookalike.level.words,
      "since": Phrase.day(record.firstSeen), "seen": Phrase.day(record.lastSeen), "issuance": "\(issuance.id)",
      "issuer": String(Phrase.issuer(issuance.issuer).prefix(200)), "from": Phrase.day(seconds: issuance.notBefore),
      "to": Phrase.day(seconds: issuance.notAfter),
      "certificateCount": Phrase.plural(record.count, "certificate", "certificates"),
    ]
  }

  /// What the settings of a domain say of look-alikes.
  func lookalikeSettings(_ domain: Domain) -> Values {
    let item = try? domain.watched
    return [
      "isPossible": item?.isName ?? false, "areSought": domain.watchesLookalikes,
      "lookalikeTimes": choices(DeliveryTime.allCases, chosen: domain.lookalikeDelivery.rawValue, words: \.words),
    ]
  }

  func setLookalikes(_ visit: Visit) async throws -> Outcome {
    try await change(visit) { change in
      change.watchesLookalikes = visit.form["on"] == "yes"
      guard let text = visit.form["time"] else { return }
      guard let time = DeliveryTime(rawValue: text) else {
        throw AccountError.refused(field: .domain, reason: "choose when to tell of look-alikes")
      }
      change.lookalikeDelivery = time
    }
  }
}

extension StoredLookalike.Level {
  fileprivate var badge: String {
    switch self {
    case .high: "unexplained"
    case .medium: "expected"
    case .low: "plain"
    }
  }

  fileprivate var words: String {
    switch self {
    case .high: "Likely to deceive"
    case .medium: "Perhaps"
    case .low: "Probably harmless"
    }
  }
}
