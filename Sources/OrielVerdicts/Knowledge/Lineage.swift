/// When a certificate is valid, in seconds since 1970. Never empty, and never so long that arithmetic on it could trap.
struct ValiditySpan: Hashable, Sendable {
  let start: Int64
  let end: Int64

  init?(_ notBefore: Int64?, _ notAfter: Int64?) {
    let sane: Range<Int64> = -(1 << 40)..<(1 << 40)
    guard let notBefore, let notAfter, notBefore < notAfter, sane.contains(notBefore), sane.contains(notAfter)
    else { return nil }
    start = notBefore
    end = notAfter
  }

  var length: Int64 { end - start }

  /// How much of the time between start and end is over at `time`.
  func elapsed(at time: Int64) -> Double { Double(time - start) / Double(length) }
}

/// The certificates of one CA for one set of names, each in the place of an earlier one.
///
/// Several hosts may each keep a certificate for the same names, so there can be several that wait for a successor. Each
/// has one: two renewals where one was due are one too many, whichever of them came first.
struct Lineage: Sendable {
  /// How a certificate fits in, by its time alone.
  enum Fit: Hashable, Sendable {
    /// It renews one that was due.
    case due(previous: ValiditySpan)
    /// The one that was due had been renewed already.
    case renewedAlready(at: Int64)
    case notDue
  }

  private static let day: Int64 = 86_400
  /// A certificate that ran out this long ago is no longer waited for.
  static let grace = 30 * day
  /// Renewals are looked for in the later half of a certificate's life, if nothing is known of the owner's habits.
  private static let earliestByDefault = 0.5
  /// How much earlier than ever before a renewal may come, as a part of the certificate's life.
  private static let tolerance = 0.15
  private static let maximumWaiting = 64

  /// Without a successor so far, oldest first.
  private(set) var waiting: [ValiditySpan] = []
  private(set) var count = 0
  private(set) var longest: Int64 = 0
  private(set) var latest: ValiditySpan?
  private var lastRenewal: (old: ValiditySpan, at: Int64)?
  /// The earliest part of a life at which one was renewed, and how many were.
  private var earliestSeen = 1.0
  private var renewals = 0

  /// Certificates are added in the order of their start.
  mutating func add(_ span: ValiditySpan) {
    waiting.removeAll { !Lineage.isWaited(for: $0, at: span.start) }
    if let index = waiting.firstIndex(where: { isDue($0, at: span.start) }) {
      let old = waiting.remove(at: index)
      lastRenewal = (old, span.start)
      earliestSeen = min(earliestSeen, old.elapsed(at: span.start))
      renewals += 1
    }
    if waiting.count == Lineage.maximumWaiting { waiting.removeFirst() }
    waiting.append(span)
    count += 1
    longest = max(longest, span.length)
    latest = span
  }

  func fit(_ span: ValiditySpan) -> Fit {
    if let old = waiting.first(where: { isDue($0, at: span.start) }) { return .due(previous: old) }
    if let lastRenewal, span.start <= lastRenewal.old.end, isDue(lastRenewal.old, at: span.start) {
      return .renewedAlready(at: lastRenewal.at)
    }
    return .notDue
  }

  /// CAs round lifetimes, and shorten them over the years; they do not prolong them.
  func isUnusuallyLong(_ span: ValiditySpan) -> Bool { span.length > longest + longest / 10 + Lineage.day }

  static func isWaited(for span: ValiditySpan, at time: Int64) -> Bool { time <= span.end + grace }

  private func isDue(_ span: ValiditySpan, at time: Int64) -> Bool {
    // Two renewals make a habit; one may have been a whim.
    let earliest =
      renewals >= 2
      ? max(Lineage.earliestByDefault, earliestSeen - Lineage.tolerance) : Lineage.earliestByDefault
    return Lineage.isWaited(for: span, at: time) && span.elapsed(at: time) >= earliest
  }
}
