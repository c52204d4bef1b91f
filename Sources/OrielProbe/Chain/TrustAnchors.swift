import COpenSSL
import CertificateTransparency
import Foundation
import Synchronization

/// The roots that a chain may end in. Nothing is added once it is made, and OpenSSL's own locks guard the rest.
package final class TrustAnchors: Sendable {
  package struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String
  }

  nonisolated(unsafe) let store: OpaquePointer
  let issuers = ParsedIssuers()
  let templates = VerifiedTemplates()

  private init(empty: Void) throws(Failure) {
    guard let store = X509_STORE_new() else { throw Failure(description: "OpenSSL gives no certificate store") }
    self.store = store
  }

  deinit { X509_STORE_free(store) }

  /// The roots of this machine, from where its OpenSSL looks for them (`SSL_CERT_FILE` and `SSL_CERT_DIR` count). They
  /// are read here, once: OpenSSL by itself looks through the folder again for every issuer that it does not know.
  package static func system(
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(Failure) -> TrustAnchors {
    let anchors = try TrustAnchors(empty: ())
    defer { ERR_clear_error() }
    let file = environment[String(cString: X509_get_default_cert_file_env())]
    X509_STORE_load_file(anchors.store, file ?? String(cString: X509_get_default_cert_file()))
    let folders = environment[String(cString: X509_get_default_cert_dir_env())]
    for folder in (folders ?? String(cString: X509_get_default_cert_dir())).split(separator: ":") {
      for name in (try? FileManager.default.contentsOfDirectory(atPath: String(folder))) ?? [] where isHashed(name) {
        X509_STORE_load_file(anchors.store, "\(folder)/\(name)")
      }
    }
    return anchors
  }

  /// Whether a file has a name of the kind by which OpenSSL looks for roots: the hash of the subject, and a number.
  private static func isHashed(_ name: String) -> Bool {
    let parts = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
    let letters = UInt8(ascii: "a")...UInt8(ascii: "f")
    guard parts.count == 2, parts[0].count == 8, !parts[1].isEmpty else { return false }
    return parts[0].allSatisfy { digits.contains($0) || letters.contains($0) } && parts[1].allSatisfy(digits.contains)
  }

  /// The roots of a file, in PEM or the DER of one.
  ///
  /// - Throws: ``Failure``, which names the line, if one of them can't be read or there is none.
  package convenience init(file: String, _ bytes: [UInt8]) throws(Failure) {
    let bundle = CertificateBundle(bytes, limit: TrustAnchors.maximumRoots)
    if let problem = bundle.problems.first { throw Failure(description: "\(file): \(problem)") }
    guard !bundle.certificates.isEmpty else {
      throw Failure(description: "\(file) gives no roots: no certificate in it")
    }
    try self.init(empty: ())
    for item in bundle.certificates where !add(item.der) {
      let problem = CertificateBundle.Problem(line: item.line, reason: "no certificate that can be read")
      throw Failure(description: "\(file): \(problem)")
    }
  }

  private static let maximumRoots = 10_000

  /// These roots, in DER.
  package convenience init(certificates: [[UInt8]]) throws(Failure) {
    try self.init(empty: ())
    for (index, certificate) in certificates.enumerated() where !add(certificate) {
      throw Failure(description: "root \(index) is not a certificate that can be read")
    }
  }

  private func add(_ certificate: [UInt8]) -> Bool {
    X509Certificate(certificate).map { X509_STORE_add_cert(store, $0.pointer) == 1 } ?? false
  }
}

/// A certificate as OpenSSL reads it, which guards by locks what it notes in it later.
final class X509Certificate: Sendable {
  nonisolated(unsafe) let pointer: OpaquePointer

  /// Nil if the bytes are not exactly one certificate.
  init?(_ der: [UInt8]) {
    defer { ERR_clear_error() }
    let parsed = der.withUnsafeBufferPointer { bytes -> OpaquePointer? in
      var position = bytes.baseAddress
      guard let certificate = d2i_X509(nil, &position, bytes.count) else { return nil }
      guard position == bytes.baseAddress.map({ $0 + bytes.count }) else {
        X509_free(certificate)
        return nil
      }
      return certificate
    }
    guard let parsed else { return nil }
    pointer = parsed
  }

  deinit { X509_free(pointer) }

  static func der(_ pointer: OpaquePointer) -> [UInt8] {
    let count = i2d_X509(pointer, nil)
    guard count > 0 else { return [] }
    return [UInt8](unsafeUninitializedCapacity: Int(count)) { buffer, initialized in
      var position = buffer.baseAddress
      initialized = max(0, Int(i2d_X509(pointer, &position)))
    }
  }
}

/// Certificates of issuers that were parsed before, since many chains have the same.
final class ParsedIssuers: Sendable {
  private static let maximumCount = 256
  /// A longer one is not kept.
  private static let maximumByteCount = 1 << 13
  private let kept = Mutex<[[UInt8]: X509Certificate]>([:])

  subscript(_ der: [UInt8]) -> X509Certificate? {
    if let found = kept.withLock({ $0[der] }) { return found }
    guard let parsed = X509Certificate(der) else { return nil }
    guard der.count <= ParsedIssuers.maximumByteCount else { return parsed }
    kept.withLock { kept in
      if kept.count >= ParsedIssuers.maximumCount { kept.removeAll(keepingCapacity: true) }
      kept[der] = parsed
    }
    return parsed
  }
}
