/// How many logs a lifetime asks for.
enum LifetimeRule {
  /// Two for up to 180 days, three for a second more.
  static func logs(forSeconds lifetime: Int64) -> Int { lifetime > 180 * 86_400 ? 3 : 2 }

  /// Two for less than 15 months, three up to 27, four up to 39, else five: full months of the calendar in UTC, as
  /// trustd counts them.
  static func logs(forFullMonthsOf validity: CertificateValidity) -> Int {
    let (start, end) = (date(validity.notBefore), date(validity.notAfter))
    let isShort = (end.day, end.second) < (start.day, start.second)
    return switch end.month - start.month - (isShort ? 1 : 0) {
    case ..<15: 2
    case ...27: 3
    case ...39: 4
    default: 5
    }
  }

  /// The same numbers as Chromium counted until 2022: by days alone, and a day more than 27 or 39 months is over them.
  static func logs(forStartedMonthsOf validity: CertificateValidity) -> Int {
    guard validity.notAfter >= validity.notBefore else { return 2 }
    let (start, end) = (date(validity.notBefore), date(validity.notAfter))
    let months = end.month - start.month - (end.day < start.day ? 1 : 0)
    let isPartial = end.day != start.day
    if months < 15 { return 2 }
    if months < 27 || (months == 27 && !isPartial) { return 3 }
    return months < 39 || (months == 39 && !isPartial) ? 4 : 5
  }

  /// Months since the year 0 (beginning in March), the day of the month, and the second of the day.
  private static func date(_ time: Int64) -> (month: Int64, day: Int64, second: Int64) {
    let second = ((time % 86_400) + 86_400) % 86_400
    let days = (time - second) / 86_400 + 719_468
    let era = (days >= 0 ? days : days - 146_096) / 146_097
    let dayOfEra = days - era * 146_097
    let year = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * year + year / 4 - year / 100)
    let month = (5 * dayOfYear + 2) / 153
    return ((era * 400 + year) * 12 + month, dayOfYear - (153 * month + 2) / 5, second)
  }
}
