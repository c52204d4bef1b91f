import CertificateTransparency
import Foundation
import MerkleTree
import OrielLog
import TestWorld

/// What holds of all that a log reads from its own folder: it may be damaged, or somebody else's.
enum StoredProperties {
  struct World: Sendable {
    let log: TestLog
    let identity: LogIdentity
    let notes: [[UInt8]]
    let submissions: SubmissionProperties.World
    let issuers: [SHA256Hash: [UInt8]]

    init() throws {
      let log = try TestLog(.staticCT, name: "stored", seed: 9)
      self.log = log
      identity = LogIdentity(origin: log.origin, key: log.signer)
      submissions = try SubmissionProperties.world.get()
      for pair in submissions.pairs {
        try log.append(pair.precertificateEntry)
        try log.append(pair.certificateEntry)
      }
      notes = try [0, 1, 3, 6].map { size in
        try log.publish(size: size)
        return log.respond(to: "checkpoint").bytes
      }
      let chains = submissions.issuers.flatMap(\.chain)
      issuers = Dictionary(chains.map { (SHA256Hash.hash($0), $0) }) { $1 }
    }
  }

  static let world = Result { try World() }

  static func check(_ bytes: [UInt8]) throws(FuzzTarget.Failure) {
    guard let world = try? world.get() else { throw FuzzTarget.Failure(description: "there is no world") }
    // A bundle ends with its hash, which no fuzzer guesses.
    for bundle in [bytes, bytes + SHA256Hash.hash(bytes).bytes] {
      guard let again = try? Rehearsal.staged(bundle) else { continue }
      try FuzzTarget.require(again == bundle, "a staged bundle does not encode to what it was")
    }
    if let head = try? Rehearsal.head(bytes, of: world.identity) {
      let genuine = world.notes.contains { note in
        (try? Rehearsal.head(note, of: world.identity)).map {
          ($0.size, $0.root, $0.timestamp) == (head.size, head.root, head.timestamp)
        } ?? false
      }
      try FuzzTarget.require(genuine, "a checkpoint that nobody signed")
    }
    for tile in [bytes, (try? Rehearsal.inflate(bytes)) ?? []] {
      guard let (names, count) = try? Rehearsal.names(inTile: tile, issuer: { world.issuers[$0] }) else { continue }
      try check(names: names, count: count)
    }
    if let stored = try? Rehearsal.deflate(bytes) {
      try FuzzTarget.require((try? Rehearsal.inflate(stored)) == bytes, "a tile does not inflate to what it was")
    }
    try check(roots: bytes)
    if let settings = try? Rehearsal.settings(bytes) {
      try FuzzTarget.require((try? Rehearsal.settings(settings)) == settings, "log.json reads otherwise once written")
    }
  }

  private static func check(roots bytes: [UInt8]) throws(FuzzTarget.Failure) {
    let store = RootStore()
    store.add(file: bytes)
    _ = try? store.add(ccadb: String(decoding: bytes, as: UTF8.self))
    let again = RootStore()
    again.add(file: Array(store.pem.utf8))
    try FuzzTarget.require(again.certificates == store.certificates, "roots.pem has other roots than were accepted")
  }

  /// A line of JSON for each entry.
  static func check(names: [UInt8], count: Int) throws(FuzzTarget.Failure) {
    let lines = names.split(separator: 0x0a)
    try FuzzTarget.require(lines.count == count, "\(lines.count) lines of names for \(count) entries")
    for line in lines {
      let object = try? JSONSerialization.jsonObject(with: Data(line)) as? [String: Any]
      try FuzzTarget.require(object?["Timestamp"] is NSNumber, "a line of a names tile is no JSON object")
    }
  }

  static func seeds() throws -> [[UInt8]] {
    let world = try world.get()
    let tile = world.log.respond(to: "tile/data/000.p/6").bytes
    let pair = world.submissions.pairs[2]
    let entry = try world.submissions.open.admit(
      chain: [pair.precertificate] + pair.pending.precertificateChain, as: .precertificate, at: world.submissions.now)
    let staged = try Rehearsal.publish(entry, at: world.submissions.now).staged
    let roots = RootStore()
    roots.add([world.submissions.root])
    let report =
      #""X.509 Certificate (PEM)","Intended Use Case(s) Served""# + "\n\"'\(roots.pem)'\",\"1.3.6.1.5.5.7.3.1\"\n"
    let settings = """
      {"description": "A log", "key": "\(Base64.encode(world.log.signer.publicKey.derRepresentation))",
      "submission_url": "https://log.example/a/", "monitoring_url": "https://log.example/a/", "ccadb": "report.csv",
      "not_after_start": "2026-01-01T00:00:00Z", "not_after_end": "2026-07-01T00:00:00Z", "hsm": {"module": "m",
      "token": "t", "key": "k", "pin_file": "p"}}
      """
    let texts = [roots.pem, report, settings].map { Array($0.utf8) }
    return world.notes + [tile, try Rehearsal.deflate(tile), staged, Array(staged.dropLast(32))] + texts
  }
}
