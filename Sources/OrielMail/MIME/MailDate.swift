/// A time as the `Date` field writes it, in UTC (RFC 5322, section 3.3): `Sat, 21 Nov 2026 08:32:06 +0000`.
///
/// Times before 1970 or after 9999 are moved to the nearest that can be written.
func mailDate(millisecondsSince1970 milliseconds: Int64) -> String {
  let seconds = min(max(milliseconds / 1000, 0), 253_402_300_799)
  let days = Int(seconds / 86_400)
  let (year, month, day) = civilDate(daysSince1970: days)
  let time = [seconds / 3600 % 24, seconds / 60 % 60, seconds % 60].map { $0 < 10 ? "0\($0)" : "\($0)" }
  let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][days % 7]
  let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
  return "\(weekday), \(day) \(months[month - 1]) \(year) \(time.joined(separator: ":")) +0000"
}

/// The Gregorian date. Years are counted from March on, so that the leap day comes last.
private func civilDate(daysSince1970 days: Int) -> (year: Int, month: Int, day: Int) {
  let shifted = days + 719_468  // since 0000-03-01
  let era = shifted / 146_097
  let dayOfEra = shifted % 146_097
  let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
  let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
  let marchMonth = (5 * dayOfYear + 2) / 153
  let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
  return (era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
}
