package import CertificateTransparency
import Foundation
import OrielStore

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
    package enum Fit: Hashable, Sendable {
      case yes, perhaps, no

      /// For people.
      package var words: String {
        switch self {
        case .yes: "Do this"
        case .perhaps: "Perhaps"
        case .no: "Not here"
        }
      }
    }

    package let title: String
    package let fits: Fit
    package let why: String
    package let addressee: String?
    /// Mail addresses, and addresses of pages.
    package let contacts: [String]
    package let notes: [String]

    package init(
      title: String, fits: Fit = .yes, why: String, addressee: String?, contacts: [String], notes: [String]
    ) {
      self.title = title
      self.fits = fits
      self.why = why
      self.addressee = addressee
      self.contacts = contacts
      self.notes = notes
    }
  }

  /// The letter to the CA, ready to be sent.
  package struct Report: Hashable, Sendable {
    package let to: [String]
    package let subject: String
    /// Lines that end in a line feed.
    package let body: String

    package init(to: [String], subject: String, body: String) {
      self.to = to
      self.subject = subject
      self.body = body
    }
  }

  /// What was made of those that came before, as far back as anybody looks.
  package struct Before: Hashable, Sendable {
    /// Whether one from the same issuer was accepted.
    package let acceptsIssuer: Bool
    /// How many nothing explained, or were denied.
    package let unexplained: Int

    package init(acceptsIssuer: Bool, unexplained: Int) {
      self.acceptsIssuer = acceptsIssuer
      self.unexplained = unexplained
    }
  }

  package let level: Level
  /// Whether the owner's word or key stands behind it.
  package let isProven: Bool
  package let reasons: [Reason]
  /// The first to take first, with those that do not fit; none unless it is unexplained.
  package let steps: [Step]
  package let report: Report?
  package let before: Before?
  /// Who runs the CA, as CCADB says.
  package let caOwner: String?
  /// The page of the certificate, where there are pages.
  package let page: String?

  package init(
    level: Level, isProven: Bool, reasons: [Reason], steps: [Step] = [], report: Report? = nil, before: Before? = nil,
    caOwner: String? = nil, page: String? = nil
  ) {
    self.level = level
    self.caOwner = caOwner
    self.page = page
    self.report = report
    self.before = before
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

  /// What somebody should look at comes first.
  var urgency: Int {
    switch level {
    case .unexplained: 0
    case .expected: isProven ? 3 : 1
    case .noHistory: 2
    case .known: 4
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
  /// The number of the domain, for the page with its settings.
  package let domain: Int64?

  package init(item: String, before: [String], now: [String], seenAt: Timestamp, domain: Int64? = nil) {
    self.item = item
    self.domain = domain
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
    package let domain: Int64?

    package init(
      audience: String, item: String, before: [String], now: [String], seenAt: Int64, domain: Int64? = nil
    ) {
      self.audience = audience
      self.domain = domain
      self.item = item
      self.before = before
      self.now = now
      self.seenAt = seenAt
    }

    init(_ alert: StoredAlert) throws { self = try alert.decoded(Stored.self) }

    package func encoded() throws -> [UInt8] { try StoredContent.encode(self) }

    var alert: CAAChangeAlert {
      CAAChangeAlert(item: item, before: before, now: now, seenAt: Timestamp(clamping: seenAt), domain: domain)
    }
  }
}
