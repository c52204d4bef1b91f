package import CertificateTransparency
import Foundation

/// What a log is, as `log.json` in its folder says.
package struct LogFolderSettings: Codable, Sendable, Equatable {
  package var description: String
  /// Base64 of the public key, so that another one is noticed.
  package var key: String
  package var submissionURL: String
  package var monitoringURL: String
  /// The certificates that it takes are valid until a time in this window.
  package var notAfterStart: String?
  package var notAfterEnd: String?
  package var requiresServerAuth: Bool?
  /// The file of the lock; by default in the folder.
  package var lock: String?
  /// The file of the anchor, on another disk or mount; nil for none.
  package var anchor: String?
  /// A CCADB report that new roots are taken from whenever it changes.
  package var ccadb: String?
  /// Where the log's key is, if it is not in `key.pem`.
  package var hsm: HSMSettings?

  enum CodingKeys: String, CodingKey, CaseIterable {
    case description, key, lock, anchor, ccadb, hsm
    case submissionURL = "submission_url"
    case monitoringURL = "monitoring_url"
    case notAfterStart = "not_after_start"
    case notAfterEnd = "not_after_end"
    case requiresServerAuth = "requires_server_auth"
  }

  package init(description: String, key: LogKey, submissionURL: String, monitoringURL: String) {
    self.description = description
    self.key = Base64.encode(key.derRepresentation)
    self.submissionURL = submissionURL
    self.monitoringURL = monitoringURL
  }

  /// - Throws: ``LogFolderError/settings(_:)``, for a member that is not known too: a misspelt end of the window would
  ///   otherwise be none.
  init(json: Data) throws {
    guard let object = try? JSONSerialization.jsonObject(with: json) as? [String: Any] else {
      throw LogFolderError.settings("it is not a JSON object")
    }
    try LogFolderSettings.check(object, against: CodingKeys.allCases.map(\.rawValue), of: "a log")
    if let hsm = object["hsm"] as? [String: Any] {
      try LogFolderSettings.check(hsm, against: HSMSettings.CodingKeys.allCases.map(\.rawValue), of: "hsm")
    }
    do {
      self = try JSONDecoder().decode(Self.self, from: json)
    } catch DecodingError.keyNotFound(let key, _) {
      throw LogFolderError.settings("\(key.stringValue) is missing")
    } catch {
      throw LogFolderError.settings("a setting is not of the right type: \(error)")
    }
    _ = try entry()
  }

  private static func check(
    _ object: [String: Any], against known: [String], of whole: String
  ) throws(LogFolderError) {
    guard let unknown = object.keys.sorted().first(where: { !known.contains($0) }) else { return }
    throw .settings("\(unknown) is no setting of \(whole); these are: \(known.sorted().joined(separator: ", "))")
  }

  var json: Data {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      return try encoder.encode(self) + [0x0a]
    }
  }

  /// The submission prefix without scheme and trailing slash.
  package var origin: String {
    let rest = submissionURL.firstRange(of: "://").map { submissionURL[$0.upperBound...] } ?? submissionURL[...]
    return String(rest.hasSuffix("/") ? rest.dropLast() : rest)
  }

  package func window() throws -> Range<Timestamp>? {
    if notAfterStart == nil, notAfterEnd == nil { return nil }
    guard let start = notAfterStart.flatMap({ Timestamp(rfc3339: $0) }),
      let end = notAfterEnd.flatMap({ Timestamp(rfc3339: $0) }), start < end
    else {
      throw LogFolderError.settings(
        "not_after_start and not_after_end have to be times such as 2026-01-01T00:00:00Z, the start before the end")
    }
    return start..<end
  }

  package func entry() throws -> LogListEntry {
    for url in [submissionURL, monitoringURL] {
      guard url.hasPrefix("https://") || url.hasPrefix("http://"), url.hasSuffix("/"),
        !url.contains(where: \.isWhitespace),
        URL(string: url)?.host() != nil
      else { throw LogFolderError.settings("'\(url)' is not an http or https URL that ends with a slash") }
    }
    guard let der = Base64.decode(key), let key = try? LogKey(derRepresentation: der) else {
      throw LogFolderError.settings("key is not base64 of a log's public key")
    }
    return LogListEntry(
      description: description, key: key, submissionURL: submissionURL, monitoringURL: monitoringURL,
      window: try window())
  }
}

package enum LogFolderError: Error, CustomStringConvertible {
  case notEmpty(String)
  case settings(String)
  case key(file: String, String)
  /// The lock is not where it was when the log was run last.
  case moved(lock: String, String)
  /// A new log's anchor can't be where it shall be.
  case anchor(file: String, String)
  case roots(String)

  package var description: String {
    switch self {
    case .notEmpty(let path): "\(path) is there already and not empty: a log is created once in its life"
    case .settings(let reason): "log.json: \(reason)"
    case .key(let file, let reason): "\(file): \(reason)"
    case .moved(let lock, let differences):
      """
      the lock \(lock) is not where the log was run last (\(differences)). If this is a copy, or restored from a backup or \
      snapshot, don't run it: that forks the log. If you have moved the log, and nothing runs where it was, start it with \
      --moved once
      """
    case .anchor(let file, let reason): "the anchor \(file): \(reason)"
    case .roots(let reason): "the accepted roots: \(reason)"
    }
  }
}
