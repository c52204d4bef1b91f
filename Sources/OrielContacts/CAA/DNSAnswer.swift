import CAres

/// The part of a DNS answer (RFC 1035, 4) that matters for CAA.
struct DNSAnswer {
  private(set) var records: [CAARecord] = []
  /// Where the aliases from the name asked for lead to; nil if it is none.
  private(set) var alias: String?
  /// Whether whoever answered has followed all aliases.
  private(set) var isRecursive = false

  private static let cname: UInt16 = 5
  private static let caa: UInt16 = 257
  private static let recordLimit = 512

  /// Nothing there.
  init() {}

  /// Nil if anything up to the end of the answers can't be read: half of the records could permit what the other half
  /// forbids.
  init?(_ message: [UInt8], name: String) {
    guard message.count >= 12, message.count <= 65_535 else { return nil }
    isRecursive = message[3] & 0x80 != 0
    var offset = 12
    for _ in 0..<DNSAnswer.number(message, 4) {
      guard DNSAnswer.name(message, &offset) != nil else { return nil }
      offset += 4
    }
    var aliases: [String: String] = [:]
    var found: [String: [CAARecord]] = [:]
    let count = DNSAnswer.number(message, 6)
    guard count <= DNSAnswer.recordLimit else { return nil }
    for _ in 0..<count {
      guard let owner = DNSAnswer.name(message, &offset), offset + 10 <= message.count else { return nil }
      let type = UInt16(DNSAnswer.number(message, offset))
      let start = offset + 10
      let end = start + DNSAnswer.number(message, offset + 8)
      guard end <= message.count else { return nil }
      offset = start
      if type == DNSAnswer.cname {
        guard let target = DNSAnswer.name(message, &offset), offset <= end else { return nil }
        aliases[owner] = target
      } else if type == DNSAnswer.caa {
        guard let record = CAARecord(message[start..<end]) else { return nil }
        found[owner, default: []].append(record)
      }
      offset = end
    }
    var current = name
    // As many steps as there are aliases: a circle ends too.
    for _ in 0..<aliases.count {
      guard found[current] == nil, let next = aliases[current] else { break }
      current = next
    }
    alias = current == name ? nil : current
    records = found[current] ?? []
  }

  private static func number(_ message: [UInt8], _ offset: Int) -> Int {
    guard offset + 1 < message.count else { return 0 }
    return Int(message[offset]) << 8 | Int(message[offset + 1])
  }

  /// Reads a name, in lower case and without the last full stop, and moves past it.
  private static func name(_ message: [UInt8], _ offset: inout Int) -> String? {
    guard offset < message.count else { return nil }
    var text: UnsafeMutablePointer<CChar>?
    var length: CLong = 0
    let status = message.withUnsafeBufferPointer { buffer -> Int32 in
      guard let base = buffer.baseAddress else { return AresStatus.badName }
      return ares_expand_name(base + offset, base, Int32(buffer.count), &text, &length)
    }
    guard status == AresStatus.success, let text else { return nil }
    defer { ares_free_string(text) }
    offset += Int(length)
    return String(cString: text).lowercased()
  }
}

extension CAARecord {
  /// Reads the data of a record (RFC 8659, 4.1).
  fileprivate init?(_ data: ArraySlice<UInt8>) {
    let bytes = Array(data)
    guard bytes.count >= 2, bytes[1] > 0, bytes.count >= 2 + Int(bytes[1]) else { return nil }
    let tag = bytes[2..<(2 + Int(bytes[1]))]
    guard tag.allSatisfy(\.isLetterOrDigit) else { return nil }
    let value = bytes[(2 + Int(bytes[1]))...]
    self.init(
      flags: bytes[0], tag: String(decoding: tag, as: UTF8.self), value: String(decoding: value, as: UTF8.self))
  }
}
