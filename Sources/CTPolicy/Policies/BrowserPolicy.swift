public import CertificateTransparency

/// What a platform asks of the SCTs of a certificate, as its code has it (unless it says *published*).
///
/// Policies judge; whether one applies at all (public root, enterprise exemption) is asked elsewhere. None reads a clock:
/// the time and the log list are given.
public enum BrowserPolicy: Hashable, Sendable, CustomStringConvertible {
  /// Chrome, and other browsers with Chromium's enforcement switched on, since 15 April 2022.
  ///
  /// Judged as of a time before ``ChromeRules/classicLogRuleEnd`` it asks for one SCT of an RFC 6962 log; before
  /// ``ChromeRules/ocspEnd`` SCTs in OCSP count.
  case chrome
  /// Safari, and all TLS clients on Apple's platforms.
  case apple(AppleReading)
  /// Firefox since 135.
  ///
  /// Judged as of a time before spring 2026 it asks for one SCT of an RFC 6962 log, and so does ``android``.
  case firefox
  /// Android since 16 (Conscrypt).
  case android
  /// What Chromium asked for over the years, of a certificate of this standing: by the rules of before April 2022 for
  /// certificates whose SCTs are older, else as ``chrome``.
  case chromiumEra(ChromiumEra)

  /// Which of Apple's two policies: the text of its support page, or what the source of trustd does.
  public enum AppleReading: String, Hashable, Sendable, CaseIterable {
    case published
    case observed
  }

  /// The policies that are in force today.
  public static let current: [BrowserPolicy] = [
    .chrome, .apple(.published), .apple(.observed), .firefox, .android,
  ]

  public var description: String {
    switch self {
    case .chrome: "Chrome"
    case .apple(.published): "Apple (published)"
    case .apple(.observed): "Apple (observed)"
    case .firefox: "Firefox"
    case .android: "Android"
    case .chromiumEra: "Chromium of its time"
    }
  }

  /// A stable name for machines.
  public var identifier: String {
    switch self {
    case .chrome: "chrome"
    case .apple(let reading): "apple-\(reading.rawValue)"
    case .firefox: "firefox"
    case .android: "android"
    case .chromiumEra: "chromium-era"
    }
  }

  /// What to make of a log list that the policy calls too old or, as Android does, dated ahead.
  public enum Staleness: String, Hashable, Sendable, CaseIterable {
    /// As browsers do: report it, and let the certificate pass.
    case failOpen
    /// Report it, and let nothing pass.
    case failClosed
    /// Judge as if the list were fresh.
    case ignored
  }

  /// How many days a log list is good for.
  public var maximumListAge: Int {
    switch self {
    case .apple: 60
    case .chrome, .firefox, .android, .chromiumEra: 70
    }
  }

  /// Whether the policy would enforce anything by these logs. Android enforces nothing either by an SCT whose log, as
  /// the list has it, enters its state later than `time`.
  public func isTimely(_ logs: LogView, asOf time: Timestamp) -> Bool {
    guard let listed = logs.timestamp else { return true }
    guard listed <= time else { return self != .android }
    let age = time.milliseconds - listed.milliseconds
    let limit = UInt64(maximumListAge) * 86_400_000
    return switch self {
    case .chrome, .chromiumEra: age < limit
    case .apple, .firefox, .android: age <= limit
    }
  }

  /// Judges the SCTs of a certificate.
  ///
  /// - Parameters:
  ///   - time: the time of check. SCTs that are later are from the future, whatever the report says.
  ///   - staleness: what to do if the policy would enforce nothing by the log list, for its dates.
  public func judge(
    _ report: SCTReport, asOf time: Timestamp, staleness: Staleness = .failOpen
  ) -> PolicyVerdict {
    let outcome = outcome(report, asOf: time)
    let doubt = staleness == .ignored ? nil : doubt(report, asOf: time)
    let isRequired = isRequired(report.validity)
    let code = doubt ?? (isRequired ? Diagnosis(report, outcome, asOf: time).code : .notRequired)
    return PolicyVerdict(
      policy: self, compliance: doubt == nil ? outcome.compliance : .notTimely,
      passes: !isRequired || (doubt == nil ? outcome.compliance == .complies : staleness == .failOpen), code: code,
      evidence: outcome.evidence(report), mends: Mending(self, report, outcome, code).mends)
  }

  /// Why the policy would enforce nothing by the logs of the report; nil if it would.
  private func doubt(_ report: SCTReport, asOf time: Timestamp) -> VerdictCode? {
    if self == .android {
      let isAhead = report.logs.timestamp.map { $0 > time } ?? false
      if isAhead || report.scts.contains(where: { $0.listed?.entersState(after: time) ?? false }) { return .futureList }
    }
    return isTimely(report.logs, asOf: time) ? nil : .staleList
  }

  private func outcome(_ report: SCTReport, asOf time: Timestamp) -> Outcome {
    guard let validity = report.validity else { return Outcome.unreadable(report) }
    return switch self {
    case .chrome: ChromeRules(time).judge(report, validity)
    case .apple(let reading): AppleRules(reading, time).judge(report, validity)
    case .firefox: FirefoxRules(time).judge(report, validity)
    case .android: AndroidRules(time).judge(report, validity)
    case .chromiumEra: EarlierChromeRules(time).judge(report, validity)
    }
  }

  /// Whether a certificate of these dates needs any SCT.
  private func isRequired(_ validity: CertificateValidity?) -> Bool {
    guard let validity else { return true }
    return switch self {
    case .chrome, .firefox, .android: true
    case .apple: validity.notBefore >= AppleRules.start
    case .chromiumEra(let era): era.isRequired(notBefore: validity.notBefore)
    }
  }
}

/// What decided, before May 2018, whether Chromium wanted SCTs of a certificate.
public struct ChromiumEra: Hashable, Sendable {
  public var isExtendedValidation: Bool
  /// Below a root of Symantec's, and not through one of the exempt intermediates.
  public var isBelowSymantecRoot: Bool

  public init(isExtendedValidation: Bool = false, isBelowSymantecRoot: Bool = false) {
    self.isExtendedValidation = isExtendedValidation
    self.isBelowSymantecRoot = isBelowSymantecRoot
  }

  /// Certificates from 2015-01-01 on if of extended validation, from 2016-06-01 on if below a Symantec root, and all
  /// from 2018-05-01 on (midnight UTC each).
  public func isRequired(notBefore: Int64) -> Bool {
    notBefore >= 1_525_132_800 || (isBelowSymantecRoot && notBefore >= 1_464_739_200)
      || (isExtendedValidation && notBefore >= 1_420_070_400)
  }
}
