package import CertificateTransparency
import Crypto
import Dispatch
import Foundation
import Synchronization

/// A log's P-256 key that stays in a security module.
///
/// One thread speaks to the module: calls block, and sessions do not share well.
package final class PKCS11Key: SigningKey {
  package let publicKey: LogKey
  private let verifier: P256.Signing.PublicKey
  private let thread = DispatchQueue(label: "oriel.log.signer")
  private let link: Mutex<Link>

  /// What only the thread touches.
  private struct Link: ~Copyable {
    var module: PKCS11Module
    let settings: HSMSettings
    let pin: [UInt8]
    /// Of the private key; nil while there is no session.
    var key: UInt?
    var isPINRefused = false

    init(_ settings: HSMSettings, pin: [UInt8]) throws(HSMError) {
      module = try PKCS11Module(settings.module)
      (self.settings, self.pin) = (settings, pin)
    }

    mutating func connect() throws(HSMError) {
      guard !isPINRefused else { throw .pin }
      key = nil
      do throws(HSMError) {
        try module.logIn(token: settings.token, pin: pin)
      } catch {
        isPINRefused = error == .pin
        throw error
      }
      key = try module.find(.privateKey, label: settings.key)
    }

    mutating func publicKey(generating: Bool) throws(HSMError) -> P256.Signing.PublicKey {
      var found = try module.find(.publicKey, label: settings.key)
      if found == nil, key == nil, generating {
        try module.generate(label: settings.key)
        found = try module.find(.publicKey, label: settings.key)
        key = try module.find(.privateKey, label: settings.key)
      }
      guard let found else { throw .key(label: settings.key, "there is no public key") }
      guard key != nil else { throw .key(label: settings.key, "there is no private key") }
      let point = try module.point(of: found, label: settings.key)
      guard let key = try? P256.Signing.PublicKey(x963Representation: point) else {
        throw .key(label: settings.key, "it is no point of P-256")
      }
      return key
    }

    /// Signs; where that fails, once more in a new session: tokens drop theirs when they are restarted.
    mutating func sign(_ digest: [UInt8]) throws(HSMError) -> [UInt8] {
      if let key, let signature = try? module.sign(digest, with: key) { return signature }
      try connect()
      guard let key else { throw .key(label: settings.key, "it is gone") }
      return try module.sign(digest, with: key)
    }
  }

  /// Finds the key.
  ///
  /// - Parameter generating: whether to make one on the token where there is none.
  package init(_ settings: HSMSettings, pin: [UInt8], generating: Bool = false) throws(HSMError) {
    var link = try Link(settings, pin: pin)
    try link.connect()
    verifier = try link.publicKey(generating: generating)
    guard let key = try? LogKey(derRepresentation: [UInt8](verifier.derRepresentation)) else {
      throw .key(label: settings.key, "it can't be a log's")
    }
    publicKey = key
    self.link = Mutex(link)
  }

  package func sign(_ message: [UInt8]) async throws -> DigitallySigned {
    try await withCheckedThrowingContinuation { continuation in
      // The thread never holds the key last: it would end the session while the process exits, and the module with it.
      thread.async { [weak self] in continuation.resume(with: Result { try PKCS11Key.signature(of: message, by: self) })
      }
    }
  }

  /// What a module gives back is verified: it is hardware, and a network away at that.
  private static func signature(of message: [UInt8], by key: PKCS11Key?) throws -> DigitallySigned {
    let digest = SHA256.hash(data: message)
    guard let key else { throw CancellationError() }
    let raw = try key.link.withLock { link in try link.sign(Array(digest)) }
    guard let signature = try? P256.Signing.ECDSASignature(rawRepresentation: raw),
      key.verifier.isValidSignature(signature, for: digest)
    else { throw HSMError.badSignature }
    return DigitallySigned(algorithm: .ecdsaSHA256, signature: [UInt8](signature.derRepresentation))
  }
}
