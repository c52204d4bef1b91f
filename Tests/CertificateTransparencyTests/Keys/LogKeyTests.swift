import CertificateTransparency
import Crypto
import TestSupport
import Testing

@Suite struct LogKeyTests {
  @Test("a signer's signatures verify with its public key, for the message and algorithm that were signed")
  func signing() throws {
    let signer = LogSigner()
    let message: [UInt8] = [1, 2, 3]
    let signature = try signer.sign(message)
    let key = try LogKey(derRepresentation: signer.publicKey.derRepresentation)
    #expect(key == signer.publicKey)
    #expect(key.logID == signer.logID)
    #expect(key.verify(signature, over: message))
    #expect(!key.verify(signature, over: message + [4]))
    #expect(!LogSigner().publicKey.verify(signature, over: message))
    for algorithm in [SignatureAndHash.rsaSHA256, .ecdsaSHA384, SignatureAndHash(hash: 2, signature: 3)] {
      let other = DigitallySigned(algorithm: algorithm, signature: signature.signature)
      #expect(!key.verify(other, over: message))
    }
    let longer = DigitallySigned(algorithm: .ecdsaSHA256, signature: signature.signature + [0])
    #expect(!key.verify(longer, over: message))
  }

  @Test("an SCT verifies for the entry it was issued for")
  func scts() throws {
    let signer = LogSigner()
    let entry = LogEntryBody.x509(certificate: [1, 2, 3])
    let sct = try signer.sign(entry, timestamp: Timestamp(milliseconds: 5), extensions: [])
    #expect(signer.publicKey.verify(sct, for: entry))
    #expect(!signer.publicKey.verify(sct, for: .x509(certificate: [1, 2, 4])))
    #expect(!LogSigner().publicKey.verify(sct, for: entry))
  }

  @Test("keys that logs may not use, and encodings that are not DER, are refused")
  func refusals() throws {
    let der = LogSigner().publicKey.derRepresentation
    let point = try P256.Signing.PublicKey(derRepresentation: der)
    let compressed =
      hexadecimal("3039301306072a8648ce3d020106082a8648ce3d030107032200") + [UInt8](point.compressedRepresentation)
    let p521 = [UInt8](P521.Signing.PrivateKey().publicKey.derRepresentation)
    for bytes in [[], der + [0], Array(der.dropLast()), compressed, p521] {
      #expect(throws: FormatError.self) { try LogKey(derRepresentation: bytes) }
    }
    #expect(try LogKey(pemRepresentation: point.pemRepresentation).derRepresentation == der)
    for text in ["", "-----BEGIN PUBLIC KEY-----", "-----BEGIN PUBLIC KEY-----\n!\n-----END PUBLIC KEY-----"] {
      #expect(throws: FormatError.self) { try LogKey(pemRepresentation: text) }
    }
  }

  @Test("the id of a known key", .needsTestData)
  func knownID() throws {
    let keys = try json("loglists/derived/all_known_log_keys.json", as: [KnownLog].self)
    #expect(keys.count == 296)
    for known in keys {
      let key = try LogKey(derRepresentation: try #require(Base64.decode(known.key)))
      #expect(key.logID.base64 == known.logId)
    }
  }

  private struct KnownLog: Decodable {
    let logId: String
    let key: String
  }

  @Test(
    "the SCT and key vectors of sct.rs", .needsTestData,
    arguments: [
      ("ecdsa-prime256v1-pub.raw", "ecdsa_p256-basic-sct.bin", true),
      ("ecdsa-prime256v1-pub.raw", "ecdsa_p256-future-sct.bin", true),
      ("ecdsa-prime256v1-pub.raw", "ecdsa_p256-short-sct.bin", true),
      ("ecdsa-prime256v1-pub.raw", "ecdsa_p256-wrongcert-sct.bin", false),
      ("ecdsa-prime256v1-pub.raw", "ecdsa_p256-wrongtime-sct.bin", false),
      ("ecdsa-prime256v1-pub.raw", "ecdsa_p256-wrongext-sct.bin", false),
      ("ecdsa-prime256v1-pub.raw", "ecdsa_p256-badsigalg-sct.bin", false),
      ("ecdsa-secp384r1-pub.raw", "ecdsa_p384-basic-sct.bin", true),
      ("ecdsa-secp384r1-pub.raw", "ecdsa_p384-wrongcert-sct.bin", false),
      ("ecdsa-secp384r1-pub.raw", "ecdsa_p384-wrongtime-sct.bin", false),
      ("rsa-2048-pub.raw", "rsa2048-basic-sct.bin", true),
      ("rsa-2048-pub.raw", "rsa2048-wrongcert-sct.bin", false),
      ("rsa-2048-pub.raw", "rsa2048-wrongtime-sct.bin", false),
    ])
  func sctrs(keyFile: String, sctFile: String, isValid: Bool) throws {
    let raw = try TestData.bytes("vectors/sct_rs/" + keyFile)
    let sct = try SignedCertificateTimestamp(decoding: try TestData.bytes("vectors/sct_rs/" + sctFile))
    try expectExact(sct)
    let key = try LogKey(derRepresentation: subjectPublicKeyInfo(raw))
    let input = try sct.signatureInput(for: .x509(certificate: Array("cert".utf8)))
    #expect(key.verify(sct.signature, over: input) == isValid)
  }

  /// The files hold bare points and PKCS #1 keys.
  private func subjectPublicKeyInfo(_ raw: [UInt8]) -> [UInt8] {
    switch raw.count {
    case 65: return hexadecimal("3059301306072a8648ce3d020106082a8648ce3d030107034200") + raw
    case 97: return hexadecimal("3076301006072a8648ce3d020106052b81040022036200") + raw
    default:
      let bits = raw.count + 1
      let head = hexadecimal("300d06092a864886f70d01010105000382") + [UInt8(bits >> 8), UInt8(bits & 255), 0]
      let count = head.count + raw.count
      return [0x30, 0x82, UInt8(count >> 8), UInt8(count & 255)] + head + raw
    }
  }

  @Test(
    "SCTs of real logs among the vectors of sct.rs", .needsTestData,
    arguments: [
      ("google-pilot-pubkey.bin", "google-sct0.bin"), ("symantec-log-pubkey.bin", "google-sct1.bin"),
    ])
  func realSCTs(keyFile: String, sctFile: String) throws {
    let key = try LogKey(derRepresentation: subjectPublicKeyInfo(try TestData.bytes("vectors/sct_rs/" + keyFile)))
    let sct = try SignedCertificateTimestamp(decoding: try TestData.bytes("vectors/sct_rs/" + sctFile))
    let certificate = try TestData.bytes("vectors/sct_rs/google-cert.bin")
    #expect(key.verify(sct, for: .x509(certificate: certificate)))
    #expect(!key.verify(sct, for: .x509(certificate: certificate + [0])))
  }

  @Test(
    "SCTs that are not SCTs among the vectors of sct.rs", .needsTestData,
    arguments: [
      "ecdsa_p256-junk-sct.bin", "ecdsa_p256-version-sct.bin",
    ])
  func malformed(file: String) throws {
    let bytes = try TestData.bytes("vectors/sct_rs/" + file)
    #expect(throws: FormatError.self) { try SignedCertificateTimestamp(decoding: bytes) }
  }
}
