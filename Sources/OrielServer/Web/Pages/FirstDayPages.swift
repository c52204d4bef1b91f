import MerkleTree
import OrielAccounts
import OrielContacts
import OrielStore
import OrielVerdicts
import OrielWatchlist

/// A domain's beginning: what is in use is found, listed, and confirmed by its owner.
extension Site {
  func firstDayPage(_ visit: Visit) async throws -> Page {
    let actor = try visit.someone()
    let domain = try await accounts.domain(actor, visit.domain)
    let listed = try await baseline.list(of: domain).filter { !$0.record.isConfirmed }
    var seen = HistoryFilter()
    (seen.levels, seen.states) = ([.noHistory, .unexplained], [.new, .acknowledged])
    let seenCount = try await accounts.historyCount(actor, of: domain.id, seen, ceiling: 1000)
    let usual = parts.probe.usualPlaces(of: try domain.watched)
    let isConfirmed = domain.baselineConfirmedAt != nil
    let issuers = FirstDay.issuers(listed, parts.owners(), typed: visit.form)
    let own: Values = [
      "confirmedOn": domain.baselineConfirmedAt.map { Phrase.day($0) }, "isConfirmed": isConfirmed,
      "mayProbe": !usual.isEmpty, "usual": usual.map { "\($0)" }, "run": probes.run(of: domain.id).map(values),
      "crtsh": (try domain.watched.name).map { "https://crt.sh/?q=\($0.ascii)&output=json" },
      "notice": FirstDay.notice(visit.query),
      "hasList": !listed.isEmpty, "listWords": Phrase.plural(listed.count, "certificate", "certificates"),
      "listed": listed.map { "\($0.id)" }.joined(separator: ","),
      "groups": FirstDay.groups(listed, ticked: visit.form["listed"] == nil ? nil : Set(visit.form.all("ours"))),
      "hasIssuers": !issuers.isEmpty, "issuers": issuers, "caNames": parts.owners()?.ownerNames ?? domain.allowedOwners,
      "seenWords": seenCount.value == 0 || isConfirmed
        ? nil : Phrase.plural(seenCount, "certificate", "certificates"),
      "needsConfirming": !isConfirmed || !listed.isEmpty,
      "mayConfirm": try await accounts.mayConfirmBaseline(actor, of: domain.id),
    ]
    return Page("first-day", title: "First day of \(domain.item)", head(domain, tab: "/first-day").merging(own))
  }

  private var baseline: Baseline { Baseline(parts.database, owners: parts.owners()) }

  /// A domain that whoever asks may change.
  private func writable(_ visit: Visit) async throws -> Domain {
    let actor = try visit.someone()
    let domain = try await accounts.domain(actor, visit.domain)
    guard actor.may(.write) else { throw AccountError.forbidden(.write) }
    return domain
  }

  // MARK: Finding

  func probe(_ visit: Visit) async throws -> Outcome {
    let domain = try await writable(visit)
    let item = try domain.watched
    var places = parts.probe.usualPlaces(of: item)
    guard !places.isEmpty else { throw AccountError.notFound }
    for text in (visit.form["hosts"] ?? "").split(whereSeparator: { $0.isWhitespace || $0 == "," }) {
      let place: HostProbe.Place
      do { place = try parts.probe.place(String(text), of: item) } catch {
        throw AccountError.refused(field: .hosts, reason: "\(error)")
      }
      if !places.contains(place) { places.append(place) }
      guard places.count <= HostProbe.mostPlaces else {
        throw AccountError.refused(field: .hosts, reason: "at most \(HostProbe.mostPlaces) hosts at once, please")
      }
    }
    try probes.start(domain, places, parts.probe, baseline, now: now)
    await probes.wait(for: domain.id, settings.probeWait)
    return .redirect("/domains/\(domain.id)/first-day#looked")
  }

  func uploadBaseline(_ visit: Visit) async throws -> Outcome {
    let domain = try await writable(visit)
    let upload = try await upload(visit.form.files("file"), text: visit.form["pem"], source: "upload", for: domain)
    guard !upload.found.certificates.isEmpty else {
      throw AccountError.refused(
        field: visit.form.files("file").isEmpty ? .hash : .file,
        reason: "there are only certificate requests in it: tell of those in the inventory")
    }
    return FirstDay.redirect(domain, try await baseline.add(upload.found.certificates, to: domain))
  }

  func importCrtSh(_ visit: Visit) async throws -> Outcome {
    let domain = try await writable(visit)
    guard let file = visit.form.files("file").first else {
      throw AccountError.refused(field: .file, reason: "choose the file that you saved")
    }
    let read: CrtShImport.Result
    do {
      read = try await heavyWork.run(for: domain.account) { try CrtShImport.read(file.bytes) }
    } catch let problem as WebProblem {
      throw problem
    } catch {
      throw AccountError.refused(
        field: .file, reason: "that is not what crt.sh gives with output=json: a list of certificates in JSON")
    }
    guard !read.candidates.isEmpty else {
      throw AccountError.refused(
        field: .file, reason: "there is no certificate in it" + (read.problems.first.map { " (\($0))" } ?? ""))
    }
    let outcome = try await baseline.add(read.candidates, to: domain)
    guard outcome.others < read.candidates.count else {
      let name = read.candidates.first?.names.first.map { ", it is for \($0.prefix(100))" } ?? ""
      throw AccountError.refused(field: .file, reason: "nothing in it is for \(domain.item)\(name)")
    }
    return FirstDay.redirect(domain, outcome)
  }

  // MARK: Confirming

  func confirmBaseline(_ visit: Visit) async throws -> Outcome {
    let (actor, id) = (try visit.someone(), try visit.domain)
    let shown = FirstDay.numbers(visit.form["listed"] ?? "")
    let kept = visit.form["all"] == nil ? Set(visit.form.all("ours").flatMap(FirstDay.numbers)) : shown
    var owners: [String: String] = [:]
    let names = OwnerNames(owners: parts.owners())
    for (issuer, name) in zip(visit.form.all("issuer"), visit.form.all("ca")).prefix(FirstDay.mostIssuers) {
      guard !name.allSatisfy(\.isWhitespace) else { continue }
      owners[issuer] = try names.checked([name]).first
    }
    try await accounts.confirmBaseline(actor, id, shown: shown, kept: kept, owners: owners)
    try await judge.judgeAgain(try await accounts.domain(actor, id))
    return .redirect("/domains/\(id)?done=confirmed")
  }

  // MARK: Showing

  private func values(_ run: ProbeRuns.Run) -> Values {
    let results = run.places.compactMap { place in run.results.first { $0.place == place } }
    return [
      "isOver": run.isOver, "when": Phrase.minute(run.startedAt),
      "progress": "\(results.count) of \(run.places.count)",
      "results": results.map { result -> Values in
        let news =
          result.listed > 0 ? "its certificate is listed below" : "its certificate is nothing new, or for other names"
        return [
          "place": "\(result.place)", "isSeen": result.failure == nil, "words": result.failure ?? news,
        ]
      },
    ]
  }
}

/// How the list of a beginning is laid out.
enum FirstDay {
  /// Issuers that their owner is asked for.
  static let mostIssuers = 100

  /// Certificates for the same names, from the same CA and source, as one.
  private struct Group: Hashable {
    let names: [String]
    let ca: String?
    let issuer: String?
    let source: String
  }

  static func groups(_ listed: [(id: Int64, record: BaselineRecord)], ticked: Set<String>?) -> [Values] {
    var order: [Group] = []
    var members: [Group: [(id: Int64, record: BaselineRecord)]] = [:]
    for entry in listed {
      let record = entry.record
      let group = Group(names: record.names, ca: record.owner, issuer: record.issuerName, source: record.source)
      if members[group] == nil { order.append(group) }
      members[group, default: []].append(entry)
    }
    return order.map { group in
      let all = members[group] ?? []
      let value = all.map { "\($0.id)" }.joined(separator: ",")
      let (first, last) = (all.compactMap(\.record.notBefore).min(), all.compactMap(\.record.notAfter).max())
      return [
        "value": value, "isTicked": ticked?.contains(value) ?? true,
        "names": group.names.prefix(6).map { String($0.prefix(253)) },
        "moreNames": group.names.count > 6 ? Phrase.number(group.names.count - 6) : nil,
        "ca": group.ca.map { String($0.prefix(200)) },
        "issuer": group.issuer.map { String(Phrase.issuer($0).prefix(200)) } ?? "an issuer that is not known",
        "from": Phrase.day(seconds: first), "to": Phrase.day(seconds: last), "origin": group.source,
        "several": all.count > 1 ? Phrase.plural(all.count, "certificate", "certificates") : nil,
      ]
    }
  }

  /// The issuers of which only a name is known; who answers for them is for the owner to say.
  static func issuers(
    _ listed: [(id: Int64, record: BaselineRecord)], _ owners: CAOwners?, typed: Form
  ) -> [Values] {
    var counts: [(issuer: String, count: Int)] = []
    for entry in listed {
      guard entry.record.owner == nil, entry.record.issuerKeyHash == nil, let name = entry.record.issuerName
      else { continue }
      if let index = counts.firstIndex(where: { $0.issuer == name }) {
        counts[index].count += 1
      } else if counts.count < mostIssuers {
        counts.append((name, 1))
      }
    }
    let said = Dictionary(
      zip(typed.all("issuer"), typed.all("ca")).map { ($0, String($1.prefix(200))) },
      uniquingKeysWith: { first, _ in first })
    let known = Set(owners?.ownerNames ?? [])
    return counts.enumerated().map { index, entry -> Values in
      let organisation = entry.issuer.split(separator: ",").lazy.map { $0.drop { $0 == " " } }
        .first { $0.hasPrefix("O=") }.map { String($0.dropFirst(2)) }
      let guess = organisation.flatMap { known.contains($0) ? $0 : nil }
      return [
        "number": index, "issuer": String(entry.issuer.prefix(500)), "issuerValue": entry.issuer,
        "ca": said[entry.issuer] ?? guess, "count": Phrase.plural(entry.count, "certificate", "certificates"),
      ]
    }
  }

  static func numbers(_ text: String) -> Set<Int64> { Set(text.split(separator: ",").compactMap { Int64($0) }) }

  static func redirect(_ domain: Domain, _ outcome: Baseline.Outcome) -> Outcome {
    let counts = [
      ("listed", outcome.listed), ("seen", outcome.seen), ("others", outcome.others), ("left", outcome.left),
    ]
    let query = counts.filter { $0.1 > 0 || $0.0 == "listed" }.map { "\($0.0)=\($0.1)" }.joined(separator: "&")
    return .redirect("/domains/\(domain.id)/first-day?\(query)")
  }

  /// What an import came to, in a sentence or two.
  static func notice(_ query: Form) -> String? {
    let count = { (name: String) in query[name].flatMap { Int($0) }.map { max(0, min($0, 1_000_000)) } }
    guard let listed = count("listed") else { return nil }
    let left = count("left") ?? 0
    var words =
      switch listed {
      case 0: [left > 0 ? "Nothing of it was listed." : "Nothing new was found in it."]
      default: ["\(Phrase.plural(listed, "certificate is", "certificates are")) listed below."]
      }
    if let seen = count("seen"), seen > 0 { words.append("\(Phrase.number(seen)) more were known already.") }
    if let others = count("others"), others > 0 {
      words.append("\(Phrase.number(others)) for none of this domain’s names were left out.")
    }
    if left > 0 {
      let most = Phrase.number(AlertStore.longestBaseline)
      words.append("There was no room for \(Phrase.number(left)) more: a list holds at most \(most).")
    }
    return words.joined(separator: " ")
  }
}
