/// One CAA record (RFC 8659).
package struct CAARecord: Hashable, Sendable, Codable {
  package var flags: UInt8
  package var tag: String
  package var value: String

  package init(flags: UInt8 = 0, tag: String, value: String) {
    self.flags = flags
    self.tag = tag
    self.value = value
  }
}

/// The CAA records of the domain: as its owner confirmed them, and as they were seen last.
///
/// Only confirmed records allow anything, for who can change the DNS can change these.
package struct CAAKnowledge: Hashable, Sendable {
  /// Nil where none were confirmed.
  package var confirmed: CAAPolicy?
  /// What was confirmed before that; nil where nothing was. A CA that only the later records name was announced.
  package var previous: CAAPolicy?
  /// When the owner confirmed the change from one to the other, in seconds since 1970.
  package var confirmedAt: Int64?
  /// Nil where none were looked up.
  package var seen: CAAPolicy?

  package init(
    confirmed: CAAPolicy? = nil, previous: CAAPolicy? = nil, confirmedAt: Int64? = nil, seen: CAAPolicy? = nil
  ) {
    self.confirmed = confirmed
    self.previous = previous
    self.confirmedAt = confirmedAt
    self.seen = seen
  }
}

/// What a set of CAA records says of who may issue.
package struct CAAPolicy: Hashable, Sendable {
  /// One `issue` or `issuewild` property, read.
  private struct Permit: Hashable, Sendable {
    /// Empty where nobody is meant, and where the value can't be read.
    let domain: String
    /// `accounturi`, `validationmethods` (RFC 8657), and whatever else stands there.
    let parameters: [String]

    init(_ value: String) {
      let parts = value.split(separator: ";", omittingEmptySubsequences: false).map(CAAPolicy.trimmed)
      let isReadable = parts.dropFirst().allSatisfy { $0.isEmpty || $0.contains("=") }
      domain = isReadable ? CertificateName.normalised(parts.first ?? "") : ""
      parameters = parts.dropFirst().compactMap { part in
        part.split(separator: "=").first.map { CAAPolicy.trimmed($0).lowercased() }
      }
    }
  }

  enum Answer: Hashable, Sendable {
    /// No record restricts who may issue.
    case silent
    case allowed(domain: String, parameters: [String])
    case forbidden
  }

  package let records: [CAARecord]
  private let issue: [Permit]
  private let issueWild: [Permit]
  /// Whether a record must be understood that no CA could.
  private let hasUnknownCritical: Bool

  package init(_ records: [CAARecord]) {
    self.records = records
    let permits = { (tag: String) in records.filter { $0.tag.lowercased() == tag }.map { Permit($0.value) } }
    issue = permits("issue")
    let wild = permits("issuewild")
    issueWild = wild.isEmpty ? issue : wild
    let known: Set = ["issue", "issuewild", "iodef", "issuemail", "issuevmc", "contactemail", "contactphone"]
    hasUnknownCritical = records.contains { $0.flags & 0x80 != 0 && !known.contains($0.tag.lowercased()) }
  }

  /// Whom the records name.
  var issuers: [String] { Set((issue + issueWild).map(\.domain)).subtracting([""]).sorted() }

  /// What of names matters to CAA records.
  struct NameKinds {
    let hasWildcard: Bool
    let hasPlain: Bool

    init(_ names: [String]) {
      let wildcards = names.count(where: CertificateName.isWildcard)
      (hasWildcard, hasPlain) = (wildcards > 0, wildcards < names.count)
    }
  }

  /// Whether an owner that goes by `domains` may issue for all names.
  func answer(for kinds: NameKinds, domains: Set<String>) -> Answer {
    if hasUnknownCritical { return .forbidden }
    var answer = Answer.silent
    let (hasWildcard, hasPlain) = (kinds.hasWildcard, kinds.hasPlain)
    for (isAsked, permits) in [(hasPlain, issue), (hasWildcard, issueWild)] where isAsked && !permits.isEmpty {
      guard let permit = permits.first(where: { domains.contains($0.domain) }) else { return .forbidden }
      if case .allowed(_, let parameters) = answer, parameters.count >= permit.parameters.count { continue }
      answer = .allowed(domain: permit.domain, parameters: permit.parameters)
    }
    return answer
  }

  private static func trimmed(_ text: some StringProtocol) -> String {
    let isBlank = { (character: Character) in character == " " || character == "\t" }
    return String(String(text.drop(while: isBlank).reversed().drop(while: isBlank)).reversed())
  }
}
