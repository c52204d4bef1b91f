package import CertificateTransparency
import Foundation
import MerkleTree

/// What a log list says of a log (log list v3): made from what the log runs with, so that the two never disagree.
package struct LogListEntry: Sendable {
  package var description: String
  package var key: LogKey
  package var submissionURL: String
  package var monitoringURL: String
  package var window: Range<Timestamp>?

  /// Where it is published, below the monitoring prefix.
  static let path = "log.v3.json"

  package init(
    description: String, key: LogKey, submissionURL: String, monitoringURL: String, window: Range<Timestamp>?
  ) {
    self.description = description
    self.key = key
    self.submissionURL = submissionURL
    self.monitoringURL = monitoringURL
    self.window = window
  }

  /// The path of a URL, with a slash at both ends.
  static func prefix(_ url: String) -> String {
    let rest = url.firstRange(of: "://").map { url[$0.upperBound...] } ?? url[...]
    let path = rest.firstIndex(of: "/").map { String(rest[$0...]) } ?? "/"
    return path.hasSuffix("/") ? path : path + "/"
  }

  /// - Parameter final: the last head, of a log that takes no more.
  package func json(final: LogHead? = nil) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    return [UInt8](try encoder.encode(Document(self, final))) + [0x0a]
  }

  private struct Document: Encodable {
    struct Interval: Encodable { let startInclusive, endExclusive: String }
    struct ReadOnly: Encodable { let readonly: State }
    struct State: Encodable {
      let timestamp: String
      let finalTreeHead: Head
    }
    struct Head: Encodable {
      // As lists have it: the conversion to snake case knows no digits.
      enum CodingKeys: String, CodingKey {
        case rootHash = "sha256_root_hash"
        case treeSize = "tree_size"
      }
      let rootHash: String
      let treeSize: UInt64
    }

    let description, logId, key, submissionUrl, monitoringUrl: String
    /// Seconds. An SCT is handed out when its entry is in the tree; this is the least that lists allow.
    let mmd = 60
    let temporalInterval: Interval?
    let state: ReadOnly?

    init(_ entry: LogListEntry, _ final: LogHead?) {
      description = entry.description
      logId = entry.key.logID.base64
      key = Base64.encode(entry.key.derRepresentation)
      submissionUrl = entry.submissionURL
      monitoringUrl = entry.monitoringURL
      temporalInterval = entry.window.map {
        Interval(startInclusive: $0.lowerBound.description, endExclusive: $0.upperBound.description)
      }
      state = final.map { head in
        let final = Head(rootHash: Base64.encode(head.root.bytes), treeSize: head.size)
        return ReadOnly(readonly: State(timestamp: head.timestamp.description, finalTreeHead: final))
      }
    }
  }
}
