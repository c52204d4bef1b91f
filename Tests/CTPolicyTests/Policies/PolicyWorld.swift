import CTPolicy
import CertificateTransparency
import Crypto
import MerkleTree
import TestWorld
import Testing

/// A log of the policy tests: its place in the log list, and the key that it signs with.
struct PolicyLog: Sendable {
  let name: String
  var operatorName: String
  var isTiled = false
  var state = LogDescription.State.usable
  var since: Timestamp?
  var former: [LogDescription.PreviousOperator] = []
  var interval: LogDescription.TemporalInterval?
  var logType: String?

  var signer: LogSigner { LogSigner(P256.Signing.PrivateKey(seed: 7, label: "policy log \(name)")) }
  var logID: LogID { signer.logID }

  var description: LogDescription {
    LogDescription(
      kind: isTiled
        ? .staticCT(submission: "https://\(name).example/", monitoring: "https://\(name).example/")
        : .rfc6962(url: "https://\(name).example/"),
      key: signer.publicKey, description: name, operatorName: operatorName, previousOperators: former,
      maximumMergeDelay: 86_400, state: state, stateTimestamp: since, temporalInterval: interval, logType: logType)
  }

  func with(_ change: (inout PolicyLog) -> Void) -> PolicyLog {
    var log = self
    change(&log)
    return log
  }

  static let a = PolicyLog(name: "a", operatorName: "Anchor")
  static let a2 = PolicyLog(name: "a2", operatorName: "Anchor")
  static let b = PolicyLog(name: "b", operatorName: "Beacon")
  static let c = PolicyLog(name: "c", operatorName: "Cairn")
  static let d = PolicyLog(name: "d", operatorName: "Dune")
  static let tiled = PolicyLog(name: "tiled", operatorName: "Tiles", isTiled: true)
  static let tiled2 = PolicyLog(name: "tiled2", operatorName: "Slates", isTiled: true)
  static let google = PolicyLog(name: "google", operatorName: "Google")
  static let unlisted = PolicyLog(name: "unlisted", operatorName: "Nobody")
}

/// An SCT to be made: of which log, when (seconds after ``PolicyWorld/issued``), and how oddly.
struct Promise: Sendable {
  let log: PolicyLog
  var seconds: Int64
  /// By default the index in tiled logs, and nothing in others.
  var extensions: [UInt8]
  var trailing: [UInt8] = []
  var breaksSignature = false

  init(
    _ log: PolicyLog, at seconds: Int64 = 0, extensions: [UInt8]? = nil, trailing: [UInt8] = [],
    breaksSignature: Bool = false
  ) {
    self.log = log
    self.seconds = seconds
    self.extensions = extensions ?? (log.isTiled ? [0, 0, 5, 0, 0, 0, 1, 2] : [])
    self.trailing = trailing
    self.breaksSignature = breaksSignature
  }
}

/// An authority, a log list, a time, and certificates with SCTs as tests want them.
struct PolicyWorld: Sendable {
  static let day: Int64 = 86_400

  let authority: TestAuthority
  /// When certificates are issued: 2026-06-01.
  let issued: Timestamp
  /// When they are checked.
  let now: Timestamp
  let logs: LogView

  /// - Parameter logs: those of the list that are not as they usually are; the usual ones follow.
  init(
    logs: [PolicyLog] = [], issued: String = "2026-06-01T00:00:00Z", checkedAfter days: Int64 = 10,
    listAge: Int64? = 1
  ) throws {
    let issued = try #require(Timestamp(rfc3339: issued))
    self.issued = issued
    let now = PolicyWorld.time(issued, plus: days * PolicyWorld.day)
    self.now = now
    authority = try TestAuthority(now: { issued })
    let usual: [PolicyLog] = [.a, .a2, .b, .c, .d, .tiled, .tiled2, .google]
    let listed = logs + usual.filter { item in !logs.contains { $0.name == item.name } }
    self.logs = LogView(
      listed.map(\.description), timestamp: listAge.map { PolicyWorld.time(now, plus: -$0 * PolicyWorld.day) })
  }

  static func time(_ time: Timestamp, plus seconds: Int64) -> Timestamp {
    Timestamp(milliseconds: UInt64(Int64(time.milliseconds) + seconds * 1000))
  }

  func time(_ seconds: Int64) -> Timestamp { PolicyWorld.time(issued, plus: seconds) }

  func verify(_ certificate: PresentedCertificate) -> SCTReport {
    SCTVerifier(logs: logs).verify(certificate, at: now)
  }

  private func serialized(_ promise: Promise, _ entry: LogEntryBody) throws -> [UInt8] {
    let sct = try promise.log.signer.sign(entry, timestamp: time(promise.seconds), extensions: promise.extensions)
    var bytes = try sct.encoded()
    // The last byte is the low end of the second number of the signature.
    if promise.breaksSignature { bytes[bytes.count - 1] ^= 1 }
    return bytes + promise.trailing
  }

  private func list(_ promises: [Promise], _ entry: LogEntryBody) throws -> [UInt8] {
    VectorTests.list(try promises.map { try serialized($0, entry) })
  }

  func certificate(
    lifetime: Int64 = 90 * PolicyWorld.day, embedded: [Promise] = [], ocsp: [Promise] = [], tls: [Promise] = [],
    shape: OCSPShape = .sha1
  ) throws -> PresentedCertificate {
    var request = CertificateRequest(["www.example.com"])
    request.notBefore = issued
    request.notAfter = time(lifetime)
    let pending = try authority.begin(request)
    let pair =
      embedded.isEmpty
      ? nil : try pending.finish(sctList: list(embedded, pending.entry.body))
    let leaf = try pair?.certificate ?? withoutSCTs(pending)
    var certificate = PresentedCertificate(leaf: leaf, issuers: pending.issuer.chain)
    if !tls.isEmpty { certificate.tlsSCTList = try list(tls, .x509(certificate: leaf)) }
    if !ocsp.isEmpty {
      let list = try list(ocsp, .x509(certificate: leaf))
      certificate.ocspResponse = OCSPResponse.build(leaf, pending.issuer, list, shape)
    }
    return certificate
  }

  /// The certificate without the extension, signed by nobody: only its bytes count here.
  private func withoutSCTs(_ pending: PendingIssuance) throws -> [UInt8] {
    DERWriter.build { der in
      der.sequence {
        $0.raw(pending.tbsWithoutPoison)
        $0.sequence { $0.identifier("1.2.840.10045.4.3.2") }
        $0.bitString([0x30, 0])
      }
    }
  }
}
