import CertificateTransparency

/// A line of a names tile: the names in an entry as JSON, for those who look for names and do not want the rest.
enum NamesLine {
  static func withoutTimestamp(_ body: LogEntryBody) -> [UInt8] {
    switch body {
    case .x509(let certificate):
      let bytes = certificate.span
      return line(CertificateFields(certificate: 0..<bytes.count, in: bytes), in: bytes)
    case .precertificate(_, let tbsCertificate):
      let bytes = tbsCertificate.span
      return line(CertificateFields(tbsCertificate: 0..<bytes.count, in: bytes), in: bytes)
    }
  }

  /// Appends the line of an entry of a data tile.
  static func append(_ entry: EntryRanges, in tile: Span<UInt8>, to lines: inout [UInt8]) {
    let fields =
      entry.kind == .x509
      ? CertificateFields(certificate: entry.certificate, in: tile)
      : CertificateFields(tbsCertificate: entry.certificate, in: tile)
    append(line(fields, in: tile), at: entry.timestamp, to: &lines)
  }

  static func append(_ names: [UInt8], at timestamp: Timestamp, to lines: inout [UInt8]) {
    lines += Array("{\"Timestamp\":\(timestamp.milliseconds)".utf8)
    lines += names
  }

  private static func line(_ fields: CertificateFields?, in bytes: Span<UInt8>) -> [UInt8] {
    var found: [NameRange] = []
    if let fields { _ = NameWalk.find(fields, in: bytes, into: &found) }
    var line: [UInt8] = []
    // Where there are several common names, the last is the most specific.
    if let name = found.last(where: { $0.source == .commonName }) {
      line += Array(",\"Subject\":{\"CommonName\":".utf8)
      append(name, in: bytes, to: &line)
      line.append(UInt8(ascii: "}"))
    }
    append(found.filter { $0.source == .dnsName }, as: "DNS", in: bytes, to: &line)
    append(found.filter { $0.source == .ipAddress }, as: "IP", in: bytes, to: &line)
    line += Array("}\n".utf8)
    return line
  }

  private static func append(_ names: [NameRange], as member: String, in bytes: Span<UInt8>, to line: inout [UInt8]) {
    guard !names.isEmpty else { return }
    line += Array(",\"\(member)\":[".utf8)
    for (position, name) in names.enumerated() {
      if position > 0 { line.append(UInt8(ascii: ",")) }
      append(name, in: bytes, to: &line)
    }
    line.append(UInt8(ascii: "]"))
  }

  private static func append(_ name: NameRange, in bytes: Span<UInt8>, to line: inout [UInt8]) {
    line.append(UInt8(ascii: "\""))
    let raw = bytes.copy(name.range)
    if name.source != .ipAddress, raw.allSatisfy(isPlain) {
      line += raw
    } else {
      let text = FoundName(source: name.source, stringTag: name.stringTag, bytes: raw).text
      for byte in text.utf8 { append(escaped: byte, to: &line) }
    }
    line.append(UInt8(ascii: "\""))
  }

  /// Whether a byte stands for itself in JSON that may be shown in a page.
  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x20...0x7e: byte != 0x22 && byte != 0x5c && byte != 0x26 && byte != 0x3c && byte != 0x3e
    default: false
    }
  }

  private static func append(escaped byte: UInt8, to line: inout [UInt8]) {
    guard byte < 0x80, !isPlain(byte) else { return line.append(byte) }
    let digits: [UInt8] = Array("0123456789abcdef".utf8)
    line += Array("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
  }
}
