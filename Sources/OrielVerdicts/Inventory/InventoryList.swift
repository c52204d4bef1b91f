package import CertificateTransparency
import Crypto
package import MerkleTree

/// A list of certificates and keys that one's own machine offers, authenticated with a secret that both sides have.
///
/// The text is line by line what `docs/inventory.md` describes; the last line is HMAC-SHA256 of all bytes before it.
package struct InventoryList: Hashable, Sendable {
  /// A certificate by its issuance's id, or a key with its names.
  package struct Item: Hashable, Sendable {
    package var kind: InventoryEntry.Kind
    package var hash: SHA256Hash
    package var names: [String]

    package init(kind: InventoryEntry.Kind, hash: SHA256Hash, names: [String] = []) {
      self.kind = kind
      self.hash = hash
      self.names = names.map(CertificateName.normalised)
    }
  }

  package var host: String
  /// When the list was made.
  package var time: Timestamp
  package var items: [Item]

  package init(host: String, time: Timestamp, items: [Item]) {
    self.host = host
    self.time = time
    self.items = items
  }

  package static let maximumBytes = 16 << 20
  package static let maximumItems = 100_000
  /// A shorter secret can be guessed.
  package static let minimumSecret = 16
  /// How far the clocks may be apart.
  private static let skew: UInt64 = 5 * 60_000
  private static let header = "oriel-inventory v1"

  /// What makes a list unfit.
  package enum Fault: Error, Hashable, Sendable, CustomStringConvertible {
    case secretTooShort
    case tooLarge
    /// Its end is not `mac` and 64 hexadecimal digits.
    case noMAC
    /// It was not made with this secret, or changed since.
    case wrongMAC
    case malformed(line: Int, String)
    /// Made before the last accepted one, or too long ago.
    case stale(Timestamp)
    case fromTheFuture(Timestamp)

    package var description: String {
      switch self {
      case .secretTooShort: "the secret needs at least \(InventoryList.minimumSecret) bytes"
      case .tooLarge: "more than \(InventoryList.maximumBytes >> 20) MiB or \(InventoryList.maximumItems) items"
      case .noMAC: "the last line is not “mac” and 64 hexadecimal digits"
      case .wrongMAC: "it was not made with this secret, or was changed since"
      case .malformed(let line, let reason): "line \(line): \(reason)"
      case .stale(let time): "it is of \(time), which is too long ago or before the last one"
      case .fromTheFuture(let time): "it is of \(time), which is still to come"
      }
    }
  }

  /// Verifies a list, and then reads it.
  ///
  /// - Parameters:
  ///   - last: the time of the last list of this host that was accepted; an older one is a replay.
  ///   - maximumAge: in seconds.
  package init(
    verifying bytes: [UInt8], secret: [UInt8], now: Timestamp, last: Timestamp? = nil, maximumAge: UInt64 = 7 * 86_400
  ) throws(Fault) {
    guard secret.count >= InventoryList.minimumSecret else { throw .secretTooShort }
    guard bytes.count <= InventoryList.maximumBytes else { throw .tooLarge }
    let content = try InventoryList.authenticated(bytes, secret: secret)
    try self.init(content: content)
    let (time, age) = (time.milliseconds, maximumAge.multipliedReportingOverflow(by: 1000))
    if time > now.milliseconds, time - now.milliseconds > InventoryList.skew { throw .fromTheFuture(self.time) }
    let isOld = !age.overflow && now.milliseconds > time && now.milliseconds - time > age.partialValue
    if isOld || last.map({ self.time < $0 }) ?? false { throw .stale(self.time) }
  }

  /// What comes before the MAC, if that is right.
  private static func authenticated(_ bytes: [UInt8], secret: [UInt8]) throws(Fault) -> ArraySlice<UInt8> {
    var end = bytes.endIndex
    while end > 0, bytes[end - 1] == 0x0a || bytes[end - 1] == 0x0d { end -= 1 }
    let start = bytes[..<end].lastIndex(of: 0x0a).map { $0 + 1 } ?? 0
    let line = bytes[start..<end]
    guard line.starts(with: "mac ".utf8),
      let code = SHA256Hash(hex: String(decoding: line.dropFirst(4), as: UTF8.self))
    else { throw .noMAC }
    // Compares in constant time.
    guard
      HMAC<SHA256>.isValidAuthenticationCode(
        code.bytes, authenticating: bytes[..<start], using: SymmetricKey(data: secret))
    else { throw .wrongMAC }
    return bytes[..<start]
  }

  private init(content: ArraySlice<UInt8>) throws(Fault) {
    (host, time, items) = ("", Timestamp(milliseconds: 0), [])
    var hasTime = false
    for (index, bytes) in content.split(separator: 0x0a, omittingEmptySubsequences: false).enumerated() {
      guard let text = String(validating: bytes, as: UTF8.self) else {
        throw .malformed(line: index + 1, "not UTF-8")
      }
      let words = text.split { $0 == " " || $0 == "\t" || $0 == "\r" }.map(String.init)
      if index == 0 {
        guard words.joined(separator: " ") == InventoryList.header else {
          throw .malformed(line: 1, "expected “\(InventoryList.header)”")
        }
        continue
      }
      guard let word = words.first, !word.hasPrefix("#") else { continue }
      switch word {
      case "host": host = words.dropFirst().first ?? ""
      case "time":
        guard words.count == 2, let time = Timestamp(rfc3339: words[1]) else {
          throw .malformed(line: index + 1, "expected a time such as 2026-06-01T12:00:00Z")
        }
        (self.time, hasTime) = (time, true)
      default:
        guard items.count < InventoryList.maximumItems else { throw .tooLarge }
        items.append(try InventoryList.item(words, line: index + 1))
      }
    }
    guard hasTime else { throw .malformed(line: 1, "there is no line with the time") }
  }

  private static func item(_ words: [String], line: Int) throws(Fault) -> Item {
    guard let kind = InventoryEntry.Kind(rawValue: words[0]) else {
      throw .malformed(line: line, "expected certificate, key, host or time")
    }
    guard words.count > 1, let hash = SHA256Hash(hex: words[1]) else {
      throw .malformed(line: line, "expected 64 hexadecimal digits")
    }
    guard kind == .certificate || words.count > 2 else { throw .malformed(line: line, "a key needs its names") }
    return Item(kind: kind, hash: hash, names: Array(words.dropFirst(2)))
  }

  /// The list as text, to be offered by the machine that it is about.
  package func encoded(secret: [UInt8]) throws(Fault) -> [UInt8] {
    guard secret.count >= InventoryList.minimumSecret else { throw .secretTooShort }
    guard items.count <= InventoryList.maximumItems else { throw .tooLarge }
    var text = "\(InventoryList.header)\nhost \(InventoryList.word(host))\ntime \(time)\n"
    for item in items {
      text += "\(item.kind.rawValue) \(item.hash.hex)"
      for name in item.names { text += " " + InventoryList.word(name) }
      text += "\n"
    }
    let body = Array(text.utf8)
    let code = HMAC<SHA256>.authenticationCode(for: body, using: SymmetricKey(data: secret))
    return body + Array("mac \(SHA256Hash(Array(code))?.hex ?? "")\n".utf8)
  }

  /// A name from a certificate may hold anything; in a list it must stay one word of one line.
  private static func word(_ text: String) -> String {
    text.isEmpty
      ? "-"
      : String(
        String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.isWhitespace || $0.value < 0x20 ? "_" : $0 }))
  }

  /// What goes into the inventory.
  package var entries: [InventoryEntry] {
    items.map {
      InventoryEntry(kind: $0.kind, hash: $0.hash, names: $0.names, notAfter: nil, source: "list of \(host)")
    }
  }
}
