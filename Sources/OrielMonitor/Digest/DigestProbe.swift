import CTLogClient
import CertificateTransparency
import OrielStore
package import OrielWatchlist

/// The digest stage by itself, for measuring it: a batch that has been fetched goes in, the number of its entries comes out.
package final class DigestProbe {
  private let digester: Digester
  private var scratch = Digester.Scratch()

  package init(index: WatchIndex, lookalikes: LookalikeIndex = .empty) {
    let sought = Sought(index, lookalikes: lookalikes)
    digester = Digester(sought: sought, issuers: IssuerDirectory(store: nil), pool: Digester.Pool())
  }

  /// Digests a full data tile, gzipped or not.
  package func tile(_ body: [UInt8]) throws -> Int {
    scratch.body.removeAll(keepingCapacity: true)
    scratch.body.append(contentsOf: body)
    return try digester.digestTile(&scratch, firstIndex: 0, wanted: 0..<256, path: "tile").leafHashes.count
  }

  /// Digests a get-entries answer.
  package func page(_ body: [UInt8]) throws -> Int {
    scratch.body.removeAll(keepingCapacity: true)
    scratch.body.append(contentsOf: body)
    var digest = BatchDigest()
    return try digester.digestPage(&scratch, 0..<256, into: &digest)
  }
}
