import CTLogClient
import CertificateTransparency
import MerkleTree
import OrielMonitor

/// What holds of every batch of entries.
enum BatchProperties {
  static func check(tile: [UInt8]) throws(FuzzTarget.Failure) {
    _ = try? DigestProbe(index: NameProperties.index).tile(tile)
    guard let entries = try? DataTile.entries(in: tile.span) else { return }
    var written: [UInt8] = []
    for entry in entries {
      try? entry.checkLeafIndex(0, in: tile.span)
      try? StaticCTEntry(entry, in: tile.span).encode(into: &written)
    }
    try FuzzTarget.require(written == tile, "the tile does not encode to what it was")
  }

  /// The page scanner takes no more than the complete JSON reading, and reads the same leaves.
  static func check(page body: [UInt8]) throws(FuzzTarget.Failure) {
    _ = try? DigestProbe(index: NameProperties.index).page(body)
    var page = EntriesPage()
    guard (try? page.scan(body.span, maximumEntries: 256)) != nil else { return }
    for place in 0..<page.count { _ = try? page.extraData(at: place, in: body.span) }
    guard let complete = try? GetEntriesResponse(json: body) else { return }
    let leaves = (0..<page.count).map { [UInt8](page.leaves[page.leafRange($0)]) }
    try FuzzTarget.require(leaves == complete.entries.map(\.leafInput), "the scanner reads other leaves")
  }

  static func check(gzip body: [UInt8]) throws(FuzzTarget.Failure) {
    var output: [UInt8] = []
    do {
      try Inflater().inflate(body.span, into: &output, limit: 1 << 20)
    } catch {
      try FuzzTarget.require(output.isEmpty, "bytes of a body that was refused")
    }
    try FuzzTarget.require(output.count <= 1 << 20, "more bytes than were allowed")
  }
}
