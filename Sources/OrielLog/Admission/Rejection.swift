package import CertificateTransparency

/// Why a submission is not logged.
package enum Rejection: Error, Hashable, CustomStringConvertible {
  case bodyTooLarge(limit: Int)
  case malformedBody(String)
  case emptyChain
  case chainTooLong(count: Int, limit: Int)
  case certificateTooLarge(position: Int, limit: Int)
  /// A certificate that can't be read; 0 is the one to be logged.
  case malformedCertificate(position: Int, String)
  case precertificateToAddChain
  case certificateToAddPreChain
  case badPoison(String)
  case badPrecertificate(String)
  case noNotAfter
  case outsideWindow(notAfter: Timestamp, start: Timestamp, end: Timestamp)
  case notForServers
  /// No path leads to an accepted root; the issuer where the longest one ends.
  case noPath(issuer: String)
  case badSignature(subject: String, issuer: String)
  case tooManyPaths
  /// SHA-1 on the way to a root that is no test root.
  case weakSignature(root: String)
  case overloaded(retryAfter: Int)
  case unavailable
  /// The log takes nothing for now, but is read as ever.
  case readOnly(reason: String)
  /// The log's window has passed for good.
  case sunset(end: Timestamp)

  /// The status of the HTTP response.
  package var status: Int {
    switch self {
    case .bodyTooLarge: 413
    case .overloaded, .unavailable, .readOnly: 503
    case .sunset: 410
    default: 400
    }
  }

  /// Seconds after which to try again; nil where that is of no use.
  package var retryAfter: Int? {
    switch self {
    case .overloaded(let seconds): seconds
    case .unavailable: 5
    case .readOnly: 60
    default: nil
    }
  }

  package var description: String {
    switch self {
    case .bodyTooLarge(let limit): "the request is larger than \(limit) bytes"
    case .malformedBody(let reason): "the request is not {\"chain\": [base64, …]}: \(reason)"
    case .emptyChain: "the chain is empty"
    case .chainTooLong(let count, let limit): "the chain has \(count) certificates, at most \(limit) are taken"
    case .certificateTooLarge(let position, let limit): "certificate \(position) is larger than \(limit) bytes"
    case .malformedCertificate(let position, let reason): "certificate \(position) can't be read: \(reason)"
    case .precertificateToAddChain: "this is a precertificate: submit it to add-pre-chain"
    case .certificateToAddPreChain: "this is no precertificate, it has no poison extension: submit it to add-chain"
    case .badPoison(let reason): "the poison extension is not as RFC 6962, section 3.1 has it: \(reason)"
    case .badPrecertificate(let reason): "the precertificate can't be logged: \(reason)"
    case .noNotAfter: "the end of the certificate's validity can't be read"
    case .outsideWindow(let notAfter, let start, let end):
      "the certificate is valid until \(notAfter), this log takes those from \(start) on and before \(end)"
    case .notForServers: "the certificate is not for TLS servers: its extended key usage does not say so"
    case .noPath(let issuer): "no path to an accepted root: no accepted root or certificate of the chain is \(issuer)"
    case .badSignature(let subject, let issuer): "the signature on \(subject) is not by \(issuer)"
    case .tooManyPaths: "there are too many ways through the chain to look for one to a root"
    case .weakSignature(let root): "a signature on the way to \(root) uses SHA-1"
    case .overloaded: "too many submissions, try again later"
    case .unavailable: "the log can't take submissions now, try again later"
    case .readOnly(let reason): "the log is read-only for now: \(reason)"
    case .sunset(let end): "the log took certificates that were valid until before \(end), and takes no more"
    }
  }
}
