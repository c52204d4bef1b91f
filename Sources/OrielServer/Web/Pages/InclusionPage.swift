import CertificateTransparency
import MerkleTree
import OrielAccounts
import OrielStore

extension Site {
  /// Fetches the proof that an entry is in its log, checks it against a tree head that was verified, and shows it.
  func proveInclusion(_ visit: Visit) async throws -> Outcome {
    let record = try await issuance(visit)
    let wanted = visit.form["log"].flatMap { SHA256Hash(hex: $0) }.map { LogID($0) }
    guard let entry = visit.form["entry"].flatMap({ UInt64($0) }), let fetch = parts.inclusion,
      let sighting = record.sightings.first(where: { $0.logID == wanted && $0.index == entry }),
      let log = try await following.logs().first(where: { $0.logID == sighting.logID })
    else { throw AccountError.notFound }
    var values: Values = [
      "issuance": "\(record.id)", "domainID": visit.form["domain"].flatMap { DomainID($0) }.map { "\($0)" },
      "logID": log.logID.hash.hex, "log": log.description, "entry": "\(entry)",
    ]
    do {
      guard let head = try await following.heads(of: log.logID).last(where: { $0.isVerified && $0.treeSize > entry })
      else { throw NotVerified() }
      let found = try await fetch(log, entry, head.treeSize)
      try found.verify(record, root: head.root)
      values["proof"] =
        [
          "leafHash": found.leafHash.hex, "treeSize": "\(head.treeSize)", "root": head.root.hex,
          "headTime": Phrase.minute(Int64(clamping: head.timestamp)),
          "signed": String(decoding: head.signed.prefix(16 << 10), as: UTF8.self),
          "path": found.proof.hashes.map(\.hex).joined(separator: "\n"), "hasPath": !found.proof.hashes.isEmpty,
          "pathCount": Phrase.plural(found.proof.hashes.count, "hash", "hashes"),
        ] as Values
    } catch let error as CancellationError {
      throw error
    } catch {
      values["failure"] = String("\(error)".prefix(500))
    }
    return .page(Page("inclusion", title: "Inclusion proof", values))
  }

  private struct NotVerified: Error, CustomStringConvertible {
    let description = "no tree that was verified has this entry yet"
  }
}

let inclusionTemplate = """
  {{<layout}}{{$main}}
  <p><a href="/issuances/{{issuance}}{{#domainID}}?domain={{domainID}}{{/domainID}}">The certificate</a></p>
  <h1>Entry {{entry}} of <bdi>{{log}}</bdi></h1>
  {{#proof}}
  <p><span class="badge known">Verified</span> The path leads from the entry to the root that the log signed.</p>
  <dl>
  <dt>Log</dt><dd><a href="/logs/{{logID}}"><bdi>{{log}}</bdi></a></dd>
  <dt>Log ID</dt><dd class="code">{{logID}}</dd>
  <dt>Leaf index</dt><dd class="code">{{entry}}</dd>
  <dt>Leaf hash</dt><dd class="code">{{leafHash}}</dd>
  <dt>Tree size</dt><dd class="code">{{treeSize}}</dd>
  <dt>Root</dt><dd class="code">{{root}}</dd>
  <dt>Signed</dt><dd>{{headTime}}</dd>
  </dl>
  <h2>Audit path</h2>
  {{#hasPath}}<p>{{pathCount}}, from the leaf up (RFC 6962, section 2.1.1).</p>
  <pre tabindex="0">{{path}}</pre>{{/hasPath}}{{^hasPath}}<p>Empty: the entry is all of the tree.</p>{{/hasPath}}
  <details><summary>The tree head as the log signed it</summary><pre tabindex="0">{{signed}}</pre></details>
  {{/proof}}
  {{#failure}}<p class="card bad">There is no proof to show: <bdi>{{failure}}</bdi>.</p>
  <p class="soft">Oriel itself has read the log up to there entry by entry; what it read led to the roots that the log signed where this entry is called proved.</p>{{/failure}}
  {{/main}}{{/layout}}
  """
