import CertificateTransparency
import Foundation
import MerkleTree

/// The files of an alert for a command, in a directory that nobody else may read.
struct HookFiles {
  let directory: URL
  /// The alert as ``AlertJSON``.
  let payload: URL
  /// The variables that name the files.
  private(set) var variables: [String: String] = [:]

  init(_ alert: Alert, in parent: URL) throws {
    directory = try HookFiles.makeDirectory(in: parent)
    payload = directory.appending(path: "alert.json")
    do {
      try write(AlertJSON(alert).encoded(), "ORIEL_JSON_FILENAME", payload)
      let words = AlertWords(alert)
      let text = ([words.summary, ""] + words.lines).joined(separator: "\n") + "\n"
      try write(Array(text.utf8), "TEXT_FILENAME", directory.appending(path: "alert.txt"))
      guard let certificate = alert.certificate else { return }
      let json = try JSONEncoder.sorted.encode(HookCertificate(certificate))
      try write([UInt8](json), "JSON_FILENAME", directory.appending(path: "certificate.json"))
      let pem = certificate.certificates.compactMap(\.pem).joined()
      guard !pem.isEmpty else { return }
      try write(Array(pem.utf8), "CERT_FILENAME", directory.appending(path: "certificate.pem"))
    } catch {
      remove()
      throw error
    }
  }

  func remove() { try? FileManager.default.removeItem(at: directory) }

  private static func makeDirectory(in parent: URL) throws -> URL {
    // mkdtemp takes a name that nobody else has, and keeps everybody else out.
    var template = Array(parent.appending(path: "oriel-alert-XXXXXX").path.utf8CString)
    guard mkdtemp(&template) != nil else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
    let path = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return URL(filePath: path, directoryHint: .isDirectory)
  }

  private mutating func write(_ bytes: [UInt8], _ variable: String, _ file: URL) throws {
    try Data(bytes).write(to: file)
    variables[variable] = file.path
  }
}

/// The JSON file that certspotter's hook scripts know: what can't be told is null there.
private struct HookCertificate: Encodable {
  let facts: CertificateFacts
  let tbs: SHA256Hash?
  let certificate: SHA256Hash?
  let issuer: String?
  let subject: String?

  init(_ alert: CertificateAlert) {
    facts = alert.facts
    tbs = alert.tbsHash
    certificate = alert.certificates.first?.sha256
    (issuer, subject) = alert.certificates.first { $0.isWhole }?.names ?? (nil, nil)
  }

  enum CodingKeys: String, CodingKey {
    case tbsSha256, certSha256, pubkeySha256, issuerDer, subjectDer, dnsNames, ipAddresses, notBefore, notAfter
    case serialNumber
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(tbs?.hex, forKey: .tbsSha256)
    try container.encode(certificate?.hex, forKey: .certSha256)
    try container.encode(facts.publicKeyHash?.hex, forKey: .pubkeySha256)
    try container.encode(issuer, forKey: .issuerDer)
    try container.encode(subject, forKey: .subjectDer)
    try container.encode((facts.text(of: .dnsName) + facts.commonNames).uniqued(), forKey: .dnsNames)
    try container.encode(facts.text(of: .ipAddress), forKey: .ipAddresses)
    try container.encode(facts.notBefore.map(CertificateJSON.time), forKey: .notBefore)
    try container.encode(facts.notAfter.map(CertificateJSON.time), forKey: .notAfter)
    try container.encode(facts.serialNumber, forKey: .serialNumber)
  }
}

extension CertificateAlert {
  /// SHA-256 of the TBSCertificate that the log signed for; nil where it can't be told from what is kept.
  var tbsHash: SHA256Hash? {
    for certificate in certificates {
      let candidates = [
        try? TBSCertificate.withoutSCTs(certificate: certificate.der),
        try? TBSCertificate.withoutPoison(precertificate: certificate.der), certificate.der,
      ]
      for case let candidate? in candidates
      where IssuanceID(issuerKeyHash: issuerKeyHash, tbsCertificate: candidate) == issuance {
        return SHA256Hash.hash(candidate)
      }
    }
    return nil
  }
}

extension CertificateAlert.Certificate {
  /// Issuer and subject, DER in base64.
  fileprivate var names: (String?, String?) {
    let bytes = der.span
    guard let fields = CertificateFields(certificate: 0..<bytes.count, in: bytes) else { return (nil, nil) }
    return (Base64.encode(bytes.copy(fields.issuer)), Base64.encode(bytes.copy(fields.subject)))
  }
}

extension Alert {
  /// The one certificate that the alert is about.
  var certificate: CertificateAlert? {
    switch content {
    case .certificate(let found), .sample(let found), .followUp(let found, _, _), .explained(let found): found
    case .lookalike(let found): found.certificate
    case .digest, .summary, .logHealth, .deliveryHealth, .inventoryHealth, .short, .canary, .caaChange, .heartbeat: nil
    }
  }
}
