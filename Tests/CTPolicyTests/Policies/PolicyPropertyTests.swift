import CTPolicy
import CertificateTransparency
import TestWorld
import Testing

/// Random certificates over random lists.
@Suite struct PolicyPropertyTests {
  struct Draw {
    let world: PolicyWorld
    let logs: [PolicyLog]
    let lifetime: Int64
    var embedded: [Promise] = []
    var tls: [Promise] = []
    var ocsp: [Promise] = []

    init(_ generator: inout SeededGenerator) throws {
      let day = PolicyWorld.day
      let usual: [PolicyLog] = [.a, .a2, .b, .c, .tiled]
      logs = usual.map { log in
        log.with {
          let offset = Int64.random(in: -5...25, using: &generator) * day
          switch Int.random(in: 0..<6, using: &generator) {
          case 0, 1:
            $0.state = .retired
            $0.since = Timestamp(milliseconds: UInt64(1_780_272_000_000 + offset * 1000))
          case 2: $0.state = .readonly(finalTreeHead: nil)
          case 3:
            let end = Timestamp(milliseconds: UInt64(1_780_272_000_000 + offset * 1000))
            $0.former = [LogDescription.PreviousOperator(name: "Beacon", endTime: end)]
          default: break
          }
        }
      }
      world = try PolicyWorld(logs: logs)
      lifetime = (180 * day) + Int64.random(in: -1...1, using: &generator)
      for _ in 0..<Int.random(in: 0...5, using: &generator) {
        guard let log = logs.randomElement(using: &generator) else { continue }
        let promise = Promise(
          log, at: Int64.random(in: -6...12, using: &generator) * day,
          extensions: Bool.random(using: &generator) ? nil : [])
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: ocsp.append(promise)
        case 1: tls.append(promise)
        default: embedded.append(promise)
        }
      }
    }

    func report(adding extra: [Promise] = []) throws -> SCTReport {
      world.verify(
        try world.certificate(lifetime: lifetime, embedded: embedded + extra, ocsp: ocsp, tls: tls + extra))
    }
  }

  /// Chrome's policy word by word (reference, section 3.1), on what was promised and not on what was verified.
  private func chromePasses(_ draw: Draw) -> Bool {
    let now = draw.world.now
    let all = (draw.embedded.map { ($0, true) } + draw.tls.map { ($0, false) })
      .map { (promise: $0.0, isEmbedded: $0.1, time: draw.world.time($0.0.seconds)) }
      .filter { $0.time <= now }
    func end(_ log: PolicyLog) -> Timestamp? { log.state == .retired ? log.since : nil }
    func isOut(_ log: PolicyLog) -> Bool { end(log).map { $0 <= now } ?? false }
    let issuance = all.filter { !isOut($0.promise.log) }.map(\.time).min()
    let kept = all.filter { item in
      (item.isEmbedded || !isOut(item.promise.log)) && (!item.promise.log.isTiled || !item.promise.extensions.isEmpty)
    }
    let operators = Set(
      kept.map { item in
        item.promise.log.former.first { item.time < $0.endTime }?.name ?? item.promise.log.operatorName
      })
    guard operators.count >= 2 else { return false }
    if kept.contains(where: { !$0.isEmbedded }) { return true }
    let counted = kept.filter { item in
      guard isOut(item.promise.log), let end = end(item.promise.log) else { return true }
      return item.time < end && issuance.map { $0 < end } ?? false
    }
    return counted.contains { !isOut($0.promise.log) }
      && Set(counted.map(\.promise.log.name)).count >= (draw.lifetime > 180 * PolicyWorld.day ? 3 : 2)
  }

  @Test func `Chrome judges random certificates as its policy says`() throws {
    var generator = SeededGenerator(seed: 148)
    var passed = 0
    for round in 0..<400 {
      let draw = try Draw(&generator)
      let expected = chromePasses(draw)
      let verdict = BrowserPolicy.chrome.judge(try draw.report(), asOf: draw.world.now)
      #expect(verdict.passes == expected, "round \(round): \(verdict.code) \(verdict.evidence)")
      passed += expected ? 1 : 0
    }
    // Neither verdict is rare.
    #expect(passed > 60 && passed < 340)
  }

  @Test func `surplus SCTs that are not valid change no verdict`() throws {
    var generator = SeededGenerator(seed: 103_214)
    for round in 0..<100 {
      let draw = try Draw(&generator)
      let bad = [Promise(.unlisted), Promise(.d, breaksSignature: true)]
      let (plain, surplus) = (try draw.report(), try draw.report(adding: bad))
      for policy in BrowserPolicy.current {
        let (first, second) = (
          policy.judge(plain, asOf: draw.world.now), policy.judge(surplus, asOf: draw.world.now)
        )
        #expect(first.compliance == second.compliance, "round \(round), \(policy)")
        #expect(first.evidence.operators == second.evidence.operators, "round \(round), \(policy)")
        #expect(first.evidence.countedLogs == second.evidence.countedLogs, "round \(round), \(policy)")
      }
    }
  }
}
