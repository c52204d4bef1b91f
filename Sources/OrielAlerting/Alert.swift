package import CertificateTransparency
package import MerkleTree
import OrielStore

/// Something to tell a person: an id that stays the same however often it is sent, and what happened.
package struct Alert: Hashable, Sendable {
  package enum Content: Hashable, Sendable {
    /// A certificate covers a watched name.
    case certificate(CertificateAlert)
    /// A certificate's name imitates a watched one.
    case lookalike(LookalikeAlert)
    /// Many certificates in a short time, in one message.
    case digest([CertificateAlert], lookalikes: [LookalikeAlert] = [])
    /// What came up in a day or a week, in one message.
    case summary([CertificateAlert], DigestPeriod, lookalikes: [LookalikeAlert] = [])
    /// A log turned out not to be trustworthy, after a certificate had been reported from it.
    case followUp(CertificateAlert, log: String, reason: String)
    /// A certificate that was reported as unexplained is known now.
    case explained(CertificateAlert)
    case logHealth(LogHealthAlert)
    /// Alerts don't get through to somebody, or do again.
    case deliveryHealth(DeliveryHealthAlert)
    /// A folder of the inventory can't be listed, or can be again.
    case inventoryHealth(InventoryHealthAlert)
    /// An alert that was refused in full.
    case short(ShortAlert)
    /// A certificate that was to come has not come.
    case canary(CanaryAlert)
    /// The CAA records of a domain are not what they were.
    case caaChange(CAAChangeAlert)
    /// Made up, to try a channel.
    case sample(CertificateAlert)
    /// All is well.
    case heartbeat(HeartbeatAlert)
  }

  /// Stable across repeats and restarts: lower-case hexadecimal and hyphens.
  package let id: String
  package let createdAt: Timestamp
  package let content: Content

  package init(id: String, createdAt: Timestamp, content: Content) {
    self.id = id
    self.createdAt = createdAt
    self.content = content
  }

  /// The name of the content's kind, as JSON and hooks have it.
  package var kind: String {
    switch content {
    case .certificate: "certificate"
    case .lookalike: "look-alike"
    case .digest, .summary: "digest"
    case .followUp: "follow-up"
    case .explained: "explained"
    case .logHealth: "log-health"
    case .deliveryHealth: "delivery-health"
    case .inventoryHealth: "inventory-health"
    case .short: "short"
    case .canary: "canary"
    case .caaChange: "caa-change"
    case .sample: "sample"
    case .heartbeat: "heartbeat"
    }
  }
}

/// A certificate, told to the owner of one watched item. Texts from the certificate are as they stand there: hostile.
package struct CertificateAlert: Hashable, Sendable {
  package struct Certificate: Hashable, Sendable {
    /// `x509`, `precert` or `unknown`.
    package let entryType: String
    package let sha256: SHA256Hash
    package let der: [UInt8]

    package init(entryType: String, sha256: SHA256Hash, der: [UInt8]) {
      self.entryType = entryType
      self.sha256 = sha256
      self.der = der
    }
  }

  package struct Sighting: Hashable, Sendable {
    package let log: String
    package let logID: LogID
    package let index: UInt64
    package let timestamp: Timestamp

    package init(log: String, logID: LogID, index: UInt64, timestamp: Timestamp) {
      self.log = log
      self.logID = logID
      self.index = index
      self.timestamp = timestamp
    }
  }

  /// An earlier issuance for one of the same names.
  package struct Earlier: Hashable, Sendable {
    package let issuer: String
    package let issuerKeyHash: SHA256Hash
    /// Seconds since 1970.
    package let notBefore: Int64?
    package let firstSeen: Timestamp

    package init(issuer: String, issuerKeyHash: SHA256Hash, notBefore: Int64?, firstSeen: Timestamp) {
      self.issuer = issuer
      self.issuerKeyHash = issuerKeyHash
      self.notBefore = notBefore
      self.firstSeen = firstSeen
    }
  }

  /// The watched item, as its owner wrote it.
  package var item: String
  /// The names in the certificate that hit it.
  package var matchedNames: [String]
  package var issuance: IssuanceID
  package var issuerKeyHash: SHA256Hash
  package var facts: CertificateFacts
  package var certificates: [Certificate]
  package var sightings: [Sighting]
  package var problems: [String]
  /// Earlier issuances under the same watched item, newest first, at most ten.
  package var earlier: [Earlier]
  /// How many earlier ones there are in all.
  package var earlierCount: Int
  /// What was made of it for the one who is told; nil where nobody judges.
  package var verdict: CertificateVerdict?
  /// Other items that the one who is told watches and it matches, at most ``mostOtherItems``: this alert is for all.
  package private(set) var otherItems: [String] = []
  /// How many there are in all.
  package private(set) var otherItemCount = 0
  static let mostOtherItems = 100

  package init(
    item: String, matchedNames: [String], issuance: IssuanceID, issuerKeyHash: SHA256Hash, facts: CertificateFacts,
    certificates: [Certificate], sightings: [Sighting], problems: [String], earlier: [Earlier] = [],
    earlierCount: Int = 0
  ) {
    self.item = item
    self.matchedNames = matchedNames
    self.issuance = issuance
    self.issuerKeyHash = issuerKeyHash
    self.facts = facts
    self.certificates = certificates
    self.sightings = sightings
    self.problems = problems
    self.earlier = earlier
    self.earlierCount = earlierCount
  }

  /// Adds what else it matches; its own item may be among that.
  ///
  /// - Parameter uncounted: how many there are besides.
  package mutating func add(otherItems items: [String], uncounted: Int = 0) {
    let others = items.filter { $0 != item }
    otherItems = Array(others.prefix(CertificateAlert.mostOtherItems))
    otherItemCount = others.count + uncounted
  }

  /// What else it matches and how much more there is; nil if it matches nothing else.
  func otherItemLines(limit: Int) -> [String]? {
    guard otherItemCount > 0 else { return nil }
    let rest = otherItemCount - min(limit, otherItems.count)
    return otherItems.prefix(limit) + (rest > 0 ? ["and \(CertificateLetter.grouped(rest)) more"] : [])
  }

  /// The number of earlier issuances in words; counting stops somewhere.
  package var earlierWords: String {
    earlierCount < AlertStore.mostEarlier ? "\(earlierCount)" : "\(AlertStore.mostEarlier) or more"
  }
}

/// A log is not as it should be, or is again; or the clock of this machine, for which most logs seem to be ahead.
package struct LogHealthAlert: Hashable, Sendable {
  /// What stands for a log where it is about the clock.
  static let clock = "this machine's clock"
  static let clockState = "clock-behind"

  package let log: String
  package let operatorName: String
  /// `frozen`, `behind`, `unreachable`, `lying`, `clock-behind`; `current` once it has recovered.
  package let state: String
  package let since: Timestamp
  package let reason: String?

  package init(log: String, operatorName: String, state: String, since: Timestamp, reason: String?) {
    self.log = log
    self.operatorName = operatorName
    self.state = state
    self.since = since
    self.reason = reason
  }

  private var isWell: Bool { state == LogState.current.rawValue }

  /// What has happened, in a line.
  ///
  /// - Parameter quote: makes text from outside fit for where the line is shown.
  func headline(_ quote: (String) -> String) -> String {
    if log == LogHealthAlert.clock {
      return isWell ? "This machine's clock agrees with the logs again" : "This machine's clock is behind"
    }
    return "Log \(quote(log)) is \(isWell ? "well again" : quote(state))"
  }
}

/// A name that its owner planned to see in a certificate by a certain time.
package struct CanaryAlert: Hashable, Sendable {
  package let name: String
  package let due: Timestamp
  package let lastSeen: Timestamp?

  package init(name: String, due: Timestamp, lastSeen: Timestamp?) {
    self.name = name
    self.due = due
    self.lastSeen = lastSeen
  }
}

/// Proof of life.
package struct HeartbeatAlert: Hashable, Sendable {
  package let logCount: Int
  package let watchedCount: Int
  package let since: Timestamp
  package let certificateCount: Int
  /// Why one was due before and was withheld; empty if none was.
  package var withheldReasons: [String] = []

  package init(logCount: Int, watchedCount: Int, since: Timestamp, certificateCount: Int) {
    self.logCount = logCount
    self.watchedCount = watchedCount
    self.since = since
    self.certificateCount = certificateCount
  }
}
