import CertificateTransparency
import Crypto
import Foundation
import MerkleTree
import OrielAccounts
import OrielStore

/// A certificate as certstream tells of it, with what Oriel made of it beside.
struct CertstreamMessage {
  private static let subjectFields = [
    "C": "2.5.4.6", "CN": "2.5.4.3", "L": "2.5.4.7", "O": "2.5.4.10", "OU": "2.5.4.11", "ST": "2.5.4.8",
    "email_address": "1.2.840.113549.1.9.1",
  ]
  /// More names than any reader shows; a certificate may have very many.
  private static let mostNames = 5000

  private let record: IssuanceRecord
  private let judgement: Judgement
  private let certificate: StoredCertificate?
  /// Certificates of issuers.
  private let chain: [[UInt8]]
  private let logURL: String
  private let link: String

  init(_ site: Site, _ record: IssuanceRecord, _ judgement: Judgement) async throws {
    (self.record, self.judgement) = (record, judgement)
    let certificate = record.certificates.first
    var chain: [[UInt8]] = []
    if let certificate {
      for hash in try await AlertStore(site.parts.database).chain(of: certificate.sha256) {
        if let der = try await site.following.issuer(hash) { chain.append(der) }
      }
    }
    let log = record.sightings.first?.logID
    (self.certificate, self.chain) = (certificate, chain)
    logURL = try await site.following.logs().first { $0.logID == log }?.url ?? ""
    link = "\(site.address.text)/issuances/\(record.id)?domain=\(judgement.domain)"
  }

  var json: JSON {
    [
      "message_type": "certificate_update",
      "data": [
        "update_type": .text(certificate?.entryType == "precert" ? "PrecertLogEntry" : "X509LogEntry"),
        "leaf_cert": CertstreamMessage.leaf(certificate?.facts, certificate.flatMap { $0.isWhole ? $0.der : nil }),
        "chain": .list(chain.map { CertstreamMessage.leaf(CertificateFacts(certificate: $0), $0) }),
        "cert_index": .integer(Int64(clamping: record.sightings.first?.index ?? 0)), "cert_link": .text(link),
        "seen": .number(Double(judgement.issuance.firstSeen) / 1000),
        "source": ["name": .text(record.sightings.first?.log ?? ""), "url": .text(logURL)],
        "oriel": [
          "domain": .text("\(judgement.domain)"), "item": .text(judgement.item), "issuance": .text("\(record.id)"),
          "verdict": judgement.json["verdict"], "state": .text(judgement.state.rawValue),
        ],
      ],
    ]
  }

  private static func leaf(_ facts: CertificateFacts?, _ whole: [UInt8]?) -> JSON {
    let names = facts?.names.filter { $0.source == .dnsName || $0.source == .commonName }.map(\.text) ?? []
    return [
      "subject": name(facts?.subject), "issuer": name(facts?.issuer),
      "extensions": ["subjectAltName": facts.flatMap(alternativeNames)],
      "not_before": facts?.notBefore.map { .integer($0) } ?? .null,
      "not_after": facts?.notAfter.map { .integer($0) } ?? .null,
      "serial_number": facts?.serialNumber.map { .text($0.uppercased()) } ?? .null,
      "fingerprint": whole.map { .text(colons(Insecure.SHA1.hash(data: $0))) } ?? .null,
      "sha256": whole.map { .text(colons(SHA256.hash(data: $0))) } ?? .null,
      "as_der": whole.map { .text(Data($0).base64EncodedString()) } ?? .null,
      "all_domains": .texts(names.uniqued().prefix(mostNames)),
    ]
  }

  private static func name(_ name: DistinguishedName?) -> JSON {
    var fields = subjectFields.mapValues { type in name?.values(ofType: type).first.map { JSON.text($0) } ?? .null }
    let parts = subjectFields.sorted { $0.key < $1.key }.compactMap { label, type in
      name?.values(ofType: type).first.map { "/\(label == "email_address" ? "emailAddress" : label)=\($0)" }
    }
    fields["aggregated"] = .text(parts.joined())
    return .object(fields)
  }

  /// As OpenSSL prints them.
  private static func alternativeNames(_ facts: CertificateFacts) -> JSON? {
    let texts = facts.names.compactMap { name -> String? in
      switch name.source {
      case .dnsName: "DNS:\(name.text)"
      case .ipAddress: "IP Address:\(name.text)"
      case .uri: "URI:\(name.text)"
      case .email: "email:\(name.text)"
      default: nil
      }
    }
    return texts.isEmpty ? nil : .text(texts.prefix(mostNames).joined(separator: ", "))
  }

  private static func colons(_ digest: some Digest) -> String {
    digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }.joined(separator: ":")
  }
}
