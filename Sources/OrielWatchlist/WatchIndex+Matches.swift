public import CertificateTransparency
public import MerkleTree

extension WatchIndex {
  /// Every item that a certificate hits, each with every name that hits it.
  ///
  /// It takes any bytes for a name, and its work is bounded: of patterns that a certificate has in great numbers, the
  /// last ones are not compared, and the answer says so. The order is that of the names, those with wildcards after the
  /// others; items that are not about names come last.
  /// - Parameters:
  ///   - names: All names of the certificate, as they stand there.
  ///   - publicKey: SHA-256 of the certificate's SubjectPublicKeyInfo, if known.
  ///   - issuer: SHA-256 of the issuer's SubjectPublicKeyInfo, if known.
  public func matches(for names: [FoundName], publicKey: SHA256Hash?, issuer: SHA256Hash?) -> WatchMatches {
    var collector = MatchCollector(self)
    for name in names { collector.collect(name) }
    collector.collectPatterns()
    let others = [publicKey.flatMap { publicKeys[$0] }, issuer.flatMap { issuers[$0] }, everything]
    for item in others.compactMap({ $0 }) { collector.add(item, name: names.first.map(WatchIndex.text) ?? "") }
    return WatchMatches(all: collector.matches, isComplete: collector.isComplete)
  }

  /// Every item whose name or address stands somewhere in the bytes of a certificate that cannot be read.
  public func matches(inUnreadable bytes: Span<UInt8>) -> [WatchMatch] {
    var collector = MatchCollector(self)
    collector.search(bytes)
    if let everything { collector.add(everything, name: "") }
    return collector.matches
  }

  private static func text(of name: FoundName) -> String {
    NameReader(name).readings.first?.text ?? printable(name.bytes.lazy.map { Unicode.Scalar($0) })
  }
}

/// What a certificate matches.
public struct WatchMatches: Sendable {
  public let all: [WatchMatch]
  /// Whether every name was compared with every item.
  public let isComplete: Bool
}

/// Gathers matches, each once.
struct MatchCollector {
  private struct Key: Hashable {
    let item: Int
    let name: String
  }

  private let index: WatchIndex
  private(set) var matches: [WatchMatch] = []
  private(set) var isComplete = true
  private var seen: Set<Key> = []
  private var seenItems: Set<Int> = []
  /// Names with wildcards, each once; they come after the others, so that they leave them their share of the work.
  private var patterns: [(labels: [LabelPattern], name: String)] = []
  private var patternNames: Set<String> = []
  /// Nodes below which every item has been added for a wildcard.
  private var covered: Set<UInt32> = []
  /// How many bytes of labels wildcards may still be compared with: less than a second's work.
  private var budget = 1 << 28

  /// With so many matches, an item gets one name only.
  private static let mostNames = 1 << 14

  init(_ index: WatchIndex) { self.index = index }

  mutating func add(_ item: Int, name: String) {
    let isNew = seenItems.insert(item).inserted
    guard isNew || matches.count < MatchCollector.mostNames, seen.insert(Key(item: item, name: name)).inserted else {
      return
    }
    matches.append(WatchMatch(item: index.item(item), name: name))
  }

  mutating func collect(_ name: FoundName) {
    let reader = NameReader(name)
    for reading in reader.readings {
      switch reading {
      case .address(let address):
        for item in index.addresses.items(containing: address) { add(item, name: reading.text) }
      case .labels(let labels):
        if labels.allSatisfy({ $0.kind == .literal }) {
          collect(labels, name: reading.text)
        } else if patternNames.insert(reading.text).inserted {
          patterns.append((labels, reading.text))
        }
      }
    }
    if reader.isCutShort { search(name.bytes.span) }
  }

  /// Adds what names with wildcards match: the simplest first, which are what clients honour most.
  mutating func collectPatterns() {
    let ordered = patterns.enumerated().sorted { left, right in
      (left.element.labels.count { $0.kind == .glob }, left.offset)
        < (right.element.labels.count { $0.kind == .glob }, right.offset)
    }
    for (_, pattern) in ordered { collect(pattern.labels, name: pattern.name) }
    patterns = []
  }

  /// Follows a name into the watched ones, label by label from the right; wildcards go several ways at once.
  private mutating func collect(_ labels: [LabelPattern], name: String) {
    let trie = index.trie
    var places = [(node: SuffixTrie.root, hash: SuffixHash())]
    for (position, label) in labels.enumerated().reversed() {
      if position == 0, labels.count > 1, label.kind == .wildcard {
        for place in places { addAll(below: place.node, name: name) }
        return
      }
      guard let next = follow(label, from: places) else {
        isComplete = false
        return
      }
      if next.isEmpty { return }
      for place in next {
        let node = trie.nodes[Int(place.node)]
        if node.subtreeItem != SuffixTrie.Node.none { add(Int(node.subtreeItem), name: name) }
        if position == 0, node.exactItem != SuffixTrie.Node.none { add(Int(node.exactItem), name: name) }
      }
      places = next
    }
  }

  /// Where a label leads to from several places; nil if that takes more than the budget allows.
  private mutating func follow(
    _ label: LabelPattern, from places: [(node: UInt32, hash: SuffixHash)]
  ) -> [(node: UInt32, hash: SuffixHash)]? {
    let trie = index.trie
    var next: [(node: UInt32, hash: SuffixHash)] = []
    for place in places {
      if label.kind == .literal {
        for spelling in [label.text] + label.otherSpellings {
          var hash = place.hash
          hash.absorb(spelling.span)
          if let child = trie.child(of: place.node, label: spelling.span, hash: hash) { next.append((child, hash)) }
        }
        continue
      }
      var child = trie.nodes[Int(place.node)].firstChild
      while child != SuffixTrie.Node.none {
        let own = trie.labels.span.extracting(trie.labelRange(of: child))
        budget -= own.count * max(1, label.text.count) + 1
        guard budget > 0 else { return nil }
        if label.covers(own) {
          var hash = place.hash
          hash.absorb(own)
          next.append((child, hash))
        }
        child = trie.nodes[Int(child)].nextSibling
      }
    }
    return next
  }

  /// Adds every item below a node, however deep.
  private mutating func addAll(below top: UInt32, name: String) {
    guard covered.insert(top).inserted else { return }
    let nodes = index.trie.nodes
    var open = [nodes[Int(top)].firstChild]
    while let next = open.popLast() {
      guard next != SuffixTrie.Node.none else { continue }
      let node = nodes[Int(next)]
      for item in [node.subtreeItem, node.exactItem] where item != SuffixTrie.Node.none { add(Int(item), name: name) }
      open.append(node.nextSibling)
      open.append(node.firstChild)
    }
  }
}

// MARK: - Bytes without structure

extension MatchCollector {
  /// Searches runs of host name characters for watched names, and what looks like an `iPAddress` for watched addresses.
  ///
  /// A name may end anywhere in a run, since the tag of what follows it can look like a letter. It starts after a full
  /// stop or at the start of a run, where one byte more may be the length before the name.
  mutating func search(_ bytes: Span<UInt8>) {
    var start = 0
    while start < bytes.count {
      var end = start
      while end < bytes.count, isLabelByte(bytes[end]) || bytes[end] == 0x2E {
        end += 1
        if bytes[end - 1] != 0x2E { searchName(bytes, run: start..<end) }
      }
      if end < bytes.count, bytes[end] == 0x87 { searchAddress(bytes, at: end + 1) }
      start = end + 1
    }
  }

  /// Looks for watched names at the end of a run.
  private mutating func searchName(_ bytes: Span<UInt8>, run: Range<Int>) {
    let trie = index.trie
    var (node, hash, end) = (SuffixTrie.root, SuffixHash(), run.upperBound)
    while true {
      // One byte more than a label has shows that this is none.
      let window = max(run.lowerBound, end - 64)
      var next = hash
      let start = window + next.absorbLabel(of: bytes.extracting(window..<end), endingAt: end - window).start
      guard 1...64 ~= end - start else { return }
      if start == run.lowerBound, end - start > 1 {
        var shorter = hash
        let label = bytes.extracting((start + 1)..<end)
        shorter.absorb(label)
        if let child = trie.child(of: node, label: label, hash: shorter) {
          add(child, isWhole: true, name: bytes.extracting((start + 1)..<run.upperBound))
        }
      }
      guard let child = trie.child(of: node, label: bytes.extracting(start..<end), hash: next) else { return }
      add(child, isWhole: start - run.lowerBound <= 1, name: bytes.extracting(start..<run.upperBound))
      guard start > run.lowerBound else { return }
      (node, hash, end) = (child, next, start - 1)
    }
  }

  private mutating func add(_ node: UInt32, isWhole: Bool, name: Span<UInt8>) {
    let node = index.trie.nodes[Int(node)]
    let items = [node.subtreeItem, isWhole ? node.exactItem : SuffixTrie.Node.none]
    for item in items where item != SuffixTrie.Node.none {
      add(Int(item), name: String(decoding: name.array.map { lowercased($0) }, as: UTF8.self))
    }
  }

  private mutating func searchAddress(_ bytes: Span<UInt8>, at offset: Int) {
    guard offset < bytes.count, offset + 1 + Int(bytes[offset]) <= bytes.count else { return }
    let octets = bytes.extracting((offset + 1)..<(offset + 1 + Int(bytes[offset])))
    guard let address = IPAddress(octets: octets) else { return }
    for item in index.addresses.items(containing: address) { add(item, name: address.description) }
  }
}
