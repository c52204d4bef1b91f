import CTPolicy
import CertificateTransparency
import Foundation
import OrielCheck
import Synchronization
import TestSupport
import TestWorld
import Testing

@Suite("The keeper of a file of SCTs")
struct SCTKeeperTests {
  private typealias World = SubmissionWorld

  /// A server that counts how often it is told.
  private final class Reloads: Sendable {
    private let state = Mutex((count: 0, problem: String?.none))
    var count: Int { state.withLock { $0.count } }

    func fail(_ problem: String?) { state.withLock { $0.problem = problem } }

    func reload() -> String? {
      state.withLock { state in
        state.count += 1
        return state.problem
      }
    }
  }

  /// A file, its server, and the certificate.
  private struct Place {
    let folder: TemporaryFolder
    let file: SCTFile
    let reloads = Reloads()
    var certificate: PresentedCertificate

    init(_ form: SCTFile.Form = .serverInfo) throws {
      folder = try TemporaryFolder()
      file = SCTFile(folder.path + "/scts", form: form)
      certificate = try World.certificate()
    }

    func write(_ logs: [SubmissionLog]) throws { try file.write(logs.map { try $0.item(certificate) }) }

    func logs() throws -> Set<LogID> { Set(try file.read().compactMap { try? $0.sct.get().logID }) }

    var names: [String] {
      get throws { try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() }
    }

    func keep(
      _ logs: [SubmissionLog], _ policies: [BrowserPolicy] = BrowserPolicy.current, at time: Timestamp = World.time,
      listAge: Int64 = 1
    ) async throws -> (outcome: SCTKeeper.Outcome, requests: Int) {
      var outcome = SCTKeeper.Outcome.unchanged
      var requests = 0
      try await World.run(logs, policies: policies, at: time, listAge: listAge) { submission, server in
        let keeper = SCTKeeper(file, submission: submission) { [reloads] in reloads.reload() }
        outcome = await keeper.keep(certificate)
        requests = server.requestCount
      }
      return (outcome, requests)
    }
  }

  private static func day(_ log: SubmissionLog, _ days: Int64) -> SubmissionLog {
    log.with { ($0.state, $0.since) = (.retired, World.days(days)) }
  }

  @Test("fills a file that is not there, tells the server once, and then leaves it", arguments: SCTFile.Form.allCases)
  func first(_ form: SCTFile.Form) async throws {
    let place = try Place(form)
    let (outcome, requests) = try await place.keep(World.usual)
    guard case .replaced(let changes, []) = outcome else {
      Issue.record("\(outcome)")
      return
    }
    let logs = try place.logs()
    #expect(Set(changes) == Set(logs.map { .added($0) }) && changes.count == 2 && requests == 2)
    #expect(place.reloads.count == 1)
    let again = try await place.keep(World.usual)
    #expect(again.outcome == .unchanged && again.requests == 0)
    #expect(place.reloads.count == 1)
    #expect(try place.logs() == logs)
    #expect(try place.names == ["scts"])
  }

  @Test("replaces the SCT of a log that was retired, left the list, or never was in it")
  func replaced() async throws {
    for (lists, reason) in [
      ([SCTKeeperTests.day(World.b, -1), World.a, World.d], Evidence.Reason.retired),
      ([World.a, World.c, World.d], .invalid),
    ] {
      let place = try Place()
      try place.write([World.a, World.b])
      let (outcome, _) = try await place.keep(lists)
      guard case .replaced(let changes, []) = outcome else {
        Issue.record("\(outcome)")
        continue
      }
      #expect(changes.first == .dropped(World.b.logID, reason))
      let logs = try place.logs()
      #expect(logs.count == 2 && logs.contains(World.a.logID) && !logs.contains(World.b.logID))
      #expect(place.reloads.count == 1)
    }
  }

  @Test("replaces everything for a new certificate")
  func renewed() async throws {
    var place = try Place()
    try place.write([World.a, World.b])
    place.certificate = try World.certificate()
    guard case .replaced(let changes, []) = try await place.keep(World.usual).outcome else {
      Issue.record("not replaced")
      return
    }
    #expect(changes.prefix(2) == [.dropped(World.a.logID, .invalid), .dropped(World.b.logID, .invalid)])
    let certificate = place.certificate.delivering(try place.file.read())
    #expect(World.standings(certificate, World.enforced(World.usual)).allSatisfy { $0 == .lasts })
  }

  @Test("acts before a policy fails, but not long before")
  func aheadOfTime() async throws {
    for (days, isReplaced) in [(10, true), (14, true), (15, false), (40, false)] as [(Int64, Bool)] {
      let place = try Place()
      try place.write([World.a, World.b])
      let logs = [World.a, SCTKeeperTests.day(World.b, days), World.d]
      let (outcome, requests) = try await place.keep(logs, [.chrome])
      if isReplaced {
        #expect(outcome == .replaced([.added(World.d.logID)], []))
        #expect(try place.logs() == [World.a.logID, World.b.logID, World.d.logID])
      } else {
        #expect(outcome == .unchanged && requests == 0)
      }
      #expect(place.reloads.count == (isReplaced ? 1 : 0))
    }
  }

  @Test("warns of what no log can help with, and says when")
  func warnings() async throws {
    var place = try Place()
    try place.write([World.a, World.b])
    let coming = try await place.keep([World.a, SCTKeeperTests.day(World.b, 10)], [.chrome])
    guard case .warning(let warnings) = coming.outcome, case .willFail(let failure)? = warnings.first?.cause else {
      Issue.record("\(coming.outcome)")
      return
    }
    #expect(warnings.map(\.time) == [World.days(10)] && failure.policy == .chrome && coming.requests == 0)
    #expect(failure.events == [.retirement(World.b.logID)])

    // Firefox passes no certificate without its issuer's.
    place.certificate.issuers = []
    try place.write([World.a, World.b])
    guard case .warning(let now) = try await place.keep(World.usual).outcome else {
      Issue.record("no warning")
      return
    }
    #expect(now.count == 1 && now.first?.time == World.time)
    guard case .fails(let verdict)? = now.first?.cause else {
      Issue.record("\(now)")
      return
    }
    #expect(verdict.policy == .firefox && !verdict.passes)
    #expect(place.reloads.count == 0)
  }

  @Test("warns of a list that is too old")
  func stale() async throws {
    let place = try Place()
    try place.write([World.a, World.b])
    let (outcome, _) = try await place.keep(World.usual, [.chrome, .firefox], listAge: 71)
    guard case .warning(let warnings) = outcome else {
      Issue.record("\(outcome)")
      return
    }
    #expect(warnings.map(\.cause) == [.staleList(.chrome), .staleList(.firefox)])
    #expect(warnings.allSatisfy { $0.time == World.time })
  }

  @Test("leaves the file when no log helps, and says what each said")
  func refused() async throws {
    let place = try Place()
    try place.write([World.a])
    let before = try place.file.read()
    let logs = World.usual.map { log in log.with { $0.behaviour = .refusing(400, "unknown root") } }
    let (outcome, _) = try await place.keep(logs, [.chrome])
    guard case .failed(let reason, let warnings) = outcome else {
      Issue.record("\(outcome)")
      return
    }
    #expect(reason.contains("b 2026") && reason.contains("unknown root"))
    #expect(warnings.map(\.time) == [World.time])
    #expect(try place.file.read() == before)
    #expect(place.reloads.count == 0)
    #expect(try place.names == ["scts"])
  }

  @Test("does not write an empty file when nothing is left")
  func nothingLeft() async throws {
    let place = try Place()
    try place.write([World.a, World.b])
    let outcome = try await place.keep([SubmissionLog("x", of: "X") { $0.state = .pending }]).outcome
    guard case .failed = outcome else {
      Issue.record("\(outcome)")
      return
    }
    #expect(try place.logs() == [World.a.logID, World.b.logID])
    #expect(place.reloads.count == 0)
  }

  @Test("tells a server that could not be told again and again, until it knows")
  func reloadFails() async throws {
    let place = try Place()
    place.reloads.fail("nginx: [emerg] no")
    for run in 1...2 {
      let (outcome, requests) = try await place.keep(World.usual)
      #expect(outcome == .failed("the server was not told of the new SCTs: nginx: [emerg] no", []))
      #expect(place.reloads.count == run && requests == (run == 1 ? 2 : 0))
      #expect(try place.logs().count == 2)
    }
    place.reloads.fail(nil)
    #expect(try await place.keep(World.usual).outcome == .unchanged)
    #expect(try await place.keep(World.usual).outcome == .unchanged)
    #expect(place.reloads.count == 3)
    #expect(try place.names == ["scts"])
  }

  @Test("does not touch a file of something else, nor work for an expired certificate")
  func refusals() async throws {
    let place = try Place()
    let text = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    let path = try place.folder.write(text, to: "scts")
    guard case .failed(let reason, _) = try await place.keep(World.usual).outcome else {
      Issue.record("not failed")
      return
    }
    #expect(reason.contains(path))
    #expect(try String(contentsOfFile: path, encoding: .utf8) == text)

    let late = try Place()
    try late.write([World.a])
    let (outcome, requests) = try await late.keep(World.usual, at: World.days(91))
    #expect(outcome == .failed("the certificate has expired, or its dates can't be read", []) && requests == 0)
    var broken = late
    broken.certificate = PresentedCertificate(leaf: [0x30, 0])
    guard case .failed = try await broken.keep(World.usual).outcome else {
      Issue.record("not failed")
      return
    }
    #expect(try late.logs() == [World.a.logID])
  }
}
