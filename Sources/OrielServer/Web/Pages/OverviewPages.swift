import CertificateTransparency
import Foundation
import MerkleTree
import OrielAccounts
import OrielMonitor
import OrielStore
import OrielVerdicts

extension Site {
  func overview(_ visit: Visit) async throws -> Page {
    let actor = try visit.someone()
    var open = HistoryFilter()
    (open.levels, open.states) = ([.unexplained], [.new])
    let week = now - 7 * 86_400_000
    // Each of these takes as long as the rest together where there are thousands of domains.
    async let asyncWaiting = accounts.waiting(actor)
    async let asyncCounts = accounts.verdictCounts(actor, since: week)
    let openPage = try await accounts.history(actor, open, limit: 10)
    let openCount = try await openCount(visit, actor)
    var routine = HistoryFilter()
    (routine.levels, routine.from) = ([.known, .expected], week)
    let routinePage = try await accounts.history(actor, routine, limit: 5).results
    let domains = try await accounts.domainCount(actor)
    let (counts, waiting) = (try await asyncCounts, try await asyncWaiting)
    let logs = try await following.logs()
    let trouble = logs.filter { $0.state.isTrouble }
    return Page(
      "overview", title: "Overview",
      [
        "hasDomains": domains.all > 0, "hasOpen": !openPage.results.isEmpty,
        "quietWords": openPage.results.isEmpty && waiting.isEmpty ? try await quietWords(actor, domains) : nil,
        "waiting": waiting.values,
        "openCount": Phrase.capitalised(Phrase.plural(openCount, "certificate", "certificates")),
        "hasMoreOpen": openPage.next != nil, "openJudgements": openPage.results.map { row($0, showsItem: true) },
        "figures": VerdictLevel.inOrder.map {
          ["level": $0.rawValue, "number": Phrase.number(counts[$0] ?? 0), "words": $0.words] as Values
        },
        "hasRoutine": !routinePage.isEmpty, "routine": routinePage.map { row($0, showsItem: true) },
        "domainWords": Phrase.monitored(domains),
        "logWords": words(for: logs), "hasTrouble": !trouble.isEmpty,
        "trouble": trouble.prefix(10).map { values($0, status: nil) },
      ])
  }

  /// What there is to say where nothing needs anybody.
  private func quietWords(_ actor: Actor, _ domains: (all: Int, on: Int)) async throws -> String? {
    guard try await accounts.history(actor, limit: 1).results.isEmpty else {
      return "Nothing. Every certificate that was seen for your domains is explained, or you have looked at it."
    }
    switch domains {
    case (0, _): return nil
    case (_, 0): return "No domain is monitored yet: turn one on."
    default: return "Nothing. No certificate has been seen yet for your domains."
    }
  }

  /// A judgement in a list.
  func row(_ judgement: Judgement, showsItem: Bool) -> Values {
    var values = row(judgement.issuance)
    let reasons = judgement.standingReasons
    let level = judgement.standing
    values["level"] = level.rawValue
    values["levelWords"] = level.words
    values["isUnproven"] = level == .expected && !judgement.isProven
    values["stateWords"] = judgement.state == .new ? nil : judgement.state.words
    values["domainID"] = "\(judgement.domain)"
    values["forItem"] = showsItem ? Phrase.name(judgement.item) : nil
    values["reason"] =
      level == .unexplained ? (reasons.first { $0.speaks == .against } ?? reasons.first)?.sentence : nil
    return values
  }

  /// An issuance in a list.
  func row(_ issuance: IssuanceSummary) -> Values {
    [
      "issuance": "\(issuance.id)",
      "names": issuance.names.prefix(4).map { name -> Values in
        ["name": Phrase.name(String(name.prefix(253))), "isCommon": issuance.commonNames.contains(name)]
      }, "moreNames": issuance.nameCount > 4 ? Phrase.number(issuance.nameCount - 4) : nil,
      "issuer": String(Phrase.issuer(issuance.issuer).prefix(200)), "from": Phrase.day(seconds: issuance.notBefore),
      "to": Phrase.day(seconds: issuance.notAfter), "seen": Phrase.ago(issuance.firstSeen, now: now),
    ]
  }

  // MARK: Logs

  func logsPage(_ visit: Visit) async throws -> Page {
    let logs = try await following.logs()
    let statuses = Dictionary(parts.statuses().map { ($0.logID, $0) }, uniquingKeysWith: { first, _ in first })
    let worstFirst = logs.sorted { $0.state.isTrouble && !$1.state.isTrouble }
    return Page(
      "logs", title: "Logs",
      [
        "logWords": words(for: logs), "hasLogs": !logs.isEmpty,
        "logs": worstFirst.map { values($0, status: statuses[$0.logID]) },
      ])
  }

  func logPage(_ visit: Visit) async throws -> Page {
    guard let id = visit.parameters["log"].flatMap({ SHA256Hash(hex: $0) }),
      let log = try await following.logs().first(where: { $0.logID.hash == id })
    else { throw AccountError.notFound }
    let evidence = try await following.evidence(against: log.logID).suffix(200)
    var values = values(log, status: parts.statuses().first { $0.logID == log.logID })
    values["meaning"] = log.state.meaning
    values["url"] = log.url
    values["followed"] = Phrase.day(log.firstSeen)
    values["unreadable"] = Phrase.number(log.unreadable)
    values["hasEvidence"] = !evidence.isEmpty
    values["evidence"] = evidence.reversed().map {
      ["when": Phrase.minute($0.at), "kindOf": $0.kind, "detail": $0.detail] as Values
    }
    return Page("log", title: log.description, values)
  }

  private func words(for logs: [LogRecord]) -> String {
    guard !logs.isEmpty else { return "No log is followed yet." }
    let bad = logs.count { $0.state.isTrouble }
    switch (bad, logs.count) {
    case (0, 1): return "The log is healthy."
    case (0, let all): return "All \(Phrase.number(all)) logs are healthy."
    case (_, 1): return "The log has problems."
    case (let bad, let all):
      return "\(Phrase.number(bad)) of \(Phrase.number(all)) logs \(bad == 1 ? "has" : "have") problems."
    }
  }

  private func values(_ log: LogRecord, status: FollowStatus?) -> Values {
    let verified = status?.verified ?? log.verified?.index
    let head = status?.head?.size
    let lag = head.flatMap { head in verified.map { head > $0 ? head - $0 : 0 } }
    return [
      "logID": log.logID.hash.hex, "log": log.description, "operator": log.operatorName, "kind": log.kind,
      "badge": log.state.badge, "stateWords": log.state.words, "why": log.state.isTrouble ? log.reason : nil,
      "since": Phrase.minute(log.stateSince), "verified": verified.map { Phrase.number($0) } ?? "–",
      "lag": lag.map { Phrase.plural(Int(clamping: $0), "entry", "entries") } ?? "–",
      "rate": status?.entriesIn.map { Phrase.number(Int(max(0, min($0, 1e9)))) } ?? "–",
      "answered": log.lastSuccess.map { Phrase.ago($0, now: now) } ?? "never",
    ]
  }
}

extension Waiting {
  /// For the overview; nil where nothing waits.
  fileprivate var values: Values? {
    guard !isEmpty else { return nil }
    return [
      "beginnings": beginnings.map {
        [
          "domainID": "\($0.domain.id)", "item": $0.domain.item,
          "count": Phrase.plural($0.count, "certificate", "certificates"),
        ] as Values
      },
      "changedCAA": changedCAA.map { ["domainID": "\($0.id)", "item": $0.item] as Values },
      "unreached": unreached.map { ["domainID": "\($0.id)", "item": $0.item] as Values },
      "bounced": bounced.map {
        [
          "bounced": $0.address, "why": String($0.reason.prefix(300)), "item": $0.item,
          "bouncePath": $0.domain.map { "/domains/\($0)/settings" } ?? "/settings",
        ] as Values
      },
    ]
  }
}

extension Judgement {
  /// The reasons for the verdict as it stands: what the owner said of it comes first, and settles what spoke against
  /// what they claim.
  var standingReasons: [StoredReason] {
    let reasons = StoredReason.read(reasons)
    switch state {
    case .new, .acknowledged: return reasons
    case .claimed: return [StoredReason(.claimed)] + reasons.filter { $0.speaks == .for && $0.code != "claimed" }
    case .denied: return [StoredReason(.denied)] + reasons.filter { $0.code != "denied" }
    }
  }
}

extension StoredReason {
  static func read(_ json: String) -> [StoredReason] {
    (try? JSONDecoder().decode([StoredReason].self, from: Data(json.utf8))) ?? []
  }
}

extension LogState {
  var isTrouble: Bool { [.frozen, .unreachable, .lying].contains(self) }

  var badge: String {
    switch self {
    case .current, .drained: "known"
    case .new, .behind: "no-history"
    case .frozen, .unreachable: "expected"
    case .lying: "unexplained"
    }
  }

  var words: String {
    switch self {
    case .new: "Not read yet"
    case .current: "Up to date"
    case .behind: "Behind"
    case .frozen: "Frozen"
    case .unreachable: "Unreachable"
    case .lying: "Does not add up"
    case .drained: "Read to its end"
    }
  }

  var meaning: String {
    switch self {
    case .new: "Nothing has been read from it yet."
    case .current: "Everything it has published is read, and its tree adds up."
    case .behind: "It has published entries that have not been read yet."
    case .frozen: "Its newest tree is older than it may be: what was logged since does not show."
    case .unreachable:
      "It does not answer, or not with what it was asked for. Certificates logged there are not seen meanwhile."
    case .lying: "What it signed contradicts itself. The evidence is below; what it shows is not taken for proven."
    case .drained: "It was retired, or left the lists, and has been read to its end."
    }
  }
}
