/// Watched names, by their labels from the right, in a form that is quick to ask and small to keep.
///
/// Each suffix of a watched name (`com`, `example.com`, …) is a node. A hash table of the suffixes answers the hot
/// question, whether a name might be watched, from one array; the nodes behind it answer exactly.
struct SuffixTrie: Sendable {
  /// A suffix of a watched name.
  struct Node: Sendable {
    let parent: UInt32
    /// Where the label is in `labels`.
    let labelStart: UInt32
    var firstChild = none
    let nextSibling: UInt32
    /// The item that is this name and all below it.
    var subtreeItem = none
    /// The item that is this name alone.
    var exactItem = none
    let labelLength: UInt8

    static let none = UInt32.max
  }

  /// What the low bits of a slot say about its suffix.
  enum Flag {
    static let subtree: UInt64 = 1
    static let exact: UInt64 = 2
    static let parent: UInt64 = 4
    static let mask: UInt64 = 7
  }

  /// The hash of a suffix, with flags in the low bits; 0 where the slot is free. Its place is found by the high bits and
  /// then onwards, and a third of the slots is free.
  private var slots: [UInt64]
  /// Four bits for each slot, by two more bits of the hash: whether there is any such suffix. It answers for most names
  /// that are not watched, and is small enough to stay in a near cache where `slots` does not.
  private var filter: [UInt64] = []
  /// The node of each slot; only the exact way looks there.
  private var slotNodes: [UInt32]
  private var shift: UInt64
  private(set) var nodes: [Node]
  /// The labels of all nodes, one after the other.
  private(set) var labels: [UInt8] = []
  /// The node of each item that is a name.
  private var itemNodes: [UInt32] = []

  /// The node of the empty suffix.
  static let root: UInt32 = 0

  init(_ items: [WatchedItem]) {
    // The filter's words are counted by the bits of the hash that `shift` leaves: from two words on, there are some.
    slots = Array(repeating: 0, count: 32)
    slotNodes = Array(repeating: Node.none, count: 32)
    shift = 59
    nodes = [Node(parent: Node.none, labelStart: 0, nextSibling: Node.none, labelLength: 0)]
    itemNodes = Array(repeating: Node.none, count: items.count)
    for (number, item) in items.enumerated() {
      let index = UInt32(truncatingIfNeeded: number)
      switch item {
      case .subtree(let name):
        let node = insert(name)
        itemNodes[number] = UInt32(truncatingIfNeeded: node)
        if nodes[node].subtreeItem == Node.none { nodes[node].subtreeItem = index }
      case .exact(let name):
        let node = insert(name)
        itemNodes[number] = UInt32(truncatingIfNeeded: node)
        if nodes[node].exactItem == Node.none { nodes[node].exactItem = index }
      default: break
      }
    }
    // Arrays grow to up to twice what they hold; these stay as they are from now on.
    nodes = nodes.map { $0 }
    labels = labels.map { $0 }
    setFlags()
  }

  var isEmpty: Bool { nodes.count == 1 }

  private mutating func insert(_ name: DomainName) -> Int {
    let text = name.ascii.utf8
    let bytes = text.span
    var node = SuffixTrie.root
    var hash = SuffixHash()
    var end = bytes.count
    while true {
      var start = end
      while start > 0, bytes[start - 1] != 0x2E { start -= 1 }
      let label = bytes.extracting(start..<end)
      hash.absorb(label)
      node = child(of: node, label: label, hash: hash) ?? append(label, to: node, hash: hash)
      if start == 0 { return Int(node) }
      end = start - 1
    }
  }

  private mutating func append(_ label: Span<UInt8>, to parent: UInt32, hash: SuffixHash) -> UInt32 {
    if nodes.count * 3 > slots.count * 2 { grow() }
    let node = UInt32(truncatingIfNeeded: nodes.count)
    nodes.append(
      Node(
        parent: parent, labelStart: UInt32(truncatingIfNeeded: labels.count),
        nextSibling: nodes[Int(parent)].firstChild, labelLength: UInt8(truncatingIfNeeded: label.count)))
    nodes[Int(parent)].firstChild = node
    for index in 0..<label.count { labels.append(label[index]) }
    put(hash.value, node)
    return node
  }

  private mutating func put(_ hash: UInt64, _ node: UInt32) {
    var slot = Int(truncatingIfNeeded: hash >> shift)
    while slotNodes[slot] != Node.none { slot = (slot + 1) & (slots.count - 1) }
    slots[slot] = hash
    slotNodes[slot] = node
  }

  private mutating func grow() {
    let (oldSlots, oldNodes) = (slots, slotNodes)
    slots = Array(repeating: 0, count: oldSlots.count * 2)
    slotNodes = Array(repeating: Node.none, count: oldSlots.count * 2)
    shift -= 1
    for (hash, node) in zip(oldSlots, oldNodes) where node != Node.none { put(hash, node) }
  }

  /// Writes into each slot what its node is. Where two suffixes have the same hash, both slots say what either is, so
  /// that the hot question may stop at the first.
  private mutating func setFlags() {
    filter = Array(repeating: 0, count: slots.count / 16)
    for own in slots.indices where slotNodes[own] != Node.none {
      let node = nodes[Int(slotNodes[own])]
      let flags =
        (node.subtreeItem != Node.none ? Flag.subtree : 0) | (node.exactItem != Node.none ? Flag.exact : 0)
        | (node.firstChild != Node.none ? Flag.parent : 0)
      let hash = slots[own] & ~Flag.mask
      filter[Int(truncatingIfNeeded: hash >> (shift + 4))] |= 1 &<< (hash >> (shift - 2))
      var slot = Int(truncatingIfNeeded: hash >> shift)
      while slotNodes[slot] != Node.none {
        if slots[slot] & ~Flag.mask == hash { slots[slot] |= flags }
        slot = (slot + 1) & (slots.count - 1)
      }
    }
  }
}

// MARK: - The hot question

extension SuffixTrie {
  /// Whether a name of regular bytes might be watched: false only if no item covers it.
  ///
  /// The name has no trailing full stop before `end`, and is not empty. Labels are hashed from the right until a suffix is unknown, mostly the second.
  @inline(__always)
  func mightContain(_ name: Span<UInt8>, endingAt end: Int) -> Bool {
    guard nodes.count > 1 else { return false }
    let slots = slots.span
    let filter = filter.span
    var hash = SuffixHash()
    var end = end
    while true {
      let label = hash.absorbLabel(of: name, endingAt: end)
      // A wildcard can be any of the labels below, of which there are some wherever this walk gets.
      if label.hasWildcard { return true }
      let word = filter[Int(truncatingIfNeeded: hash.value &>> (shift &+ 4))]
      let isKnown = word &>> (hash.value &>> (shift &- 2)) & 1
      let flags = isKnown == 0 ? 0 : flags(of: hash, in: slots)
      if flags == 0 { return false }
      if flags & Flag.subtree != 0 { return true }
      if label.start == 0 { return flags & Flag.exact != 0 }
      if flags & Flag.parent == 0 { return false }
      end = label.start - 1
    }
  }

  @inline(__always)
  private func flags(of hash: SuffixHash, in slots: Span<UInt64>) -> UInt64 {
    var slot = Int(truncatingIfNeeded: hash.value &>> shift)
    while slots[slot] != 0 {
      if slots[slot] & ~Flag.mask == hash.value { return slots[slot] & Flag.mask }
      slot = (slot &+ 1) & (slots.count &- 1)
    }
    return 0
  }

}

// MARK: - The exact way

extension SuffixTrie {
  /// The node that a label, in whatever case, leads to; `hash` is that of the suffix with the label.
  func child(of parent: UInt32, label: Span<UInt8>, hash: SuffixHash) -> UInt32? {
    var slot = Int(truncatingIfNeeded: hash.value >> shift)
    while slotNodes[slot] != Node.none {
      let node = slotNodes[slot]
      if slots[slot] & ~Flag.mask == hash.value, nodes[Int(node)].parent == parent, isLabel(label, of: node) {
        return node
      }
      slot = (slot + 1) & (slots.count - 1)
    }
    return nil
  }

  private func isLabel(_ label: Span<UInt8>, of node: UInt32) -> Bool {
    let own = labelRange(of: node)
    guard own.count == label.count else { return false }
    for index in 0..<label.count where labels[own.lowerBound + index] != lowercased(label[index]) { return false }
    return true
  }

  /// The item with this number, which must be a name: its labels from its node up.
  func item(_ number: Int) -> WatchedItem {
    var text = ""
    var node = itemNodes[number]
    let isExact = Int(nodes[Int(node)].exactItem) == number
    while node != SuffixTrie.root, node != Node.none {
      text += (text.isEmpty ? "" : ".") + String(decoding: labels[labelRange(of: node)], as: UTF8.self)
      node = nodes[Int(node)].parent
    }
    let name = DomainName(normalisedASCII: text)
    return isExact ? .exact(name) : .subtree(name)
  }

  /// Where the label of a node is in ``labels``.
  func labelRange(of node: UInt32) -> Range<Int> {
    let start = Int(nodes[Int(node)].labelStart)
    return start..<(start + Int(nodes[Int(node)].labelLength))
  }
}
