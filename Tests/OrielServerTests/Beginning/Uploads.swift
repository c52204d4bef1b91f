import CertificateTransparency
import Crypto
import Foundation
import OrielAccounts
import TestSupport
import TestWorld

/// What people send, and how browsers send it.
struct SentFile: Sendable {
  let name: String
  let bytes: [UInt8]

  init(_ name: String, _ bytes: [UInt8]) { (self.name, self.bytes) = (name, bytes) }
  init(_ name: String, _ text: String) { self.init(name, Array(text.utf8)) }
}

extension Visitor {
  /// Sends a form with files, with the code that pages have in their forms.
  func upload(
    _ path: String, _ fields: [(String, String)] = [], files: [(field: String, file: SentFile)]
  ) async throws -> RawClient.Reply {
    let code = try await get("/certificate").body.firstMatch(of: #/name="code" value="([a-z2-7]*)"/#)?.1 ?? ""
    let body = Visitor.multipart(fields + [("code", String(code))], files: files)
    return try await request(
      "POST", path, [("Content-Type", "multipart/form-data; boundary=\(Visitor.boundary)")], body)
  }

  static let boundary = "----OrielFormBoundaryA1b2C3"

  static func multipart(_ fields: [(String, String)], files: [(field: String, file: SentFile)] = []) -> [UInt8] {
    var body: [UInt8] = []
    for (name, value) in fields {
      body += Array("--\(boundary)\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(value)\r\n".utf8)
    }
    for (field, file) in files {
      let head = "Content-Disposition: form-data; name=\"\(field)\"; filename=\"\(file.name)\""
      body += Array("--\(boundary)\r\n\(head)\r\nContent-Type: application/octet-stream\r\n\r\n".utf8)
      body += file.bytes + [0x0d, 0x0a]
    }
    return body + Array("--\(boundary)--\r\n".utf8)
  }
}

extension IssuedPair {
  /// The certificate with what certifies it.
  var bundle: String { ([certificate] + chain).map { PEM.encode($0) }.joined() }
}

/// Private keys in all the forms that people have them in.
enum PrivateKeys {
  static let key = P256.Signing.PrivateKey()

  static var all: [(name: String, bytes: [UInt8])] {
    let version = { (number: UInt8, rest: [UInt8]) in
      DEREncoder.element(tag: DERTag.sequence, DEREncoder.element(tag: DERTag.integer, [number]) + rest)
    }
    let block = { (label: String) in Array(PEM.encode([1, 2, 3], label: label).utf8) }
    return [
      ("pkcs8.pem", Array(key.pemRepresentation.utf8)), ("pkcs8.der", [UInt8](key.derRepresentation)),
      ("rsa.pem", block("RSA PRIVATE KEY")), ("ec.pem", block("EC PRIVATE KEY")),
      ("encrypted.pem", block("ENCRYPTED PRIVATE KEY")), ("openssh", block("OPENSSH PRIVATE KEY")),
      ("rsa.der", version(0, DEREncoder.element(tag: DERTag.integer, [0x7f]))),
      ("all.p12", version(3, DEREncoder.element(tag: DERTag.sequence, []))),
    ]
  }
}
