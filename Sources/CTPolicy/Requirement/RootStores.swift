public import CertificateTransparency
import Foundation
public import MerkleTree

/// Which roots are public, as one or more files say.
///
/// The file is JSON, after the idea of Chromium's `root_stores.json`; what is not known is ignored:
///
/// ```json
/// { "roots": [
///     { "name": "Example Root R1", "spki_sha256": "<hash>", "ev_policy_oids": ["2.23.140.1.1"] },
///     { "certificate_sha256": "<hash>", "legacy": true },
///     { "spki_sha256": "<hash>", "public": false },
///     { "spki_sha256": "<hash>", "sct_not_after": "2026-05-01T00:00:00Z" } ],
///   "symantec": { "roots": ["<hash>"], "exempt": ["<hash>"], "effective": "2016-06-01T00:00:00Z" } }
/// ```
///
/// A `<hash>` is 64 hexadecimal digits, Base64, or `sha256/` and Base64. Each root has `spki_sha256` or
/// `certificate_sha256` (or both: either then names it). `public` is true unless it says false; `legacy` marks roots that
/// some platform trusts, though not Android and ChromeOS; `sct_not_after` and `sct_all_after` mark roots that are
/// distrusted in part (``DistrustRule``). A PEM bundle means: these are public.
public struct RootStores: Hashable, Sendable {
  /// One root, and what is said of it.
  public struct Root: Hashable, Sendable {
    public var name: String?
    public var isPublic = true
    public var isLegacy = false
    /// The policies that make a certificate below this root an EV certificate, dotted.
    public var evPolicies: [String] = []
    /// What is asked of the times of SCTs below it, where it is distrusted in part.
    public var distrust: DistrustRule?

    public init() {}
  }

  /// The roots of Symantec, the subordinate CAs that others ran below them, and since when CT was asked of the rest.
  public struct SymantecSet: Hashable, Sendable {
    /// SHA-256 of SubjectPublicKeyInfos.
    public var roots: Set<SHA256Hash> = []
    public var exempt: Set<SHA256Hash> = []
    /// Certificates whose validity starts earlier were left alone.
    public var effective = SymantecSet.firstOfJune2016

    public static let firstOfJune2016 = Timestamp(milliseconds: 1_464_739_200_000)

    public init() {}
  }

  /// By SHA-256 of the SubjectPublicKeyInfo, or of the certificate.
  public private(set) var roots: [SHA256Hash: Root] = [:]
  public var symantec = SymantecSet()
  public private(set) var warnings: [PolicyWarning] = []

  public static let maximumByteCount = 16 << 20
  public static let maximumRoots = 50_000

  /// Knows no root at all.
  public init() {}

  /// Reads a JSON file or a PEM bundle, whichever it is.
  ///
  /// - Throws: ``PolicyFileError`` if it is neither, or too large. Single roots that can't be read are ``warnings``.
  public init(_ bytes: [UInt8], file: String) throws(PolicyFileError) {
    guard bytes.count <= RootStores.maximumByteCount else {
      throw PolicyFileError(file, "", "at most \(RootStores.maximumByteCount) bytes, found \(bytes.count)")
    }
    if bytes.first(where: { $0 > 0x20 }) == UInt8(ascii: "{") {
      try read(try PolicyJSON.object(bytes, file: file), file: file)
    } else {
      try readBundle(bytes, file: file)
    }
  }

  /// Says something of a root; what was said before of the same hash is replaced.
  public mutating func add(_ root: Root = Root(), hash: SHA256Hash) { roots[hash] = root }

  /// Takes over what another file says; of roots that both name, the other's word holds.
  public mutating func merge(_ other: RootStores) {
    roots.merge(other.roots) { $1 }
    symantec.roots.formUnion(other.symantec.roots)
    symantec.exempt.formUnion(other.symantec.exempt)
    warnings += other.warnings
  }

  private mutating func read(_ object: [String: Any], file: String) throws(PolicyFileError) {
    guard let list = object["roots"] as? [Any] else {
      throw PolicyFileError(file, "roots", "a list of objects")
    }
    guard list.count <= RootStores.maximumRoots else {
      throw PolicyFileError(file, "roots", "at most \(RootStores.maximumRoots) roots, found \(list.count)")
    }
    for (index, item) in list.enumerated() {
      let key = "roots[\(index)]"
      guard let fields = item as? [String: Any] else {
        warnings.append(PolicyWarning(file, key, "expected an object"))
        continue
      }
      var root = Root()
      root.name = fields["name"] as? String
      root.isPublic = flag("public", in: fields, key, file) ?? true
      root.isLegacy = flag("legacy", in: fields, key, file) ?? false
      if let policies = fields["ev_policy_oids"] {
        root.evPolicies = policies as? [String] ?? []
        if !(policies is [String]) {
          warnings.append(PolicyWarning(file, key + ".ev_policy_oids", "expected a list of strings"))
        }
      }
      if let limit = time("sct_not_after", in: fields, key, file) { root.distrust = .someSCTNotAfter(limit) }
      if let start = time("sct_all_after", in: fields, key, file) { root.distrust = .allSCTsAfter(start) }
      let named = ["spki_sha256", "certificate_sha256"].filter { fields[$0] != nil }
      if named.isEmpty {
        warnings.append(PolicyWarning(file, key, "expected spki_sha256 or certificate_sha256"))
      }
      for name in named {
        if let hash = hash(fields[name], "\(key).\(name)", file) { roots[hash] = root }
      }
    }
    readSymantec(object["symantec"], file: file)
  }

  private mutating func readSymantec(_ value: Any?, file: String) {
    guard let value else { return }
    guard let fields = value as? [String: Any] else {
      warnings.append(PolicyWarning(file, "symantec", "expected an object"))
      return
    }
    symantec.roots = hashes("roots", in: fields, file)
    symantec.exempt = hashes("exempt", in: fields, file)
    guard let effective = fields["effective"] else { return }
    if let time = time(effective, "symantec.effective", file) { symantec.effective = time }
  }

  private mutating func time(_ name: String, in fields: [String: Any], _ key: String, _ file: String) -> Timestamp? {
    fields[name].flatMap { time($0, "\(key).\(name)", file) }
  }

  private mutating func time(_ value: Any, _ key: String, _ file: String) -> Timestamp? {
    let text = value as? String ?? ""
    if let time = Timestamp(rfc3339: text.utf8.count == 10 ? text + "T00:00:00Z" : text) { return time }
    warnings.append(PolicyWarning(file, key, "expected a date such as 2016-06-01"))
    return nil
  }

  private mutating func hashes(_ name: String, in fields: [String: Any], _ file: String) -> Set<SHA256Hash> {
    guard let value = fields[name] else { return [] }
    guard let list = value as? [Any] else {
      warnings.append(PolicyWarning(file, "symantec.\(name)", "expected a list of hashes"))
      return []
    }
    return Set(list.enumerated().compactMap { hash($1, "symantec.\(name)[\($0)]", file) })
  }

  private mutating func hash(_ value: Any?, _ key: String, _ file: String) -> SHA256Hash? {
    if let text = value as? String, let hash = KeyPin.hash(text) ?? SHA256Hash(hex: text) { return hash }
    warnings.append(PolicyWarning(file, key, "expected a SHA-256 in hexadecimal or Base64"))
    return nil
  }

  private mutating func flag(_ name: String, in fields: [String: Any], _ key: String, _ file: String) -> Bool? {
    guard let value = fields[name] else { return nil }
    if let flag = PolicyJSON.boolean(value) { return flag }
    warnings.append(PolicyWarning(file, "\(key).\(name)", "expected true or false"))
    return nil
  }

  private mutating func readBundle(_ bytes: [UInt8], file: String) throws(PolicyFileError) {
    let bundle = CertificateBundle(bytes, limit: RootStores.maximumRoots)
    var problems = bundle.problems
    for item in bundle.certificates {
      if let hash = CertificateFacts(certificate: item.der).publicKeyHash {
        roots[hash] = Root()
      } else {
        problems.append(CertificateBundle.Problem(line: item.line, reason: "no certificate that can be read"))
      }
    }
    warnings += problems.map { PolicyWarning(file, $0.line.map { "line \($0)" } ?? "", $0.reason) }
    if bundle.certificates.isEmpty {
      throw PolicyFileError(file, "", "a JSON object with \"roots\", or PEM certificates")
    }
  }

  /// What is said of a certificate, by its key or itself.
  public func root(_ certificate: ChainCertificate) -> Root? {
    certificate.publicKeyHash.flatMap { roots[$0] } ?? roots[certificate.certificateHash]
  }

  /// How public the root of a chain is: by what the files say of it; local if it is a root of which they know nothing.
  ///
  /// It is unknown if no file names any root, or if the last certificate is no root.
  public func publicity(of chain: VerifiedChain) -> RootPublicity {
    if let root = root(chain.root) { return root.isPublic ? .public : .local }
    return roots.isEmpty || !chain.root.isSelfIssued ? .unknown : .local
  }

  /// Whether the leaf has a policy that makes it an EV certificate below its root.
  public func isEV(_ chain: VerifiedChain) -> Bool {
    guard let root = root(chain.root) else { return false }
    return chain.leaf.policies.contains { root.evPolicies.contains($0) }
  }

  /// Whether a chain is one of Symantec's that CT was asked of.
  public func isSymantec(_ chain: VerifiedChain) -> Bool {
    let keys = chain.certificates.compactMap(\.publicKeyHash)
    return keys.contains { symantec.roots.contains($0) } && !keys.contains { symantec.exempt.contains($0) }
  }
}
