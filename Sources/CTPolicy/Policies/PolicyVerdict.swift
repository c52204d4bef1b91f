import CertificateTransparency

/// What a policy makes of a certificate's SCTs, why, and what would help.
public struct PolicyVerdict: Hashable, Sendable {
  public let policy: BrowserPolicy
  public let compliance: Compliance
  /// Whether the platform lets the certificate pass. It does with a stale list too, and where it asks for no SCT.
  public let passes: Bool
  public let code: VerdictCode
  /// The counts as the policy made them; with a stale list, as it would have made them with a fresh one.
  public let evidence: Evidence
  /// What would help, the cheapest that lasts first. Empty if nothing has to be done.
  public let mends: [Mend]

  /// The cheapest mend that lasts.
  public var mend: Mend? { mends.first }
}

/// The numbers behind a verdict.
public struct Evidence: Hashable, Sendable {
  /// Which of a policy's two ways the numbers belong to: the one that was met, or else the nearer one.
  public enum Route: String, Hashable, Sendable, Codable {
    /// By embedded SCTs.
    case embedded
    /// With SCTs of TLS or OCSP.
    case delivered
  }

  /// Why an SCT did not count.
  public enum Reason: String, Hashable, Sendable, Codable, CaseIterable {
    /// It is not valid; its status says why.
    case invalid
    case future
    /// Its log is retired, and that was before the SCT or the certificate, or there is no way in which it counts.
    case retired
    /// It is later than the day its log became read-only.
    case afterReadOnly = "after-readonly"
    /// The certificate's `notAfter` is outside the log's interval.
    case outsideShard = "outside-shard"
    /// It is of a tiled log, and its extensions have no usable `leaf_index`.
    case noLeafIndex = "no-leaf-index"
    /// Its extensions can't be decoded, or have two indexes, and its log is no tiled one.
    case malformedExtensions = "malformed-extensions"
    /// Bytes follow its signature.
    case trailingBytes = "trailing-bytes"
    /// The policy does not take SCTs from where it was.
    case sourceIgnored = "source-ignored"
    /// The policy does not add up embedded and other SCTs, and counted the others.
    case otherRoute = "other-route"
    /// Another SCT of the same log counts.
    case sameLog = "same-log"
    /// As many SCTs of its operator count as may.
    case operatorLimit = "operator-limit"
  }

  /// An SCT that did not count, by its place in the report.
  public struct Uncounted: Hashable, Sendable {
    public let index: Int
    public let reason: Reason
  }

  public let route: Route
  /// Seconds of lifetime as the policy counts them; nil if the dates can't be read.
  public let lifetime: Int64?
  public let neededLogs: Int
  public let countedLogs: Int
  public let neededOperators: Int
  /// The operators that count, in the order of the report.
  public let operators: [String]
  /// The SCTs that count, by their place in the report.
  public let counted: [Int]
  public let uncounted: [Uncounted]
}

/// What the rules of a policy found.
struct Outcome {
  var compliance: Compliance
  var route: Evidence.Route = .embedded
  var lifetime: Int64?
  var neededLogs = 2
  var neededOperators = 2
  /// How many logs a new certificate of this lifetime would need; nil if as many as here.
  var neededToEmbed: Int?
  /// Whether one of the logs that count, or could, is not retired.
  var hasLiveLog = false
  /// What is missing, if there are SCTs enough and only a log of some kind is not among theirs.
  var lacking: VerdictCode?
  /// The operators, where others than those of the counted SCTs have a say.
  var allOperators: [String]?
  var tally: Tally

  var operators: [String] { allOperators ?? tally.operators }

  static func unreadable(_ report: SCTReport) -> Outcome {
    Outcome(compliance: .notEnoughSCTs, tally: Tally(report))
  }

  func evidence(_ report: SCTReport) -> Evidence {
    Evidence(
      route: route, lifetime: lifetime, neededLogs: neededLogs, countedLogs: tally.logs.count,
      neededOperators: neededOperators, operators: operators, counted: tally.counted,
      uncounted: tally.uncounted)
  }
}

/// An SCT with the signature of a known log, which a policy may count or not.
struct Candidate {
  let index: Int
  let source: SCTSource
  let timestamp: Timestamp
  let leafIndex: LeafIndex
  let trailingByteCount: Int
  let log: ListedLog

  var isEmbedded: Bool { source == .x509 }
}

/// Sorts the SCTs of a report into those that count and those that do not.
struct Tally {
  private(set) var candidates: [Candidate] = []
  private(set) var counted: [Int] = []
  private(set) var uncounted: [Evidence.Uncounted] = []
  private(set) var logs: [LogID] = []
  private(set) var operators: [String] = []
  /// Whether an SCT of an RFC 6962 log counts.
  private(set) var hasClassicLog = false

  /// Sets aside what no policy counts.
  init(_ report: SCTReport) {
    candidates.reserveCapacity(report.scts.count)
    for (index, item) in report.scts.enumerated() {
      guard item.isSigned, let log = item.listed, let timestamp = item.timestamp else {
        drop(index, .invalid)
        continue
      }
      candidates.append(
        Candidate(
          index: index, source: item.source, timestamp: timestamp, leafIndex: item.leafIndex,
          trailingByteCount: item.trailingByteCount, log: log))
    }
  }

  mutating func drop(_ index: Int, _ reason: Evidence.Reason) {
    uncounted.append(Evidence.Uncounted(index: index, reason: reason))
  }

  /// Keeps the candidates for which `reason` gives none.
  mutating func filter(_ reason: (Candidate) -> Evidence.Reason?) {
    var kept: [Candidate] = []
    kept.reserveCapacity(candidates.count)
    for candidate in candidates {
      if let reason = reason(candidate) {
        drop(candidate.index, reason)
      } else {
        kept.append(candidate)
      }
    }
    candidates = kept
  }

  /// Counts an SCT, unless its log counts already.
  mutating func count(_ candidate: Candidate, operatorName: String) {
    guard !logs.contains(candidate.log.logID) else {
      drop(candidate.index, .sameLog)
      return
    }
    counted.append(candidate.index)
    logs.append(candidate.log.logID)
    if !candidate.log.isTiled { hasClassicLog = true }
    if !operators.contains(operatorName) { operators.append(operatorName) }
  }

  /// The earliest time of the candidates that `isIncluded`; the end of time if there is none.
  func earliest(_ isIncluded: (Candidate) -> Bool) -> Timestamp {
    candidates.lazy.filter(isIncluded).map(\.timestamp).min() ?? Timestamp(milliseconds: .max)
  }
}
