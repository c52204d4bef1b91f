import CertificateTransparency
import Foundation
import NIOSSL
import Synchronization

/// The certificate and key of the server, read from files in PEM.
package final class TLSCredentials: Sendable {
  package struct Failure: Error, CustomStringConvertible {
    let file: String
    let reason: String

    package var description: String { "\(file): \(reason)" }
  }

  private let certificateFile: String
  private let keyFile: String
  private let current: Mutex<NIOSSLContext>

  /// - Parameters:
  ///   - certificateFile: the server's certificate, then those between it and the root.
  ///   - keyFile: its private key.
  package init(certificateFile: String, keyFile: String) throws {
    (self.certificateFile, self.keyFile) = (certificateFile, keyFile)
    current = Mutex(try TLSCredentials.read(certificateFile, keyFile))
  }

  /// Reads the files again, for the connections to come; where that fails, what was read before stays in use.
  package func reload() throws {
    let context = try TLSCredentials.read(certificateFile, keyFile)
    current.withLock { $0 = context }
  }

  var context: NIOSSLContext { current.withLock { $0 } }

  private static func read(_ certificateFile: String, _ keyFile: String) throws -> NIOSSLContext {
    let chain = try reading(certificateFile, "no certificates in PEM", chain)
    let key = try reading(keyFile, "no private key in PEM") { try NIOSSLPrivateKey(file: $0, format: .pem) }
    var configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
    configuration.minimumTLSVersion = .tlsv12
    configuration.applicationProtocols = ["http/1.1"]
    return try reading(keyFile, "not the key of \(certificateFile)") { _ in
      try NIOSSLContext(configuration: configuration)
    }
  }

  private static func chain(_ file: String) throws -> [NIOSSLCertificate] {
    let bundle = CertificateBundle([UInt8](try Data(contentsOf: URL(filePath: file))))
    if let problem = bundle.problems.first { throw problem }
    guard !bundle.certificates.isEmpty else {
      throw CertificateBundle.Problem(line: nil, reason: "it holds none")
    }
    return try bundle.certificates.map { try NIOSSLCertificate(bytes: $0.der, format: .der) }
  }

  private static func reading<Value>(_ file: String, _ reason: String, _ body: (String) throws -> Value) throws -> Value
  {
    do {
      return try body(file)
    } catch {
      throw Failure(file: file, reason: "\(reason) (\(error))")
    }
  }
}
