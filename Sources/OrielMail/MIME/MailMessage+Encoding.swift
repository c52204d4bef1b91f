extension MailMessage {
  /// The message in the form of RFC 5322 and MIME: ASCII only, CRLF, no body line over 76 characters.
  ///
  /// The same message always gives the same bytes. Whatever the values hold, none of them can add a field or a part:
  /// control characters become spaces, and bodies are transfer-encoded.
  package func encoded() -> [UInt8] {
    var result: [UInt8] = []
    func add(_ name: String, text: String) {
      var field = HeaderField(name)
      field.add(text: text)
      result.append(contentsOf: field.line)
    }
    func add(_ name: String, addresses: [MailAddress]) {
      var field = HeaderField(name)
      for (index, address) in addresses.enumerated() {
        field.add(address: address, last: index == addresses.count - 1)
      }
      if addresses.isEmpty { field.add(word: "undisclosed-recipients:;") }
      result.append(contentsOf: field.line)
    }
    add("From", addresses: [from])
    add("To", addresses: to)
    add("Subject", text: subject)
    add("Date", text: mailDate(millisecondsSince1970: date))
    add("Message-ID", text: "<\(plainMessageID)>")
    for header in headers { add(header.name, text: header.value) }
    add("MIME-Version", text: "1.0")
    result.append(contentsOf: content.bytes)
    return result
  }

  /// The characters of the message ID that may stand in one.
  private var plainMessageID: String {
    let kept = messageID.utf8.filter { $0.isAtomText || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "@") }
    return kept.isEmpty ? "none@invalid" : String(decoding: kept.prefix(250), as: UTF8.self)
  }

  private var content: MIMEPart {
    var parts = [MIMEPart(text: text, type: "text/plain")]
    if let html { parts.append(MIMEPart(text: html, type: "text/html")) }
    let body = MIMEPart(parts, kind: "alternative", seed: messageID)
    return MIMEPart([body] + attachments.map(MIMEPart.init), kind: "mixed", seed: messageID)
  }
}

/// A body with the `Content-` fields before it.
private struct MIMEPart {
  let bytes: [UInt8]

  init(text: String, type: String) {
    let head = "Content-Type: \(type); charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    bytes = Array(head.utf8) + quotedPrintable(text)
  }

  init(_ attachment: MailAttachment) {
    var type = HeaderField("Content-Type")
    type.add(word: attachment.plainContentType)
    var disposition = HeaderField("Content-Disposition")
    disposition.add(word: "attachment;")
    for parameter in fileNameParameters(attachment.fileName) { disposition.add(word: parameter) }
    var encoding = HeaderField("Content-Transfer-Encoding")
    encoding.add(word: "base64")
    bytes = type.line + disposition.line + encoding.line + [0x0D, 0x0A] + base64Lines(attachment.bytes)
  }

  /// Several parts in one; a single one stays as it is.
  ///
  /// The boundary can't occur in a body: no line of base 64 holds an underscore, and in quoted-printable an equals sign
  /// is followed by two hexadecimal digits or by the line's end, so `=_` is written by neither (RFC 2045, section 6.7).
  init(_ parts: [MIMEPart], kind: String, seed: String) {
    if let only = parts.first, parts.count == 1 {
      self = only
      return
    }
    // FNV-1a: it need not be strong, only the same each time.
    let hash = seed.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    let boundary = "=_\(kind)_\(String(hash, radix: 16))"
    var result = Array("Content-Type: multipart/\(kind);\r\n boundary=\"\(boundary)\"\r\n\r\n".utf8)
    for part in parts {
      result.append(contentsOf: "--\(boundary)\r\n".utf8)
      result.append(contentsOf: part.bytes)
      result.append(contentsOf: [0x0D, 0x0A])
    }
    result.append(contentsOf: "--\(boundary)--\r\n".utf8)
    bytes = result
  }
}

extension MailAttachment {
  /// The content type where it is a plain `type/subtype`, perhaps with a character set; opaque bytes otherwise.
  ///
  /// `multipart` and `message` must not be sent in base 64 (RFC 2045, section 6.4).
  fileprivate var plainContentType: String {
    let parts = contentType.split(separator: ";", maxSplits: 1).map { $0.trimmingSpaces }
    let tokens = parts.first?.split(separator: "/", omittingEmptySubsequences: false) ?? []
    let parameter = parts.count > 1 ? parts[1].split(separator: "=", omittingEmptySubsequences: false) : []
    let isWhole =
      tokens.count == 2 && (tokens + parameter).allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy(\.isTokenText) }
    guard isWhole, contentType.utf8.count <= 100, !["multipart", "message"].contains(tokens[0].lowercased()),
      parameter.isEmpty || parameter.count == 2 && parameter[0].lowercased() == "charset"
    else { return "application/octet-stream" }
    return parameter.isEmpty ? "\(tokens[0])/\(tokens[1])" : "\(tokens[0])/\(tokens[1]); charset=\(parameter[1])"
  }
}

/// A file's name as parameters of `Content-Disposition`: quoted where it is short ASCII, in pieces as of RFC 2231 (each
/// short enough for a line) otherwise.
private func fileNameParameters(_ name: String) -> [String] {
  let cleaned = String(
    name.withoutControls.unicodeScalars.prefix(200).map { "/\\".contains(Character($0)) ? "_" : Character($0) })
  let name = cleaned.isEmpty ? "attachment" : cleaned
  if name.utf8.count <= 50, name.utf8.allSatisfy({ $0 < 0x80 }), !name.contains("=?") {
    return ["filename=\(HeaderField.quoted(name))"]
  }
  var pieces: [String] = []
  var piece = "UTF-8''"
  for byte in name.utf8 {
    if piece.utf8.count > 54 {
      pieces.append(piece)
      piece = ""
    }
    if byte.isLetterOrDigit || "-._".utf8.contains(byte) {
      piece.unicodeScalars.append(Unicode.Scalar(byte))
    } else {
      var hex: [UInt8] = [UInt8(ascii: "%")]
      appendHex(byte, to: &hex)
      piece += String(decoding: hex, as: UTF8.self)
    }
  }
  pieces.append(piece)
  if pieces.count == 1 { return ["filename*=\(pieces[0])"] }
  return pieces.enumerated().map { "filename*\($0)*=\($1)\($0 == pieces.count - 1 ? "" : ";")" }
}
