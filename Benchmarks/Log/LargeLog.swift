import CertificateTransparency
import Foundation
import MerkleTree
import OrielLog

/// A log of millions of entries, laid out by the log's own sequencer without being submitted one by one; and what
/// `oriel log serve` needs to start on it and to go on.
struct LargeLog {
  let folder: URL

  private static let batch = 65_536

  /// - Parameter roots: PEM.
  func build(_ count: Int, roots: String, url: String) async throws {
    let home = try await LogFolder.create(folder.path, roots: roots, clock: .system) { key in
      LogFolderSettings(description: "large", key: key, submissionURL: url, monitoringURL: url)
    }
    var pace = SequencerSettings()
    pace.poolLimit = LargeLog.batch
    let identity = try home.identity()
    let storage = try DirectoryStore(home.publicPath)
    let sequencer = try await Sequencer(
      identity, storage: storage, lock: try SQLCheckpointLock(sqliteFile: folder.path + "/lock.db"),
      table: try home.keyTable(), clock: .system, settings: pace)
    let leaves = try await LeafIndex(try home.leafTable(), storage: storage, size: 0)
    var size: UInt64 = 0
    while size < count {
      let start = Int(size)
      for number in start..<min(start + LargeLog.batch, count) {
        await sequencer.submit(try LargeLog.entry(number)) { _ in }
      }
      try await sequencer.tick()
      try await sequencer.tidy()
      size = await sequencer.head?.size ?? 0
      try await leaves.catchUp(to: size)
      FileHandle.standardError.write(Data("\r\(size) entries".utf8))
    }
    print("\n\(size) entries take \(text(RunningLog.size(of: folder) / Double(size), 0)) bytes each")
  }

  /// Entry number `number`: of the size of a small certificate, most of it as hard to compress as keys and signatures.
  private static func entry(_ number: Int) throws -> PendingEntry {
    var bytes: [UInt8] = Array("certificate \(number) ".utf8)
    for part in 0..<10 { bytes += SHA256Hash.hash(Array("\(number) \(part)".utf8)).bytes }
    return try PendingEntry(.x509(certificate: bytes), precertificate: nil, issuers: [])
  }
}
