public import CTPolicy
import Synchronization
public import X509

/// What CT policies make of one chain.
public struct ChainJudgement: Sendable {
  /// The leaf first, the root last. Another policy may have refused the chain, or may still.
  public let chain: [Certificate]
  /// What is known of its root.
  public let publicity: RootPublicity
  /// Every SCT there is, and whether it is what it seems.
  public let report: SCTReport
  /// What each policy makes of them, in the order in which the policies were given; also where CT is not required.
  public let verdicts: [PolicyVerdict]

  /// Whether CT is required at all: of all roots but local ones.
  public var isRequired: Bool { publicity != .local }

  /// Whether the chain may be used, as far as CT goes.
  public var passes: Bool { !isRequired || (!verdicts.isEmpty && verdicts.allSatisfy(\.passes)) }

  /// The verdicts for which a chain that needs CT is refused.
  public var failures: [PolicyVerdict] { isRequired ? verdicts.filter { !$0.passes } : [] }

  var failureText: String {
    let causes = failures.map { "\($0.policy): \($0.code.summary) (\($0.code.rawValue))" }
    return "Certificate Transparency: \(causes.isEmpty ? "there is no policy" : causes.joined(separator: "; "))"
  }
}

/// Keeps the latest judgements, so that they can be looked up when a verifier has answered.
public final class JudgementRecorder: Sendable {
  /// How many judgements are kept.
  public let limit: Int
  private let recorded = Mutex<[ChainJudgement]>([])

  public init(limit: Int = 64) { self.limit = max(limit, 1) }

  /// Keeps a judgement, and drops the oldest one if there are too many.
  public func record(_ judgement: ChainJudgement) {
    recorded.withLock {
      if $0.count >= limit { $0.removeFirst() }
      $0.append(judgement)
    }
  }

  /// What is kept, the oldest first.
  public var judgements: [ChainJudgement] { recorded.withLock { $0 } }

  /// The latest judgement of exactly this chain, such as a `ValidatedCertificateChain`.
  public func judgement(of chain: some Collection<Certificate>) -> ChainJudgement? {
    judgements.last { $0.chain.elementsEqual(chain) }
  }
}
