import CertificateTransparency
import Foundation
import MerkleTree
import OrielStore
import TestSupport
import TestWorld
import Testing

/// Killed at any instant while it delivers, the service loses no alert, and repeats at most the one under way, under
/// the same Message-ID. `make soak` kills more often.
@Suite("oriel serve, killed while it delivers", .serialized, .needsMailServer)
struct DeliveryKillTests {
  private static let kills = isCampaign ? 100 : 8

  @Test("Every alert arrives, and is repeated no more often than the service was killed")
  func killed() async throws {
    var generator = SeededGenerator(seed: 11)
    let (mail, folder) = (try await MailServer("plain"), try TemporaryFolder())
    let data = folder.path + "/data"
    try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
    let count = Self.kills * 40
    try await queue(count, in: data + "/oriel.db")
    let idle = try TestLog(.staticCT, name: "idle").description(url: "http://127.0.0.1:1/", operatorName: "Nobody")
    let list = LogList(
      version: "1.0", timestamp: Timestamp(milliseconds: 1_790_000_000_000),
      operators: [LogList.Operator(name: "Nobody")], logs: [idle])
    let listFile = try folder.write(String(decoding: list.json(), as: UTF8.self), to: "list.json")
    let file = try folder.write(
      """
      watch: [owner.example]
      recipients: {owner: {mail: [owner@mail.example]}}
      defaults: {recipients: [owner]}
      digest: {first: 100000}
      smtp: {host: 127.0.0.1, port: \(mail.port), security: none, from: oriel@mail.example}
      log_lists: ["\(listFile)"]
      data_dir: \(data)
      """, to: "oriel.yaml")
    var kills = 0
    while kills < Self.kills {
      let before = try mail.count()
      let service = try Command(["serve", "--config", file])
      while try mail.count() == before { try await Task.sleep(for: .milliseconds(2)) }
      try await Task.sleep(for: .milliseconds(Int.random(in: 0...60, using: &generator)))
      service.send(SIGKILL)
      _ = try await service.finish()
      kills += 1
      if try mail.count() >= count - 20 { break }
    }
    let store = AlertStore(try SQLiteDatabase(path: data + "/oriel.db"))
    let service = try Command(["serve", "--config", file])
    while try await store.counts()[.waiting] ?? 0 > 0 { try await Task.sleep(for: .milliseconds(20)) }
    service.send(SIGTERM)
    #expect(try await service.finish().status == 0)
    let identifiers = try mail.mails().compactMap { mail in
      String(decoding: mail.prefix(4000), as: UTF8.self).split(separator: "\r\n").first { $0.hasPrefix("Message-ID") }
    }
    #expect(kills >= Self.kills / 2)
    #expect(Set(identifiers).count == count)
    #expect(identifiers.count - count <= kills)
    #expect(try await store.counts() == [.delivered: count])
  }

  /// Puts alerts into the outbox as if their certificates had just been seen.
  private func queue(_ count: Int, in path: String) async throws {
    let following = FollowingStore(try SQLiteDatabase(path: path), writesAlerts: true)
    let log = try TestLog(.staticCT, name: "seen").description(url: "https://log.example/")
    _ = try await following.register([log], start: "start", now: 0)
    try await following.begin(log.logID, at: LogPosition(index: 0, frontier: Frontier()), head: nil)
    let authority = try TestAuthority()
    var frontier = Frontier()
    let now = Int64(Date().timeIntervalSince1970 * 1000)
    let sightings = try (0..<count).map { number in
      let pair = try authority.issue(CertificateRequest(["n\(number).owner.example"]))
      try frontier.append(.zero)
      return NewSighting(
        index: UInt64(number), timestamp: UInt64(now), issuance: pair.issuanceID, issuerKeyHash: pair.issuerKeyHash,
        entryType: "x509", certificate: pair.certificate, chain: [], issuers: [],
        facts: CertificateFacts(certificate: pair.certificate),
        matches: [StoredMatch(item: "owner.example", name: "n\(number).owner.example")], problems: [])
    }
    try await following.commit(
      sightings, of: log.logID, downloaded: LogPosition(index: UInt64(count), frontier: frontier), verified: nil,
      unreadable: 0, now: now)
  }
}
