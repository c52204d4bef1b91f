import CertificateTransparency
import MerkleTree
import Synchronization

/// Authorities that were seen before, and which of them certified which: the same few hundred come with every chain,
/// and checking their signatures again would be most of the work of a log.
final class AuthorityCache: Sendable {
  private struct Edge: Hashable {
    let child: SHA256Hash
    /// Of the key, not the certificate: keys sign.
    let parentKey: SHA256Hash
  }

  private struct State {
    var authorities = TwoGenerations<SHA256Hash, Authority>()
    var edges = TwoGenerations<Edge, Bool>()
  }

  private let state = Mutex(State())

  /// The certificate, parsed; from memory if it was seen before.
  func authority(_ der: [UInt8]) throws(FormatError) -> Authority {
    let fingerprint = SHA256Hash.hash(der)
    if let known = state.withLock({ $0.authorities[fingerprint] }) { return known }
    return try Authority(der, fingerprint: fingerprint)
  }

  /// Whether `parent` signed `child`.
  func verify(_ child: Authority, by parent: Authority) -> Bool {
    let edge = Edge(child: child.fingerprint, parentKey: parent.certificate.keyHash)
    if state.withLock({ $0.edges[edge] }) != nil { return true }
    guard let key = parent.key else { return false }
    return child.certificate.isSigned(by: key)
  }

  /// Remembers authorities, each certified by the next, the last an accepted root.
  ///
  /// Only these: what leads to no root anybody can make up, and fill the memory with it.
  func remember(_ path: [Authority]) {
    state.withLock { state in
      for authority in path where state.authorities[authority.fingerprint] == nil {
        state.authorities[authority.fingerprint] = authority
      }
      for (child, parent) in zip(path, path.dropFirst()) {
        let edge = Edge(child: child.fingerprint, parentKey: parent.certificate.keyHash)
        if state.edges[edge] == nil { state.edges[edge] = true }
      }
    }
  }
}

/// A map that forgets what has not been asked for in a while.
struct TwoGenerations<Key: Hashable, Value> {
  private var new: [Key: Value] = [:]
  private var old: [Key: Value] = [:]

  /// Of each generation; more authorities than the Web has ever had.
  private static var limit: Int { 4096 }

  subscript(key: Key) -> Value? {
    mutating get {
      if let value = new[key] { return value }
      guard let value = old[key] else { return nil }
      self[key] = value
      return value
    }
    set {
      if new.count >= Self.limit { (old, new) = (new, [:]) }
      new[key] = newValue
    }
  }
}
