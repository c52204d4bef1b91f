import CertificateTransparency
import Crypto
import Foundation
import MerkleTree
import TestSupport
import TestWorld
import Testing

@testable import OrielLog

@Suite("The folder of a log")
struct FolderTests {
  private func folder() async throws -> (TemporaryFolder, LogFolder, TestAuthority) {
    let temporary = try TemporaryFolder()
    let authority = try TestAuthority(seed: 21)
    try await ServedLog.create(temporary.path + "/log", authority, TravelClock(), nil)
    return (temporary, try LogFolder(temporary.path + "/log"), authority)
  }

  private func mode(_ path: String) throws -> Int {
    try #require(FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
  }

  @Test("Keys are for their owner alone, and others are refused")
  func keys() async throws {
    let (temporary, folder, _) = try await folder()
    defer { withExtendedLifetime(temporary) {} }
    for name in ["key.pem", "note-key.pem"] {
      let path = folder.path + "/" + name
      #expect(try mode(path) == 0o600)
      try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
      await refused(folder, "\(name): others may read it, mode 640: chmod 600 it")
      try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    }
    let right = try Data(contentsOf: URL(filePath: folder.path + "/key.pem"))
    for (text, reason) in [
      (P256.Signing.PrivateKey().pemRepresentation, "it is the key of log"), ("nothing", "no private key for P-256"),
    ] {
      try Data(text.utf8).write(to: URL(filePath: folder.path + "/key.pem"))
      try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: folder.path + "/key.pem")
      await refused(folder, reason)
    }
    try right.write(to: URL(filePath: folder.path + "/key.pem"))
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: folder.path + "/key.pem")
    _ = try await folder.open(clock: .system)
    try FileManager.default.removeItem(atPath: folder.path + "/lock.db")
    await refused(folder, "the lock \(folder.path)/lock.db is not there")
  }

  private func refused(_ folder: LogFolder, _ reason: String) async {
    let error = await #expect(throws: LogFolderError.self) { try await folder.open(clock: .system) }
    #expect("\(String(describing: error))".contains(reason), "\(String(describing: error))")
  }

  @Test("A log is created once: what is there is left alone")
  func once() async throws {
    let (temporary, folder, authority) = try await folder()
    defer { withExtendedLifetime(temporary) {} }
    let before = try FileManager.default.subpathsOfDirectory(atPath: folder.path).sorted()
    let key = try Data(contentsOf: URL(filePath: folder.path + "/key.pem"))
    await #expect(throws: LogFolderError.self) {
      try await ServedLog.create(folder.path, authority, TravelClock(), nil)
    }
    #expect(try FileManager.default.subpathsOfDirectory(atPath: folder.path).sorted() == before)
    #expect(try Data(contentsOf: URL(filePath: folder.path + "/key.pem")) == key)
  }

  @Test("The note is signed with the second key too")
  func noteKey() async throws {
    let (temporary, folder, _) = try await folder()
    defer { withExtendedLifetime(temporary) {} }
    let raw = try #require(try folder.identity().noteKey).publicKey.rawRepresentation
    let name = folder.settings.origin
    let id = SignedNote.keyID(name: name, type: 1, key: [UInt8](raw))
    let hex = String(repeating: "0", count: 8 - String(id, radix: 16).count) + String(id, radix: 16)
    let key = try Ed25519NoteKey(verifierKey: "\(name)+\(hex)+\(Base64.encode([1] + [UInt8](raw)))")
    let bytes = [UInt8](try Data(contentsOf: URL(filePath: folder.publicPath + "/checkpoint")))
    #expect(key.verify(try SignedNote(decoding: bytes.span)))
  }

  @Test(
    "Settings with mistakes are refused",
    arguments: [
      (#""not_after_end": "2027-01-01T00:00:00Z""#, "not_after_start and not_after_end"),
      (#""not_after_start": "2027-01-01", "not_after_end": "2028-01-01""#, "times such as"),
      (#""not_after_start": "2028-01-01T00:00:00Z", "not_after_end": "2027-01-01T00:00:00Z""#, "the start before"),
      (#""not_after_ends": "2027-01-01T00:00:00Z""#, "not_after_ends is no setting of a log"),
      (#""requires_server_auth": "no""#, "not of the right type"),
      (#""monitoring_url": "https://log.example/x""#, "ends with a slash"),
      (#""monitoring_url": "ftp://log.example/""#, "http or https"),
      (#""key": "AAAA""#, "key is not base64 of a log's public key"),
    ])
  func mistakes(members: String, reason: String) async throws {
    let (temporary, folder, _) = try await folder()
    defer { withExtendedLifetime(temporary) {} }
    var object = try #require(
      JSONSerialization.jsonObject(with: try folder.settings.json) as? [String: Any])
    let changes = try #require(JSONSerialization.jsonObject(with: Data("{\(members)}".utf8)) as? [String: Any])
    object.merge(changes) { $1 }
    try JSONSerialization.data(withJSONObject: object).write(to: URL(filePath: folder.path + "/log.json"))
    let error = #expect(throws: LogFolderError.self) { try LogFolder(folder.path) }
    #expect("\(String(describing: error))".contains(reason), "\(String(describing: error))")
  }

  @Test("Roots are added while the log runs, and never taken away")
  func roots() async throws {
    let (temporary, folder, authority) = try await folder()
    let others = try (1...3).map { try TestAuthority(seed: UInt64($0), organisation: "Other \($0)").root.chain[0] }
    let report = temporary.path + "/report.csv"
    func publish(_ certificates: [[UInt8]]) throws {
      let rows = certificates.map { "\"'\(PEM.encode($0))'\",\"Server Authentication 1.3.6.1.5.5.7.3.1\"\n" }
      let header = "\"X.509 Certificate (PEM)\",\"Intended Use Case(s) Served\"\n"
      try Data((header + rows.joined()).utf8).write(to: URL(filePath: report))
    }
    try publish([others[0]])
    let roots = try FolderRoots(folder.path, ccadb: report)
    #expect(Set(roots.store.certificates) == [authority.root.chain[0], others[0]])
    // Later reports lack it, and have another; the file has one more.
    try await Task.sleep(for: .milliseconds(20))
    try publish([others[1]])
    try roots.refresh()
    let file = try #require(FileHandle(forWritingAtPath: folder.path + "/roots.pem"))
    try file.seekToEnd()
    try file.write(contentsOf: Data(PEM.encode(others[2]).utf8))
    try file.close()
    try roots.refresh()
    #expect(Set(roots.store.certificates) == Set([authority.root.chain[0]] + others))
    // What was in a report once is kept.
    try FileManager.default.removeItem(atPath: report)
    #expect(Set(try FolderRoots(folder.path, ccadb: report).store.certificates) == Set(roots.store.certificates))
  }
}
