public import CTPolicyX509
import NIOSSL
import SwiftASN1
public import X509

/// Whether a server is who it should be, and if not, why.
public struct ServerJudgement: Sendable {
  /// Why a server is refused. Positions count from the server's own certificate, which is 0.
  public enum Failure: Hashable, Sendable {
    /// The server sent none.
    case noCertificate
    /// Its own certificate can't be read.
    case unreadableCertificate
    /// No chain leads to a trusted root: one of its issuers is missing or unknown, a signature is wrong, or there is a
    /// critical extension that nobody understands.
    case noChain
    case notYetValid(position: Int)
    case expired(position: Int)
    /// The chain breaks another rule of RFC 5280, such as name constraints; the text is that of swift-certificates.
    case invalidChain(String)
    /// The certificate is not for TLS servers, or not for issuing certificates (RFC 5280, 4.2.1.3 and 4.2.1.12).
    case wrongUsage(position: Int)
    /// The certificate is for other hosts.
    case wrongHost
    /// The SCTs do not satisfy a policy; ``ServerJudgement/transparency`` says which, and why.
    case transparency
  }

  /// What the client asked for.
  public let host: String
  /// The chain that was accepted, root last; else the candidate that came furthest, or the server's certificate alone.
  public let chain: [Certificate]
  /// What CT makes of the chain; nil if it failed before.
  public let transparency: ChainJudgement?
  /// Nil if the server is accepted.
  public let failure: Failure?

  init(host: String, chain: [Certificate] = [], transparency: ChainJudgement? = nil, failure: Failure?) {
    self.host = host
    self.chain = chain
    self.transparency = transparency
    self.failure = failure
  }

  public var isAccepted: Bool { failure == nil }

  /// The same for NIOSSL.
  var verificationResult: NIOSSLVerificationResultWithMetadata {
    guard isAccepted else { return .failed }
    let certificates = try? chain.map { certificate in
      var serializer = DER.Serializer()
      try serializer.serialize(certificate)
      return try NIOSSLCertificate(bytes: serializer.serializedBytes, format: .der)
    }
    return .certificateVerified(VerificationMetadata(certificates.map { NIOSSL.ValidatedCertificateChain($0) }))
  }
}

extension ServerJudgement.Failure {
  /// How far a chain came that failed so.
  var stage: Int {
    switch self {
    case .noCertificate, .unreadableCertificate, .noChain: 0
    case .notYetValid, .expired, .invalidChain: 1
    case .wrongUsage: 2
    case .wrongHost: 3
    case .transparency: 4
    }
  }
}
