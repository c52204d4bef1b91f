import CTLogClient
import CTPolicy
import CertificateTransparency
import OrielCheck
import Synchronization
import TestWorld
import Testing

@Suite("A submission to several logs")
struct SCTSubmissionTests {
  private typealias World = SubmissionWorld

  @Test("makes a certificate without SCTs pass everywhere")
  func passes() async throws {
    let certificate = try World.certificate()
    #expect(World.standings(certificate, World.enforced(World.usual)).allSatisfy { $0 == .fails })
    try await World.run(World.usual) { submission, server in
      let outcome = await submission.run(certificate)
      #expect(outcome.missing.isEmpty)
      #expect(outcome.obtained.count == 2 && outcome.attempts.count == 2 && server.requestCount == 2)
      #expect(outcome.judgements.allSatisfy { $0.standing == .lasts })
      #expect(outcome.certificate.deliveredItems.count == 2)
      #expect(World.standings(outcome.certificate, submission.policies).allSatisfy { $0 == .lasts })
      let again = await submission.run(outcome.certificate)
      #expect(again.attempts.isEmpty && again.certificate == outcome.certificate)
      #expect(server.requestCount == 2)
    }
  }

  @Test(
    "turns to other logs when one does not do as it should",
    arguments: [
      .refusing(400, "unknown root"), .refusing(410, "gone"), .wrongSignature, .wrongLogID, .garbage, .huge,
      .withoutIndex, .ahead(600_000),
    ] as [SubmissionLog.Behaviour])
  func alternates(_ behaviour: SubmissionLog.Behaviour) async throws {
    // Only the first two are usable for all, so that they are asked first.
    let bad = [
      SubmissionLog("bad", of: "Bad", isTiled: true) { $0.behaviour = behaviour },
      SubmissionLog("worse", of: "Worse", isTiled: true) { $0.behaviour = behaviour },
    ]
    let good = [World.a, World.b, World.c].map { log in log.with { $0.state = .qualified } }
    try await World.run(bad + good, policies: [.chrome, .firefox]) { submission, server in
      let outcome = await submission.run(try World.certificate())
      #expect(outcome.missing.isEmpty)
      #expect(outcome.attempts.prefix(2).allSatisfy { ["Bad", "Worse"].contains($0.log.operatorName) })
      #expect(Set(outcome.attempts.map(\.log.logID)).count == outcome.attempts.count)
      #expect(server.requestCount(containing: "bad/") == 1)
      let kept = outcome.certificate.deliveredItems.compactMap { try? $0.sct.get().logID }
      // An SCT of the near future may count one day; all others are worth nothing.
      if case .ahead = behaviour { return }
      #expect(kept.allSatisfy { id in good.contains { $0.logID == id } })
    }
  }

  @Test("asks the chosen logs at once")
  func concurrent() async throws {
    let asked = Mutex(0)
    let policies = World.enforced(World.usual)
    let submission = SCTSubmission(policies: policies, now: { World.time }) { log, chain in
      asked.withLock { $0 += 1 }
      // None answers before the other is asked too.
      for _ in 0..<5000 where asked.withLock({ $0 }) < 2 { try await Task.sleep(for: .milliseconds(1)) }
      #expect(asked.withLock { $0 } == 2)
      let signing = try #require(World.usual.first { $0.logID == log.logID })
      return try signing.sct(.x509(certificate: chain[0]))
    }
    let outcome = await submission.run(try World.certificate())
    #expect(outcome.missing.isEmpty && outcome.obtained.count == 2)
  }

  @Test("judges as of a log's own time where its clock is a little ahead")
  func ahead() async throws {
    let logs = [World.a, World.b].map { log in log.with { $0.behaviour = .ahead(30_000) } }
    try await World.run(logs) { submission, _ in
      let outcome = await submission.run(try World.certificate())
      #expect(outcome.missing.isEmpty && outcome.attempts.count == 2)
    }
  }

  @Test("tells what was refused, and what is missing")
  func refused() async throws {
    let logs = World.usual.map { log in log.with { $0.behaviour = .refusing(403, "not you") } }
    try await World.run(logs) { submission, server in
      let certificate = try World.certificate()
      let outcome = await submission.run(certificate)
      #expect(outcome.obtained.isEmpty && outcome.attempts.count == server.requestCount)
      // Those not asked could make nothing pass.
      let rest = logs.filter { log in !outcome.attempts.contains { $0.log.logID == log.logID } }
      #expect(Set(rest.map(\.operatorName)).count < 2)
      for attempt in outcome.attempts {
        let error = #expect(throws: SubmissionError.self) { try attempt.result.get() }
        #expect(error?.reason == .refused(status: 403, words: "not you"))
      }
      #expect(outcome.missing.map(\.policy) == BrowserPolicy.current)
      #expect(outcome.missing.allSatisfy { $0.mend != nil })
      #expect(outcome.certificate == certificate)
    }
    // The one that gives an SCT is asked first.
    var one = logs.map { log in log.with { $0.state = .qualified } }
    (one[2].state, one[2].behaviour) = (.usable, .right)
    try await World.run(one) { submission, _ in
      let outcome = await submission.run(try World.certificate())
      #expect(outcome.obtained.map(\.log.operatorName) == ["Beacon"])
      #expect(outcome.certificate.deliveredItems.count == 1 && !outcome.missing.isEmpty)
    }
  }

  @Test("submits precertificates to the logs named, and chooses none for them")
  func precertificates() async throws {
    try await World.run(World.usual) { submission, server in
      let precertificate = try World.precertificate()
      let outcome = await submission.run(precertificate)
      #expect(outcome.attempts.isEmpty && server.requestCount == 0)
      let logs = World.usual.map { $0.description(url: server.url) }
      let attempts = await submission.send([precertificate.leaf] + precertificate.issuers, to: logs)
      #expect(attempts.map(\.log) == logs)
      #expect(attempts.allSatisfy { $0.sct?.logID == $0.log.logID })
      #expect(server.requestCount(containing: "add-pre-chain") == 5)
    }
  }
}
