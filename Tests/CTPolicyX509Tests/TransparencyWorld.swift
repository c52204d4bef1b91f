import CTPolicy
import CTPolicyX509
import CertificateTransparency
import Crypto
import SwiftASN1
import Synchronization
import TestWorld
import X509

/// An authority, and logs of two operators (and a second log of one of them) that are all on the list.
struct TransparencyWorld: Sendable {
  let authority: TestAuthority
  let anchor: TestLog
  let secondAnchor: TestLog
  let beacon: TestLog
  let issued: Timestamp

  init(issued: Timestamp = HeldClock().start) throws {
    self.issued = issued
    let now: @Sendable () -> Timestamp = { issued }
    authority = try TestAuthority(now: now)
    anchor = try TestLog(.staticCT, name: "anchor", now: now)
    secondAnchor = try TestLog(.rfc6962, name: "second anchor", now: now)
    beacon = try TestLog(.rfc6962, name: "beacon", now: now)
  }

  func logs(listed: Timestamp?) -> LogView {
    LogView(
      [(anchor, "Anchor"), (secondAnchor, "Anchor"), (beacon, "Beacon")].map { log, name in
        log.description(url: "https://logs.example/", operatorName: name)
      }, timestamp: listed)
  }

  var logs: LogView { logs(listed: issued) }

  static func root(of pair: IssuedPair) throws -> Certificate { try certificate(pair.chain[pair.chain.count - 1]) }
  static func certificate(_ der: [UInt8]) throws -> Certificate { try Certificate(derEncoded: der) }

  /// Issues a certificate with the SCTs of these logs.
  func issue(_ request: CertificateRequest = CertificateRequest(["www.example.com"]), to logs: [TestLog]) throws
    -> IssuedPair
  {
    let pending = try authority.begin(request)
    return try pending.finish(try logs.map { try $0.sct(at: try $0.append(pending.entry)) })
  }

  /// A certificate without any SCT list.
  func issueWithoutSCTs() throws -> (leaf: [UInt8], chain: [[UInt8]]) {
    let pending = try authority.begin(CertificateRequest(["www.example.com"]))
    let signature = try pending.issuer.key.signature(for: pending.tbsWithoutPoison).derRepresentation
    let leaf = DERWriter.build { der in
      der.sequence {
        $0.raw(pending.tbsWithoutPoison)
        $0.sequence { $0.identifier("1.2.840.10045.4.3.2") }
        $0.bitString(Array(signature))
      }
    }
    return (leaf, pending.issuer.chain)
  }

  /// The SCT list that a server would send for this certificate.
  func list(for leaf: [UInt8], _ chain: [[UInt8]], of logs: [TestLog]) throws -> [UInt8] {
    let entry = TestEntry(body: .x509(certificate: leaf), precertificate: nil, chain: chain)
    return try SCTList(logs.map { try $0.sct(at: try $0.append(entry)) }).encoded()
  }
}

/// Holds a value that tests change.
final class Held<Value: Sendable>: Sendable {
  private let state: Mutex<Value>
  init(_ value: Value) { state = Mutex(value) }
  var value: Value {
    get { state.withLock { $0 } }
    set { state.withLock { $0 = newValue } }
  }
}
