import CertificateTransparency
import MerkleTree
import OrielStore
import OrielWatchlist

/// Reads a candidate in full: whether it matches, what it is an issuance of, and what is odd about it.
struct SightingBuilder: Sendable {
  enum Outcome: Sendable {
    case match(NewSighting)
    /// The certificate's names can't all be told, and no watched name stands in its bytes.
    case unreadable
    case noMatch
  }

  let sought: Sought
  let issuers: IssuerDirectory
  /// Asks the log for an issuer's certificate.
  let fetchIssuer: @Sendable (SHA256Hash) async throws -> [UInt8]

  private var index: WatchIndex { sought.index }

  func build(_ candidate: Candidate) async throws -> Outcome {
    var problems = candidate.problems
    var contents = Contents(candidate)
    var found: Matches?
    if !index.needsIssuerKeyHash, !index.watchesEverything {
      // Most candidates turn out not to match: the chain is only asked for once one does.
      let preliminary = matches(contents)
      if preliminary.all.isEmpty, lookalikes(contents).isEmpty { return preliminary.outcome }
      found = preliminary
    }
    contents = await self.contents(candidate, problems: &problems)
    // Only a precertificate that came along has names that have not been looked at.
    if !contents.otherNames.isEmpty || !contents.facts.namesAreComplete { found = nil }
    let whole = found ?? matches(contents)
    let alike = lookalikes(contents)
    guard !whole.all.isEmpty || !alike.isEmpty else { return whole.outcome }
    problems += contents.facts.problems
    if !whole.wereAllCompared { problems.append("names: so many with wildcards that not all were compared") }
    var sighting = NewSighting(
      index: candidate.index, timestamp: candidate.timestamp,
      issuance: IssuanceID(issuerKeyHash: contents.issuerKeyHash ?? .zero, tbsCertificate: contents.tbs),
      issuerKeyHash: contents.issuerKeyHash ?? .zero, entryType: contents.entryType,
      certificate: contents.certificate, chain: contents.chain, issuers: contents.issuerCertificates,
      facts: contents.facts, matches: whole.all, problems: problems)
    sighting.lookalikes = alike
    return .match(sighting)
  }

  /// What the names imitate: of each name that somebody has registered, the strongest imitation of each domain.
  private func lookalikes(_ contents: Contents) -> [StoredLookalike] {
    guard !sought.lookalikes.isEmpty else { return [] }
    var found: [Lookalike] = []
    for name in (contents.facts.names + contents.otherNames).prefix(LookalikeIndex.mostNames) {
      sought.lookalikes.matches(name.bytes.span, source: name.source, stringTag: name.stringTag, into: &found)
      if found.count >= SightingBuilder.mostLookalikes { break }
    }
    var strongest: [StoredLookalike.Key: StoredLookalike] = [:]
    for match in found.prefix(SightingBuilder.mostLookalikes) {
      let lookalike = StoredLookalike(
        owner: match.owner, item: match.item.description, registrable: match.registrable, name: match.name,
        unicode: match.unicode, reason: match.reason.rawValue, sentence: match.description, rating: match.rating)
      if lookalike.rating > strongest[lookalike.key]?.rating ?? -1 { strongest[lookalike.key] = lookalike }
    }
    return strongest.values.sorted { ($0.owner, $0.item, $0.registrable) < ($1.owner, $1.item, $1.registrable) }
  }

  /// More imitations than this are not told of one certificate.
  private static let mostLookalikes = 10_000

  /// What is known of an entry once its chain has been looked at.
  private struct Contents {
    var entryType = "x509"
    var certificate: [UInt8]
    var tbs: [UInt8]
    var facts: CertificateFacts
    /// Names of the precertificate that came along, where it is not the one that the leaf was made from.
    var otherNames: [FoundName] = []
    var issuerKeyHash: SHA256Hash?
    var chain: [SHA256Hash] = []
    var issuerCertificates: [[UInt8]] = []

    init(_ candidate: Candidate) {
      switch candidate.leaf {
      case .certificate(let bytes):
        certificate = bytes
        tbs = bytes
        facts = CertificateFacts(certificate: bytes)
      case .precertificate(let keyHash, let bytes):
        entryType = "precert"
        certificate = bytes
        tbs = bytes
        issuerKeyHash = keyHash
        facts = CertificateFacts(tbsCertificate: bytes)
      case .unknown(let bytes):
        entryType = "unknown"
        certificate = bytes
        tbs = bytes
        facts = CertificateFacts(certificate: bytes)
      }
    }
  }

  /// What of the watched items a certificate matches, and whether that is all.
  private struct Matches {
    let all: [StoredMatch]
    let wereAllCompared: Bool
    let wereAllRead: Bool

    /// Without a match.
    var outcome: Outcome { wereAllCompared && wereAllRead ? .noMatch : .unreadable }
  }

  private func matches(_ contents: Contents) -> Matches {
    let facts = contents.facts
    let found = index.matches(
      for: facts.names + contents.otherNames, publicKey: facts.publicKeyHash, issuer: contents.issuerKeyHash)
    var all = found.all
    if !facts.namesAreComplete {
      let known = Set(all.map(\.item))
      all += index.matches(inUnreadable: contents.certificate.span).filter { !known.contains($0.item) }
    }
    return Matches(
      all: all.map { StoredMatch(item: $0.item.description, name: $0.name) },
      wereAllCompared: found.isComplete, wereAllRead: facts.namesAreComplete)
  }

  /// The candidate with its chain; what can't be had or does not fit is a problem, never a reason to stay silent.
  private func contents(_ candidate: Candidate, problems: inout [String]) async -> Contents {
    var contents = Contents(candidate)
    var precertificate: [UInt8] = []
    switch candidate.chain {
    case .fingerprints(let bytes, let fingerprints):
      precertificate = bytes
      contents.chain = fingerprints
      for fingerprint in fingerprints.prefix(16) {
        do {
          contents.issuerCertificates.append(try await issuers.certificate(fingerprint, fetch: fetchIssuer))
        } catch {
          problems.append("chain: the log does not give the issuer \(fingerprint): \(error)")
          break
        }
      }
    case .extraData(let bytes):
      do {
        let extra = try ExtraData(
          decoding: bytes, kind: contents.entryType == "precert" ? .precertificate : .x509)
        if case .precertificate(let submitted, _) = extra { precertificate = submitted }
        contents.issuerCertificates = extra.chain
        contents.chain = extra.chain.map { SHA256Hash.hash($0) }
        extra.chain.forEach(issuers.add)
      } catch {
        problems.append("extra_data: \(error)")
      }
    }
    if contents.entryType == "precert" {
      check(precertificate, against: &contents, problems: &problems)
    } else if contents.entryType == "x509" {
      identify(&contents, problems: &problems)
    }
    return contents
  }

  /// A final certificate's issuer key and TBSCertificate, as its precertificate's entry would have them.
  private func identify(_ contents: inout Contents, problems: inout [String]) {
    contents.issuerKeyHash = contents.issuerCertificates.first.flatMap(IssuerDirectory.keyHash(of:))
    if contents.issuerKeyHash == nil, contents.chain.isEmpty {
      // A root, or a certificate that is its own root: its key is its issuer's.
      contents.issuerKeyHash = contents.facts.publicKeyHash
    }
    if contents.issuerKeyHash == nil { problems.append("issuer: its key is not known") }
    do {
      contents.tbs = try TBSCertificate.withoutSCTs(certificate: contents.certificate)
    } catch {
      problems.append("certificate: \(error)")
    }
  }

  /// The precertificate that came along must be the one that the leaf was made from.
  private func check(_ precertificate: [UInt8], against contents: inout Contents, problems: inout [String]) {
    guard !precertificate.isEmpty else {
      problems.append("precertificate: the log does not give it")
      return
    }
    let tbs = contents.tbs
    contents.certificate = precertificate
    let signer = contents.issuerCertificates.first.flatMap { certificate in
      TBSCertificate.isPrecertificateSigningCertificate(certificate) ? certificate : nil
    }
    do {
      let rebuilt = try TBSCertificate.withoutPoison(precertificate: precertificate, signingCertificate: signer)
      if rebuilt != tbs {
        problems.append("precertificate: it is not the one that the logged entry was made from")
        contents.otherNames = CertificateFacts(certificate: precertificate).names
      }
    } catch {
      problems.append("precertificate: \(error)")
      contents.otherNames = CertificateFacts(certificate: precertificate).names
    }
    let issuer = signer == nil ? contents.issuerCertificates.first : contents.issuerCertificates.dropFirst().first
    if let issuer, IssuerDirectory.keyHash(of: issuer) != contents.issuerKeyHash {
      problems.append("issuer: its key is not the one that the logged entry names")
    }
  }
}
