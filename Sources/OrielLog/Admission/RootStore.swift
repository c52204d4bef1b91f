package import CertificateTransparency
package import MerkleTree
import Synchronization

/// A root that a log accepts.
struct Root: Sendable {
  let authority: Authority
  /// Whether signatures with SHA-1 may lead to it: for roots of tests only.
  let allowsSHA1: Bool
}

/// The roots at one moment.
struct Roots: Sendable {
  /// By the DER of their subject.
  fileprivate(set) var bySubject: [[UInt8]: [Root]] = [:]
  fileprivate(set) var fingerprints: Set<SHA256Hash> = []
}

/// What came of adding roots.
package struct RootAddition: Hashable, Sendable {
  package var added: [SHA256Hash] = []
  /// What is wrong with those that were passed over.
  package var unreadable: [String] = []
}

/// The roots that a log accepts. There may be more in time, but never fewer: who was told that a root is accepted may
/// rely on it.
package final class RootStore: Sendable {
  private let state = Mutex(Roots())

  package init() {}

  var current: Roots { state.withLock { $0 } }

  /// DER of all roots, for get-roots, in the order of their fingerprints.
  package var certificates: [[UInt8]] {
    current.bySubject.values.joined().map(\.authority).sorted { $0.fingerprint < $1.fingerprint }
      .map(\.certificate.der)
  }

  /// PEM of all roots.
  package var pem: String { certificates.map { PEM.encode($0) }.joined() }

  /// Adds certificates that are not there yet.
  @discardableResult
  package func add(_ certificates: [[UInt8]], allowingSHA1: Bool = false) -> RootAddition {
    let items = certificates.enumerated().map { (name: "certificate \($0 + 1)", der: $1) }
    return add(items, allowingSHA1: allowingSHA1)
  }

  /// Adds the certificates of a file, in PEM or the DER of one.
  @discardableResult
  package func add(file bytes: [UInt8], allowingSHA1: Bool = false) -> RootAddition {
    let bundle = CertificateBundle(bytes, limit: RootStore.maximumCertificates)
    let items = bundle.certificates.map { (name: $0.line.map { "line \($0)" } ?? "certificate", der: $0.der) }
    var addition = add(items, allowingSHA1: allowingSHA1)
    addition.unreadable += bundle.problems.map(\.description)
    if items.isEmpty, addition.unreadable.isEmpty { addition.unreadable = ["there is no certificate in it"] }
    return addition
  }

  /// In one file; CCADB has fewer than 1,000 roots.
  private static let maximumCertificates = 10_000

  private func add(_ certificates: [(name: String, der: [UInt8])], allowingSHA1: Bool) -> RootAddition {
    var addition = RootAddition()
    var new: [Authority] = []
    for (name, der) in certificates {
      do throws(FormatError) {
        let authority = try Authority(der)
        if authority.key == nil { throw FormatError("certificate", at: 0, "its key is of an unknown kind") }
        new.append(authority)
      } catch {
        addition.unreadable.append("\(name): \(error)")
      }
    }
    state.withLock { roots in
      for authority in new where roots.fingerprints.insert(authority.fingerprint).inserted {
        let root = Root(authority: authority, allowsSHA1: allowingSHA1)
        roots.bySubject[authority.certificate.subject, default: []].append(root)
        addition.added.append(authority.fingerprint)
      }
    }
    return addition
  }

  /// Adds the roots for TLS servers from one of CCADB's CSV reports.
  ///
  /// - Throws: a `FormatError` if it lacks the columns, as another report would.
  @discardableResult
  package func add(ccadb text: String) throws(FormatError) -> RootAddition {
    var rows = CSV.rows(text)[...]
    guard let header = rows.popFirst(), let certificate = header.firstIndex(of: "X.509 Certificate (PEM)"),
      let uses = header.firstIndex(of: "Intended Use Case(s) Served")
    else { throw FormatError("CCADB report", at: 1, "no columns for the certificate and its intended use cases") }
    var addition = RootAddition()
    var certificates: [(name: String, der: [UInt8])] = []
    for (index, row) in rows.enumerated()
    where row.count > max(certificate, uses) && row[uses].contains("1.3.6.1.5.5.7.3.1") {
      let bundle = CertificateBundle(Array(row[certificate].utf8))
      certificates += bundle.certificates.map { (name: "row \(index + 2)", der: $0.der) }
      let isEmpty = bundle.certificates.isEmpty && bundle.problems.isEmpty
      let problems = isEmpty ? ["there is no certificate in it"] : bundle.problems.map(\.description)
      addition.unreadable += problems.map { "row \(index + 2): \($0)" }
    }
    let added = add(certificates, allowingSHA1: false)
    addition.added = added.added
    addition.unreadable += added.unreadable
    return addition
  }
}

/// Comma-separated values (RFC 4180).
enum CSV {
  static func rows(_ text: String) -> [[String]] {
    var rows: [[String]] = []
    var row: [String] = []
    var field: [UInt8] = []
    var isQuoted = false
    func end() {
      row.append(String(decoding: field, as: UTF8.self))
      field = []
    }
    var bytes = Array(text.utf8)[...]
    while let byte = bytes.popFirst() {
      switch byte {
      case UInt8(ascii: "\"") where isQuoted && bytes.first == byte:
        field.append(byte)
        bytes = bytes.dropFirst()
      case UInt8(ascii: "\""): isQuoted.toggle()
      case UInt8(ascii: ",") where !isQuoted: end()
      case 0x0d where !isQuoted: break
      case 0x0a where !isQuoted:
        end()
        rows.append(row)
        row = []
      default: field.append(byte)
      }
    }
    if !field.isEmpty || !row.isEmpty {
      end()
      rows.append(row)
    }
    return rows
  }
}
