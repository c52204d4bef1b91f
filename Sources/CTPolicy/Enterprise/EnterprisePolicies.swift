public import MerkleTree

/// The platforms that ask for CT. An administrator can tell all but Android to do without.
public enum PolicyPlatform: String, Hashable, Sendable, Codable, CaseIterable {
  /// Chrome, Edge and others of Chromium.
  case chrome
  case firefox
  /// Safari, and all TLS clients on Apple's platforms.
  case apple
  case android
}

/// One entry of one list of exemptions.
public struct PolicyEntry: Hashable, Sendable, CustomStringConvertible {
  /// The list, by the name of its key.
  public enum List: String, Hashable, Sendable, CaseIterable {
    case chromeURLs = "CertificateTransparencyEnforcementDisabledForUrls"
    case chromeCAs = "CertificateTransparencyEnforcementDisabledForCas"
    /// Obsolete since Chrome and Edge 131.
    case chromeLegacyCAs = "CertificateTransparencyEnforcementDisabledForLegacyCas"
    case firefoxHosts = "security.pki.certificate_transparency.disable_for_hosts"
    case firefoxKeys = "security.pki.certificate_transparency.disable_for_spki_hashes"
    case appleDomains = "DisabledForDomains"
    case appleKeys = "DisabledForCerts"

    public var platform: PolicyPlatform {
      switch self {
      case .chromeURLs, .chromeCAs, .chromeLegacyCAs: .chrome
      case .firefoxHosts, .firefoxKeys: .firefox
      case .appleDomains, .appleKeys: .apple
      }
    }
  }

  public enum Meaning: Hashable, Sendable {
    case hosts(HostFilter)
    /// SHA-256 of a SubjectPublicKeyInfo.
    case key(SHA256Hash)
    /// Passed over, for this reason.
    case ignored(String)
  }

  public let list: List
  /// As it was written; the hash of an Apple payload in Base64.
  public let text: String
  public let meaning: Meaning
  /// The file that it stands in.
  public let file: String

  /// Reads an entry by the rules of its list.
  public init(_ text: String, in list: List, file: String = "") {
    self.list = list
    self.text = text
    self.file = file
    switch list {
    case .chromeURLs: meaning = .hosts(HostFilter(text, dialect: .chrome))
    case .firefoxHosts: meaning = .hosts(HostFilter(text, dialect: .firefox))
    case .appleDomains: meaning = .hosts(HostFilter(text, dialect: .apple))
    case .chromeCAs, .chromeLegacyCAs:
      meaning = KeyPin.tagged(text).map { .key($0) } ?? .ignored("expected sha256/ and 32 bytes in Base64")
    case .firefoxKeys, .appleKeys:
      meaning = KeyPin.bare(text).map { .key($0) } ?? .ignored("expected 32 bytes in Base64, without spaces")
    }
  }

  public var description: String { "\(list.rawValue) `\(text)`\(file.isEmpty ? "" : " in \(file)")" }
}

/// What an organisation's policies say about CT, of all browsers together.
public struct EnterprisePolicies: Hashable, Sendable {
  /// In the order of the files.
  public private(set) var entries: [PolicyEntry] = []
  /// `security.pki.certificate_transparency.mode`: 2 enforces, 1 only counts, 0 is off; nil where nothing is set.
  public var firefoxMode: Int?
  /// What was passed over in reading.
  public private(set) var warnings: [PolicyWarning] = []

  /// The largest file, and the most entries, that are read.
  public static let maximumByteCount = 4 << 20
  public static let maximumEntries = 65_536

  /// No exemptions at all.
  public init() {}

  /// Adds an entry; what makes it useless is a warning.
  ///
  /// - Throws: ``PolicyFileError`` if there are ``maximumEntries`` already.
  public mutating func add(_ entry: PolicyEntry) throws(PolicyFileError) {
    guard entries.count < EnterprisePolicies.maximumEntries else {
      throw PolicyFileError(entry.file, entry.list.rawValue, "at most \(EnterprisePolicies.maximumEntries) entries")
    }
    entries.append(entry)
    switch entry.meaning {
    case .ignored(let reason): warn(entry.file, entry.list.rawValue, "`\(entry.text)` is ignored: \(reason)")
    case .hosts(let filter):
      if case .nothing(let reason) = filter.reach {
        warn(entry.file, entry.list.rawValue, "`\(entry.text)` covers nothing: \(reason)")
      }
    case .key: break
    }
  }

  mutating func warn(_ file: String, _ key: String, _ reason: String) {
    warnings.append(PolicyWarning(file, key, reason))
  }

  /// Takes over another file's entries; its mode for Firefox counts, if it sets one.
  ///
  /// - Throws: ``PolicyFileError`` if they are more than ``maximumEntries`` together.
  public mutating func merge(_ other: EnterprisePolicies) throws(PolicyFileError) {
    guard entries.count + other.entries.count <= EnterprisePolicies.maximumEntries else {
      throw PolicyFileError(
        other.entries.first?.file ?? "", "", "at most \(EnterprisePolicies.maximumEntries) entries in all files")
    }
    entries += other.entries
    warnings += other.warnings
    firefoxMode = other.firefoxMode ?? firefoxMode
  }
}
