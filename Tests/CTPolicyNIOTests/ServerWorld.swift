import CTPolicy
import CTPolicyNIO
import CTPolicyX509
import CertificateTransparency
import Crypto
import Foundation
import SwiftASN1
import TestWorld
import X509

/// What a server presents: its key and its certificates, without the root.
struct Presented: Sendable {
  let key: P256.Signing.PrivateKey
  let certificates: [[UInt8]]
}

/// An authority, logs of two operators (and a second log of one of them), and a clock that stands still.
struct ServerWorld: Sendable {
  enum SCTs: CaseIterable { case enough, sameOperator, none }

  let authority: TestAuthority
  let now = HeldClock().start
  private let listed: [(log: TestLog, operatorName: String)]

  init(seed: UInt64 = 1, organisation: String = "Oriel Test Trust Services") throws {
    authority = try TestAuthority(seed: seed, organisation: organisation)
    listed = [
      (try TestLog(.staticCT, name: "anchor"), "Anchor"), (try TestLog(.rfc6962, name: "second anchor"), "Anchor"),
      (try TestLog(.rfc6962, name: "beacon"), "Beacon"),
    ]
  }

  func time(days: Int64) -> Timestamp { Timestamp(milliseconds: UInt64(Int64(now.milliseconds) + days * 86_400_000)) }

  /// Verifies for servers of this authority.
  func verifier(
    _ publicity: RootPublicity = .public, at time: Timestamp? = nil,
    handler: @escaping @Sendable (ChainJudgement) -> Void = { _ in }
  ) throws -> CTServerVerifier {
    let time = time ?? now
    let logs = LogView(
      listed.map { $0.log.description(url: "https://logs.example/", operatorName: $0.operatorName) }, timestamp: time)
    let policy = CTVerifierPolicy(
      policies: [.chrome, .firefox], logs: { logs }, now: { time }, publicity: { _ in publicity }, handler: handler)
    let root = try Certificate(derEncoded: authority.root.chain[0])
    return CTServerVerifier(roots: CertificateStore([root]), policy: policy)
  }

  func present(_ request: CertificateRequest, _ scts: SCTs = .enough) throws -> Presented {
    let pending = try authority.begin(request)
    let logs =
      switch scts {
      case .enough: [listed[0].log, listed[2].log]
      case .sameOperator: [listed[0].log, listed[1].log]
      case .none: [TestLog]()
      }
    let pair = try pending.finish(try logs.map { try $0.sct(at: try $0.append(pending.entry)) })
    return Presented(
      key: pending.privateKey ?? P256.Signing.PrivateKey(),
      certificates: [pair.certificate] + pair.chain.dropLast())
  }

  func present(_ names: String..., scts: SCTs = .enough) throws -> Presented {
    try present(CertificateRequest(names), scts)
  }
}

/// Certificates as no test authority makes them.
struct OddAuthority {
  let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
  let name: X509.DistinguishedName
  private let time: Date

  init(_ name: String, at time: Timestamp) throws {
    self.name = try X509.DistinguishedName { CommonName(name) }
    self.time = Date(timeIntervalSince1970: Double(time.milliseconds / 1000))
  }

  /// Certifies a subject with extensions.
  func certify(
    _ subject: X509.DistinguishedName, _ key: Certificate.PrivateKey, _ extensions: Certificate.Extensions
  ) throws -> Certificate {
    try Certificate(
      version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: key.publicKey,
      notValidBefore: time.addingTimeInterval(-86_400), notValidAfter: time.addingTimeInterval(86_400), issuer: name,
      subject: subject, signatureAlgorithm: .ecdsaWithSHA256, extensions: extensions, issuerPrivateKey: self.key)
  }

  func root() throws -> Certificate {
    try certify(
      name, key, Certificate.Extensions { Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil)) })
  }

  func leaf(_ extensions: Certificate.Extensions, commonName: String = "www.example.com") throws -> Certificate {
    let subject = try X509.DistinguishedName { CommonName(commonName) }
    return try certify(subject, Certificate.PrivateKey(P256.Signing.PrivateKey()), extensions)
  }
}

extension Certificate {
  var der: [UInt8] {
    get throws {
      var serializer = DER.Serializer()
      try serializer.serialize(self)
      return serializer.serializedBytes
    }
  }
}
