public import CertificateTransparency
import MerkleTree

/// Submits chains to a log: add-chain, add-pre-chain and get-roots (RFC 6962, section 4; the same in static-ct-api).
///
/// An SCT is handed out only if it is the log's, over what was submitted. A log that is busy or does not answer is asked
/// again, a bounded number of times and never before the time that it names; logs answer a repeated chain as the first.
public struct SubmissionClient: Sendable {
  /// How long and how often a log is asked.
  public struct Patience: Hashable, Sendable {
    public var tries: Int
    /// The longest wait that a log may ask for before the next try; one that asks for more is not asked again.
    public var longestWait: Duration
    public var policy: RetryPolicy

    public init(tries: Int = 3, longestWait: Duration = .seconds(30), policy: RetryPolicy = RetryPolicy()) {
      self.tries = tries
      self.longestWait = longestWait
      self.policy = policy
    }
  }

  /// The largest answer to a submission.
  public static let largestAnswer = 64 << 10

  /// The log's prefix, with a slash at the end.
  public let url: String
  public let key: LogKey
  public let patience: Patience
  private let transport: HTTPTransport
  private let pacer: Pacer
  private let surroundings: Pacer.Surroundings

  /// - Parameters:
  ///   - url: the log's submission prefix.
  ///   - key: SCTs are verified with it.
  public init(
    url: String, key: LogKey, transport: HTTPTransport, pacer: Pacer = Pacer(), patience: Patience = Patience(),
    surroundings: Pacer.Surroundings = .system
  ) {
    self.url = url.endingWithSlash
    self.key = key
    self.transport = transport
    self.pacer = pacer
    self.patience = patience
    self.surroundings = surroundings
  }

  /// A client of a log as a log list has it.
  public init(
    _ log: LogDescription, transport: HTTPTransport, pacer: Pacer = Pacer(), patience: Patience = Patience(),
    surroundings: Pacer.Surroundings = .system
  ) {
    self.init(
      url: log.submissionURL, key: log.key, transport: transport, pacer: pacer, patience: patience,
      surroundings: surroundings)
  }

  /// Submits a certificate or a precertificate, whichever the chain begins with.
  ///
  /// - Throws: ``SubmissionError``, ``FetchError``, `CancellationError`.
  public func add(_ chain: [[UInt8]]) async throws -> SignedCertificateTimestamp {
    let isPrecertificate = chain.first.map(TBSCertificate.isPrecertificate) ?? false
    return try await isPrecertificate ? addPreChain(chain) : addChain(chain)
  }

  /// Submits a certificate: add-chain (RFC 6962, section 4.1).
  ///
  /// - Parameter chain: DER of the certificate, then those that certify it, each the one before.
  /// - Throws: ``SubmissionError``, ``FetchError``, `CancellationError`.
  public func addChain(_ chain: [[UInt8]]) async throws -> SignedCertificateTimestamp {
    guard let certificate = chain.first, !certificate.isEmpty else { throw badChain("the chain is empty") }
    guard !TBSCertificate.isPrecertificate(certificate) else {
      throw badChain("it begins with a precertificate, which is for add-pre-chain")
    }
    return try await submit(chain, to: "add-chain", .x509(certificate: certificate))
  }

  /// Submits a precertificate: add-pre-chain (RFC 6962, section 4.2).
  ///
  /// - Parameter chain: DER of the precertificate, then those that certify it: its precertificate signing certificate
  ///   if there is one, and its issuer.
  /// - Throws: ``SubmissionError``, ``FetchError``, `CancellationError`.
  public func addPreChain(_ chain: [[UInt8]]) async throws -> SignedCertificateTimestamp {
    try await submit(chain, to: "add-pre-chain", precertificateEntry(chain))
  }

  /// The certificates, in DER, that chains may end in: get-roots (RFC 6962, section 4.7).
  ///
  /// - Throws: ``FetchError``, `FormatError`, `CancellationError`.
  public func roots() async throws -> [[UInt8]] {
    try await RFC6962Client(url: url, transport: transport, pacer: pacer).roots()
  }

  private func badChain(_ problem: String) -> SubmissionError {
    SubmissionError(url: url, reason: .badChain(problem))
  }

  /// What the log is to sign for a precertificate (RFC 6962, section 3.2).
  private func precertificateEntry(_ chain: [[UInt8]]) throws(SubmissionError) -> LogEntryBody {
    guard chain.count > 1 else { throw badChain("the issuer of the precertificate is missing") }
    let signs = TBSCertificate.isPrecertificateSigningCertificate(chain[1])
    guard !signs || chain.count > 2 else {
      throw badChain("the issuer of the precertificate signing certificate is missing")
    }
    let issuer = chain[signs ? 2 : 1]
    let bytes = issuer.span
    guard let fields = CertificateFields(certificate: 0..<bytes.count, in: bytes), !fields.publicKeyInfo.isEmpty
    else { throw badChain("the issuer is no certificate") }
    do throws(FormatError) {
      let tbs = try TBSCertificate.withoutPoison(
        precertificate: chain[0], signingCertificate: signs ? chain[1] : nil)
      let hash = SHA256Hash.hash(bytes.extracting(fields.publicKeyInfo))
      return .precertificate(issuerKeyHash: hash, tbsCertificate: tbs)
    } catch {
      throw badChain("\(error)")
    }
  }

  private func submit(
    _ chain: [[UInt8]], to method: String, _ entry: LogEntryBody
  ) async throws -> SignedCertificateTimestamp {
    let url = url + "ct/v1/" + method
    let sct: SignedCertificateTimestamp
    do {
      sct = try AddChainResponse(json: await post(try AddChainRequest(chain: chain).json(), to: url)).sct
    } catch let error as FormatError {
      throw SubmissionError(url: url, reason: .malformedAnswer(error))
    } catch let error as FetchError where error.isRefusal {
      guard case .status(let code, _, let words) = error.reason else { throw error }
      throw SubmissionError(url: url, reason: .refused(status: code, words: words))
    }
    guard sct.logID == key.logID else { throw SubmissionError(url: url, reason: .otherLog(sct.logID)) }
    guard key.verify(sct, for: entry) else { throw SubmissionError(url: url, reason: .badSignature(sct)) }
    return sct
  }

  private func post(_ request: [UInt8], to url: String) async throws -> [UInt8] {
    var body: [UInt8] = []
    var tries = 0
    while true {
      if let wait = pacer.status.blockedFor, wait > patience.longestWait {
        throw SubmissionError(url: url, reason: .busy(for: wait))
      }
      do {
        try await pacer.run {
          _ = try await transport.post(url, body: request, limit: SubmissionClient.largestAnswer, into: &body)
        }
        return body
      } catch let error as FetchError {
        tries += 1
        guard error.isTransient, tries < patience.tries, error.retryAfter ?? .zero <= patience.longestWait else {
          throw error
        }
        let random = surroundings.random()
        try await surroundings.sleep(patience.policy.delay(afterFailures: tries, error: error, random: random))
      }
    }
  }
}
