public import CertificateTransparency

/// Why a log gave no SCT that can be used. What the net does is told by ``FetchError``.
public struct SubmissionError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Reason: Hashable, Sendable {
    /// The chain is not what the request takes; nothing was sent.
    case badChain(String)
    /// The log said no. `words` is how its answer begins, made fit for a terminal.
    case refused(status: Int, words: String)
    /// The log wants to be left alone for longer than the client waits; nothing was sent.
    case busy(for: Duration)
    /// The answer is no SCT; the error names the member that is wrong.
    case malformedAnswer(FormatError)
    /// The SCT names another log.
    case otherLog(LogID)
    /// The SCT is not signed by the log's key for what was submitted.
    case badSignature(SignedCertificateTimestamp)
  }

  /// What was asked, or the log's prefix if nothing was sent.
  public let url: String
  public let reason: Reason

  public init(url: String, reason: Reason) {
    self.url = url
    self.reason = reason
  }

  public var description: String {
    switch reason {
    case .badChain(let problem): "not submitted to \(url): \(problem)"
    case .refused(let status, let words): "\(url): refused with status \(status)" + (words.isEmpty ? "" : ": \(words)")
    case .busy(let time): "\(url): not asked, since the log wants no request for another \(time)"
    case .malformedAnswer(let error): "\(url): the answer is no SCT: \(error)"
    case .otherLog(let logID): "\(url): the SCT is of another log, \(logID)"
    case .badSignature: "\(url): the SCT's signature is not the log's for what was submitted"
    }
  }
}
