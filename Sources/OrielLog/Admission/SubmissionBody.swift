import CertificateTransparency

/// The body of a submission: `{"chain": ["…", …]}`.
///
/// Line breaks between base64 digits are left as they were pasted, also where JSON would have them escaped.
enum SubmissionBody {
  /// The certificates, the one to be logged first.
  static func chain(_ body: [UInt8]) throws(Rejection) -> [[UInt8]] {
    var scanner = Scanner(bytes: body)
    if let chain = try scanner.chain() { return chain }
    // Other members, escapes, another order: rare, and left to a whole JSON parser.
    do {
      return try AddChainRequest(json: body.map { $0 == 0x09 || $0 == 0x0a || $0 == 0x0d ? 0x20 : $0 }).chain
    } catch {
      throw .malformedBody(error.reason)
    }
  }

  /// Reads the form that clients send; a few times faster than a JSON parser.
  private struct Scanner {
    let bytes: [UInt8]
    var offset = 0

    mutating func chain() throws(Rejection) -> [[UInt8]]? {
      guard skip("{"), skip("\"chain\""), skip(":"), skip("[") else { return nil }
      var chain: [[UInt8]] = []
      repeat {
        guard skip("\"") else { return nil }
        let start = offset
        while offset < bytes.count, bytes[offset] != UInt8(ascii: "\"") {
          if bytes[offset] == UInt8(ascii: "\\") { return nil }
          offset += 1
        }
        guard offset < bytes.count else { return nil }
        guard let certificate = Base64.decode(wrapped: bytes.span.extracting(start..<offset)) else {
          throw .malformedBody("chain.[\(chain.count)]: not base64")
        }
        chain.append(certificate)
        offset += 1
      } while skip(",")
      guard skip("]"), skip("}") else { return nil }
      skipSpace()
      return offset == bytes.count ? chain : nil
    }

    private mutating func skipSpace() {
      while offset < bytes.count, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[offset]) { offset += 1 }
    }

    private mutating func skip(_ token: StaticString) -> Bool {
      skipSpace()
      let end = offset + token.utf8CodeUnitCount
      guard end <= bytes.count,
        token.withUTF8Buffer({ $0.elementsEqual(bytes[offset..<end]) })
      else { return false }
      offset = end
      return true
    }
  }
}
