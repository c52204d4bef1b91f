import MerkleTree
import OrielAccounts
import OrielContacts
import OrielStore

extension Site {
  func domainsPage(_ visit: Visit) async throws -> Page {
    let actor = try visit.someone()
    let (prefix, limit) = (String((visit.query["q"] ?? "").lowercased().prefix(253)), 100)
    let domains = try await accounts.domains(
      actor, startingWith: prefix, after: visit.query["after"], limit: limit + 1)
    let counts = try await accounts.domainCount(actor)
    let unreached = try await accounts.unreached(actor, of: domains.map(\.id))
    return Page(
      "domains", title: "Domains",
      [
        "domainWords": Phrase.monitored(counts),
        "hasDomains": counts.all > 0, "q": prefix,
        "domains": domains.prefix(limit).map { domain -> Values in
          head(domain, tab: nil).merging(["isUnreached": isUnreached(domain, unreached)])
        },
        "nextPage": domains.count > limit
          ? "/domains?" + visit.query.query(without: ["after", "done"], adding: [("after", domains[limit - 1].item)])
          : nil,
      ])
  }

  func addDomain(_ visit: Visit) async throws -> Outcome {
    let domain = try await accounts.addDomain(try visit.someone(), item: visit.form["item"] ?? "")
    return .redirect("/domains/\(domain.id)/settings?done=added")
  }

  /// What is above all pages of a domain.
  func head(_ domain: Domain, tab: String?) -> Values {
    [
      "domainID": "\(domain.id)", "item": domain.item, "readable": Phrase.readable(domain.item), "isOn": domain.isOn,
      "isConfig": domain.source == .config,
      "isConfigured": Values(Domain.Setting.allCases.map { ($0.rawValue, domain.configured.contains($0)) }),
      "isUnconfirmed": domain.baselineConfirmedAt == nil, "hasNewCAA": domain.hasNewCAA,
      "isBeginning": domain.baselineConfirmedAt == nil && domain.isOn && tab != nil && tab != "/first-day",
      "beginningWords": domain.delivery.noHistory.beginningWords,
      "tabs": [
        ("", "Certificates"), ("/current", "Valid now"), ("/public", "What CT shows"), ("/lookalikes", "Look-alikes"),
        ("/inventory", "Inventory"),
        ("/first-day", "First day"), ("/settings", "Settings"),
      ]
      .map { ["tab": $0, "words": $1, "isCurrent": $0 == tab] as Values },
    ]
  }

  /// Whether nobody is told of a domain that is on.
  private func isUnreached(_ domain: Domain, _ unreached: Set<DomainID>) -> Bool {
    domain.source == .config ? parts.recipients(domain.item)?.isEmpty == true : unreached.contains(domain.id)
  }

  /// Whom the configuration file has told of a domain; nil where that is not known.
  private func configuredRecipients(_ domain: Domain) -> [Values]? {
    parts.recipients(domain.item)?.map { target -> Values in
      let place = DeliveryPlace(target.target)
      return ["told": target.recipient, "toldBy": place.way == "mail" ? place.name : place.way]
    }
  }

  // MARK: History

  func domainPage(_ visit: Visit) async throws -> Page {
    let actor = try visit.someone()
    let domain = try await accounts.domain(actor, visit.domain)
    var values = head(domain, tab: "")
    values["isUnreached"] = isUnreached(domain, try await accounts.unreached(actor, of: [domain.id]))
    if visit.query["after"] == nil { values["plot"] = try await plot(actor, domain.id).values }
    return try await history(visit, domain.id, title: domain.item, values)
  }

  func historyPage(_ visit: Visit) async throws -> Page { try await history(visit, nil, title: "History", [:]) }

  private func history(_ visit: Visit, _ domain: DomainID?, title: String, _ head: Values) async throws -> Page {
    let actor = try visit.someone()
    let path = domain.map { "/domains/\($0)" } ?? "/history"
    var wrong: [String: String] = [:]
    let filter = historyFilter(visit.query, &wrong)
    let isWrong = !wrong.isEmpty
    let cursor = visit.query["after"].flatMap { HistoryCursor($0) }
    let page: (results: [Judgement], next: HistoryCursor?) =
      isWrong ? ([], nil) : try await accounts.history(actor, of: domain, filter, after: cursor, limit: 50)
    let ceiling = visit.query["count"] == "all" ? nil : filter.name == nil ? 100_000 : 1000
    let isWhole = cursor == nil && page.next == nil
    let counted =
      isWrong || isWhole ? nil : try await accounts.historyCount(actor, of: domain, filter, ceiling: ceiling)
    let count = isWrong ? nil : SearchCount(counted, shown: page.results.count)
    let own: Values = [
      "isOne": domain != nil, "table": path + "/export.csv?" + visit.query.query(without: ["after", "count", "done"]),
      "listPath": path, "isFiltered": isWrong || filter != HistoryFilter(),
      "levels": choices(VerdictLevel.inOrder, chosen: visit.query["level"], words: \.words),
      "states": choices(Judgement.State.allCases, chosen: visit.query["state"], words: \.words),
      "inputs": inputs(["name", "from", "to"], visit.query, wrong),
      "countWords": count.map {
        Phrase.capitalised("\(Phrase.plural($0, "certificate", "certificates")), newest first.")
      },
      "countAll": count.flatMap {
        $0.isExact ? nil : path + "?" + visit.query.query(without: ["count", "done"], adding: [("count", "all")])
      },
      "judgements": page.results.map { row($0, showsItem: domain == nil) },
      "nextPage": page.next.map {
        path + "?" + visit.query.query(without: ["after", "count", "done"], adding: [("after", "\($0)")])
      },
    ]
    return Page("domain", title: title, head.merging(own), status: isWrong ? 422 : 200)
  }

  func historyFilter(_ query: Form, _ wrong: inout [String: String]) -> HistoryFilter {
    var filter = HistoryFilter()
    filter.levels = Set(query["level"].flatMap(VerdictLevel.init(rawValue:)).map { [$0] } ?? [])
    filter.states = Set(query["state"].flatMap(Judgement.State.init(rawValue:)).map { [$0] } ?? [])
    filter.name = name(query["name"], &wrong)
    (filter.from, filter.before) = days(query, &wrong)
    return filter
  }

  private func plot(_ actor: Actor, _ domain: DomainID) async throws -> IssuancePlot {
    let names = IssuancePlot.starts(now: now).map(\.name)
    let counts = try await accounts.monthlyCounts(actor, of: domain, from: names.first ?? "")
    return IssuancePlot(months: names.map { IssuancePlot.Month(name: $0, counts: counts[$0] ?? [:]) })
  }

  // MARK: What CT shows

  func publicPage(_ visit: Visit) async throws -> Page {
    let actor = try visit.someone()
    let domain = try await accounts.domain(actor, visit.domain)
    let mostNames = 1000
    let seen = try await accounts.history(actor, of: domain.id, limit: 100, mostNames: mostNames).results.map(
      \.issuance)
    var (issuers, keys, names) = (Tally<SHA256Hash>(), Tally<SHA256Hash>(), Tally<String>())
    for issuance in seen {
      issuers.add(issuance.issuerKeyHash, at: issuance.firstSeen, words: Phrase.issuer(issuance.issuer))
      if let key = issuance.publicKeyHash { keys.add(key, at: issuance.firstSeen) }
      for name in issuance.names { names.add(name, at: issuance.firstSeen) }
    }
    let owners = parts.owners()
    let wildcards = names.entries.keys.count { $0.hasPrefix("*.") }
    let cut = seen.count { $0.nameCount > mostNames }
    let mostShown = 500
    var notes = names.entries.count > mostShown ? ["The first \(mostShown) are shown."] : []
    if cut > 0 {
      notes.append(
        "Of \(Phrase.plural(cut, "certificate", "certificates")) with more than \(Phrase.number(mostNames)) names, so "
          + "many are counted, and those at or below \(domain.item) before others.")
    }
    let own: Values = [
      "basis": Phrase.plural(seen.count, "certificate", "certificates"),
      "issuers": issuers.newestFirst(50).map { key, entry -> Values in
        [
          "issuer": String(entry.words.prefix(200)),
          "owner": owners.map { $0.owner(chain: [], keyHash: key)?.name ?? "not in CCADB’s data" } ?? "not known here",
          "number": Phrase.number(entry.count), "seen": Phrase.day(entry.last),
        ]
      },
      "keys": keys.newestFirst(20).map { key, entry -> Values in
        ["keyHash": key.hex, "number": Phrase.number(entry.count), "seen": Phrase.day(entry.last)]
      },
      "nameCount": Phrase.plural(names.entries.count, "name", "names"), "wildcards": wildcards > 0 ? wildcards : nil,
      "namesNote": notes.isEmpty ? nil : notes.joined(separator: " "),
      "publicNames": names.byName(mostShown).map { name, entry -> Values in
        [
          "name": Phrase.name(String(name.prefix(253))), "isWildcard": name.hasPrefix("*."),
          "since": Phrase.day(entry.first),
          "seen": Phrase.day(entry.last),
        ]
      },
    ]
    return Page("public", title: "\(domain.item) in public", head(domain, tab: "/public").merging(own))
  }

  // MARK: Settings

  func domainSettingsPage(_ visit: Visit) async throws -> Page {
    let actor = try visit.someone()
    let domain = try await accounts.domain(actor, visit.domain)
    let recipients = try await accounts.recipients(actor, of: domain.id)
    let mutes = try await accounts.mutes(actor, of: domain.id)
    let configured = domain.source == .config ? configuredRecipients(domain) : nil
    let own: Values = [
      "deliveries": VerdictLevel.inOrder.map { level -> Values in
        [
          "level": level.rawValue, "words": level.words,
          "times": choices(DeliveryTime.allCases, chosen: domain.delivery[level].rawValue, words: \.words),
        ]
      },
      "planHasRecipients": try await accounts.account(actor).plan.hasRecipients, "hasRecipients": !recipients.isEmpty,
      "recipients": recipients.map { recipient -> Values in
        [
          "recipientID": "\(recipient.id)", "recipient": recipient.address, "mailState": recipient.mail.words,
          "isActive": recipient.mail == .active,
        ]
      },
      "isUnreached": isUnreached(domain, try await accounts.unreached(actor, of: [domain.id])),
      "configuredRecipients": configured, "hasConfiguredRecipients": configured?.isEmpty == false,
      "knowsConfigured": configured != nil, "confirmedOn": domain.baselineConfirmedAt.map { Phrase.day($0) },
      "owners": visit.form.typed("owners") ?? domain.allowedOwners.joined(separator: "\n"),
      "ownersSummary": parts.ownersSummary(), "hasCAA": domain.seenCAA != nil || domain.confirmedCAA != nil,
      "confirmedCAA": domain.confirmedCAA.map { $0.isEmpty ? "(none)" : $0.joined(separator: "\n") },
      "seenCAA": domain.seenCAA.map { $0.isEmpty ? "(none)" : $0.joined(separator: "\n") },
      "hasNoCAA": domain.seenCAA == [] && domain.confirmedCAA == nil,
      "lookalikes": lookalikeSettings(domain), "hasMutes": !mutes.isEmpty,
      "mutes": mutes.map { mute -> Values in
        let (rule, value) = mute.rule.words
        return ["muteID": "\(mute.id)", "rule": rule, "ruleValue": value, "until": Phrase.minute(mute.until)]
      },
    ]
    return Page("domain-settings", title: "Settings of \(domain.item)", head(domain, tab: "/settings").merging(own))
  }

  /// Changes a domain, and shows its settings again.
  func change(_ visit: Visit, _ change: (inout DomainChange) throws -> Void) async throws -> Outcome {
    var wanted = DomainChange()
    try change(&wanted)
    let domain = try await accounts.change(try visit.someone(), visit.domain, wanted)
    return .redirect("/domains/\(domain.id)/settings?done=saved")
  }

  func confirmCAA(_ visit: Visit) async throws -> Outcome {
    let (actor, id) = (try visit.someone(), try visit.domain)
    let text = visit.form["records"] ?? ""
    let records = text == "(none)" ? [] : text.split(whereSeparator: \.isNewline).map(String.init)
    try await accounts.confirmCAA(actor, id, records)
    return .redirect("/domains/\(id)/settings?done=saved")
  }

  func mute(_ visit: Visit) async throws -> Outcome {
    let (actor, id) = (try visit.someone(), try visit.domain)
    guard let until = visit.form["until"].flatMap({ Phrase.start(ofDay: $0) }) else {
      throw AccountError.refused(field: .until, reason: "write a day, as \(Phrase.day(now + 7 * 86_400_000))")
    }
    let rule: Mute.Rule
    if let issuer = visit.form["issuer"] {
      guard let key = SHA256Hash(hex: issuer) else { throw AccountError.notFound }
      rule = .issuer(key)
    } else {
      rule = visit.form["name"].map { .name($0) } ?? .domain
    }
    _ = try await accounts.mute(actor, id, rule, until: until)
    return .redirect("/domains/\(id)/settings?done=added")
  }
}

/// How often things were seen, and when.
struct Tally<Key: Hashable> {
  struct Entry {
    var count = 0
    var first = Int64.max
    var last = Int64.min
    var words = ""
  }

  private(set) var entries: [Key: Entry] = [:]

  mutating func add(_ key: Key, at time: Int64, words: String = "") {
    var entry = entries[key] ?? Entry()
    entry.count += 1
    entry.first = min(entry.first, time)
    entry.last = max(entry.last, time)
    if entry.words.isEmpty { entry.words = words }
    entries[key] = entry
  }

  func newestFirst(_ most: Int) -> [(key: Key, value: Entry)] {
    Array(entries.sorted { ($0.value.last, $0.value.count) > ($1.value.last, $1.value.count) }.prefix(most))
  }
}

extension DeliveryTime {
  /// When one hears of what came before there was a history.
  fileprivate var beginningWords: String {
    switch self {
    case .atOnce: "certificates are told of at once"
    case .daily: "certificates are told of once a day"
    case .weekly: "certificates are told of once a week"
    case .never: "certificates are recorded, and told of to nobody"
    }
  }
}

extension Tally<String> {
  /// Names below one another beside one another: by their labels, from the last one on.
  func byName(_ most: Int) -> [(key: String, value: Entry)] {
    let keyed = entries.map { entry in
      let name = entry.key.hasPrefix("*.") ? entry.key.dropFirst(2) : entry.key[...]
      return (labels: name.split(separator: ".").reversed().map(String.init), entry: entry)
    }
    return keyed.sorted { left, right in
      left.labels == right.labels
        ? left.entry.key < right.entry.key : left.labels.lexicographicallyPrecedes(right.labels)
    }.prefix(most).map { ($0.entry.key, $0.entry.value) }
  }
}

extension Mute.Rule {
  var words: (rule: String, value: String) {
    switch self {
    case .domain: ("The whole domain", "")
    case .issuer(let key): ("What is signed with the key", key.hex)
    case .name(let name): ("Names at or below", name)
    }
  }
}
