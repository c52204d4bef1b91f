import CertificateTransparency
import MerkleTree
import OrielAccounts
import OrielStore
import OrielWatchlist

/// Times and numbers as people read them.
enum Phrase {
  /// `2026-11-21`, of milliseconds since 1970.
  static func day(_ time: Int64) -> String { String(text(time).prefix(10)) }

  /// `2026-11-21 14:53 UTC`.
  static func minute(_ time: Int64) -> String {
    let text = text(time)
    return "\(text.prefix(10)) \(text.dropFirst(11).prefix(5)) UTC"
  }

  /// A time of a certificate, in seconds since 1970.
  static func day(seconds: Int64?) -> String {
    guard let seconds, seconds >= 0, seconds < 1 << 38 else { return "?" }
    return day(seconds * 1000)
  }

  /// With a capital and a full stop.
  static func sentence(_ text: String) -> String { capitalised(text).withFullStop }

  static func capitalised(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() }

  static func ago(_ time: Int64, now: Int64) -> String {
    span(now.subtractingReportingOverflow(time).partialValue) + " ago"
  }

  /// `3 h`, of milliseconds.
  static func span(_ time: Int64) -> String {
    switch max(0, time) / 1000 {
    case let seconds where seconds < 90: "\(seconds) s"
    case let seconds where seconds < 90 * 60: "\(seconds / 60) min"
    case let seconds where seconds < 36 * 3600: "\(seconds / 3600) h"
    case let seconds: "\(seconds / 86400) days"
    }
  }

  /// A name, with what it stands for if it is internationalised: `xn--mnchen-3ya.example (münchen.example)`.
  static func name(_ name: String) -> String { readable(name).map { "\(name) (\($0))" } ?? name }

  /// What an internationalised name stands for, where it can be shown; `=` before it does not matter.
  static func readable(_ name: String) -> String? {
    ReadableName.unicode(of: name.hasPrefix("=") ? String(name.dropFirst()) : name)
  }

  static func count(_ count: SearchCount) -> String { (count.isExact ? "" : "at least ") + number(count.value) }

  /// With a thin space between thousands.
  static func number(_ value: some BinaryInteger) -> String {
    let digits = Array(String(value))
    return String(
      digits.enumerated().flatMap { index, digit in
        index > 0 && (digits.count - index).isMultiple(of: 3) && digits[index - 1] != "-"
          ? ["\u{2009}", digit] : [digit]
      })
  }

  static func plural(_ count: Int, _ one: String, _ many: String) -> String {
    "\(number(count)) \(count == 1 ? one : many)"
  }

  static func plural(_ counted: SearchCount, _ one: String, _ many: String) -> String {
    "\(count(counted)) \(counted.value == 1 ? one : many)"
  }

  static func monitored(_ domains: (all: Int, on: Int)) -> String {
    switch domains {
    case (1, 1): "1 domain, monitored."
    case (let all, let on) where all == on && all > 0: "\(number(all)) domains, all monitored."
    case (let all, let on): "\(plural(all, "domain", "domains")), \(number(on)) monitored."
    }
  }

  /// The first millisecond of a day that a form names.
  static func start(ofDay text: String) -> Int64? {
    guard text.utf8.count == 10, let time = Timestamp(rfc3339: text + "T00:00:00Z") else { return nil }
    return Int64(clamping: time.milliseconds)
  }

  /// The issuer by the name that people know, of a distinguished name as text.
  static func issuer(_ name: String?) -> String {
    guard let name, !name.isEmpty else { return "an issuer that can't be read" }
    var (parts, part, isEscaped) = ([String](), "", false)
    for scalar in name.unicodeScalars.prefix(2000) {
      if !isEscaped, scalar == "," || scalar == "+" {
        parts.append(part)
        part = ""
      } else {
        if isEscaped || scalar != "\\" { part.unicodeScalars.append(scalar) }
      }
      isEscaped = !isEscaped && scalar == "\\"
    }
    parts.append(part)
    let value = { (type: String) -> String? in
      parts.map { $0.drop { $0 == " " } }.first { $0.hasPrefix(type + "=") }.map {
        String($0.dropFirst(type.count + 1))
      }
    }
    switch (value("O"), value("CN")) {
    case (let organisation?, let common?):
      return common.contains(organisation) ? common : "\(organisation) (\(common))"
    case (let organisation?, _): return organisation
    case (nil, let common?): return common
    case (nil, nil): return name
    }
  }

  private static func text(_ time: Int64) -> String {
    Timestamp(milliseconds: UInt64(clamping: max(0, min(time, 253_402_300_799_999)))).description
  }
}

extension VerdictLevel {
  var words: String {
    switch self {
    case .known: "Known"
    case .expected: "Expected"
    case .unexplained: "Unexplained"
    case .noHistory: "No history yet"
    }
  }

  /// In lists of choices: the ones that need somebody first.
  static let inOrder: [VerdictLevel] = [.unexplained, .noHistory, .expected, .known]
}

extension Judgement.State {
  var words: String {
    switch self {
    case .new: "New"
    case .acknowledged: "Acknowledged"
    case .claimed: "This was us"
    case .denied: "This was not us"
    }
  }
}

extension DeliveryTime {
  var words: String {
    switch self {
    case .atOnce: "At once"
    case .daily: "In a daily digest"
    case .weekly: "In a weekly digest"
    case .never: "Recorded only"
    }
  }
}

extension Role {
  var words: String {
    switch self {
    case .owner: "Owner: everything"
    case .member: "Member: see and change what is watched"
    case .viewer: "Viewer: see only"
    }
  }
}

extension AddressState {
  var words: String {
    switch self {
    case .unconfirmed: "waiting for confirmation"
    case .active: "gets mail"
    case .suspended(let since, let reason): "stopped on \(Phrase.day(since)): \(reason)"
    case .unsubscribed(let since): "unsubscribed on \(Phrase.day(since))"
    }
  }
}
