/// What Oriel makes of an issuance, and why.
package struct Verdict: Hashable, Sendable {
  package enum Level: String, Hashable, Sendable, Codable, CaseIterable {
    /// The owner told Oriel of it.
    case known
    /// It goes on from what the owner has accepted before.
    case expected
    /// Somebody should look at it.
    case unexplained
    /// There is nothing to compare it with until the owner has confirmed what is in use.
    case noHistory = "no-history"
  }

  package let level: Level
  /// Whether the owner's word or key stands behind it. What is merely as it always was is what someone who took over the
  /// DNS would get as well.
  package let isProven: Bool
  /// What the verdict rests on first, then what speaks otherwise.
  package let reasons: [Reason]
}

/// A reason as it is stored and shown; an older Oriel's are kept as they were.
package struct StoredReason: Hashable, Sendable, Codable {
  package let code: String
  package let speaks: Reason.Direction
  package let sentence: String
  /// As ``Reason/statement``.
  private let statement: String?

  package init(_ reason: Reason) {
    code = reason.code
    speaks = reason.speaks
    sentence = reason.sentence
    statement = reason.statement
  }

  /// What a report to a CA says of it; nil for what is no fact about the certificate, whatever an older version stored.
  package var evidence: String? { StoredReason.reportable.contains(code) ? statement : nil }

  private static let reportable: Set<String> = [Reason.impossibleName([]).code]
}
