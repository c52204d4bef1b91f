/// Reads points in time that an earlier clock stored by the clock as it is now; all are milliseconds since 1970.
///
/// The clock of a machine may have been ahead when a time was stored (no battery, a virtual machine that was resumed) and
/// be right now. So a stored time delays nothing for longer than the policy behind it allows, counted from now.
package enum StoredTime {
  /// Whether what is due at a stored time is due now: its time has come, or lies further ahead than anybody could have
  /// set it by a clock that was right.
  package static func isDue(_ due: Int64, now: Int64, longest: Int64) -> Bool {
    let (wait, isOverflow) = due.subtractingReportingOverflow(now)
    return due <= now || isOverflow || wait > longest
  }

  /// Whether a span has passed since a stored time. One that is yet to come says nothing, and holds nothing up.
  package static func hasPassed(_ span: Int64, since time: Int64, now: Int64) -> Bool {
    let (elapsed, isOverflow) = now.subtractingReportingOverflow(time)
    return isOverflow || elapsed >= span || elapsed < 0
  }
}
