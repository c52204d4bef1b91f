import CertificateTransparency
import MerkleTree
import OrielStore
import Synchronization

/// The certificates of issuers, each fetched once: from memory, from the state, or from the log.
final class IssuerDirectory: Sendable {
  /// Enough for every issuer of the public web several times over; what falls out is fetched again.
  private static let capacity = 4096

  private struct Contents {
    var certificates: [SHA256Hash: [UInt8]] = [:]
    var keyHashes: [SHA256Hash: SHA256Hash] = [:]
  }

  private let contents = Mutex(Contents())
  private let store: FollowingStore?

  /// - Parameter store: nil to keep certificates in memory alone.
  init(store: FollowingStore?) { self.store = store }

  /// SHA-256 of the SubjectPublicKeyInfo of a certificate seen before.
  func keyHash(ofCertificate hash: SHA256Hash) -> SHA256Hash? { contents.withLock { $0.keyHashes[hash] } }

  /// Takes in a certificate that came with an entry.
  func add(_ certificate: [UInt8]) {
    let hash = SHA256Hash.hash(certificate)
    let keyHash = IssuerDirectory.keyHash(of: certificate)
    contents.withLock { contents in
      if contents.certificates.count >= IssuerDirectory.capacity {
        contents.certificates.removeAll(keepingCapacity: true)
        contents.keyHashes.removeAll(keepingCapacity: true)
      }
      contents.certificates[hash] = certificate
      contents.keyHashes[hash] = keyHash
    }
  }

  /// The certificate with this hash.
  ///
  /// - Parameter fetch: asks the log for it, and checks its hash.
  func certificate(
    _ hash: SHA256Hash, fetch: @Sendable (SHA256Hash) async throws -> [UInt8]
  ) async throws -> [UInt8] {
    if let known = contents.withLock({ $0.certificates[hash] }) { return known }
    if let stored = try await store?.issuer(hash) {
      add(stored)
      return stored
    }
    let fetched = try await fetch(hash)
    add(fetched)
    return fetched
  }

  /// SHA-256 of the SubjectPublicKeyInfo; nil if it can't be told.
  static func keyHash(of certificate: [UInt8]) -> SHA256Hash? {
    let bytes = certificate.span
    guard let fields = CertificateFields(certificate: 0..<bytes.count, in: bytes), !fields.publicKeyInfo.isEmpty
    else { return nil }
    return SHA256Hash.hash(bytes.extracting(fields.publicKeyInfo))
  }
}
