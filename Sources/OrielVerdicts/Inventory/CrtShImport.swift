package import CertificateTransparency
import Foundation

/// A certificate that someone else saw, for the owner to confirm as part of the baseline.
package struct BaselineCandidate: Hashable, Sendable {
  package let names: [String]
  /// As crt.sh shows it. It tells nothing for sure about the CA: the owner of the CA is the user's to say.
  package let issuerName: String
  package let serialNumber: String?
  package let notBefore: Int64
  package let notAfter: Int64

  /// As the history keeps it, once confirmed. Neither its key nor its issuer's is known.
  package func accepted(where isHit: (String) -> Bool, owner: String?) -> AcceptedIssuance {
    AcceptedIssuance(
      names: names.filter(isHit), issuerKeyHash: nil, owner: owner, publicKey: nil, notBefore: notBefore,
      notAfter: notAfter, isTold: true)
  }
}

/// Reads what crt.sh answers with `output=json`.
package enum CrtShImport {
  package static let maximumBytes = 64 << 20
  package static let maximumRows = 200_000

  package struct Result: Hashable, Sendable {
    /// Newest first; precertificates and their certificates are one.
    package var candidates: [BaselineCandidate] = []
    /// Rows that could not be used, counted from 1.
    package var problems: [String] = []
  }

  private struct Row: Decodable {
    let issuer_name: String
    let name_value: String
    let common_name: String?
    let serial_number: String?
    let not_before: String
    let not_after: String
  }

  /// A row of any kind, so that one that is odd does not spoil the others.
  private struct Tolerant: Decodable {
    let row: Row?

    init(from decoder: any Decoder) { row = try? Row(from: decoder) }
  }

  /// The shape in which some clients of crt.sh keep its answers.
  private struct Wrapped: Decodable { let certificates: [Tolerant] }

  package static func read(_ bytes: [UInt8]) throws(FormatError) -> Result {
    guard bytes.count <= maximumBytes else {
      throw FormatError("crt.sh JSON", at: 0, "more than \(maximumBytes >> 20) MiB")
    }
    let decoder = JSONDecoder()
    let data = Data(bytes)
    guard
      let rows = (try? decoder.decode([Tolerant].self, from: data))
        ?? (try? decoder.decode(Wrapped.self, from: data).certificates)
    else { throw FormatError("crt.sh JSON", at: 0, "expected an array of certificates") }
    var result = Result()
    var seen: Set<BaselineCandidate> = []
    for (number, tolerant) in rows.prefix(maximumRows).enumerated() {
      if let candidate = tolerant.row.flatMap(candidate) {
        seen.insert(candidate)
      } else if result.problems.count < 100 {
        result.problems.append("row \(number + 1): without issuer, names, or dates that can be read")
      }
    }
    if rows.count > maximumRows { result.problems.append("rows after the first \(maximumRows) were left out") }
    result.candidates = seen.sorted {
      ($1.notBefore, $0.names.joined(separator: " "), $0.issuerName, $0.serialNumber ?? "", $0.notAfter)
        < ($0.notBefore, $1.names.joined(separator: " "), $1.issuerName, $1.serialNumber ?? "", $1.notAfter)
    }
    return result
  }

  private static func candidate(_ row: Row) -> BaselineCandidate? {
    guard let notBefore = Timestamp(rfc3339: row.not_before + "Z"),
      let notAfter = Timestamp(rfc3339: row.not_after + "Z")
    else { return nil }
    let texts = row.name_value.split(separator: "\n").map(String.init) + [row.common_name].compactMap { $0 }
    let names = Set(texts.map(CertificateName.normalised)).subtracting([""]).sorted()
    guard !names.isEmpty else { return nil }
    return BaselineCandidate(
      names: names, issuerName: row.issuer_name, serialNumber: row.serial_number?.lowercased(),
      notBefore: Int64(notBefore.milliseconds / 1000), notAfter: Int64(notAfter.milliseconds / 1000))
  }
}
