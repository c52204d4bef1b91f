package import CTLogClient
import CTPolicy
package import CertificateTransparency
import MerkleTree
import OrielProbe

/// Proves that the entry that an SCT promises is in its log's tree.
package struct InclusionCheck: Sendable {
  package enum Finding: Hashable, Sendable, CustomStringConvertible {
    /// In the tree whose signed head has this size and time.
    case included(index: UInt64, treeSize: UInt64, headTime: Timestamp)
    /// The log's merge delay is not over.
    case pending(until: Timestamp)
    /// It ought to be there.
    case missing(String)
    case couldNotTell(String)

    package var description: String {
      switch self {
      case .included(let index, let size, let time): "included: entry \(index) of \(size), head of \(time)"
      case .pending(let time): "not yet included; the log has until \(time)"
      case .missing(let reason): "NOT included: \(reason)"
      case .couldNotTell(let reason): "could not be proved: \(reason)"
      }
    }

    /// A stable word for programs.
    package var code: String {
      switch self {
      case .included: "included"
      case .pending: "pending"
      case .missing: "missing"
      case .couldNotTell: "could-not-tell"
      }
    }
  }

  private let transport: HTTPTransport
  private let now: Timestamp

  package init(transport: HTTPTransport, now: Timestamp) {
    self.transport = transport
    self.now = now
  }

  /// What is found of each SCT of a report, in its order; nil for those that are not valid.
  package func check(_ report: CheckReport) async -> [Finding?] {
    let scts = report.report?.scts ?? []
    let certificates = report.chain.chain.isEmpty ? report.subject.certificates : report.chain.chain
    return await withTaskGroup(of: (Int, Finding?).self) { group in
      for (place, item) in scts.enumerated() {
        group.addTask {
          guard item.isSigned, let sct = item.sct, let log = item.log else { return (place, nil) }
          return (place, await check(sct, isEmbedded: item.source == .x509, of: certificates, in: log))
        }
      }
      var findings = [Finding?](repeating: nil, count: scts.count)
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
    } catch let error as FetchError where [400, 404].contains(error.statusCode) {
      return absent(sct, log, "the log does not know it (\(error))")
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

  private func absent(_ sct: SignedCertificateTimestamp, _ log: LogDescription, _ reason: String) -> Finding {
    let delay = UInt64(clamping: log.maximumMergeDelay) * 1000
    let (due, overflow) = sct.timestamp.milliseconds.addingReportingOverflow(delay)
    return !overflow && due > now.milliseconds ? .pending(until: Timestamp(milliseconds: due)) : .missing(reason)
  }

  // MARK: RFC 6962

  private func prove(
    _ hash: SHA256Hash, _ sct: SignedCertificateTimestamp, at url: String, _ log: LogDescription
  ) async throws -> Finding {
    let client = RFC6962Client(url: url, transport: transport, pacer: Pacer())
    let head = try await client.signedTreeHead().head
    guard head.isSigned(by: log.key) else { return .couldNotTell("the head is not signed by the log's key") }
    let proof = try await client.proofByHash(hash, treeSize: head.treeSize)
    try proof.verify(leafHash: hash, root: head.rootHash)
    return .included(index: proof.leafIndex, treeSize: head.treeSize, headTime: head.timestamp)
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
    guard index < head.treeSize else {
      return absent(sct, log, "the tree has \(head.treeSize) entries, and the SCT says \(index)")
    }
    let (leafHash, proof) = try await client.inclusionProof(index: index, treeSize: head.treeSize)
    guard leafHash == hash else {
      return .missing("another entry stands at its index \(index)")
    }
    try proof.verify(leafHash: hash, root: head.rootHash)
    return .included(index: index, treeSize: head.treeSize, headTime: head.timestamp)
  }
}
