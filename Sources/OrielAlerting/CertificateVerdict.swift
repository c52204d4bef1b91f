package import CertificateTransparency
import Foundation
package import OrielStore

/// What was made of a certificate for the one who is told of it, and what to do about it. Texts are safe to show.
package struct CertificateVerdict: Hashable, Sendable {
  package enum Level: String, Hashable, Sendable, CaseIterable {
    case known, expected, unexplained
    case noHistory = "no-history"
  }

  package struct Reason: Hashable, Sendable {
    /// Never changes, for programs.
    package let code: String
    /// Whether it speaks for the certificate being the owner's.
    package let isFor: Bool
    package let sentence: String

    package init(code: String, isFor: Bool, sentence: String) {
      self.code = code
      self.isFor = isFor
      self.sentence = sentence
    }
  }

  /// One thing to do about an unexplained certificate.
  package struct Step: Hashable, Sendable {
    package let title: String
    package let why: String
    package let addressee: String?
    /// Mail addresses, and addresses of pages.
    package let contacts: [String]
    package let notes: [String]

    package init(title: String, why: String, addressee: String?, contacts: [String], notes: [String]) {
      self.title = title
      self.why = why
      self.addressee = addressee
      self.contacts = contacts
      self.notes = notes
    }
  }

  package let level: Level
  /// Whether the owner's word or key stands behind it.
  package let isProven: Bool
  package let reasons: [Reason]
  /// The first to take first; none unless it is unexplained.
  package let steps: [Step]

  package init(level: Level, isProven: Bool, reasons: [Reason], steps: [Step] = []) {
    self.level = level
    self.isProven = isProven
    self.reasons = reasons
    self.steps = steps
  }

  /// The verdict in a few words.
  var words: String {
    switch level {
    case .known: "Known"
    case .expected: isProven ? "Expected" : "Expected, but unproven"
    case .unexplained: "Unexplained"
    case .noHistory: "No history yet"
    }
  }

  /// Whom to write to first.
  var reportTo: [String] { steps.first?.contacts ?? [] }
}

/// How often a digest comes.
package enum DigestPeriod: String, Hashable, Sendable, CaseIterable {
  case daily, weekly
}

/// Who may issue for a domain, by its CAA records, is not what it was.
package struct CAAChangeAlert: Hashable, Sendable {
  package let item: String
  /// Records as a zone file has them.
  package let before: [String]
  package let now: [String]
  package let seenAt: Timestamp

  package init(item: String, before: [String], now: [String], seenAt: Timestamp) {
    self.item = item
    self.before = before
    self.now = now
    self.seenAt = seenAt
  }

  /// How the outbox keeps it.
  package struct Stored: Codable, Sendable {
    package let audience: String
    package let item: String
    package let before: [String]
    package let now: [String]
    package let seenAt: Int64

    package init(audience: String, item: String, before: [String], now: [String], seenAt: Int64) {
      self.audience = audience
      self.item = item
      self.before = before
      self.now = now
      self.seenAt = seenAt
    }

    init(_ alert: StoredAlert) throws { self = try alert.decoded(Stored.self) }

    package func encoded() throws -> [UInt8] { try StoredContent.encode(self) }

    var alert: CAAChangeAlert {
      CAAChangeAlert(item: item, before: before, now: now, seenAt: Timestamp(clamping: seenAt))
    }
  }
}
