package import CTLogClient
import CTPolicy
package import CertificateTransparency
import MerkleTree
import OrielProbe

/// Proves that the entry that an SCT promises is in its log's tree.
package struct InclusionCheck: Sendable {
  package enum Finding: Hashable, Sendable, CustomStringConvertible {
    /// In the tree whose signed head has this size and time. A head is overdue if the log ought to have a newer one.
    case included(index: UInt64, treeSize: UInt64, headTime: Timestamp, isOverdue: Bool)
    /// The log's merge delay is not over.
    case pending(until: Timestamp)
    /// It ought to be there: the log says that it is not, or has no head that could cover it.
    case missing(String)
    /// The log could not be reached, or what it answers is no answer.
    case couldNotTell(String)
    /// The log was not asked: the SCT is not valid, or its log is not known.
    case notAsked

    package var description: String {
      switch self {
      case .included(let index, let size, let time, let isOverdue):
        "included: entry \(index) of \(size), head of \(time)" + (isOverdue ? ", and no newer one since" : "")
      case .pending(let time): "not yet included; the log has until \(time)"
      case .missing(let reason): "NOT included: \(reason)"
      case .couldNotTell(let reason): "could not be proved: \(reason)"
      case .notAsked: "inclusion was not asked for, as the SCT does not hold"
      }
    }

    /// A stable word for programs.
    package var code: String {
      switch self {
      case .included: "included"
      case .pending: "pending"
      case .missing: "missing"
      case .couldNotTell: "could-not-tell"
      case .notAsked: "not-asked"
      }
    }
  }

  /// The names of what is found, beside those of the policies' verdicts.
  package static let missingCode = "CT-INCLUSION-1"
  package static let unprovedCode = "CT-INCLUSION-2"

  private let transport: HTTPTransport
  private let now: Timestamp

  package init(transport: HTTPTransport, now: Timestamp) {
    self.transport = transport
    self.now = now
  }

  /// What is found of each SCT of a report, in its order.
  package func check(_ report: CheckReport) async -> [Finding] {
    let scts = report.report?.scts ?? []
    let certificates = report.chain.chain.isEmpty ? report.subject.certificates : report.chain.chain
    return await withTaskGroup(of: (Int, Finding).self) { group in
      for (place, item) in scts.enumerated() {
        group.addTask {
          guard item.isSigned, let sct = item.sct, let log = item.log else { return (place, .notAsked) }
          return (place, await check(sct, isEmbedded: item.source == .x509, of: certificates, in: log))
        }
      }
      var findings = [Finding](repeating: .notAsked, count: scts.count)
      for await (place, finding) in group { findings[place] = finding }
      return findings
    }
  }

  private func check(
    _ sct: SignedCertificateTimestamp, isEmbedded: Bool, of certificates: [[UInt8]], in log: LogDescription
  ) async -> Finding {
    do {
      let body = try InclusionCheck.body(certificates, isEmbedded: isEmbedded)
      let leaf = MerkleTreeLeaf(
        TimestampedEntry(timestamp: sct.timestamp, body: body, extensions: sct.extensions))
      let hash = try leaf.leafHash()
      switch log.kind {
      case .rfc6962(let url): return try await prove(hash, sct, at: url, log)
      case .staticCT(let submission, let monitoring):
        return try await prove(hash, sct, submission: submission, monitoring: monitoring, log)
      }
    } catch let error as ProofError {
      return .missing("the log's proof does not lead to its head: \(error)")
    } catch {
      return .couldNotTell("\(error)")
    }
  }

  private static func body(_ certificates: [[UInt8]], isEmbedded: Bool) throws -> LogEntryBody {
    guard let leaf = certificates.first else { throw FormatError("chain", at: 0, "no certificate") }
    guard isEmbedded else { return .x509(certificate: leaf) }
    guard certificates.count > 1, let key = CertificateFacts(certificate: certificates[1]).publicKeyHash else {
      throw FormatError("chain", at: 1, "the issuer's certificate is missing")
    }
    return .precertificate(issuerKeyHash: key, tbsCertificate: try TBSCertificate.withoutSCTs(certificate: leaf))
  }

  /// When a log ought to have published a head since.
  private func due(_ time: Timestamp, _ log: LogDescription) -> Timestamp {
    let delay = UInt64(clamping: log.maximumMergeDelay).multipliedReportingOverflow(by: 1000)
    let (due, isLate) = time.milliseconds.addingReportingOverflow(delay.overflow ? .max : delay.partialValue)
    return Timestamp(milliseconds: isLate ? .max : due)
  }

  private func absent(_ sct: SignedCertificateTimestamp, _ log: LogDescription, _ reason: String) -> Finding {
    let due = due(sct.timestamp, log)
    return due > now ? .pending(until: due) : .missing(reason)
  }

  /// What follows of a head that is older than the SCT, and so can't cover it; nil if it is not.
  private func uncovered(
    _ head: SignedTreeHead, _ sct: SignedCertificateTimestamp, _ log: LogDescription
  ) -> Finding? {
    guard head.timestamp < sct.timestamp else { return nil }
    return absent(sct, log, "the log's newest head, of \(head.timestamp), is older than the SCT")
  }

  private func included(_ index: UInt64, in head: SignedTreeHead, _ log: LogDescription) -> Finding {
    // A log that takes nothing more need not sign new heads.
    let isClosed = log.readOnlySince != nil || log.retirement != nil
    return .included(
      index: index, treeSize: head.treeSize, headTime: head.timestamp,
      isOverdue: !isClosed && due(head.timestamp, log) < now)
  }

  // MARK: RFC 6962

  private func prove(
    _ hash: SHA256Hash, _ sct: SignedCertificateTimestamp, at url: String, _ log: LogDescription
  ) async throws -> Finding {
    let client = RFC6962Client(url: url, transport: transport, pacer: Pacer())
    let head = try await client.signedTreeHead().head
    guard head.isSigned(by: log.key) else { return .couldNotTell("the head is not signed by the log's key") }
    if let finding = uncovered(head, sct, log) { return finding }
    do {
      let proof = try await client.proofByHash(hash, treeSize: head.treeSize)
      try proof.verify(leafHash: hash, root: head.rootHash)
      return included(proof.leafIndex, in: head, log)
    } catch let error as FetchError where [400, 404].contains(error.statusCode) {
      return absent(sct, log, "the log does not know it (\(error))")
    }
  }

  // MARK: static-ct-api

  private func prove(
    _ hash: SHA256Hash, _ sct: SignedCertificateTimestamp, submission: String, monitoring: String,
    _ log: LogDescription
  ) async throws -> Finding {
    let client = StaticCTClient(
      monitoringURL: monitoring, submissionURL: submission, transport: transport, pacer: Pacer())
    guard let index = sct.leafIndex else { return .couldNotTell("the SCT has no leaf_index") }
    let head = try SignedTreeHead(checkpoint: try await client.checkpoint(), origin: client.origin, key: log.key)
    if let finding = uncovered(head, sct, log) { return finding }
    guard index < head.treeSize else {
      return absent(sct, log, "the tree has \(head.treeSize) entries, and the SCT says \(index)")
    }
    let (leafHash, proof) = try await client.inclusionProof(index: index, treeSize: head.treeSize)
    guard leafHash == hash else {
      return .missing("another entry stands at its index \(index)")
    }
    try proof.verify(leafHash: hash, root: head.rootHash)
    return included(index, in: head, log)
  }
}

extension InclusionCheck.Finding {
  var isMissing: Bool { if case .missing = self { true } else { false } }
  var isUnproved: Bool { if case .couldNotTell = self { true } else { false } }
}
