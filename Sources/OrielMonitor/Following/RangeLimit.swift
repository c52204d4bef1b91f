/// How many entries an RFC 6962 log can be asked for at once.
///
/// Logs that give fewer than they were asked for do no harm: one goes on where the answer ended, which may be at the end
/// of a block of the log's own. Others refuse what is too much for them. What they bear is found by halving, and now and
/// then twice as much is tried: it depends on the size of entries, and a log that is down refuses everything.
struct RangeLimit {
  /// No more entries are asked for at once; most logs give fewer.
  static let largest: UInt64 = 256

  /// A power of two, so that ranges that are aligned to it are aligned to smaller ones.
  private(set) var count = RangeLimit.largest
  /// Where the range begins that is twice as long, until it is known what came of it.
  private var trial: UInt64?
  private var answers = 0
  /// So many answers call for a trial; more after each trial that was refused.
  private var answersBeforeTrial = RangeLimit.fewestAnswersBeforeTrial
  private static let (fewestAnswersBeforeTrial, mostAnswersBeforeTrial) = (4, 4096)

  /// The most entries of a request, part of a range that was planned.
  var most: UInt64 { trial == nil ? count : count * 2 }

  /// The next range to read, aligned to multiples of its length, so that caches in front of the log are of use to everybody.
  mutating func plan(from position: UInt64, to size: UInt64) -> Range<UInt64> {
    func range(_ count: UInt64) -> Range<UInt64> { position..<min(size, (position / count + 1) * count) }
    // What was planned last came to nothing, and is planned again.
    if let start = trial, position <= start { trial = nil }
    guard trial == nil, count < RangeLimit.largest, answers >= answersBeforeTrial else { return range(count) }
    let longer = range(count * 2)
    if UInt64(longer.count) > count { trial = position }
    return longer
  }

  /// A request for so many entries was answered.
  mutating func answered(_ asked: UInt64) {
    if trial != nil, asked > count {
      (count, answers, trial) = (count * 2, 0, nil)
      // What was refused before was not for its length: a log with a limit never answers beyond it.
      answersBeforeTrial = RangeLimit.fewestAnswersBeforeTrial
    } else if asked == count {
      answers += 1
    }
  }

  /// A request for so many entries was refused, perhaps because they are too many.
  mutating func refused(_ asked: UInt64) {
    guard asked <= count else {
      // Others may have been planned before the limit fell.
      guard trial != nil, asked <= count * 2 else { return }
      answersBeforeTrial = min(answersBeforeTrial * 2, RangeLimit.mostAnswersBeforeTrial)
      (answers, trial) = (0, nil)
      return
    }
    (answers, trial) = (0, nil)
    let half = max(1, asked / 2)
    count = 1 << UInt64(63 - half.leadingZeroBitCount)
  }
}
