import CTLogClient
import CertificateTransparency
import Foundation
import MerkleTree
import OrielMonitor
import OrielWatchlist

/// The digest stage (inflate or JSON and base64, split, leaf hash, names, match), against the part of it that no follower
/// can do without, measured alone: inflating or scanning and decoding, and SHA-256 over the leaves.
struct DigestBenchmark {
  let corpus: Corpus

  func run() async throws {
    print(
      "form      entries   floor ns   watching 1   ratio   watching 100,000   ratio   100,000 to 1   "
        + "with look-alikes, ns and ratio: 1   1,000   100,000")
    let lists = try corpus.watchLists.map { list in
      let items = try Watchlist.read([UInt8](Data(contentsOf: URL(filePath: list.path))), syntax: .oriel)
      let domains = items.compactMap { LookalikeIndex.OwnedDomain($0) }
      return (index: WatchIndex(items), lookalikes: LookalikeIndex(watching: domains))
    }
    for form in Corpus.Form.allCases {
      let bodies = try Array(corpus.bodies(form).prefix(400))
      var entries = 0
      let times = try lists.map { list in
        let (plain, both) = (
          DigestProbe(index: list.index), DigestProbe(index: list.index, lookalikes: list.lookalikes)
        )
        return try best(
          [plain, both].map { probe in
            {
              entries = 0
              for body in bodies { entries += try form == .rfc6962 ? probe.page(body) : probe.tile(body) }
            }
          })
      }
      let floor = try floor(form, bodies)
      let scale = 1e9 / Double(entries)
      let (one, many) = (times[0][0], times[2][0])
      print(
        form.rawValue.padding(toLength: 9, withPad: " ", startingAt: 0), entries, text(floor * scale, 0),
        text(one * scale, 0), text(one / floor), text(many * scale, 0), text(many / floor), text(many / one),
        times.map { "\(text($0[1] * scale, 0)) \(text($0[1] / $0[0]))" }.joined(separator: "   "), separator: "   ")
    }
    try measureLoading()
  }

  private func measureLoading() throws {
    let bytes = [UInt8](try Data(contentsOf: URL(filePath: corpus.watchLists[2].path)))
    let seconds = try best { _ = WatchIndex(try Watchlist.read(bytes, syntax: .oriel)) }
    let domains = try Watchlist.read(bytes, syntax: .oriel).compactMap { LookalikeIndex.OwnedDomain($0) }
    let more = best { _ = LookalikeIndex(watching: domains) }
    print("loading 100,000 items: \(text(seconds, 3)) s; their look-alikes: \(text(more, 3)) s")
  }

  private func floor(_ form: Corpus.Form, _ bodies: [[UInt8]]) throws -> Double {
    switch form {
    case .rfc6962:
      var page = EntriesPage()
      return try best {
        for body in bodies {
          try page.scan(body.span, maximumEntries: 256)
          for place in 0..<page.count { _ = SHA256Hash.hash(page.leaves.span.extracting(page.hashedRange(place))) }
        }
      }
    case .raw, .gzip, .decodable:
      var plain: [UInt8] = []
      // Where the leaves are is worked out beforehand: hashing alone is what counts.
      let leaves = try bodies.map { body in
        try DigestBenchmark.plain(body, &plain)
        return try DataTile.entries(in: plain.span).map { $0.entry.start..<$0.entry.end }
      }
      return try best {
        for (body, ranges) in zip(bodies, leaves) {
          if form == .gzip {
            try DigestBenchmark.plain(body, &plain)
            for range in ranges { _ = TreeHasher.timestampedEntryLeafHash(plain.span.extracting(range)) }
          } else {
            for range in ranges { _ = TreeHasher.timestampedEntryLeafHash(body.span.extracting(range)) }
          }
        }
      }
    }
  }

  private static func plain(_ body: [UInt8], _ output: inout [UInt8]) throws {
    if Inflater.isGzip(body.span) {
      try Inflater().inflate(body.span, into: &output, limit: 64 << 20)
    } else {
      output = body
    }
  }
}
