import CertificateTransparency
import Foundation
import MerkleTree
import OrielFiles

/// The newest good copy of each list, on disk: one file per list, so that list, signature and entity tag belong together.
struct LogListCache: Sendable {
  /// A list as it was received. The signature is kept with it and verified again on reading.
  struct Copy: Codable, Sendable {
    var url: String
    var etag: String?
    /// Milliseconds since 1970.
    var fetchedAt: UInt64
    var list: Data
    var signature: Data?
  }

  let directory: String

  /// The kept copy; nil if there is none that can be read.
  func copy(of source: LogListSource) -> Copy? {
    guard let data = try? Data(contentsOf: URL(filePath: path(source))),
      let copy = try? JSONDecoder().decode(Copy.self, from: data), copy.url == source.url
    else { return nil }
    return copy
  }

  /// Keeps a copy instead of the one before: either is there after a crash, never half of one.
  func keep(_ copy: Copy, of source: LogListSource) throws {
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    try AtomicFile.write([UInt8](JSONEncoder().encode(copy)), to: path(source))
  }

  private func path(_ source: LogListSource) -> String {
    let name = String(
      source.name.unicodeScalars.filter { $0.isASCII && $0.properties.isAlphabetic }.map(Character.init))
    return "\(directory)/\(name.lowercased())-\(SHA256Hash.hash(Array(source.url.utf8)).hex.prefix(12)).loglist"
  }
}
