/// A tile of a tree (C2SP tlog-tiles; static-ct-api, "Merkle Tree"): which level, which one, how much of it.
public struct TileCoordinate: Hashable, Sendable, CustomStringConvertible {
  /// What the tile holds.
  public enum Kind: Hashable, Sendable {
    /// Hashes of the tree: entry i of tile n at level l is the root of the subtree of 256^l leaves with number 256 n + i.
    case hashes(level: Int)
    /// The entries themselves.
    case data
    /// The names in the entries (an extension of some logs).
    case names
  }

  /// Hashes or entries in a full tile.
  public static let fullWidth = 256

  /// The levels that static-ct-api allows.
  public static let hashLevels = 0...5

  public let kind: Kind
  public let index: UInt64
  /// 1...256.
  public let width: Int

  /// Nil if no tree can have such a tile.
  public init?(_ kind: Kind, index: UInt64, width: Int = TileCoordinate.fullWidth) {
    if case .hashes(let level) = kind, !TileCoordinate.hashLevels.contains(level) { return nil }
    guard index <= Frontier.maximumSize >> 8, (1...TileCoordinate.fullWidth).contains(width) else { return nil }
    self.kind = kind
    self.index = index
    self.width = width
  }

  /// The tile with this number in a tree of `treeSize` leaves, as wide as it is there; nil if the tree has none.
  public init?(_ kind: Kind, index: UInt64, treeSize: UInt64) {
    let count = TileCoordinate.count(kind, treeSize: treeSize)
    guard index <= count >> 8 else { return nil }
    self.init(kind, index: index, width: Int(min(256, count - index << 8)))
  }

  /// The hash tile with this number in a tree of `treeSize` leaves; nil if the tree has none.
  public init?(level: Int, index: UInt64, treeSize: UInt64) {
    self.init(.hashes(level: level), index: index, treeSize: treeSize)
  }

  /// The data tile with this number in a tree of `treeSize` leaves; nil if the tree has none.
  public init?(data index: UInt64, treeSize: UInt64) { self.init(.data, index: index, treeSize: treeSize) }

  /// All tiles of a kind in a tree of `treeSize` leaves, left to right; only the last can be partial.
  public static func tiles(_ kind: Kind, treeSize: UInt64) -> some Sequence<TileCoordinate> {
    (0...(count(kind, treeSize: treeSize) >> 8)).lazy.compactMap { index in
      TileCoordinate(kind, index: index, treeSize: treeSize)
    }
  }

  /// The hashes or entries in all tiles of a kind.
  private static func count(_ kind: Kind, treeSize: UInt64) -> UInt64 {
    guard case .hashes(let level) = kind else { return treeSize }
    return hashLevels.contains(level) ? treeSize >> UInt64(8 * level) : 0
  }

  /// The level of a hash tile; 0 for entries, which lie side by side with level 0.
  public var level: Int {
    if case .hashes(let level) = kind { level } else { 0 }
  }

  public var isFull: Bool { width == TileCoordinate.fullWidth }

  /// The full tile in the same place.
  public var full: TileCoordinate { TileCoordinate(kind, index: index) ?? self }
}

extension TileCoordinate {
  /// The path below a log's monitoring prefix: `tile/0/x001/x234/067.p/8`.
  public var path: String {
    let place =
      switch kind {
      case .hashes(let level): "\(level)"
      case .data: "data"
      case .names: "names"
      }
    var groups: [String] = []
    var rest = index
    repeat {
      let digits = String(rest % 1000)
      let padded = String(repeating: "0", count: 3 - digits.count) + digits
      groups.append(groups.isEmpty ? padded : "x" + padded)
      rest /= 1000
    } while rest > 0
    return "tile/\(place)/" + groups.reversed().joined(separator: "/") + (isFull ? "" : ".p/\(width)")
  }

  public var description: String { path }

  /// Reads a path; nil if it is not exactly what ``path`` gives for some tile.
  public init?(path: String) {
    // The longest has six groups of digits: far below this.
    guard path.utf8.count <= 64 else { return nil }
    var parts = path.split(separator: "/", omittingEmptySubsequences: false)[...]
    guard parts.popFirst() == "tile", let place = parts.popFirst() else { return nil }
    var width = TileCoordinate.fullWidth
    if let last = parts.dropLast().last, last.hasSuffix(".p") {
      guard let partial = Int(parts.removeLast()) else { return nil }
      width = partial
      parts[parts.endIndex - 1] = last.dropLast(2)
    }
    guard let kind = Kind(place: place), (1...6).contains(parts.count) else { return nil }
    var index: UInt64 = 0
    for part in parts {
      guard let group = UInt64(part.drop { $0 == "x" }), group < 1000 else { return nil }
      index = index * 1000 + group
    }
    self.init(kind, index: index, width: width)
    // Leading zeros, signs, missing or needless prefixes: whatever does not read back is no path.
    guard self.path.utf8.elementsEqual(path.utf8) else { return nil }
  }
}

extension TileCoordinate.Kind {
  fileprivate init?(place: Substring) {
    switch place {
    case "data": self = .data
    case "names": self = .names
    default:
      guard let level = Int(place) else { return nil }
      self = .hashes(level: level)
    }
  }
}
