import Foundation

/// What costs most to read, to escape or to show, of what people and machines send: single characters, and pieces that
/// mean something to a reader of names, forms, JSON or PEM.
public let costlyPieces = [
  "A", "\"", "<", "\\", "%41", "+", " ", "\r\n", ",", "=", "-", ".", "*", "@", "[", "{", "\u{0}", "\u{202e}", "\u{301}",
  "\u{1F1E6}", "\u{1F468}\u{200D}", "\u{FDFA}", "ß", "xn--a.", "-----BEGIN A-----\n", "-----BEGIN CERTIFICATE-----",
]

extension String {
  /// As much of a piece, over and over, as makes so many bytes.
  public init(repeating piece: String, bytes: Int) {
    self.init(repeating: piece, count: bytes / piece.utf8.count)
  }
}

/// How many times as much processor time of its thread some work takes for an input twice as large: about 2 for linear
/// work, and 4 for quadratic work. It is the ratio of medians of nine runs, or of single ones where that is small. What a
/// busy machine adds is not there every time: of three rounds the smallest ratio counts.
///
/// - Parameters:
///   - size: that of the larger input, of which `input` makes one, in a campaign; else it is a quarter of that, where
///     quadratic work is seen as well.
///   - worthwhile: in seconds; what takes less than this has no answer but 0, as memory that is new costs more than it.
public func growth<Input>(
  to size: Int, worthwhile: Double = 0.02, input: (Int) -> Input, _ work: (Input) throws -> Void
) rethrows -> Double {
  let size = isCampaign ? size : size / 4
  let (half, whole) = (input(size / 2), input(size))
  var (halves, wholes) = ([try threadTime { try work(half) }], [try threadTime { try work(whole) }])
  guard wholes[0] >= worthwhile else { return 0 }
  var ratio = wholes[0] / max(halves[0], 1e-7)
  // More runs are for what looks like too much.
  for _ in 0..<3 where ratio >= 2.5 {
    (halves, wholes) = ([], [])
    for _ in 0..<9 {
      halves.append(try threadTime { try work(half) })
      wholes.append(try threadTime { try work(whole) })
    }
    ratio = min(ratio, wholes.sorted()[4] / max(halves.sorted()[4], 1e-7))
  }
  return ratio
}

/// The growth of work on a piece, over and over.
public func growth(of piece: String, to size: Int = 1 << 15, _ work: (String) throws -> Void) rethrows -> Double {
  try growth(to: size, input: { String(repeating: piece, bytes: $0) }, work)
}

/// Whether tests have hours (`make soak`) and not minutes.
public let isCampaign = ProcessInfo.processInfo.environment["ORIEL_SOAK"] != nil

/// The processor time that this thread takes for something, in seconds.
private func threadTime(of work: () throws -> Void) rethrows -> Double {
  func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
  let start = now()
  try work()
  return now() - start
}
