import MerkleTree

/// Submissions that wait for the next batch.
struct Pool {
  typealias Answer = @Sendable (Result<LogPlace, any Error>) -> Void

  struct Item {
    let entry: PendingEntry
    /// The same certificate may be submitted several times at once: it is logged once.
    var answers: [Answer]

    func answer(_ result: Result<LogPlace, any Error>) { for answer in answers { answer(result) } }
  }

  private(set) var items: [Item] = []
  private var positions: [SHA256Hash: Int] = [:]
  /// Where items of low priority are.
  private var low: [Int] = []

  let limit: Int
  private var byteCount = 0

  /// However few the entries are, they take up no more.
  private static let byteLimit = 64 << 20
  /// Seconds. Long enough that those who obey it do not add to the load.
  private static let retryAfter = 10

  init(limit: Int) { self.limit = limit }

  /// Adds an entry. Where the pool is full, one of low priority gives way, and gets to know.
  mutating func add(_ entry: PendingEntry, _ answer: @escaping Answer) {
    if let position = positions[entry.key] { return items[position].answers.append(answer) }
    let item = Item(entry: entry, answers: [answer])
    let bytes = byteCount + entry.byteCount
    if items.count < limit, bytes <= Pool.byteLimit { return put(item, at: items.count) }
    guard !entry.isLowPriority, let position = low.last,
      bytes - items[position].entry.byteCount <= Pool.byteLimit
    else { return answer(.failure(Rejection.overloaded(retryAfter: Pool.retryAfter))) }
    low.removeLast()
    let evicted = items[position]
    positions[evicted.entry.key] = nil
    byteCount -= evicted.entry.byteCount
    put(item, at: position)
    evicted.answer(.failure(Rejection.overloaded(retryAfter: Pool.retryAfter)))
  }

  private mutating func put(_ item: Item, at position: Int) {
    if position == items.count { items.append(item) } else { items[position] = item }
    positions[item.entry.key] = position
    byteCount += item.entry.byteCount
    if item.entry.isLowPriority { low.append(position) }
  }

  /// Takes everything out.
  mutating func close() -> [Item] {
    defer { self = Pool(limit: limit) }
    return items
  }
}
