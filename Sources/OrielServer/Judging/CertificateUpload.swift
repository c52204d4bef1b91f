import OrielAccounts
import OrielVerdicts
import OrielWatchlist

/// Certificates that somebody sends, looked through before anything is kept of them.
struct CertificateUpload: Sendable {
  /// What the domain's item covers.
  let found: FoundCredentials
  /// How many certificates and requests are for other names.
  let otherCount: Int

  static let filesAtOnce = 20

  /// - Parameters:
  ///   - files: their names, for people, and what they hold.
  ///   - text: what was pasted.
  /// - Throws: ``AccountError/refused(field:reason:)`` for what is none, damaged, secret, or for other names.
  init(files: [FormFile], text: String?, source: String, where isHit: (String) -> Bool) throws {
    var parts = files.map {
      (field: AccountError.Field.file, name: "“\(CertificateUpload.shown($0.name))”", bytes: $0.bytes)
    }
    if let text { parts.append((.hash, "what you pasted", Array(text.utf8))) }
    guard !parts.isEmpty else {
      throw AccountError.refused(field: .file, reason: "choose a file, or paste certificates below")
    }
    guard files.count <= CertificateUpload.filesAtOnce else {
      throw AccountError.refused(
        field: .file, reason: "these are \(files.count) files; send at most \(CertificateUpload.filesAtOnce) at once")
    }
    var read: [(file: CertificateFile, source: String)] = []
    for part in parts {
      // Before anything else looks at it, and without a word of it in the answer.
      guard !CertificateFile.holdsSecret(part.bytes) else {
        throw AccountError.refused(
          field: part.field,
          reason:
            "there is a private key in \(part.name). It was not read, and nothing was kept. Oriel never needs one: "
            + "send the certificates alone")
      }
      let file = CertificateFile(part.bytes)
      if let problem = file.problems.first {
        throw AccountError.refused(field: part.field, reason: "\(part.name): \(problem.prefix(300))")
      }
      guard !file.certificates.isEmpty || !file.requests.isEmpty else {
        throw AccountError.refused(
          field: part.field, reason: "there is no certificate and no certificate request in \(part.name)")
      }
      read.append((file, source))
    }
    let all = FoundCredentials(read)
    let field = parts[0].field
    guard !all.entries.isEmpty else {
      throw AccountError.refused(
        field: field, reason: "only certificates of CAs are in there; add the ones that they issued")
    }
    found = all.filter(where: isHit)
    guard !found.entries.isEmpty else {
      let name = all.entries.lazy.flatMap(\.names).first.map { ": it is for \(CertificateUpload.shown($0))" } ?? ""
      throw AccountError.refused(field: field, reason: "none of that is for this domain\(name)")
    }
    let keyCount = { (found: FoundCredentials) in found.entries.count { $0.kind == .key } }
    otherCount = keyCount(all) - keyCount(found)
  }

  private static func shown(_ name: String) -> String { String(name.prefix(100)) }
}

extension Site {
  /// Looks through what somebody sends for a domain, in its turn.
  func upload(
    _ files: [FormFile], text: String?, source: String, for domain: Domain
  ) async throws -> CertificateUpload {
    let item = try domain.watched
    return try await heavyWork.run(for: domain.account) {
      try CertificateUpload(files: files, text: text, source: source, where: item.isHit)
    }
  }
}
