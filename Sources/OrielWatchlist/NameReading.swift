import CertificateTransparency

/// One way to read a name in a certificate.
enum NameReading {
  case address(IPAddress)
  /// Labels from the left.
  case labels([LabelPattern])

  /// The name, normalised and printable, and cut where it is longer than a name can be.
  var text: String {
    switch self {
    case .address(let address): return address.description
    case .labels(let labels):
      let text = String(decoding: Array(labels.map(\.text).joined(separator: [0x2E])), as: UTF8.self)
      return text.utf8.count > 512 ? text.prefix(512) + "…" : text
    }
  }
}

/// Reads the bytes of a name in all the ways in which somebody might have meant them, or software might take them.
///
/// Blanks and controls at the ends of a name do not count, text that is not ASCII is read as UTF-8 and as Latin-1, and
/// percent-encoded ASCII is also decoded.
///
/// Its work is linear in the bytes of the name. Where it stops before it has read all, it says so.
struct NameReader {
  private(set) var readings: [NameReading] = []
  /// Whether there is more in the name than the readings say.
  private(set) var isCutShort = false
  /// Whether what is read now is likely not meant at all, and only counts if it makes sense.
  private var isDoubtful = false

  private typealias Text = ArraySlice<Unicode.Scalar>

  private static let mostReadings = 64
  /// More labels than a domain name can have.
  private static let mostLabels = 128

  init(_ name: FoundName) {
    if name.source == .ipAddress {
      readAddress(name.bytes)
      return
    }
    isCutShort = name.bytes.count > WatchIndex.longestName
    let bytes = name.bytes.suffix(WatchIndex.longestName)
    for decoding in TextDecoding.all(of: Array(bytes), stringTag: name.stringTag) {
      isDoubtful = decoding.isDoubtful
      readAroundZeros(decoding.scalars[...], source: name.source)
      if let decoded = NameReader.percentDecoded(decoding.scalars) {
        readAroundZeros(decoded[...], source: name.source)
      }
    }
  }

  /// An `iPAddress` should be 4 or 16 bytes, but is seen to hold the text of an address.
  private mutating func readAddress(_ bytes: [UInt8]) {
    if let address = IPAddress(octets: bytes.span) { add(.address(address)) }
    guard bytes.count <= 64, bytes.span.isPrintable else { return }
    if let text = IPAddress(String(decoding: bytes, as: UTF8.self)) { add(.address(text)) }
  }

  /// A zero byte ends the name for some software and not for other.
  private mutating func readAroundZeros(_ text: Text, source: FoundName.Source) {
    let parts = text.split(separator: "\0")
    if parts.count > 1 { read(parts.joined().map { $0 }[...], source: source) }
    for part in parts { read(part, source: source) }
  }

  private mutating func read(_ text: Text, source: FoundName.Source) {
    switch source {
    case .dnsName, .ipAddress:
      readHosts(text)
    case .commonName:
      // A common name is free text, and sometimes a list.
      for part in text.split(whereSeparator: NameReader.isListSeparator) { readHosts(part) }
    case .email, .smtpUTF8Mailbox:
      for part in text.split(whereSeparator: NameReader.isListSeparator) { readHosts(NameReader.after("@", in: part)) }
    case .uri:
      if let authority = NameReader.authority(of: text) {
        readHosts(NameReader.after("@", in: authority))
      } else {
        for part in text.split(whereSeparator: { NameReader.isListSeparator($0) || $0 == "?" }) { readHosts(part) }
      }
    case .srvName:
      readHosts(text)
      var name = text
      while name.first == "_" { name = name.drop { !IDNA.isFullStop($0) }.dropFirst() }
      if name.count < text.count { readHosts(name) }
    }
  }

  /// Reads what may be a host alone, a URL, or user and host; never more than one of them is a domain name.
  private mutating func readHosts(_ text: Text) {
    for part in text.split(whereSeparator: { $0 == "/" || $0 == "\\" || $0 == "@" || $0 == "#" }) {
      guard readings.count < NameReader.mostReadings else {
        isCutShort = true
        return
      }
      readHost(NameReader.trimmed(part))
    }
  }

  private mutating func readHost(_ host: Text) {
    if let open = host.firstIndex(of: "["), let close = host[open...].firstIndex(of: "]") {
      var literal = NameReader.string(host[(open + 1)..<close])
      if literal.lowercased().hasPrefix("ipv6:") { literal.removeFirst(5) }
      if let address = IPAddress(literal) { return add(.address(address)) }
    }
    if host.contains(":"), let address = IPAddress(NameReader.string(host)) { return add(.address(address)) }
    for part in host.split(separator: ":") {
      let name = NameReader.trimmed(part)
      if name.isEmpty { continue }
      if let address = IPAddress(NameReader.string(name)) { add(.address(address)) } else { readLabels(name) }
    }
  }

  private mutating func readLabels(_ name: Text) {
    let labels = name.split(omittingEmptySubsequences: false, whereSeparator: IDNA.isFullStop)
    var patterns = labels.suffix(NameReader.mostLabels).map { LabelPattern($0) }
    if isDoubtful || patterns.count == 1, patterns.contains(where: { !$0.isReadable }) { return }
    NameReader.settleRedacted(&patterns)
    add(.labels(patterns))
  }

  private mutating func add(_ reading: NameReading) {
    if readings.count < NameReader.mostReadings { readings.append(reading) } else { isCutShort = true }
  }
}

// MARK: - The parts of a text

extension NameReader {
  /// A `?` stands for a label below a registrable name only: CAs that redacted names left those to be seen.
  private static func settleRedacted(_ patterns: inout [LabelPattern]) {
    for position in patterns.indices where patterns[position].kind == .redacted {
      let rest = patterns[(position + 1)...]
      let name = String(decoding: Array(rest.map(\.text).joined(separator: [0x2E])), as: UTF8.self)
      let isBelowRegistrable =
        rest.count > 1 && rest.allSatisfy { $0.kind != .wildcard && $0.kind != .glob }
        && !PublicSuffixes.system.isSuffix(name)
      if !isBelowRegistrable { patterns[position].takeLiterally() }
    }
  }

  /// The text with what is percent-encoded of ASCII (RFC 3986, 2.1) decoded; nil where nothing is.
  private static func percentDecoded(_ text: [Unicode.Scalar]) -> [Unicode.Scalar]? {
    var result: [Unicode.Scalar] = []
    var position = 0
    var isDecoded = false
    while position < text.count {
      if text[position] == "%", position + 2 < text.count, let high = text[position + 1].hexDigit,
        let low = text[position + 2].hexDigit, let scalar = Unicode.Scalar(high << 4 | low), scalar.isASCII
      {
        result.append(scalar)
        position += 3
        isDecoded = true
      } else {
        result.append(text[position])
        position += 1
      }
    }
    return isDecoded ? result : nil
  }

  private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
    scalar == " " || scalar == "\u{A0}" || 0x09...0x0D ~= scalar.value
  }

  private static func isControl(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.generalCategory == .control }

  private static func isListSeparator(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case ",", ";", "<", ">", "(", ")", "\"", "'", "=", "&": true
    default: isSpace(scalar)
    }
  }

  private static func trimmed(_ text: Text) -> Text {
    var text = text.drop { isSpace($0) || isControl($0) }
    while let last = text.last, isSpace(last) || isControl(last) || IDNA.isFullStop(last) { text.removeLast() }
    return text
  }

  private static func after(_ separator: Unicode.Scalar, in text: Text) -> Text {
    text.lastIndex(of: separator).map { text[($0 + 1)...] } ?? text
  }

  /// What ``Swift/Span/authority`` finds in bytes.
  private static func authority(of text: Text) -> Text? {
    let rest = text.drop { $0 != ":" }.dropFirst()
    guard rest.starts(with: ["/", "/"]) else { return nil }
    return rest.dropFirst(2).prefix { $0 != "/" && $0 != "?" && $0 != "#" }
  }

  /// A short text, as a string; nothing of a longer one, which is no address.
  private static func string(_ text: Text) -> String {
    guard text.count <= 64 else { return "" }
    var scalars = String.UnicodeScalarView()
    scalars.append(contentsOf: text)
    return String(scalars)
  }
}

extension Unicode.Scalar {
  fileprivate var hexDigit: UInt32? {
    switch value {
    case 0x30...0x39: value - 0x30
    case 0x41...0x46: value - 0x41 + 10
    case 0x61...0x66: value - 0x61 + 10
    default: nil
    }
  }
}
