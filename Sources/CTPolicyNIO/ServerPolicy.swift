import CTPolicyX509
import Foundation
import NIOCore
import SwiftASN1
import X509

/// All that is asked of the chain of one server, one thing after the other.
struct ServerPolicy: VerifierPolicy {
  /// A chain that was refused.
  struct Refused {
    let chain: [Certificate]
    let failure: ServerJudgement.Failure
    var transparency: ChainJudgement?
  }

  private let path: RFC5280Policy
  private var identity: ServerIdentityPolicy
  private let transparency: CTVerifierPolicy
  private let time: Date
  let verifyingCriticalExtensions: [ASN1ObjectIdentifier]
  /// Of the refused chains the one that came furthest.
  private(set) var nearest: Refused?
  /// Of the chain that was judged last.
  private(set) var transparencyJudgement: ChainJudgement?

  init(path: RFC5280Policy, host: String, transparency: CTVerifierPolicy, time: Date) {
    self.path = path
    identity = ServerPolicy.identity(host)
    self.transparency = transparency
    self.time = time
    verifyingCriticalExtensions =
      path.verifyingCriticalExtensions + identity.verifyingCriticalExtensions + [.X509ExtensionID.extendedKeyUsage]
  }

  /// An address must never be compared as a name, or it would match a wildcard.
  private static func identity(_ host: String) -> ServerIdentityPolicy {
    if (try? SocketAddress(ipAddress: host, port: 0)) != nil {
      return ServerIdentityPolicy(serverHostname: nil, serverIP: host)
    }
    let isName = host.split(separator: ".").last?.utf8.contains { !(0x30...0x39 ~= $0) } ?? false
    return ServerIdentityPolicy(serverHostname: isName ? host : nil, serverIP: nil)
  }

  mutating func chainMeetsPolicyRequirements(chain: UnverifiedCertificateChain) async -> PolicyEvaluationResult {
    transparencyJudgement = nil
    guard let failure = await failure(of: chain) else { return .meetsPolicy }
    if nearest.map({ $0.failure.stage < failure.stage }) ?? true {
      nearest = Refused(chain: Array(chain), failure: failure, transparency: transparencyJudgement)
    }
    return .failsToMeetPolicy(reason: "\(failure)")
  }

  private mutating func failure(of chain: UnverifiedCertificateChain) async -> ServerJudgement.Failure? {
    if case .failsToMeetPolicy(let reason) = path.chainMeetsPolicyRequirements(chain: chain) {
      return dateFailure(of: chain) ?? .invalidChain(reason.description)
    }
    if let position = wrongUsage(in: chain) { return .wrongUsage(position: position) }
    guard isNamed(chain.leaf), case .meetsPolicy = identity.chainMeetsPolicyRequirements(chain: chain) else {
      return .wrongHost
    }
    let judgement = await transparency.judge(chain)
    transparency.handler(judgement)
    transparencyJudgement = judgement
    return judgement.passes ? nil : .transparency
  }

  private func dateFailure(of chain: UnverifiedCertificateChain) -> ServerJudgement.Failure? {
    for (position, certificate) in chain.enumerated() {
      if time < certificate.notValidBefore { return .notYetValid(position: position) }
      if time > certificate.notValidAfter { return .expired(position: position) }
    }
    return nil
  }

  /// The first certificate that must not be where it is; `RFC5280Policy` leaves key usages to others. What a root says
  /// of itself does not count.
  private func wrongUsage(in chain: UnverifiedCertificateChain) -> Int? {
    chain.indices.first { position in
      guard position == 0 || position < chain.count - 1 else { return false }
      do {
        let extensions = chain[position].extensions
        if let usages = try extensions.extendedKeyUsage,
          !usages.contains(.serverAuth), position == 0 || !usages.contains(.any)
        {
          return true
        }
        return try position > 0 && extensions.keyUsage?.keyCertSign == false
      } catch {
        return true
      }
    }
  }

  /// Whether the certificate names hosts where they belong: its subject is no such place any more (RFC 9525, 2), and
  /// name constraints do not reach it.
  private func isNamed(_ leaf: Certificate) -> Bool {
    guard let names = try? leaf.extensions.subjectAlternativeNames else { return false }
    return !names.isEmpty
  }
}
