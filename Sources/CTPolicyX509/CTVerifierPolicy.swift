public import CTPolicy
public import CertificateTransparency
public import SwiftASN1
public import X509

/// Asks for Certificate Transparency of the chains that a `Verifier` of swift-certificates builds.
///
/// Put it last among the verifier's policies: then it sees only chains that the others accept. A chain meets it if its
/// root is `RootPublicity.local`, or if its SCTs satisfy every one of ``policies``. A root of which nothing is
/// known is treated as public.
///
/// The verifier itself learns only a text; what was found out goes to ``handler`` as a ``ChainJudgement``. All logs that
/// are known to one `CTVerifierPolicy` come from one list; where browsers differ, use one for each list.
///
/// Copies share a cache: a leaf's SCTs are verified once for each key of an issuer, and judged again each time, since
/// time passes. Nothing is cached for a list that does not tell its time, as nobody could see that it changed.
public struct CTVerifierPolicy: VerifierPolicy, Sendable {
  /// What has to be satisfied. With no policy at all, no chain to a public root is accepted.
  public let policies: [BrowserPolicy]
  /// What to make of a list of logs that is too old.
  public let staleness: BrowserPolicy.Staleness
  /// Told of each chain that is judged, before the verifier is.
  public var handler: @Sendable (ChainJudgement) -> Void
  /// The clock that SCTs and the list are compared with.
  public let now: @Sendable () -> Timestamp

  private let logs: @Sendable () async -> LogView
  private let publicity: @Sendable (Certificate) -> RootPublicity
  private let ocspResponse: [UInt8]?
  private let tlsSCTList: [UInt8]?
  private let cache = ReportCache()

  /// - Parameters:
  ///   - policies: all of them have to be satisfied.
  ///   - logs: the list to go by; it is asked for with each chain. One with no logs and an old time is stale.
  ///   - now: the time of check.
  ///   - publicity: what is known of a chain's root; see `RootStores.publicity(of:)`.
  ///   - ocspResponse: the OCSP response that the server stapled. With this or `tlsSCTList` the policy is good for that
  ///     server's connection only.
  ///   - tlsSCTList: the content of the TLS extension 18 that it sent.
  ///   - handler: told of each chain that is judged; ``JudgementRecorder/record(_:)`` will do.
  public init(
    policies: [BrowserPolicy], logs: @escaping @Sendable () async -> LogView, now: @escaping @Sendable () -> Timestamp,
    publicity: @escaping @Sendable (Certificate) -> RootPublicity, ocspResponse: [UInt8]? = nil,
    tlsSCTList: [UInt8]? = nil, staleness: BrowserPolicy.Staleness = .failOpen,
    handler: @escaping @Sendable (ChainJudgement) -> Void = { _ in }
  ) {
    self.policies = policies
    self.logs = logs
    self.now = now
    self.publicity = publicity
    self.ocspResponse = ocspResponse
    self.tlsSCTList = tlsSCTList
    self.staleness = staleness
    self.handler = handler
  }

  /// None: as in browsers, a certificate that calls its SCT list critical is refused, and so is a precertificate.
  public var verifyingCriticalExtensions: [ASN1ObjectIdentifier] { [] }

  public mutating func chainMeetsPolicyRequirements(
    chain: UnverifiedCertificateChain
  ) async -> PolicyEvaluationResult {
    let judgement = await judge(chain)
    handler(judgement)
    return judgement.passes ? .meetsPolicy : .failsToMeetPolicy(reason: judgement.failureText)
  }

  /// Judges a chain without telling the ``handler``.
  ///
  /// - Parameter chain: as some verifier built it: the leaf first, the root last. It is not verified here.
  public func judge(_ chain: some Collection<Certificate>) async -> ChainJudgement {
    let time = now()
    let report = report(chain.map(\.encoded), await logs(), at: time)
    return ChainJudgement(
      chain: Array(chain), publicity: chain.reversed().first.map(publicity) ?? .unknown, report: report,
      verdicts: policies.map { $0.judge(report, asOf: time, staleness: staleness) })
  }

  private func report(_ chain: [[UInt8]], _ logs: LogView, at time: Timestamp) -> SCTReport {
    let certificate = PresentedCertificate(
      leaf: chain.first ?? [], issuers: Array(chain.dropFirst()), ocspResponse: ocspResponse, tlsSCTList: tlsSCTList)
    return cache.report(certificate, logs) { SCTVerifier(logs: logs).verify(certificate, at: time) }
  }
}

extension Certificate {
  /// The DER that the certificate was read from; empty if it can't be written, which no reading of it survives.
  var encoded: [UInt8] {
    var serializer = DER.Serializer()
    do { try serializer.serialize(self) } catch { return [] }
    return serializer.serializedBytes
  }
}

extension RootStores {
  /// How public a root is: by what the files say of it; local if they know other roots, but not this one.
  public func publicity(of root: Certificate) -> RootPublicity {
    guard let chain = try? VerifiedChain([root.encoded]) else { return .unknown }
    return publicity(of: chain)
  }
}
