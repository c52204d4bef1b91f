import CTLogClient
import CertificateTransparency
import Foundation
import MerkleTree
import TestWorld

/// Logs over the same kind of entries, as files: static-ct with plain and with gzipped data tiles, RFC 6962, and plain
/// tiles without the names whose A-label nobody can decode.
struct Corpus {
  let directory: URL

  init(_ directory: URL) { self.directory = directory }

  enum Form: String, CaseIterable {
    case raw, gzip, rfc6962, decodable
  }

  func folder(_ form: Form) -> URL { directory.appending(path: form.rawValue) }
  var watchLists: [(name: String, path: String)] {
    [
      ("1", directory.appending(path: "watch-1.txt").path),
      ("1,000", directory.appending(path: "watch-1000.txt").path),
      ("100,000", directory.appending(path: "watch-100000.txt").path),
    ]
  }

  static let time: @Sendable () -> Timestamp = { Timestamp(milliseconds: 1_790_000_000_000) }

  /// Writes the logs and three watch lists; one entry in 20,000 matches, and one in 20,000 imitates.
  func write(entries: Int) throws {
    var generator = SeededGenerator(seed: 7)
    let authority = try TestAuthority(seed: 7, signatureMode: .filler, now: Corpus.time)
    let tiled = try TestLog(.staticCT, name: "bench", seed: 7, now: Corpus.time)
    let classic = try TestLog(.rfc6962, name: "classic", seed: 8, pageSize: 256, now: Corpus.time)
    let decodable = try TestLog(.staticCT, name: "decodable", seed: 9, now: Corpus.time)
    for number in 0..<(entries / 2) {
      var request = Corpus.request(number, &generator)
      let plain = try authority.issue(request)
      // As many as in a public log of 2026.
      if number % 12_000 == 9 {
        request.dnsNames = request.dnsNames.map { "xn--autoso-99999999." + Corpus.suffix(of: $0) }
      }
      let pair = number % 12_000 == 9 ? try authority.issue(request) : plain
      for entry in [pair.precertificateEntry, pair.certificateEntry] {
        try tiled.append(entry)
        try classic.append(entry)
      }
      for entry in [plain.precertificateEntry, plain.certificateEntry] { try decodable.append(entry) }
    }
    for log in [tiled, classic, decodable] { try log.publish() }
    try tiled.write(to: folder(.gzip))
    try classic.write(to: folder(.rfc6962))
    try decodable.write(to: folder(.decodable))
    try inflateTiles(of: .gzip, to: .raw)
    try inflateTiles(of: .decodable, to: .decodable)
    for (form, log) in [(Form.raw, tiled), (.gzip, tiled), (.rfc6962, classic), (.decodable, decodable)] {
      let list = LogList(
        version: "1.0", timestamp: Corpus.time(), operators: [LogList.Operator(name: "Bench")],
        logs: [log.description(url: "http://127.0.0.1:18999/\(form.rawValue)/", operatorName: "Bench")])
      try Data(list.json()).write(to: directory.appending(path: "\(form.rawValue).json"))
    }
    let names = ["watched.example"] + (1..<100_000).map { _ in Corpus.brand(&generator) }
    for (list, count) in zip(watchLists, [1, 1000, 100_000]) {
      try Data((names.prefix(count).joined(separator: "\n") + "\n").utf8).write(to: URL(filePath: list.path))
    }
    try Data("\(entries)\n".utf8).write(to: directory.appending(path: "entries"))
    print("\(entries) entries in \(directory.path)")
  }

  /// Half of all certificates have two names, some have many.
  private static func request(_ number: Int, _ generator: inout SeededGenerator) -> CertificateRequest {
    let counts = [1, 1, 2, 2, 2, 2, 2, 3, 4, 12]
    let count = number % 200 == 0 ? 90 : counts[Int.random(in: 0..<counts.count, using: &generator)]
    let domain =
      switch number % 10_000 {
      case 5: "watched.example"
      case 7: "wacthed.example"
      default: site(&generator)
      }
    let labels = ["www", "*", "mail", "api", "cdn", "shop"]
    let names = (0..<count).map { place in
      place == 0 ? domain : place <= labels.count ? "\(labels[place - 1]).\(domain)" : "host\(place).\(domain)"
    }
    return CertificateRequest(names)
  }

  private static let suffixes = ["example", "example", "test", "invalid", "co.uk"]

  private static func letters(_ length: ClosedRange<Int>, _ generator: inout SeededGenerator) -> String {
    let count = Int.random(in: length, using: &generator)
    return String(
      decoding: (0..<count).map { _ in UInt8.random(in: 0x61...0x7A, using: &generator) }, as: UTF8.self)
  }

  private static func suffix(_ generator: inout SeededGenerator) -> String {
    suffixes[Int.random(in: 0..<suffixes.count, using: &generator)]
  }

  /// What somebody watches.
  private static func brand(_ generator: inout SeededGenerator) -> String {
    letters(6...12, &generator) + "." + suffix(&generator)
  }

  /// What certificates are for: some names have hyphens, digits or everyday words in them, few are international.
  private static func site(_ generator: inout SeededGenerator) -> String {
    let word = letters(5...14, &generator)
    let label =
      switch Int.random(in: 0..<20, using: &generator) {
      case 0..<3: word + "-" + letters(3...8, &generator)
      case 3..<5: word + "\(Int.random(in: 1..<1000, using: &generator))"
      case 5: "my" + word
      case 6: word + "shop"
      case 7: word + "-online"
      default: word
      }
    let isInternational = Int.random(in: 0..<100, using: &generator) == 0
    return (isInternational ? "xn--\(word)-kva" : label) + "." + suffix(&generator)
  }

  /// The suffix of a name, by which it meets what is watched.
  private static func suffix(of name: String) -> String {
    suffixes.first { name.hasSuffix("." + $0) } ?? suffixes[0]
  }

  private func inflateTiles(of source: Form, to target: Form) throws {
    let manager = FileManager.default
    if source != target {
      try? manager.removeItem(at: folder(target))
      try manager.copyItem(at: folder(source), to: folder(target))
    }
    let tiles = folder(target).appending(path: "tile/data")
    var plain: [UInt8] = []
    for name in try manager.subpathsOfDirectory(atPath: tiles.path) {
      let file = tiles.appending(path: name)
      guard let body = try? Data(contentsOf: file), Inflater.isGzip([UInt8](body).span) else { continue }
      try Inflater().inflate([UInt8](body).span, into: &plain, limit: 64 << 20)
      try Data(plain).write(to: file)
    }
  }

  /// The data tiles of a static form in order, or the pages of the RFC 6962 form.
  func bodies(_ form: Form) throws -> [[UInt8]] {
    var bodies: [[UInt8]] = []
    if form == .rfc6962 {
      let folder = folder(form).appending(path: "ct/v1")
      let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter {
        $0.hasPrefix("get-entries")
      }
      for name in names.sorted(by: { $0.localizedStandardCompare($1) == .orderedAscending }) {
        bodies.append([UInt8](try Data(contentsOf: folder.appending(path: name))))
      }
      return bodies
    }
    let size = try Checkpoint(
      text: SignedNote(decoding: [UInt8](Data(contentsOf: folder(form).appending(path: "checkpoint")))).text)
    for tile in TileCoordinate.tiles(.data, treeSize: size.treeSize) {
      bodies.append([UInt8](try Data(contentsOf: folder(form).appending(path: tile.path))))
    }
    return bodies
  }
}
