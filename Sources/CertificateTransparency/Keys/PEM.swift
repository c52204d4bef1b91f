/// The little of PEM (RFC 7468) that keys need.
enum PEM {
  /// The DER of the one `PUBLIC KEY` block in `text`.
  static func publicKey(_ text: String) throws(FormatError) -> [UInt8] {
    let lines = text.split(whereSeparator: \.isNewline).map { $0.filter { !$0.isWhitespace || $0 == " " } }
    guard let begin = lines.firstIndex(of: "-----BEGIN PUBLIC KEY-----"),
      let end = lines.firstIndex(of: "-----END PUBLIC KEY-----"), begin < end
    else { throw FormatError("PEM", at: 0, "no block labelled PUBLIC KEY") }
    guard let der = Base64.decode(lines[(begin + 1)..<end].joined()) else {
      throw FormatError("PEM", at: begin + 2, "the block is not base64")
    }
    return der
  }
}
