import COpenSSL
import CertificateTransparency
import OrielWatchlist
import TestWorld
import Testing

/// What is matched, beside what TLS clients accept: nothing that no client would take for the item, and everything that
/// OpenSSL does.
struct WatchIndexClientTests {
  private static let pieces: [[UInt8]] =
    [
      "a", "b", "www", "example", "com", "co", "uk", "it", "a-b", "x_y", "xn--bcher-kva", "xn--strae-oqa", "strasse",
      "xn--diwebyo-wi57a", "xn--99999999", "*", "*", "*", "w*", "*w", "*.*", "?", "%77", "%2e", "bücher", "straße",
      "i❤",
      "。", " ", "\t", "\u{1}", "\0", "/", "@", ":", ",", "!", "é*", "..", "-", String(repeating: "l", count: 64),
    ].map { Array($0.utf8) } + [[0xFC], [0xFF]]

  private static let items = [
    "example.com", "=www.example.com", "a.b.example.com", "co.it", "=a.co.it", "www.a.co.uk", "=b.example.co.uk",
    "xn--bcher-kva.com", "strasse.it", "xn--strae-oqa.it", "xn--diwebyo-wi57a.it", "xn--i-7iq.com", "a-b.x_y.com",
  ]

  private static func name(_ generator: inout SeededGenerator) -> [UInt8] {
    var bytes: [UInt8] = []
    for _ in 0..<Int.random(in: 1...4, using: &generator) {
      bytes += pieces[Int.random(in: pieces.indices, using: &generator)]
      if Int.random(in: 0..<4, using: &generator) > 0 { bytes.append(0x2E) }
    }
    let suffixes = ["com", "example.com", "it", "co.uk", "example.co.uk", "b.example.com", ""]
    return bytes + Array(suffixes[Int.random(in: suffixes.indices, using: &generator)].utf8)
  }

  /// A host name that is at or below an item, mostly.
  private static func host(_ generator: inout SeededGenerator) -> [UInt8] {
    let item = items[Int.random(in: items.indices, using: &generator)].drop { $0 == "=" }
    guard Int.random(in: 0..<3, using: &generator) > 0 else { return Array(item.utf8) }
    return name(&generator).prefix(20) + [0x2E] + Array(item.utf8)
  }

  // MARK: Completeness

  /// A certificate with these names, as OpenSSL sees it.
  private static func withCertificate<Result>(
    _ alternativeNames: [[UInt8]], commonName: [UInt8]?, _ body: (OpaquePointer) -> Result
  ) throws -> Result {
    var request = CertificateRequest()
    request.subjectAltNameValue = DERWriter.build { writer in
      writer.sequence { for name in alternativeNames { $0.context(2, name) } }
    }
    request.subject = DERWriter.build { writer in
      writer.sequence { sequence in
        guard let commonName else { return }
        sequence.set { set in
          set.sequence {
            $0.identifier([0x55, 0x04, 0x03])
            $0.string(0x0C, commonName)
          }
        }
      }
    }
    let der = try TestAuthority(seed: 1).issue(request).certificate
    return try der.withUnsafeBufferPointer { buffer in
      var position = buffer.baseAddress
      let certificate = try #require(d2i_X509(nil, &position, buffer.count))
      defer { X509_free(certificate) }
      return body(certificate)
    }
  }

  private static let flags: [Int32] = [
    0, X509_CHECK_FLAG_MULTI_LABEL_WILDCARDS, X509_CHECK_FLAG_ALWAYS_CHECK_SUBJECT,
    X509_CHECK_FLAG_MULTI_LABEL_WILDCARDS | X509_CHECK_FLAG_ALWAYS_CHECK_SUBJECT,
  ]

  private static func accepts(_ certificate: OpaquePointer, _ host: [UInt8]) -> Bool {
    guard !host.contains(0), host.first != 0x2E else { return false }
    return flags.contains { flags in
      host.withUnsafeBytes { bytes in
        X509_check_host(
          certificate, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count, UInt32(flags), nil) == 1
      }
    }
  }

  /// Whether a host is the name of an item, or below it.
  private static func isAtOrBelow(_ host: [UInt8], _ item: String) -> Bool {
    let name = Array(item.drop { $0 == "=" }.utf8)
    if host == name { return true }
    return !item.hasPrefix("=") && host.count > name.count && host.suffix(name.count + 1).elementsEqual([0x2E] + name)
  }

  @Test("whatever OpenSSL accepts for a host at or below an item is a match for it", arguments: 0..<8)
  func completeness(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed + 40_000)
    let items = try Self.items.map { try WatchedItem(parsing: $0, allowPublicSuffix: true) }
    let index = WatchIndex(items)
    var accepted = 0
    for _ in 0..<60 {
      let hosts = (0..<12).map { _ in Self.host(&generator) }
      // Names near the hosts: the same, with a label or its parts replaced by a wildcard, and any.
      var names = (0..<3).map { _ in Self.name(&generator) }
      for host in hosts.prefix(6) {
        let rest = host.drop { $0 != 0x2E }
        names.append(
          [host, [0x2A] + rest, host.prefix(1) + [0x2A] + rest, [0x2A] + host.dropFirst()].randomElement(
            using: &generator) ?? host)
        names.append([0x2A] + rest.dropFirst().drop { $0 != 0x2E })
      }
      // OpenSSL reads no certificate whose UTF8String is none.
      let text = Bool.random(using: &generator) ? hosts.last : Self.name(&generator)
      let commonName = text.flatMap { String(validating: $0, as: UTF8.self) == nil ? nil : $0 }
      try Self.withCertificate(names, commonName: commonName) { certificate in
        var found = names.map { FoundName(source: .dnsName, stringTag: 22, bytes: $0) }
        if let commonName { found.append(FoundName(source: .commonName, stringTag: 12, bytes: commonName)) }
        let matched = Set(index.matches(for: found, publicKey: nil, issuer: nil).all.map(\.item))
        for host in hosts where Self.accepts(certificate, host) {
          for (text, item) in zip(Self.items, items) where Self.isAtOrBelow(host, text) {
            accepted += 1
            #expect(matched.contains(item), "\(text): OpenSSL takes \(names) \(commonName ?? []) for \(host)")
          }
        }
      }
    }
    #expect(accepted > 100)
  }

  // MARK: Soundness

  /// Whether a name, taken as a pattern of one host, could stand for the item or for a name below it: the item's labels
  /// from the right are those of the name, or a wildcard in the name covers them.
  private static func isPlausible(_ name: String, _ item: String) -> Bool {
    let isExact = item.hasPrefix("=")
    let own = item.drop { $0 == "=" }.split(separator: ".").map(String.init)
    let labels = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    func covers(_ pattern: String, _ label: String) -> Bool {
      guard pattern.contains("*") else { return pattern == label }
      var parts = pattern.split(separator: "*", omittingEmptySubsequences: false)[...]
      var rest = label[...]
      guard let first = parts.popFirst(), let last = parts.popLast() else { return false }
      guard rest.count >= first.count + last.count, rest.hasPrefix(first), rest.hasSuffix(last) else { return false }
      rest = rest.dropFirst(first.count).dropLast(last.count)
      for part in parts where !part.isEmpty {
        guard let range = rest.firstRange(of: part) else { return false }
        rest = rest[range.upperBound...]
      }
      return true
    }
    for (position, label) in own.reversed().enumerated() {
      guard position < labels.count else { return labels.count > 1 && labels[0] == "*" }
      let pattern = labels[labels.count - 1 - position]
      // What a CA redacted, below the registrable name.
      if pattern == "?", position >= 2 { continue }
      guard covers(pattern, label) else { return false }
    }
    return !isExact || labels.count == own.count
  }

  @Test("whatever matches an item is it, is below it, or has a wildcard that covers it", arguments: 0..<8)
  func soundness(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed + 50_000)
    let items = try Self.items.map { try WatchedItem(parsing: $0, allowPublicSuffix: true) }
    let texts = Dictionary(zip(items, Self.items)) { first, _ in first }
    let index = WatchIndex(items)
    var hits = 0
    for _ in 0..<3000 {
      let source: FoundName.Source = Bool.random(using: &generator) ? .dnsName : .commonName
      let bytes = Self.name(&generator)
      let found = FoundName(source: source, stringTag: source == .dnsName ? 22 : 12, bytes: bytes)
      for match in index.matches(for: [found], publicKey: nil, issuer: nil).all {
        hits += 1
        let item = try #require(texts[match.item])
        // The other spelling of a label is not the one that is shown.
        let names = [match.name, match.name.replacing("xn--strae-oqa", with: "strasse")]
        #expect(names.contains { Self.isPlausible($0, item) }, "\(match.name) for \(item), in \(bytes)")
      }
    }
    #expect(hits > 500)
  }
}
