import OrielContacts
import OrielVerdicts
import OrielWatchlist

/// CAA records in the form in which accounts keep them: that of zone files.
enum CAAText {
  /// What no CA could understand, and therefore none may issue under.
  private static let unreadable = OrielContacts.CAARecord(flags: 128, tag: "unreadable", value: "")

  static func lines(_ records: [OrielContacts.CAARecord]) -> [String] { records.map(\.description).sorted() }

  /// Reads `0 issue "ca.example"`.
  static func record(_ line: String) -> OrielContacts.CAARecord {
    let parts = line.split(separator: " ", maxSplits: 2)
    guard parts.count == 3, let flags = UInt8(parts[0]), parts[2].count >= 2, parts[2].hasPrefix("\""),
      parts[2].hasSuffix("\"")
    else { return unreadable }
    var value = ""
    var isEscaped = false
    for character in parts[2].dropFirst().dropLast() {
      if character == "\\", !isEscaped {
        isEscaped = true
      } else {
        value.append(character)
        isEscaped = false
      }
    }
    return OrielContacts.CAARecord(flags: flags, tag: String(parts[1]), value: value)
  }

  /// What was found last, as a look-up tells it.
  static func result(_ lines: [String], of name: DomainName) -> CAAResult {
    lines.isEmpty ? .noRecords : .found(CAASet(name: name.ascii, records: lines.map(record)))
  }

  static func policy(_ lines: [String]) -> CAAPolicy {
    CAAPolicy(
      lines.map { line in
        let record = record(line)
        return OrielVerdicts.CAARecord(flags: record.flags, tag: record.tag, value: record.value)
      })
  }
}
