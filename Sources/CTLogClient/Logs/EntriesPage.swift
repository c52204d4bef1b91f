public import CertificateTransparency

/// The body of a get-entries response (RFC 6962, section 4.6), split into its entries.
///
/// Leaves are decoded, one after the other, into one buffer that is used again for the next page; the extra data of an
/// entry stays in the body until it is asked for.
public struct EntriesPage: Sendable {
  private struct Place {
    let leaf: Range<Int>
    let extra: Range<Int>
  }

  /// Every `leaf_input`, each with a zero byte before it. Only what ``leafRange(_:)`` tells has a meaning.
  public private(set) var leaves: [UInt8] = []
  private var places: [Place] = []

  public init() {}

  /// The number of entries.
  public var count: Int { places.count }

  /// Where the `MerkleTreeLeaf` of an entry stands in ``leaves``.
  public func leafRange(_ index: Int) -> Range<Int> { places[index].leaf }

  /// What the leaf's hash is over: the leaf, and the zero byte before it (RFC 6962, section 2.1).
  public func hashedRange(_ index: Int) -> Range<Int> {
    let leaf = places[index].leaf
    return (leaf.lowerBound - 1)..<leaf.upperBound
  }

  /// Where the text of an entry's `extra_data` stands in the body.
  public func extraDataRange(_ index: Int) -> Range<Int> { places[index].extra }

  /// Decodes the `extra_data` of an entry.
  ///
  /// - Parameter body: what was scanned.
  /// - Throws: a `FormatError` if it is not base64.
  public func extraData(at index: Int, in body: Span<UInt8>) throws(FormatError) -> [UInt8] {
    let text = places[index].extra
    guard text.upperBound <= body.count else {
      throw FormatError("extra_data", at: text.lowerBound, "not the body that was scanned")
    }
    if let bytes = Base64.decode(body.extracting(text)) { return bytes }
    if let plain = JSONScanner.unescape(text, body), let bytes = Base64.decode(plain.span) { return bytes }
    throw FormatError("extra_data", at: text.lowerBound, "not base64")
  }

  /// Reads a body, and forgets the one before. Members that RFC 6962 does not name are passed over.
  ///
  /// - Parameter maximumEntries: how many were asked for.
  /// - Throws: a `FormatError`, with no entries left here, if the body is no JSON or not of this form, a leaf is not
  ///   base64, or there are no entries or more than were asked for. Of `extra_data` no more is seen than where it ends.
  public mutating func scan(_ body: Span<UInt8>, maximumEntries: Int) throws(FormatError) {
    places.removeAll(keepingCapacity: true)
    do throws(FormatError) {
      try read(body, maximumEntries)
    } catch {
      places.removeAll(keepingCapacity: true)
      throw error
    }
  }

  private mutating func read(_ body: Span<UInt8>, _ maximumEntries: Int) throws(FormatError) {
    var scanner = JSONScanner("get-entries")
    var isFound = false
    try scanner.expect("{", body)
    if !scanner.skip("}", body) {
      repeat {
        let key = try scanner.key(body)
        guard scanner.matches(key, "entries", body) else {
          try scanner.skipValue(body)
          continue
        }
        guard !isFound else { throw scanner.error("a second `entries`", at: key.lowerBound) }
        isFound = true
        try readEntries(&scanner, body, maximumEntries)
      } while try scanner.more(before: "}", body)
    }
    scanner.skipSpace(body)
    guard scanner.offset == body.count else {
      throw scanner.error("\(body.count - scanner.offset) bytes follow the end")
    }
    guard isFound else { throw scanner.error("no `entries`") }
  }

  private mutating func readEntries(
    _ scanner: inout JSONScanner, _ body: Span<UInt8>, _ maximumEntries: Int
  ) throws(FormatError) {
    try scanner.expect("[", body)
    guard !scanner.skip("]", body) else { throw scanner.error("no entries") }
    let tables = Base64Tables.shared
    var end = 0
    repeat {
      guard places.count < maximumEntries else {
        throw scanner.error("more than the \(maximumEntries) entries asked for")
      }
      let start = scanner.offset
      let (leaf, extra) = try EntriesPage.entry(&scanner, body)
      guard let leaf, let extra else {
        throw scanner.error("an entry without `\(leaf == nil ? "leaf_input" : "extra_data")`", at: start)
      }
      let place = end + 1
      end = try decode(leaf, body, tables, to: place)
      places.append(Place(leaf: place..<end, extra: extra))
    } while try scanner.more(before: "]", body)
  }

  /// The texts of an entry's two strings.
  private static func entry(
    _ scanner: inout JSONScanner, _ body: Span<UInt8>
  ) throws(FormatError) -> (leaf: Range<Int>?, extra: Range<Int>?) {
    var (leaf, extra): (Range<Int>?, Range<Int>?) = (nil, nil)
    try scanner.expect("{", body)
    guard !scanner.skip("}", body) else { return (nil, nil) }
    repeat {
      let key = try scanner.key(body)
      if scanner.matches(key, "leaf_input", body) {
        guard leaf == nil else { throw scanner.error("a second `leaf_input`", at: key.lowerBound) }
        leaf = try scanner.string(body)
      } else if scanner.matches(key, "extra_data", body) {
        guard extra == nil else { throw scanner.error("a second `extra_data`", at: key.lowerBound) }
        extra = try scanner.string(body)
      } else {
        try scanner.skipValue(body)
      }
    } while try scanner.more(before: "}", body)
    return (leaf, extra)
  }

  /// Decodes a leaf to `place` in ``leaves``, with a zero before it.
  ///
  /// - Returns: where it ends.
  private mutating func decode(
    _ text: Range<Int>, _ body: Span<UInt8>, _ tables: Base64Tables, to place: Int
  ) throws(FormatError) -> Int {
    let needed = place + Base64Tables.room(for: text.count)
    if leaves.count < needed {
      // Doubling, and never shrinking: after the first pages nothing is allocated.
      leaves.append(contentsOf: repeatElement(0, count: max(needed - leaves.count, leaves.count)))
    }
    leaves[place - 1] = 0
    if let end = tables.decode(body, text, into: &leaves, at: place) { return end }
    if let plain = JSONScanner.unescape(text, body),
      let end = tables.decode(plain.span, 0..<plain.count, into: &leaves, at: place)
    {
      return end
    }
    throw FormatError("get-entries", at: text.lowerBound, "the leaf_input is not base64")
  }
}
