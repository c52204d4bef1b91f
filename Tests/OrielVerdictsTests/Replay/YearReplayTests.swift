import OrielVerdicts
import Testing

@Suite struct YearReplayTests {
  private static let seeds: Range<UInt64> = 0..<20

  private func replay(_ conditions: YearReplay.Conditions) -> YearReplay.Figures {
    var replay = YearReplay(conditions)
    for seed in YearReplayTests.seeds { replay.live(Year(seed: seed)) }
    return replay.figures
  }

  @Test(arguments: [true, false], [true, false])
  func `with an inventory, all hostile and hardly any other is unexplained`(hasCAA: Bool, hasOwners: Bool) {
    let figures = replay(YearReplay.Conditions(hasInventory: true, hasCAA: hasCAA, hasOwners: hasOwners))
    for hostility in Year.Hostility.allCases {
      #expect(figures.hostile[hostility].map { Set($0.keys) } == [.unexplained], "\(hostility)")
    }
    #expect(figures.quiet >= 0.95)
    #expect(figures.routine == [.known: 1027, .unexplained: 6])
    // Hosts that tell of a certificate when they have it come second.
    #expect(figures.routineAtFirst == [.known: 535, .unexplained: 498])
  }

  /// What can be had without an inventory, and what it leaves open: the figures as they are.
  struct Row: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let conditions: YearReplay.Conditions
    let figures: String
  }

  static let rows = [
    Row(
      testDescription: "confirmed CAA", conditions: YearReplay.Conditions(hasInventory: false),
      figures: """
        routine: expected 992, unexplained 41; proven 372
        another CA: unexplained 40
        same CA, another name: unexplained 40
        a wildcard: unexplained 40
        same CA, same names, when a renewal is due, another key: expected 37, unexplained 3
        same CA, same names, at another time, another key: expected 9, unexplained 31
        an unknown issuer: unexplained 40
        unreadable: unexplained 40
        a forgotten host taken over: unexplained 40
        the old CA, after the change: unexplained 40
        the domain's other CA, for names it never had: unexplained 40
        a renewal with one more name: unexplained 40
        passed as renewals: 46, given away by the owner's own: 26
        """),
    Row(
      testDescription: "no CAA", conditions: YearReplay.Conditions(hasInventory: false, hasCAA: false),
      figures: """
        routine: expected 893, unexplained 140; proven 332
        another CA: unexplained 40
        same CA, another name: unexplained 40
        a wildcard: unexplained 40
        same CA, same names, when a renewal is due, another key: expected 37, unexplained 3
        same CA, same names, at another time, another key: expected 10, unexplained 30
        an unknown issuer: unexplained 40
        unreadable: unexplained 40
        a forgotten host taken over: unexplained 40
        the old CA, after the change: expected 38, unexplained 2
        the domain's other CA, for names it never had: unexplained 40
        a renewal with one more name: unexplained 40
        passed as renewals: 85, given away by the owner's own: 53
        """),
    Row(
      testDescription: "no CAA, no CCADB",
      conditions: YearReplay.Conditions(hasInventory: false, hasCAA: false, hasOwners: false),
      figures: """
        routine: expected 337, unexplained 696; proven 170
        another CA: unexplained 40
        same CA, another name: unexplained 40
        a wildcard: unexplained 40
        same CA, same names, when a renewal is due, another key: expected 19, unexplained 21
        same CA, same names, at another time, another key: expected 9, unexplained 31
        an unknown issuer: unexplained 40
        unreadable: unexplained 40
        a forgotten host taken over: unexplained 40
        the old CA, after the change: expected 17, unexplained 23
        the domain's other CA, for names it never had: unexplained 40
        a renewal with one more name: unexplained 40
        passed as renewals: 45, given away by the owner's own: 43
        """),
  ]

  @Test(arguments: rows) func `without an inventory, the figures are these`(_ row: Row) {
    let figures = replay(row.conditions)
    #expect(figures.description == row.figures)
    #expect(figures.routine[.expected] == figures.unprovenRoutine + figures.provenRoutine)
  }
}
