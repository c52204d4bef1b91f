/// A way in which a log, or the way to it, goes wrong.
package enum Fault: Sendable {
  /// Refuses; `retryAfter` is the header's text.
  case status(Int, retryAfter: String? = nil)
  /// Well-formed HTTP with only the first bytes of the body.
  case truncatedBody(to: Int)
  /// So many zero bytes after the body.
  case oversizedBody(by: Int)
  /// A content-length that is not that of the body.
  case claimedLength(Int)
  case wrongContent([UInt8], type: String = "text/html")
  case slowDrip(byteCount: Int, every: Duration)
  case cut(after: Int)
  case silence
  /// Flips a bit of the body, counted from its first byte's highest; before it is compressed.
  case flippedBit(Int)

  /// At most so many entries for a range.
  case shortRanges(Int)
  /// Entries up to the end of the block of so many that the range starts in.
  case alignedRanges(Int)
  /// Refuses ranges of more than so many entries.
  case refusedRanges(above: Int, status: Int)
  /// A range that starts so many entries late, or early.
  case shiftedRanges(by: Int)
  /// One bit of an entry's certificate is wrong, in data tiles and get-entries alike; the tree is right.
  case flippedLeaf(Int)

  case badHeadSignature
  /// A head of an earlier size, signed after the true one.
  case shrinkingHead(to: Int)
  /// A head with the size of the true one and another root, well signed.
  case forkedHead
  /// Another tree, well signed, that agrees with the true one only up to this entry.
  case fork(at: Int)
  /// The true head, signed at a time that is earlier by so much.
  case timeBackwards(milliseconds: UInt64)
  /// The head that was served when the fault was set.
  case frozenHead

  /// When a fault strikes, among the requests that it concerns.
  package enum Occurrence: Hashable, Sendable {
    case always
    /// The first so many times.
    case times(Int)
    /// The nth time and from then on, counted from 1.
    case from(Int)

    func includes(_ count: Int) -> Bool {
      switch self {
      case .always: true
      case .times(let limit): count <= limit
      case .from(let first): count >= first
      }
    }
  }

  /// Whether a request is of the kind that the fault is about.
  func concerns(_ target: String) -> Bool {
    switch self {
    case .badHeadSignature, .shrinkingHead, .forkedHead, .timeBackwards, .frozenHead:
      target == "checkpoint" || target == "ct/v1/get-sth"
    case .shortRanges, .alignedRanges, .refusedRanges, .shiftedRanges: target.hasPrefix("ct/v1/get-entries")
    default: true
    }
  }

  /// What becomes of a true response on its way.
  func spoil(_ response: TestResponse) -> TestResponse {
    var response = response
    switch self {
    case .status(let status, let retryAfter):
      response = TestResponse(status: status, "no\n")
      if let retryAfter { response.headers.append(("retry-after", retryAfter)) }
    case .truncatedBody(let count): response.bytes = Array(response.bytes.prefix(count))
    case .oversizedBody(let count): response.bytes += [UInt8](repeating: 0, count: count)
    case .claimedLength(let count): response.contentLength = .claimed(count)
    case .wrongContent(let bytes, let type): response = TestResponse(type: type, bytes)
    case .slowDrip(let count, let pause): response.delivery = .drip(byteCount: count, every: pause)
    case .cut(let count): response.delivery = .cut(after: count)
    case .silence: response.delivery = .never
    case .flippedBit(let bit):
      var bytes = response.bytes
      if bytes.indices.contains(bit / 8) { bytes[bit / 8] ^= 0x80 >> UInt8(bit % 8) }
      response.bytes = bytes
    default: break
    }
    return response
  }
}
