package import CertificateTransparency
import MerkleTree
import OrielWatchlist

/// Puts CCADB's reports together. Any of them may be missing, or come in several parts (V4a and V4b).
package struct CAOwnersReader {
  private struct Row {
    let parent: SHA256Hash?
    let owners: [UInt16]
  }

  private var rows: [SHA256Hash: Row] = [:]
  private var keys: [(key: SHA256Hash, certificate: SHA256Hash)] = []
  /// By the SHA-256 of the key identifier: certificates that have it.
  private var keyIdentifiers: [SHA256Hash: [SHA256Hash]] = [:]
  private var names: [String] = []
  private var ids: [String: UInt16] = [:]
  private var mechanisms: [UInt16: ReportingMechanism] = [:]
  private var ownerDomains: [UInt16: Set<String>] = [:]
  private var keyDomains: [(identifier: SHA256Hash, domains: [String])] = []
  private var malformed = 0

  package init() {}

  /// Adds AllCertificateRecords of any version.
  package mutating func addRecords(_ csv: [UInt8]) throws(CSVError) {
    var reader = try CSVReader(csv)
    try reader.select(
      ["CA Owner", "SHA-256 Fingerprint", "Parent SHA-256 Fingerprint"],
      optional: ["Subordinate CA Owner", "Subject Key Identifier", "X.509 Certificate (PEM)", "SPKI SHA-256"])
    while let row = try reader.next() {
      guard let fingerprint = CAOwnersReader.fingerprint(row[1]) else {
        malformed += 1
        continue
      }
      let parent = row[2].isEmpty ? nil : CAOwnersReader.fingerprint(row[2])
      if parent == nil, !row[2].isEmpty { malformed += 1 }
      let owners = [row[3], row[0]].compactMap { id(of: $0) }
      if let known = rows[fingerprint] {
        if known.owners != owners { malformed += 1 }
        continue
      }
      rows[fingerprint] = Row(parent: parent, owners: owners)
      if let identifier = Base64.decode(row[4]), !identifier.isEmpty {
        keyIdentifiers[SHA256Hash.hash(identifier), default: []].append(fingerprint)
      }
      if let key = CAOwnersReader.fingerprint(row[6]) ?? CAOwnersReader.keyHash(row[5], of: fingerprint) {
        keys.append((key, fingerprint))
      }
    }
    malformed += reader.oddRows
  }

  /// Adds AllCertificatePEMs: the keys of certificates, whose owners the records name.
  package mutating func addCertificates(_ csv: [UInt8]) throws(CSVError) {
    var reader = try CSVReader(csv)
    try reader.select(["SHA-256 Fingerprint", "X.509 Certificate (PEM)"])
    while let row = try reader.next() {
      guard let fingerprint = CAOwnersReader.fingerprint(row[0]),
        let key = CAOwnersReader.keyHash(row[1], of: fingerprint)
      else {
        malformed += 1
        continue
      }
      keys.append((key, fingerprint))
    }
    malformed += reader.oddRows
  }

  /// Adds AllCAAIdentifiersReport: the first version is by owner, the second by key identifier.
  package mutating func addCAAIdentifiers(_ csv: [UInt8]) throws(CSVError) {
    var reader = try CSVReader(csv)
    let isByOwner = reader.has("CA Owner")
    try reader.select([isByOwner ? "CA Owner" : "Subject Key Identifier (Hex)", "Recognized CAA Domains"])
    while let row = try reader.next() {
      let domains = row[1].split { $0.isWhitespace || ",;".contains($0) }.prefix(100)
        .compactMap { try? DomainName($0).ascii }.filter { $0.contains(".") }
      guard !domains.isEmpty else { continue }
      if isByOwner {
        if let id = id(of: row[0]) { ownerDomains[id, default: []].formUnion(domains) }
      } else if let identifier = CAOwnersReader.bytes(hex: row[0]), !identifier.isEmpty {
        keyDomains.append((SHA256Hash.hash(identifier), domains))
      } else {
        malformed += 1
      }
    }
    malformed += reader.oddRows
  }

  /// Adds AllProblemReportingMechanisms.
  package mutating func addMechanisms(_ csv: [UInt8]) throws(CSVError) {
    var reader = try CSVReader(csv)
    let column = ["Problem Reporting Mechanism", "Problem Reporting Mechanisms", "Problem Reporting"]
      .first { reader.has($0) }
    try reader.select(["CA Owner", column ?? "Problem Reporting Mechanism"])
    while let row = try reader.next() {
      guard !row[1].isEmpty, let id = id(of: row[0]), mechanisms[id] == nil else { continue }
      mechanisms[id] = ReportingMechanism(row[1])
    }
    malformed += reader.oddRows
  }

  /// All of it, ready to be asked.
  package func finish(asOf: Timestamp) -> CAOwners {
    var lineages: [[UInt16]] = []
    var numbers: [[UInt16]: UInt16] = [:]
    var certificates: [(hash: SHA256Hash, number: UInt16)] = []
    var lineageOf: [SHA256Hash: UInt16] = [:]
    for (hash, row) in rows {
      let lineage = lineage(of: row)
      guard !lineage.isEmpty, lineages.count < Int(UInt16.max) || numbers[lineage] != nil else { continue }
      let number = numbers[lineage] ?? UInt16(lineages.count)
      if numbers.updateValue(number, forKey: lineage) == nil { lineages.append(lineage) }
      certificates.append((hash, number))
      lineageOf[hash] = number
    }
    let keyPairs = keys.compactMap { pair in lineageOf[pair.certificate].map { (hash: pair.key, number: $0) } }
    return CAOwners(
      asOf: asOf, malformedCount: malformed, certificates: HashIndex(certificates), keys: HashIndex(keyPairs),
      lineages: lineages, names: names, ids: ids, mechanisms: mechanisms, domains: allDomains())
  }

  /// Owners from this certificate up to its root, each once.
  private func lineage(of row: Row) -> [UInt16] {
    var lineage: [UInt16] = []
    var row: Row? = row
    // Cross-signed CAs can lead round in a circle.
    for _ in 0..<12 {
      guard let next = row else { break }
      for owner in next.owners { add(owner, to: &lineage, limit: 16) }
      row = next.parent.flatMap { rows[$0] }
    }
    return lineage
  }

  /// CAA domains by owner. A key identifier counts for who runs the CA, if all its certificates agree on that, or else
  /// for the owner of its root certificate; who merely cross-signed it does not get its domains.
  private func allDomains() -> [UInt16: [String]] {
    var domains = ownerDomains
    for (identifier, found) in keyDomains {
      let all = (keyIdentifiers[identifier] ?? []).compactMap { rows[$0] }
      var owners = Set(all.compactMap(\.owners.first))
      if owners.count > 1 { owners = Set(all.filter { $0.parent == nil }.compactMap(\.owners.first)) }
      if owners.count == 1, let owner = owners.first { domains[owner, default: []].formUnion(found) }
    }
    return domains.mapValues { $0.sorted() }
  }

  /// Owners are told apart without case: CCADB has “D-Trust” and “D-TRUST”.
  static func folded(_ name: String) -> String { name.lowercased() }

  private mutating func id(of name: String) -> UInt16? {
    let shown = name.cleaned()
    guard !shown.isEmpty else { return nil }
    let folded = CAOwnersReader.folded(shown)
    if let known = ids[folded] { return known }
    guard names.count < Int(UInt16.max) else { return nil }
    let id = UInt16(names.count)
    names.append(shown)
    ids[folded] = id
    return id
  }

  /// 64 hexadecimal digits, between which there may be colons and blanks.
  private static func fingerprint(_ text: String) -> SHA256Hash? {
    SHA256Hash(hex: text) ?? SHA256Hash(hex: String(text.filter { $0 != ":" && !$0.isWhitespace && $0 != "'" }))
  }

  private static func bytes(hex text: String) -> [UInt8]? {
    let digits = Array(text.utf8.filter { $0 != UInt8(ascii: ":") && $0 != 0x20 })
    guard digits.count % 2 == 0, digits.count <= 256 else { return nil }
    var bytes: [UInt8] = []
    for start in stride(from: 0, to: digits.count, by: 2) {
      guard digits[start].isHexDigit, digits[start + 1].isHexDigit,
        let byte = UInt8(String(decoding: digits[start...(start + 1)], as: UTF8.self), radix: 16)
      else { return nil }
      bytes.append(byte)
    }
    return bytes
  }

  /// The hash of the key in a certificate, if it is the one that the fingerprint is of.
  private static func keyHash(_ pem: String, of fingerprint: SHA256Hash) -> SHA256Hash? {
    guard !pem.isEmpty, let der = try? PEM.first("CERTIFICATE", in: pem), SHA256Hash.hash(der) == fingerprint
    else { return nil }
    return CertificateFacts(certificate: der).publicKeyHash
  }
}
