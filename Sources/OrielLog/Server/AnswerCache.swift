import HTTPTypes
import NIOCore
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Answers that never change, ready to be sent: the readers of a log all want its newest tiles.
///
/// Each is made anew now and then, so that a damaged file that was put right is not served damaged for ever.
final class AnswerCache: Sendable {
  /// What an answer depends on.
  struct Key: Hashable {
    let path: String
    let acceptsGzip: Bool
  }

  struct Item: Sendable {
    var head: HTTPResponse
    let body: ByteBuffer
    /// Of the log whose answer it is.
    let metrics: Metrics
    let expiry: NIODeadline
    /// Whether the body is in the cache, too.
    let isKept: Bool
  }

  /// Two generations: what has not been asked for while one was filled is dropped.
  private struct State {
    var new: [Key: Item] = [:]
    var old: [Key: Item] = [:]
    var newByteCount = 0
    /// What was asked for lately, and is not kept.
    var seen: Set<Key> = []
    var buffers: [ByteBuffer] = []
    var date = (second: time_t.min, text: "")

    mutating func find(_ key: Key, _ limit: Int) -> Item? {
      if let item = new[key] { return item }
      guard let item = old[key] else { return nil }
      add(item, key, limit)
      return item
    }

    mutating func add(_ item: Item, _ key: Key, _ limit: Int) {
      if newByteCount + item.byteCount > limit / 2 { (old, new, newByteCount) = (new, [:], 0) }
      old[key] = nil
      newByteCount += item.byteCount - (new.updateValue(item, forKey: key)?.byteCount ?? 0)
    }

    /// Whether this is not the first time of late that somebody asks for it: one who reads a log from end to end asks for
    /// each tile once.
    mutating func isWanted(_ key: Key) -> Bool {
      if seen.remove(key) != nil { return true }
      if seen.count >= AnswerCache.seenCount { seen = [] }
      seen.insert(key)
      return false
    }
  }

  private let state = Mutex(State())
  private let limit: Int
  private let lifetime: TimeAmount

  private static let seenCount = 256
  private static let bufferCount = 8

  /// - Parameters:
  ///   - limit: the most bytes that are kept.
  ///   - lifetime: how long an answer is kept.
  init(limit: Int, lifetime: TimeAmount) { (self.limit, self.lifetime) = (limit, lifetime) }

  func find(_ key: Key, at now: NIODeadline = .now()) -> Item? {
    guard var item = state.withLock({ $0.find(key, limit) }), now < item.expiry else { return nil }
    item.head.headerFields[.date] = date()
    return item
  }

  /// Keeps an answer that never changes if it is asked for again and again; gives it as it is to be sent.
  func admit(_ answer: Answer, _ key: Key, _ metrics: Metrics, at now: NIODeadline = .now()) -> Item {
    // A few large ones would leave no room for the others.
    let isWanted = answer.body.readableBytes <= limit / 16 && state.withLock { $0.isWanted(key) }
    // A copy: what others may write to is not kept.
    let body = isWanted ? ByteBuffer(bytes: answer.body.readableBytesView) : answer.body
    var item = Item(
      head: HTTPResponse(status: answer.status, headerFields: answer.fields), body: body, metrics: metrics,
      expiry: now + lifetime, isKept: isWanted)
    if isWanted { state.withLock { $0.add(item, key, limit) } }
    item.head.headerFields[.date] = date()
    return item
  }

  /// The number of bytes that are kept.
  var byteCount: Int {
    state.withLock { state in state.newByteCount + state.old.values.reduce(0) { $0 + $1.byteCount } }
  }

  // MARK: - Buffers

  /// A buffer to read a file into: one that was used before, so that no memory has to be made for each.
  func takeBuffer() -> ByteBuffer { state.withLock { $0.buffers.popLast() } ?? ByteBuffer() }

  func giveBack(_ buffer: ByteBuffer) {
    state.withLock { state in
      if state.buffers.count < AnswerCache.bufferCount { state.buffers.append(buffer) }
    }
  }

  // MARK: - Dates

  private func date() -> String {
    let second = time(nil)
    return state.withLock { state in
      if state.date.second != second { state.date = (second, AnswerCache.text(second)) }
      return state.date.text
    }
  }

  /// As HTTP has dates (RFC 9110, section 5.6.7).
  static func text(_ second: time_t) -> String {
    var (second, parts) = (second, tm())
    gmtime_r(&second, &parts)
    let day = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][Int(parts.tm_wday)]
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let clock = [parts.tm_hour, parts.tm_min, parts.tm_sec].map(two).joined(separator: ":")
    return "\(day), \(two(parts.tm_mday)) \(months[Int(parts.tm_mon)]) \(parts.tm_year + 1900) \(clock) GMT"
  }
}

extension AnswerCache.Item {
  /// With what it takes beside its body.
  fileprivate var byteCount: Int { body.readableBytes + 1024 }
}

extension AnswerCache.Key {
  /// - Returns: nil for a request that asks for more than the bytes at a path.
  init?(_ request: HTTPRequest) {
    let fields = request.headerFields
    guard request.method == .get, let path = request.path, fields[.ifNoneMatch] == nil, fields[.contentLength] == nil,
      fields[.transferEncoding] == nil, fields[.connection].map({ $0.lowercased() == "keep-alive" }) ?? true
    else { return nil }
    self.init(path: path, acceptsGzip: StaticFace.acceptsGzip(fields[.acceptEncoding]))
  }
}
