public import CTPolicyX509
import CertificateTransparency
import Foundation
public import NIOCore
public import NIOSSL
import SwiftASN1
@_spi(FixedExpiryValidationTime) public import X509

/// Verifies the servers of NIO clients: certificate chain, host name, and Certificate Transparency.
///
/// Its ``callback(host:handler:)`` takes the place of all verification of NIOSSL, for one connection to one host.
/// Revocation is not looked at.
///
/// - Important: NIOSSL hands on certificates only. SCTs that a server sends in a stapled OCSP response or in the TLS
///   extension are never seen, so only embedded ones count: a server that relies on the others is refused, though a
///   browser would accept it.
///
/// AsyncHTTPClient can't use this: it makes its `NIOSSLClientHandler`s itself, and lets only a `TLSConfiguration` be
/// given, which has no place for a verification callback. On Apple's platforms it may go through Network.framework,
/// where the system verifies.
public struct CTServerVerifier: Sendable {
  /// The certificates that chains have to end in. Those of the `TLSConfiguration` play no part.
  public let roots: CertificateStore
  /// The CT policy with the clock that the chain is verified by too.
  public let policy: CTVerifierPolicy

  /// Intermediate certificates that are looked at, of those that a server sends.
  public static let maximumIntermediates = 10

  /// - Parameters:
  ///   - roots: trusted certificates, or `CertificateStore.systemTrustRoots`.
  ///   - policy: shared by all connections, and with it its cache; its handler is told as well.
  public init(roots: CertificateStore, policy: CTVerifierPolicy) {
    self.roots = roots
    self.policy = policy
  }

  /// The callback for `NIOSSLClientHandler(context:serverHostname:customVerificationCallbackWithMetadata:)`, or for the
  /// `NIOSSLClientTLSProvider` of that name.
  ///
  /// The `TLSConfiguration` should ask for `.noHostnameVerification`. With `.fullVerification` NIOSSL compares the name
  /// once more; with `.none` it never asks, and nothing is verified.
  ///
  /// - Parameters:
  ///   - host: the name (A-labels, if it is an international one) or address that the client wants to reach.
  ///   - handler: told of the result before the handshake goes on or fails, and not on the event loop.
  public func callback(
    host: String, handler: @escaping @Sendable (ServerJudgement) -> Void = { _ in }
  ) -> @Sendable ([NIOSSLCertificate], EventLoopPromise<NIOSSLVerificationResultWithMetadata>) -> Void {
    { presented, promise in
      let certificates = presented.prefix(CTServerVerifier.maximumIntermediates + 1).map { certificate in
        (try? certificate.toDERBytes()) ?? []
      }
      Task {
        let judgement = await verify(certificates, host: host)
        handler(judgement)
        promise.succeed(judgement.verificationResult)
      }
    }
  }

  /// Verifies a server by the certificates that it sent.
  ///
  /// - Parameter certificates: DER, the server's own first. Others may stand in any order; those that can't be read, or
  ///   come after too many, are passed over.
  public func verify(_ certificates: [[UInt8]], host: String) async -> ServerJudgement {
    guard let first = certificates.first else { return ServerJudgement(host: host, failure: .noCertificate) }
    guard let leaf = try? Certificate(derEncoded: first) else {
      return ServerJudgement(host: host, failure: .unreadableCertificate)
    }
    let others = certificates.dropFirst().prefix(CTServerVerifier.maximumIntermediates).compactMap { bytes in
      try? Certificate(derEncoded: bytes)
    }
    // Dates up to the year 9999 are all that certificates, and the verifier, know.
    let time = Date(timeIntervalSince1970: Double(min(policy.now().milliseconds / 1000, 253_402_300_799)))
    let path = RFC5280Policy(fixedExpiryValidationTime: time)
    let server = ServerPolicy(path: path, host: host, transparency: policy, time: time)
    // Without the word "return" the builder would hide the policy's type, and what it has to say.
    var verifier = Verifier(rootCertificates: roots) { return server }
    switch await verifier.validate(leaf: leaf, intermediates: CertificateStore(custom: BoundedIntermediates(others))) {
    case .validCertificate(let chain):
      return ServerJudgement(
        host: host, chain: Array(chain), transparency: verifier.policy.transparencyJudgement, failure: nil)
    case .couldNotValidate:
      let nearest = verifier.policy.nearest
      return ServerJudgement(
        host: host, chain: nearest?.chain ?? [leaf], transparency: nearest?.transparency,
        failure: nearest?.failure ?? .noChain)
    }
  }
}
