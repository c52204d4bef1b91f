import CTLogClient
import CertificateTransparency
import Foundation
import MerkleTree
import OrielAccounts
import OrielStore
import Synchronization
import TestSupport
import TestWorld
import Testing

@testable import OrielServer

@Suite("Proofs of inclusion, for who asks")
struct InclusionTests {
  /// A log with a certificate of ours at an index, its precertificate behind it, as the monitor left it in the state.
  private struct Scene {
    let dashboard: Dashboard
    let session: Secret
    let domain: DomainID
    let issuance: IssuanceID
    let log: TestLog
    let logID: LogID
    let certificate: [UInt8]

    init(_ kind: TestLog.Kind, url: String, size: Int = 300, at index: Int = 5) async throws {
      dashboard = try await Dashboard()
      let (owner, session) = try await dashboard.account("Alpha")
      self.session = session
      domain = try await dashboard.domain(owner, "alpha.example")
      let pair = try dashboard.authority.issue(CertificateRequest(["www.alpha.example"]))
      let filler = try dashboard.authority.issue(CertificateRequest(["filler.example"])).certificateEntry
      issuance = pair.issuanceID
      certificate = pair.certificate
      log = try TestLog(kind, name: "Lighthouse proofs")
      for place in 0..<size {
        try log.append(place == index ? pair.certificateEntry : place == index + 1 ? pair.precertificateEntry : filler)
      }
      let head = try log.publish()
      // Later entries are none of what was verified.
      try log.append(filler)
      try log.publish()
      let described = log.description(url: url)
      logID = described.logID
      let following = FollowingStore(dashboard.database)
      _ = try await following.register([described], start: "start", now: dashboard.now)
      var frontier = Frontier()
      for hash in log.tree.leafHashes.prefix(size) { try frontier.append(hash) }
      let position = LogPosition(index: UInt64(size), frontier: frontier)
      try await following.begin(logID, at: LogPosition(index: 0, frontier: Frontier()), head: nil)
      for (offset, certificate) in [pair.certificate, pair.precertificate].enumerated() {
        let sighting = NewSighting(
          index: UInt64(index + offset), timestamp: 1, issuance: issuance, issuerKeyHash: pair.issuerKeyHash,
          entryType: offset == 0 ? "x509" : "precert", certificate: certificate, chain: [], issuers: [],
          facts: CertificateFacts(certificate: certificate),
          matches: [StoredMatch(item: "alpha.example", name: "www.alpha.example")], problems: [])
        try await following.commit(
          [sighting], of: logID, downloaded: position, verified: nil, unreadable: 0, now: dashboard.now)
      }
      let record = HeadRecord(head, signed: try head.json(), seenAt: dashboard.now)
      try await following.verified(record, of: logID, at: position)
      try await dashboard.service.judge(issuance, for: domain, .known, isProven: true, reasons: "[]")
    }

    func ask(
      _ entry: Int, _ body: @escaping @Sendable (RawClient.Reply, _ before: String) async throws -> Void
    ) async throws {
      try await HTTPTransport.withTransport { transport in
        let lookup = InclusionLookup(transport)
        try await dashboard.serve({ $1.inclusion = { try await lookup.entry($1, of: $0, treeSize: $2) } }) { port in
          let member = Visitor(port: port)
          await member.signIn(session.text)
          let before = try await member.get("/issuances/\(issuance)").body
          let reply = try await member.post(
            "/issuances/\(issuance)/inclusion",
            [("log", logID.hash.hex), ("entry", "\(entry)"), ("domain", "\(domain)")])
          HostileTextTests.check(reply.body, "inclusion")
          try await body(reply, before)
        }
      }
    }
  }

  @Test(
    "A log is asked when somebody asks, and the path leads to the head that was verified",
    arguments: [TestLog.Kind.staticCT, .rfc6962], [5, 6])
  func proof(_ kind: TestLog.Kind, _ entry: Int) async throws {
    let held = Held()
    try await TestServer.run { request in
      held.log?.respond(to: String(request.target.dropFirst())) ?? .notFound
    } _: { server in
      let scene = try await Scene(kind, url: server.url)
      held.log = scene.log
      try await scene.ask(entry) { reply, before in
        #expect(before.contains("Inclusion proof</button>"))
        #expect(reply.status == 200 && reply.body.contains("<span class=\"badge known\">Verified</span>"))
        let tree = scene.log.tree
        let (leaf, path) = (tree.leafHashes[entry], tree.inclusionProof(entry, in: 0..<300))
        for shown in [leaf.hex, tree.root(300).hex, "\"code\">300<", path.map(\.hex).joined(separator: "\n")] {
          #expect(reply.body.contains(shown))
        }
      }
      // Of the page alone, nothing is asked for.
      #expect(!server.targets.isEmpty)
      let count = server.targets.count
      try await scene.dashboard.serve { port in
        let member = Visitor(port: port)
        await member.signIn(scene.session.text)
        let page = try await member.get("/issuances/\(scene.issuance)").body
        #expect(page.contains("proved by the log’s tree") && !page.contains("Inclusion proof"))
        let reply = try await member.post(
          "/issuances/\(scene.issuance)/inclusion", [("log", scene.logID.hash.hex), ("entry", "\(entry)")])
        #expect(reply.status == 404)
      }
      #expect(server.targets.count == count)
    }
  }

  /// What a log may do wrong when it is asked.
  enum Wrong: CaseIterable { case absent, otherTree, otherEntry, nonsense }

  @Test(
    "A log that does not prove it gets no proof shown", arguments: [TestLog.Kind.staticCT, .rfc6962], Wrong.allCases)
  func failing(_ kind: TestLog.Kind, _ wrong: Wrong) async throws {
    let held = Held()
    try await TestServer.run { request in
      switch wrong {
      case .absent: .notFound
      case .nonsense: TestResponse(type: "application/json", Array("{\"<b>\": [1]}".utf8))
      default: held.log?.respond(to: String(request.target.dropFirst())) ?? .notFound
      }
    } _: { server in
      let scene = try await Scene(kind, url: server.url)
      let authority = scene.dashboard.authority
      let other = try TestLog(kind, name: "Lighthouse proofs")
      let filler = try authority.issue(CertificateRequest(["another.example"])).certificateEntry
      let own = TestEntry(
        body: .x509(certificate: scene.certificate), precertificate: nil, chain: filler.chain)
      for place in 0..<300 { try other.append(wrong == .otherTree && place == 5 ? own : filler) }
      try other.publish()
      held.log = other
      try await scene.ask(5) { reply, _ in
        #expect(reply.status == 200 && reply.body.contains("There is no proof to show"))
        #expect(!reply.body.contains("Verified</span>"))
        if wrong == .otherEntry { #expect(reply.body.contains("another entry there now")) }
      }
    }
  }

  @Test("What is not of this certificate, or not verified, is not asked for", arguments: [7, 299, 300, -1])
  func foreign(_ entry: Int) async throws {
    let scene = try await Scene(.staticCT, url: "http://127.0.0.1:1/")
    try await scene.ask(entry) { reply, _ in #expect(reply.status == 404) }
  }

  /// The log that is served, once there is one.
  private final class Held: Sendable {
    private let value = Mutex<TestLog?>(nil)
    var log: TestLog? {
      get { value.withLock { $0 } }
      set { value.withLock { $0 = newValue } }
    }
  }
}

extension InclusionTests.Wrong: CustomTestStringConvertible {
  var testDescription: String { "\(self)" }
}
