import CertificateTransparency
import MerkleTree
import OrielVerdicts

/// Lives through a year as the service would: each issuance is judged when it is seen, told ones again, and what comes of
/// it is part of what the next is judged by.
struct YearReplay {
  struct Conditions: Sendable {
    var hasInventory: Bool
    /// Whether CAA records are confirmed, and their change.
    var hasCAA = true
    /// Whether CCADB can be asked.
    var hasOwners = true
  }

  /// How many issuances of a kind got which verdict.
  struct Figures: CustomStringConvertible {
    var routine: [Verdict.Level: Int] = [:]
    /// Before the host had told of it.
    var routineAtFirst: [Verdict.Level: Int] = [:]
    var (provenRoutine, unprovenRoutine) = (0, 0)
    var hostile: [Year.Hostility: [Verdict.Level: Int]] = [:]
    /// Hostile ones that took the place of a renewal, and of these how many the owner's own renewal then gave away.
    var (passed, givenAway) = (0, 0)

    func share(_ levels: Set<Verdict.Level>, of counts: [Verdict.Level: Int]) -> Double {
      let all = counts.values.reduce(0, +)
      return all == 0 ? 1 : Double(counts.filter { levels.contains($0.key) }.values.reduce(0, +)) / Double(all)
    }

    var quiet: Double { share([.known, .expected], of: routine) }

    var description: String {
      let text = { (counts: [Verdict.Level: Int]) in
        Verdict.Level.allCases.compactMap { level in counts[level].map { "\(level.rawValue) \($0)" } }
          .joined(separator: ", ")
      }
      return
        (["routine: \(text(routine)); proven \(provenRoutine)"]
        + Year.Hostility.allCases.map { "\($0.rawValue): \(text(hostile[$0] ?? [:]))" }
        + ["passed as renewals: \(passed), given away by the owner's own: \(givenAway)"]).joined(separator: "\n")
    }
  }

  let conditions: Conditions
  private(set) var figures = Figures()

  init(_ conditions: Conditions) { self.conditions = conditions }

  mutating func live(_ year: Year) {
    var accepted = year.baseline.map { seen($0.issuance).accepted(isTold: true) }
    var inventory = KnownInventory(isGiven: conditions.hasInventory)
    var answers = OwnerAnswers()
    var passed: [Set<String>] = []
    if conditions.hasInventory { for event in year.baseline { tell(event.issuance, of: .key, &inventory) } }
    for event in year.events {
      let issuance = seen(event.issuance)
      if conditions.hasInventory, event.telling == .keyBefore { tell(issuance, of: .key, &inventory) }
      let caa = caa(of: year, at: issuance.firstSeen)
      let (history, given) = (accepted, answers)
      let judge = { (inventory: KnownInventory) in
        VerdictEngine.judge(
          issuance,
          by: DomainKnowledge(
            item: "example.com", inventory: inventory, caa: caa, hasBaseline: true,
            accepted: history, answers: given))
      }
      var verdict = judge(inventory)
      if event.hostility == nil { figures.routineAtFirst[verdict.level, default: 0] += 1 }
      if conditions.hasInventory, event.telling == .certificateAfter {
        tell(issuance, of: .certificate, &inventory)
        tell(issuance, of: .key, &inventory)
        verdict = judge(inventory)
      }
      note(verdict, of: event, &passed)
      switch verdict.level {
      case .known: accepted.append(issuance.accepted(isTold: true))
      case .expected: accepted.append(issuance.accepted(isTold: verdict.isProven))
      case .unexplained, .noHistory:
        // The owner looks at what is unexplained, and answers.
        if event.hostility == nil {
          answers.claimed.insert(issuance.id)
          accepted.append(issuance.accepted(isTold: true))
        } else {
          answers.denied.insert(issuance.id)
          if let key = issuance.publicKey { answers.deniedKeys.insert(key) }
        }
      }
    }
  }

  private mutating func note(_ verdict: Verdict, of event: Year.Event, _ passed: inout [Set<String>]) {
    let names = Set(event.issuance.names)
    if let hostility = event.hostility {
      figures.hostile[hostility, default: [:]][verdict.level, default: 0] += 1
      if verdict.level != .unexplained {
        figures.passed += 1
        passed.append(names)
      }
      return
    }
    figures.routine[verdict.level, default: 0] += 1
    if verdict.level == .expected {
      figures.provenRoutine += verdict.isProven ? 1 : 0
      figures.unprovenRoutine += verdict.isProven ? 0 : 1
    }
    if verdict.level == .unexplained, let index = passed.firstIndex(of: names) {
      figures.givenAway += 1
      passed.remove(at: index)
    }
  }

  private func seen(_ issuance: JudgedIssuance) -> JudgedIssuance {
    var issuance = issuance
    if !conditions.hasOwners { issuance.owner = nil }
    return issuance
  }

  private func tell(_ issuance: JudgedIssuance, of kind: InventoryEntry.Kind, _ inventory: inout KnownInventory) {
    let hash = kind == .certificate ? issuance.id.hash : issuance.publicKey ?? .zero
    inventory.add(
      InventoryEntry(kind: kind, hash: hash, names: issuance.names, notAfter: issuance.notAfter, source: "hook"))
  }

  private func caa(of year: Year, at time: Int64) -> CAAKnowledge {
    guard conditions.hasCAA else { return CAAKnowledge() }
    let (old, new) = (
      CAAPolicy([.issue("alpha.example"), .issue("beta.example")]),
      CAAPolicy([.issue("gamma.example"), .issue("beta.example")])
    )
    guard time >= year.announcement else { return CAAKnowledge(confirmed: old, seen: old) }
    return CAAKnowledge(confirmed: new, previous: old, confirmedAt: year.announcement, seen: new)
  }
}
