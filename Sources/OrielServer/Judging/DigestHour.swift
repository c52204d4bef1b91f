import OrielStore

/// When digests go out: each day at one hour (UTC), and on Mondays what comes once a week.
struct DigestHour: Hashable, Sendable {
  private static let hour: Int64 = 3_600_000
  private static let day: Int64 = 24 * hour
  private static let week: Int64 = 7 * day
  /// 1970-01-05 was a Monday.
  private static let monday: Int64 = 4 * day

  let hour: Int

  /// The next time after `now`; both in milliseconds since 1970.
  func next(_ kind: HeldAlert.Kind, after now: Int64) -> Int64 {
    let offset = Int64(hour) * DigestHour.hour
    let (period, start) =
      kind == .weekly ? (DigestHour.week, DigestHour.monday + offset) : (DigestHour.day, offset)
    let elapsed = now - start
    let whole = elapsed >= 0 ? elapsed / period : (elapsed - period + 1) / period
    return start + (whole + 1) * period
  }
}
