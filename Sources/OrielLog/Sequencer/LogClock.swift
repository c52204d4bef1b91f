package import CertificateTransparency
import Foundation

/// The time that a log goes by.
package struct LogClock: Sendable {
  /// The time of day.
  package let now: @Sendable () -> Timestamp
  /// Milliseconds since some moment, at a pace that nobody sets.
  package let steady: @Sendable () -> Int64

  package init(now: @escaping @Sendable () -> Timestamp, steady: @escaping @Sendable () -> Int64) {
    self.now = now
    self.steady = steady
  }
}

extension LogClock {
  /// The clocks of the machine.
  package static let system = {
    let start = ContinuousClock.now
    return LogClock(
      now: { Timestamp(milliseconds: UInt64(max(0, Date().timeIntervalSince1970) * 1000)) },
      steady: { Int64((ContinuousClock.now - start) / .milliseconds(1)) })
  }()
}

/// Watches that the time of day keeps pace with the steady clock.
struct ClockWatch: Sendable {
  private let clock: LogClock
  private let difference: Int64

  /// Milliseconds; a step beyond is a person's or a machine's mistake, not the work of a time service.
  private static let tolerance: Int64 = 10_000

  init(_ clock: LogClock) {
    self.clock = clock
    difference = ClockWatch.difference(clock)
  }

  private static func difference(_ clock: LogClock) -> Int64 {
    Int64(clamping: clock.now().milliseconds).subtractingReportingOverflow(clock.steady()).partialValue
  }

  /// The time of day, which is after `last`.
  ///
  /// - Throws: ``LogError`` if the clock was moved: what is signed now could not be taken back.
  func time(after last: Timestamp) throws(LogError) -> Timestamp {
    let step = ClockWatch.difference(clock).subtractingReportingOverflow(difference).partialValue
    guard step.magnitude <= ClockWatch.tolerance else { throw .clockStepped(bySeconds: step / 1000) }
    let now = clock.now()
    guard now > last else { throw .clockBehind(now: now, last: last) }
    return now
  }
}
