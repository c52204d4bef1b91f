import Foundation
import OrielFiles
import TestSupport
import Testing

@Suite("A file that is there whole or not at all")
struct AtomicFileTests {
  private let folder: TemporaryFolder
  private var path: String { folder.path + "/file" }

  init() throws { folder = try TemporaryFolder() }

  private func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

  private func mode(_ path: String) throws -> Int? {
    try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
  }

  private func files() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() }

  @Test("is made with the permissions asked for, and nothing is left beside it", arguments: [0o600, 0o640, 0o644])
  func new(asked: Int) throws {
    try AtomicFile.write(Array("new".utf8), to: path, mode: UInt16(asked))
    #expect(try text(path) == "new" && mode(path) == asked && files() == ["file"])
  }

  @Test("is replaced with its permissions kept, by a new file and not in place", arguments: [0o600, 0o640, 0o604])
  func replaced(kept: Int) throws {
    _ = try folder.write("old", to: "file")
    #expect(chmod(path, mode_t(kept)) == 0)
    #expect(link(path, folder.path + "/other") == 0)
    try AtomicFile.write(Array("new".utf8), to: path, mode: 0o644)
    #expect(try text(path) == "new" && mode(path) == kept)
    #expect(try text(folder.path + "/other") == "old" && files() == ["file", "other"])
  }

  @Test(
    "is replaced with its owner kept",
    .enabled(if: geteuid() == 0, "needs root, who alone can give files to others"))
  func owner() throws {
    _ = try folder.write("old", to: "file")
    #expect(chown(path, 12, 34) == 0)
    try AtomicFile.write(Array("new".utf8), to: path)
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    #expect(attributes[.ownerAccountID] as? Int == 12 && attributes[.groupOwnerAccountID] as? Int == 34)
  }

  @Test("is not replaced where it is of another kind, unless it is empty")
  func foreign() throws {
    _ = try folder.write("precious", to: "file")
    #expect(throws: AtomicFile.Failure(path: path, reason: "there is another kind of file already")) {
      try AtomicFile.write([1], to: path) { $0 == Array("ours".utf8) }
    }
    #expect(try text(path) == "precious" && files() == ["file"])
    _ = try folder.write("ours", to: "file")
    try AtomicFile.write([], to: path) { $0 == Array("ours".utf8) }
    try AtomicFile.write(Array("new".utf8), to: path) { _ in false }
    #expect(try text(path) == "new")
  }

  @Test("is written where a link leads, and the link stays")
  func behindLink() throws {
    let target = try folder.write("old", to: "target")
    try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: target)
    try AtomicFile.write(Array("new".utf8), to: path)
    #expect(try text(target) == "new")
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: path) == target)
  }

  @Test("takes the place of no folder, pipe or device", arguments: ["folder", "pipe", "/dev/null"])
  func special(name: String) throws {
    let path = name.hasPrefix("/") ? name : folder.path + "/" + name
    if name == "folder" { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
    if name == "pipe" { #expect(mkfifo(path, 0o600) == 0) }
    let before = try FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType
    #expect(throws: AtomicFile.Failure(path: path, reason: "it is no regular file")) {
      try AtomicFile.write([1], to: path)
    }
    #expect(try FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType == before)
  }

  @Test("that can't be made leaves what was there", arguments: ["/nowhere/file", "/dev/null/file"])
  func unmade(path: String) { #expect(throws: AtomicFile.Failure.self) { try AtomicFile.write([1], to: path) } }

  @Test("does not take the names of other files for its own, and gets no name that is taken")
  func names() throws {
    let other = try folder.write("other", to: "file.\(getpid())-0.new")
    try AtomicFile.write(Array("new".utf8), to: path)
    #expect(try text(other) == "other" && text(path) == "new")
    #expect(throws: AtomicFile.Failure(path: path, reason: "it is there already")) {
      try AtomicFile.place(other, at: path)
    }
    #expect(try text(path) == "new" && text(other) == "other")
    try AtomicFile.place(other, at: folder.path + "/free")
    #expect(try files() == ["file", "free"])
  }
}
