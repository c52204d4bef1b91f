import CertificateTransparency
import Crypto
import CryptoExtras

/// How a certificate is signed: the algorithms of the Web's authorities, past and present.
enum CertificateSignature: Hashable, Sendable {
  enum Digest: Hashable, Sendable { case sha1, sha256, sha384, sha512 }

  case rsa(Digest)
  case rsaPSS(Digest)
  case ecdsa(Digest)
  case ed25519

  /// Whether the algorithm is broken: only test roots may still lead to such signatures.
  var usesSHA1: Bool {
    switch self {
    case .rsa(let digest), .rsaPSS(let digest), .ecdsa(let digest): digest == .sha1
    case .ed25519: false
    }
  }

  private static let algorithms: [[UInt8]: CertificateSignature] = [
    rsa + [0x05]: .rsa(.sha1), rsa + [0x0b]: .rsa(.sha256), rsa + [0x0c]: .rsa(.sha384), rsa + [0x0d]: .rsa(.sha512),
    ecdsa + [0x01]: .ecdsa(.sha1), ecdsa + [0x03, 0x02]: .ecdsa(.sha256), ecdsa + [0x03, 0x03]: .ecdsa(.sha384),
    ecdsa + [0x03, 0x04]: .ecdsa(.sha512), [0x2b, 0x65, 0x70]: .ed25519,
  ]
  private static let rsa: [UInt8] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01]
  private static let ecdsa: [UInt8] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04]
  private static let digests: [[UInt8]: Digest] = [
    sha2 + [0x01]: .sha256, sha2 + [0x02]: .sha384, sha2 + [0x03]: .sha512,
  ]
  private static let sha2: [UInt8] = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02]

  /// Reads an AlgorithmIdentifier; nil if it is of no algorithm known here.
  init?(_ algorithm: DERElement, in bytes: Span<UInt8>) {
    guard
      let identifier = DERElement.read(
        bytes, at: algorithm.contentStart, limit: algorithm.end, tag: DERTag.objectIdentifier)
    else { return nil }
    let octets = bytes.copy(identifier.content)
    if let known = CertificateSignature.algorithms[octets] {
      self = known
      return
    }
    // RSASSA-PSS names its digest in the parameters (RFC 4055, section 3.1); the rest has to fit it.
    guard octets == CertificateSignature.rsa + [0x0a],
      let parameters = DERElement.read(bytes, at: identifier.end, limit: algorithm.end, tag: DERTag.sequence),
      let hash = DERElement.read(bytes, at: parameters.contentStart, limit: parameters.end, tag: 0xa0),
      let inner = DERElement.read(bytes, at: hash.contentStart, limit: hash.end, tag: DERTag.sequence),
      let name = DERElement.read(bytes, at: inner.contentStart, limit: inner.end, tag: DERTag.objectIdentifier),
      let digest = CertificateSignature.digests[bytes.copy(name.content)]
    else { return nil }
    self = .rsaPSS(digest)
  }
}

/// The key of a certificate, ready to verify what it signed.
enum CertificateKey: Sendable {
  case p256(P256.Signing.PublicKey)
  case p384(P384.Signing.PublicKey)
  case p521(P521.Signing.PublicKey)
  case rsa(_RSA.Signing.PublicKey)
  case ed25519(Curve25519.Signing.PublicKey)

  /// Reads a SubjectPublicKeyInfo; nil if it is of no kind known here.
  init?(_ der: [UInt8]) {
    // The 12 bytes before an Ed25519 key (RFC 8410) never change.
    let edwards: [UInt8] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00]
    if let key = try? P256.Signing.PublicKey(derRepresentation: der) {
      self = .p256(key)
    } else if let key = try? P384.Signing.PublicKey(derRepresentation: der) {
      self = .p384(key)
    } else if let key = try? P521.Signing.PublicKey(derRepresentation: der) {
      self = .p521(key)
    } else if der.starts(with: edwards),
      let key = try? Curve25519.Signing.PublicKey(rawRepresentation: der.dropFirst(edwards.count))
    {
      self = .ed25519(key)
    } else if let key = try? _RSA.Signing.PublicKey(unsafeDERRepresentation: der) {
      self = .rsa(key)
    } else {
      return nil
    }
  }

  /// Whether `signature` is this key's over `message`.
  func verify(_ signature: [UInt8], over message: Span<UInt8>, as algorithm: CertificateSignature) -> Bool {
    switch (self, algorithm) {
    case (.ed25519(let key), .ed25519): key.isValidSignature(signature, for: message.copy(0..<message.count))
    case (.rsa, .rsa(let digest)): verify(signature, message, digest, padding: .insecurePKCS1v1_5)
    case (.rsa, .rsaPSS(let digest)): verify(signature, message, digest, padding: .PSS)
    case (.p256, .ecdsa(let digest)), (.p384, .ecdsa(let digest)), (.p521, .ecdsa(let digest)):
      verify(signature, message, digest, padding: .PSS)
    default: false
    }
  }

  private func verify(
    _ signature: [UInt8], _ message: Span<UInt8>, _ digest: CertificateSignature.Digest, padding: _RSA.Signing.Padding
  ) -> Bool {
    switch digest {
    case .sha1: verify(signature, message, Insecure.SHA1(), padding)
    case .sha256: verify(signature, message, SHA256(), padding)
    case .sha384: verify(signature, message, SHA384(), padding)
    case .sha512: verify(signature, message, SHA512(), padding)
    }
  }

  private func verify<Function: HashFunction>(
    _ signature: [UInt8], _ message: Span<UInt8>, _ function: Function, _ padding: _RSA.Signing.Padding
  ) -> Bool {
    var hasher = function
    message.withUnsafeBytes { hasher.update(bufferPointer: $0) }
    let digest = hasher.finalize()
    switch self {
    case .rsa(let key):
      let value = _RSA.Signing.RSASignature(rawRepresentation: signature)
      return key.isValidSignature(value, for: digest, padding: padding)
    case .p256(let key):
      guard let value = try? P256.Signing.ECDSASignature(derRepresentation: signature) else { return false }
      return key.isValidSignature(value, for: digest)
    case .p384(let key):
      guard let value = try? P384.Signing.ECDSASignature(derRepresentation: signature) else { return false }
      return key.isValidSignature(value, for: digest)
    case .p521(let key):
      guard let value = try? P521.Signing.ECDSASignature(derRepresentation: signature) else { return false }
      return key.isValidSignature(value, for: digest)
    case .ed25519: return false
    }
  }
}
