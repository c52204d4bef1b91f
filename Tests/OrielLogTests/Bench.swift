import CertificateTransparency
import Crypto
import Foundation
import MerkleTree
import Synchronization
import TestWorld

@testable import OrielLog

/// A clock that is set by hand.
final class HandClock: Sendable {
  private let state = Mutex((now: UInt64(1_780_272_000_000), steady: Int64(0)))

  var now: Timestamp { Timestamp(milliseconds: state.withLock { $0.now }) }

  /// Time passes.
  func advance(_ milliseconds: UInt64 = 250) {
    state.withLock { state in
      state.now += milliseconds
      state.steady += Int64(milliseconds)
    }
  }

  /// Somebody sets the time of day.
  func step(_ milliseconds: Int64) {
    state.withLock { state in state.now = UInt64(Int64(state.now) + milliseconds) }
  }

  var clock: LogClock {
    LogClock(now: { self.now }, steady: { self.state.withLock { $0.steady } })
  }
}

/// All that a log needs, in memory.
struct Bench: Sendable {
  static let identity = LogIdentity(
    origin: "log.example/2026", key: LogSigner(P256.Signing.PrivateKey(seed: 7, label: "log")),
    noteKey: try? Curve25519.Signing.PrivateKey(rawRepresentation: SHA256.hash(data: Array("note".utf8))))

  let clock = HandClock()
  let storage: MemoryStore
  let lock: MemoryLock
  let anchor: MemoryAnchor?
  let table = MemoryTable()

  init(plan: FaultPlan = FaultPlan(), isAnchored: Bool = false) {
    storage = MemoryStore(plan: plan)
    lock = MemoryLock(plan: plan)
    anchor = isAnchored ? MemoryAnchor(plan: plan) : nil
  }

  func create() async throws {
    try await Log.create(Bench.identity, storage: storage, lock: lock, anchor: anchor, clock: clock.clock)
    clock.advance()
  }

  func sequencer(
    _ settings: SequencerSettings = SequencerSettings(), known: [UInt8]? = nil
  ) async throws -> Sequencer {
    try await Sequencer(
      Bench.identity, storage: storage, lock: lock, anchor: anchor, table: table, clock: clock.clock,
      settings: settings, known: known)
  }

  /// What the checkpoint says, its signature verified.
  func publishedHead() throws -> SignedTreeHead {
    try SignedTreeHead(
      checkpoint: storage.content["checkpoint"] ?? [], origin: Bench.identity.origin,
      key: Bench.identity.key.publicKey)
  }

  /// What is wrong in the directory.
  func findings() async throws -> [Finding] {
    var findings: [Finding] = []
    var check = LogCheck(Bench.identity, storage: storage) { findings.append($0) }
    try await check.run(locked: lock.content[Bench.identity.logID])
    return findings
  }
}

/// Entries to submit: some are precertificates of real make, most are short and stand for certificates.
enum Entries {
  private static let authority = try? TestAuthority(seed: 3, signatureMode: .filler)
  private static let precertificates: [PendingEntry] = (0..<24).compactMap { number in
    var request = CertificateRequest(["host\(number).example"])
    request.usesSigningCertificate = number % 4 == 0
    guard let entry = try? authority?.begin(request).entry else { return nil }
    return try? PendingEntry(
      entry.body, precertificate: entry.precertificate, issuers: entry.chain.map { ChainCertificate($0) },
      isLowPriority: number % 5 == 0)
  }

  static func entry(_ number: Int) throws -> PendingEntry {
    // Every seventh is a precertificate, as long as there are any.
    if number % 7 == 0, precertificates.indices.contains(number / 7) { return precertificates[number / 7] }
    let issuer = ChainCertificate(Array("issuer \(number % 3)".utf8))
    return try PendingEntry(
      .x509(certificate: Array("certificate \(number)".utf8)), precertificate: nil, issuers: [issuer],
      isLowPriority: number % 11 == 0)
  }
}

/// Collects what submitters are told.
final class Answers: Sendable {
  struct Promise: Sendable {
    let entry: PendingEntry
    let place: LogPlace
  }

  private let state = Mutex((promises: [Promise](), failures: [any Error]()))

  var promises: [Promise] { state.withLock { $0.promises } }
  var failures: [any Error] { state.withLock { $0.failures } }

  func submit(_ entry: PendingEntry, to sequencer: Sequencer) async {
    await sequencer.submit(entry) { result in
      self.state.withLock { state in
        switch result {
        case .success(let place): state.promises.append(Promise(entry: entry, place: place))
        case .failure(let error): state.failures.append(error)
        }
      }
    }
  }
}
