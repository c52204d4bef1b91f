/// One CAA record (RFC 8659, 4).
package struct CAARecord: Hashable, Sendable, Codable, CustomStringConvertible {
  package let flags: UInt8
  /// In lower case.
  package let tag: String
  /// As it stands, bytes that are no UTF-8 replaced.
  package let value: String

  package init(flags: UInt8, tag: String, value: String) {
    self.flags = flags
    self.tag = tag.lowercased()
    self.value = value
  }

  /// Whether a CA that does not know the tag must not issue.
  package var isCritical: Bool { flags & 0x80 != 0 }

  /// As a zone file has it, in safe characters.
  package var description: String {
    let plain = value.cleaned(limit: 1000).replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    return "\(flags) \(tag.cleaned(limit: 40)) \"\(plain)\""
  }

  /// What an `issue` or `issuewild` value says: the issuer's domain in lower case, nil for nobody, and parameters. A
  /// value that breaks the grammar (RFC 8659, 4.2) permits nobody.
  package var issuer: (domain: String?, parameters: [(tag: String, value: String)]) {
    let parts = value.split(separator: ";", maxSplits: 1, omittingEmptySubsequences: false).map(CAARecord.trimmed)
    guard let domain = parts.first.map({ $0.lowercased() }), CAARecord.isDomain(domain) else { return (nil, []) }
    var parameters: [(tag: String, value: String)] = []
    for parameter in parts.dropFirst().flatMap({ $0.split(separator: ";").map(CAARecord.trimmed) })
    where !parameter.isEmpty {
      let pair = parameter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        .map(CAARecord.trimmed)
      guard pair.count == 2, pair[0].utf8.allSatisfy({ $0.isLetterOrDigit }), !pair[0].isEmpty,
        pair[1].utf8.allSatisfy({ (0x21...0x7e).contains($0) })
      else { return (nil, []) }
      parameters.append((pair[0].lowercased(), String(pair[1])))
    }
    return (domain.isEmpty ? nil : domain, parameters)
  }

  private static func trimmed(_ text: Substring) -> Substring {
    var text = text.drop { $0 == " " || $0 == "\t" }
    while let last = text.last, last == " " || last == "\t" { text.removeLast() }
    return text
  }

  /// Empty, or labels of letters, digits and inner hyphens.
  private static func isDomain(_ text: String) -> Bool {
    if text.isEmpty { return true }
    return text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { label in
      !label.isEmpty && label.first != UInt8(ascii: "-") && label.last != UInt8(ascii: "-")
        && label.allSatisfy { $0.isLetterOrDigit || $0 == UInt8(ascii: "-") }
    }
  }
}

/// The records that decide for a name, and the name that has them.
package struct CAASet: Hashable, Sendable, Codable {
  /// The name asked for, or the nearest above it that has records.
  package let name: String
  /// The name that the records really stand at, where `name` is an alias.
  package let alias: String?
  /// Sorted, so that two sets with the same records are equal.
  package let records: [CAARecord]

  package init(name: String, alias: String? = nil, records: [CAARecord]) {
    self.name = name
    self.alias = alias
    self.records = records.sorted { ($0.tag, $0.value, $0.flags) < ($1.tag, $1.value, $1.flags) }
  }

  package enum Permission: Hashable, Sendable {
    /// Nothing is said about who may issue.
    case anybody
    /// These CAA domains, none of them if empty.
    case only(Set<String>)
  }

  /// Who may issue, for a wildcard name or for any other.
  package func permission(isWildcard: Bool) -> Permission {
    let known: Set<String> = ["issue", "issuewild", "iodef"]
    if records.contains(where: { $0.isCritical && !known.contains($0.tag) }) { return .only([]) }
    var deciding = isWildcard ? records.filter { $0.tag == "issuewild" } : []
    if deciding.isEmpty { deciding = records.filter { $0.tag == "issue" } }
    return deciding.isEmpty ? .anybody : .only(Set(deciding.compactMap(\.issuer.domain)))
  }
}

/// What a look-up of CAA records found out. DNSSEC is not judged: that is left to the resolver that is asked.
package enum CAAResult: Hashable, Sendable {
  case found(CAASet)
  /// Neither the name nor any above it has records: every CA may issue.
  case noRecords
  /// It can't be told, which is not to be taken for ``noRecords``.
  case notKnown(CAAFailure)
}

/// Why CAA records could not be looked up.
package struct CAAFailure: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Reason: Hashable, Sendable {
    case serverFailure, refused, timedOut, unreachable, unreadable, tooManyAliases, cancelled, other(String)
  }

  /// The name whose look-up failed; it may be one above that asked for.
  package let name: String
  package let reason: Reason

  package var description: String {
    let words =
      switch reason {
      case .serverFailure: "the name server could not find out (SERVFAIL), perhaps as DNSSEC does not hold"
      case .refused: "the name server refused to answer"
      case .timedOut: "no name server answered in time"
      case .unreachable: "no name server could be reached, or none would answer"
      case .unreadable: "the name server's answer can't be read"
      case .tooManyAliases: "too many aliases follow on each other"
      case .cancelled: "the look-up was given up"
      case .other(let text): text.cleaned()
      }
    return "the CAA records of \(name) are not known: \(words)"
  }
}
