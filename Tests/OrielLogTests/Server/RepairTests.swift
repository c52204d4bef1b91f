import CertificateTransparency
import Foundation
import MerkleTree
import TestSupport
import TestWorld
import Testing

@testable import OrielLog

@Suite("Repairing and archiving a log")
struct RepairTests {
  /// A log of a few hundred entries, and a mirror of it.
  private func withMirror(
    _ size: Int, _ body: (LogFolder, _ mirror: DirectoryStore, _ storage: DirectoryStore) async throws -> Void
  ) async throws {
    let temporary = try TemporaryFolder()
    let folder = try await ServedLog.run(in: temporary) { log in
      _ = try await log.fill(size)
      return log.folder
    }
    let target = temporary.path + "/mirror"
    try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
    let (storage, mirror) = (try DirectoryStore(folder.publicPath), try DirectoryStore(target))
    let (head, files) = try await LogExport.copy(folder.publicIdentity, from: storage, to: mirror)
    #expect(head.size == UInt64(size))
    #expect(try await ServedLog.findings(folder, target) == [])
    let present = try FileManager.default.subpathsOfDirectory(atPath: target).filter { !$0.hasPrefix("incoming") }
    var isFolder: ObjCBool = false
    let copied = present.count {
      FileManager.default.fileExists(atPath: target + "/" + $0, isDirectory: &isFolder) && !isFolder.boolValue
    }
    #expect(copied == files)
    try await body(folder, mirror, storage)
    withExtendedLifetime(temporary) {}
  }

  private func repair(_ folder: LogFolder, _ storage: DirectoryStore, from mirror: DirectoryStore) async throws
    -> LogRepair.Outcome
  {
    try await LogRepair(folder.publicIdentity, storage: storage) { try await mirror.get($0) }
      .run(locked: try await folder.lockedCheckpoint())
  }

  @Test("Any file that is damaged or missing is repaired, one by one and all at once")
  func damage() async throws {
    try await withMirror(270) { folder, mirror, storage in
      var paths = try await mirror.list("tile/") + mirror.list("issuer/")
      paths = paths.sorted() + ["checkpoint"]
      for damaged in paths.map({ [$0] }) + [paths] {
        for path in damaged {
          var bytes = try #require(try await mirror.get(path))
          bytes[bytes.count / 2] ^= 8
          if path.utf8.count % 2 == 0 {
            try await storage.put(Blob(path, bytes))
          } else {
            try await storage.delete([path])
          }
        }
        let found = try await ServedLog.findings(folder)
        #expect(!found.isEmpty, "\(damaged)")
        let outcome = try await repair(folder, storage, from: mirror)
        #expect(outcome.remaining == [], "\(damaged): \(found)")
        #expect(Set(outcome.repaired) == Set(damaged))
        #expect(try await ServedLog.findings(folder) == [])
        for path in damaged where !path.hasPrefix("tile/names") && path != "checkpoint" {
          #expect(try await storage.get(path) == (try await mirror.get(path)))
        }
      }
    }
  }

  @Test("What a mirror gives is not believed")
  func lyingMirror() async throws {
    try await withMirror(20) { folder, mirror, storage in
      for path in try await mirror.list("tile/") + mirror.list("issuer/") where !path.hasPrefix("tile/names") {
        let right = try #require(try await mirror.get(path))
        var (ours, theirs) = (right, right)
        ours[right.count / 2] ^= 8
        theirs[right.count / 2] ^= 16
        try await storage.put(Blob(path, ours))
        try await mirror.put(Blob(path, theirs))
        let outcome = try await repair(folder, storage, from: mirror)
        #expect(outcome.repaired == [] && outcome.remaining.map(\.path).contains(path), "\(path)")
        #expect(try await storage.get(path) == ours)
        for store in [storage, mirror] { try await store.put(Blob(path, right)) }
      }
    }
  }

  @Test("A mirror that sends data tiles plain will do")
  func plainMirror() async throws {
    try await withMirror(20) { folder, mirror, storage in
      let path = "tile/data/000.p/20"
      try await mirror.put(Blob(path, try Gunzip().inflate(try #require(try await mirror.get(path)))))
      try await storage.delete([path])
      let outcome = try await repair(folder, storage, from: mirror)
      #expect(outcome.repaired == [path] && outcome.remaining == [])
    }
  }
}
