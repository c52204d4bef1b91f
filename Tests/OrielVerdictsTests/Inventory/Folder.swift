import CertificateTransparency
import Foundation
import OrielVerdicts
import TestWorld

/// A folder on disk that is gone after its test.
final class Folder {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "oriel-inventory-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    // As the system calls it, links in the path followed.
    path = url.resolvingSymlinksInPath().path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ name: String, _ text: some StringProtocol) throws { try write(name, Array(text.utf8)) }

  func write(_ name: String, _ bytes: [UInt8]) throws {
    let url = URL(filePath: path + "/" + name)
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: url)
  }

  func link(_ name: String, to target: String) throws {
    let url = URL(filePath: path + "/" + name)
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(atPath: url.path, withDestinationPath: target)
  }

  func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: path + "/" + name) }

  func scanner(_ below: String = "", limits: FolderLimits = FolderLimits()) -> FolderScanner {
    FolderScanner(root: below.isEmpty ? path : path + "/" + below, limits: limits)
  }
}

func pem(_ der: [[UInt8]], label: String = "CERTIFICATE") -> String {
  der.map {
    "-----BEGIN \(label)-----\n\(Data($0).base64EncodedString(options: .lineLength64Characters))\n-----END \(label)-----\n"
  }
  .joined()
}

extension IssuedPair {
  /// The certificate and its issuers but for the root, as programs write `fullchain.pem`.
  var fullChain: String { pem([certificate] + chain.dropLast()) }
  var leaf: String { pem([certificate]) }
  var issuers: String { pem(Array(chain.dropLast())) }
}
