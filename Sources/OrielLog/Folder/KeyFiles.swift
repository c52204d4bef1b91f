import CertificateTransparency
import Crypto
import Foundation

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Private keys in files that nobody else may read.
enum KeyFiles {
  /// PKCS #8 of an Ed25519 key (RFC 8410, section 7), up to its 32 bytes.
  private static let edwards: [UInt8] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
  ]

  static func pem(_ key: Curve25519.Signing.PrivateKey) -> String {
    PEM.encode(edwards + [UInt8](key.rawRepresentation), label: "PRIVATE KEY")
  }

  static func logKey(_ path: String) throws -> LogSigner {
    let text = try text(path)
    do throws(FormatError) {
      return try LogSigner(pemRepresentation: text)
    } catch {
      throw LogFolderError.key(file: path, "\(error)")
    }
  }

  static func noteKey(_ path: String) throws -> Curve25519.Signing.PrivateKey {
    let text = try text(path)
    guard let der = try? PEM.first("PRIVATE KEY", in: text), der.starts(with: edwards),
      let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: der.dropFirst(edwards.count))
    else { throw LogFolderError.key(file: path, "no Ed25519 private key in PEM") }
    return key
  }

  /// The first line of a file that holds a PIN.
  static func pin(_ path: String) throws(LogFolderError) -> [UInt8] {
    let line = try text(path).prefix { !$0.isNewline }
    guard !line.isEmpty else { throw .key(file: path, "there is no PIN in its first line") }
    return Array(line.utf8)
  }

  private static func text(_ path: String) throws(LogFolderError) -> String {
    var facts = stat()
    guard stat(path, &facts) == 0 else { throw .key(file: path, String(cString: strerror(errno))) }
    guard facts.st_mode & 0o077 == 0 else {
      throw .key(file: path, "others may read it, mode \(String(facts.st_mode & 0o777, radix: 8)): chmod 600 it")
    }
    guard facts.st_size < 1 << 16, let data = FileManager.default.contents(atPath: path) else {
      throw .key(file: path, "can't be read")
    }
    return String(decoding: data, as: UTF8.self)
  }

  /// Writes a file that only the owner can read, durably; never over another.
  static func write(_ text: String, to path: String) throws(LogFolderError) {
    let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw .key(file: path, String(cString: strerror(errno))) }
    defer { close(file) }
    let bytes = Array(text.utf8)
    guard Foundation.write(file, bytes, bytes.count) == bytes.count, fsync(file) == 0 else {
      throw .key(file: path, String(cString: strerror(errno)))
    }
  }
}

/// The key of a log that is only to be checked.
struct PublicKeyOnly: SigningKey {
  struct Absent: Error, CustomStringConvertible {
    let description = "the private key is not at hand"
  }

  let publicKey: LogKey

  func sign(_ message: [UInt8]) throws -> DigitallySigned { throw Absent() }
}
