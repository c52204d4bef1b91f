import CertificateTransparency
import Testing

/// A name in a certificate, and what it hits.
struct QuirkCase: Sendable, CustomTestStringConvertible {
  let watched: String
  let name: FoundName
  let isHit: Bool

  init(
    _ watched: String, _ name: String, _ isHit: Bool, source: FoundName.Source = .dnsName, tag: UInt8 = 22
  ) {
    self.init(watched, bytes: Array(name.utf8), isHit, source: source, tag: tag)
  }

  init(
    _ watched: String, bytes: [UInt8], _ isHit: Bool, source: FoundName.Source = .dnsName, tag: UInt8 = 22
  ) {
    self.watched = watched
    name = FoundName(source: source, stringTag: tag, bytes: bytes)
    self.isHit = isHit
  }

  var testDescription: String {
    "\(watched) \(isHit ? "<" : "no") \(name.source) \(String(decoding: name.bytes.prefix(60), as: UTF8.self).debugDescription)"
  }
}

/// The states in which names stand in certificates, each with what they hit and what they do not.
extension QuirkCase {
  static let all = [plain, wildcards, spelling, zeros, unicode, unreadable, readings, stringTypes, addresses, hosts]
    .flatMap { $0 }

  static let plain: [QuirkCase] = [
    QuirkCase("example.com", "example.com", true), QuirkCase("example.com", "a.b.EXAMPLE.com", true),
    QuirkCase("example.com", "notexample.com", false), QuirkCase("example.com", "example.com.evil.org", false),
    QuirkCase("example.com", "com", false), QuirkCase("=example.com", "example.com", true),
    QuirkCase("=example.com", "www.example.com", false), QuirkCase("=www.example.com", "example.com", false),
    QuirkCase("=_dmarc.example.com", "_DMARC.example.com", true), QuirkCase("=a-b.example", "a_b.example", false),
    QuirkCase("example.com", "", false), QuirkCase("example.com", ".", false),
    QuirkCase("example.com", "...", false), QuirkCase("example.com", "example.com", true, source: .commonName, tag: 12),
  ]

  static let wildcards: [QuirkCase] = [
    QuirkCase("example.com", "*.example.com", true), QuirkCase("sub.example.com", "*.example.com", true),
    QuirkCase("=sub.example.com", "*.example.com", true), QuirkCase("a.b.example.com", "*.example.com", true),
    QuirkCase("=example.com", "*.example.com", false), QuirkCase("example.com", "*.com", true),
    QuirkCase("=example.com", "*.com", true), QuirkCase("sub.example.com", "*.com", true),
    QuirkCase("example.com", "*.org", false), QuirkCase("=www.example.com", "www.*.com", true),
    QuirkCase("=www.example.com", "www.*.*", true), QuirkCase("=www.example.com", "ftp.*.com", false),
    QuirkCase("example.com", "*", false), QuirkCase("=foo.example.com", "f*o.example.com", true),
    QuirkCase("=fo.example.com", "f*o.example.com", true), QuirkCase("=foobar.example.com", "f*o.example.com", false),
    QuirkCase("=foo.example.com", "*oo*.EXAMPLE.com", true), QuirkCase("=foo.example.com", "*b*.example.com", false),
    QuirkCase("=abcabd.example.com", "*ab*abd.example.com", true),
    QuirkCase("=foo.example.com", "f*.*mple.com", true), QuirkCase("=a.b.example.com", "*.example.com", true),
    QuirkCase("=www.example.com", "?.example.com", true), QuirkCase("example.com", "?.?.com", false),
    QuirkCase("=www.example.com", "?.?.example.com", false), QuirkCase("=example.com", "?.com", false),
  ]

  static let spelling: [QuirkCase] = [
    QuirkCase("example.com", "https://www.example.com/path", true),
    QuirkCase("=example.com", "http://example.com", true),
    QuirkCase("=example.com", "example.com/", true), QuirkCase("=example.com", "example.com:8443", true),
    QuirkCase("=example.com", "HTTPS://EXAMPLE.COM:443/x?y", true),
    QuirkCase("=example.com", " \texample.com\r\n", true),
    QuirkCase("=example.com", "example.com..", true), QuirkCase("=example.com", "example.com. ", true),
    QuirkCase("=example.com", "DNS:example.com", true), QuirkCase("example.com", "user@example.com", true),
    QuirkCase("=www.example.com", "host/www.example.com", true, source: .commonName),
    QuirkCase("=example.com", "example.org, example.com", true, source: .commonName),
    QuirkCase("example.com", "Example Inc. Class 3 CA", false, source: .commonName),
    QuirkCase("example.com", "Example & Sons, Dept. 7", false, source: .commonName),
    QuirkCase("example.com", "example.com:443.evil.org", true),
    QuirkCase("example.com", "example.com.evil.org:443", false),
    QuirkCase("example.com", "evil.org/example.net", false),
  ]

  static let zeros: [QuirkCase] = [
    QuirkCase("=example.com", "example.com\0.evil.org", true), QuirkCase("=example.com", "evil.org\0example.com", true),
    QuirkCase("=example.com", "exam\0ple.com", true), QuirkCase("=example.com", "\0example.com\0\0", true),
    QuirkCase("example.com", "evil.org\0.example.net", false), QuirkCase("example.com", "\0\0\0", false),
  ]

  static let unicode: [QuirkCase] = [
    QuirkCase("bücher.example", "www.bücher.example", true), QuirkCase("bücher.example", "BÜCHER.example", true),
    QuirkCase("bücher.example", "bu\u{308}cher.example", true), QuirkCase("bücher.example", "bucher.example", false),
    QuirkCase("bücher.example", bytes: Array("b".utf8) + [0xFC] + Array("cher.example".utf8), true),
    QuirkCase("bücher.example", bytes: Array("b".utf8) + [0xFC] + Array("cher.example".utf8), true, tag: 20),
    QuirkCase("bücher.example", bytes: Array("b".utf8) + [0xFC] + Array("cker.example".utf8), false, tag: 20),
    QuirkCase("other.example", "bücher.example", false), QuirkCase("=example.com", "example。com", true),
    QuirkCase("=example.com", "example．com｡", true), QuirkCase("=example.com", "ｅｘａｍｐｌｅ.com", true),
    QuirkCase("=example.com", "*.ｃｏｍ", true), QuirkCase("straße.de", "STRASSE.de", false),
    QuirkCase("straße.de", "straße.de", true), QuirkCase("i.example", "i❤.example", false),
    QuirkCase("xn--i-7iq.ws", "xn--i-7iq.ws", true), QuirkCase("other.ws", "xn--i-7iq.ws", false),
    QuirkCase("other.ws", "xn--a-!.ws", false), QuirkCase("other.ws", "xn--99999999.ws", false),
    QuirkCase("other.ws", "xn--.ws", false), QuirkCase("other.ws", "xn--bcher-kva.ws", false),
  ]

  /// Labels that cannot be read are compared as bytes; what is below a watched name is below it whatever it is.
  static let unreadable: [QuirkCase] = [
    QuirkCase("=www.example.com", "w\u{1}w.example.com", false), QuirkCase("=www.example.com", ".example.com", false),
    QuirkCase("=www.example.com", "www..com", false), QuirkCase("=www.example.com", "w w.example.com", false),
    QuirkCase("=www.example.com", "\(WatchedItemTests.long).example.com", false),
    QuirkCase("=www.example.com", "w%77.example.com", false),
    QuirkCase("=www.example.com", "w\u{1}w.example.org", false),
    QuirkCase("=www.example.com", "www.example.com\u{1}", true), QuirkCase("example.com", "\u{1}", false),
    QuirkCase("localhost", "AT+T", false, source: .commonName),
  ]

  static let readings: [QuirkCase] = [
    QuirkCase("=www.example.com", "\u{1}\u{1b} www.example.com\u{7f}\u{85}", true),
    QuirkCase("=www.example.com", "www%2Eexample%2ecom", true),
    QuirkCase("=www.example.com", "%77ww.example.com%00", true),
    QuirkCase("=www.example.com", "www.example%2", false), QuirkCase("=www.example.com", "www.ex%FFmple.com", false),
    QuirkCase("=example.com", "https://www%2eevil.org%2F@example.com", true, source: .uri),
    QuirkCase("strasse.de", "straße.de", true), QuirkCase("xn--strae-oqa.de", "STRAßE.de", true),
    QuirkCase("=xn--strae-oqa.strasse.de", "straße.straße.de", true),
    QuirkCase("xn--i-7iq.ws", "i❤.ws", true), QuirkCase("xn--i-7iq.ws", "I❤.ws", true),
    QuirkCase("xn--i-7iq.ws", "i❤\u{FE0F}.ws", true), QuirkCase("xn--i-8iq.ws", "i❤.ws", false),
    QuirkCase("xn--ls8h.la", "💩.la", true), QuirkCase("=xn--ls8h.xn--i-7iq.ws", "💩.i❤.ws", true),
    QuirkCase("example.com", "exam ple.com", false), QuirkCase("ple.com", "exam ple.com", false),
    QuirkCase("ple.com", "exam ple.com", true, source: .commonName),
    QuirkCase("=example.com", "  example.com\t", true),
    // What is below a watched name is, however it is written.
    QuirkCase("example.com", "a b.example.com", true), QuirkCase("example.com", "xn--99999999.example.com", true),
    QuirkCase("example.com", "?.example.com", true), QuirkCase("example.com", "\u{202e}x.example.com", true),
    QuirkCase("example.com", "..example.com", true), QuirkCase("example.com", "é*.example.com", true),
    QuirkCase("=www.example.com", "é*.example.com", false), QuirkCase("=www.example.com", "*!.example.com", false),
    // Found in a log: the punycode gives a surrogate.
    QuirkCase("other.it", "xn--diwebyo-wi57a.it", false), QuirkCase("other.com", "www.xn--autoso-yo83a.com", false),
    QuirkCase("xn--diwebyo-wi57a.it", "xn--diwebyo-wi57a.it", true),
    QuirkCase("=www.example.co.uk", "?.co.uk", false), QuirkCase("=www.example.co.uk", "?.example.co.uk", true),
    QuirkCase("example.co.uk", "*.co.uk", true), QuirkCase("a.example.co.uk", "*.co.uk", true),
    QuirkCase("=www.example.com", "\(String(repeating: "*", count: 63))w.example.com", true),
    QuirkCase("=www.example.com", "\(String(repeating: "*", count: 65_000)).example.com", false),
  ]

  static let stringTypes: [QuirkCase] = [
    QuirkCase("=example.com", bytes: utf16("example.com"), true, tag: 30),
    QuirkCase("=bücher.example", bytes: utf16("bücher.example"), true, tag: 30),
    QuirkCase("=example.com", bytes: utf16("example.com") + [0], true, tag: 30),
    QuirkCase("=example.com", bytes: utf16("example.com"), true, tag: 12),
    QuirkCase("=example.com", bytes: utf16("example.org"), false, tag: 30),
    QuirkCase("=example.com", bytes: "example.com".utf8.flatMap { [0, 0, 0, $0] }, true, tag: 28),
    QuirkCase("=example.com", bytes: "example.org".utf8.flatMap { [0, 0, 0, $0] }, false, tag: 28),
    QuirkCase("=example.com", "example.com", true, tag: 30), QuirkCase("=example.com", "example.com", true, tag: 28),
    QuirkCase("example.com", bytes: [0xD8, 0x00, 0x00], false, tag: 30),
    QuirkCase("example.com", bytes: [0xFF, 0xFF, 0xFF, 0xFF, 0], false, tag: 28),
    QuirkCase("example.com", bytes: utf16("中国.com"), false, tag: 30),
  ]

  static let v6: [UInt8] = [0x20, 0x01, 0x0D, 0xB8] + Array(repeating: 0, count: 11) + [1]

  static let addresses: [QuirkCase] = [
    QuirkCase("192.0.2.0/24", bytes: [192, 0, 2, 9], true, source: .ipAddress),
    QuirkCase("192.0.2.0/24", bytes: [192, 0, 3, 9], false, source: .ipAddress),
    QuirkCase("192.0.2.9", bytes: [192, 0, 2, 9], true, source: .ipAddress),
    QuirkCase("0.0.0.0/0", bytes: [192, 0, 2, 9], true, source: .ipAddress),
    QuirkCase("2001:db8::/32", bytes: v6, true, source: .ipAddress),
    QuirkCase("2001:db8::1", bytes: v6, true, source: .ipAddress),
    QuirkCase("2001:db9::/32", bytes: v6, false, source: .ipAddress),
    QuirkCase("::/0", bytes: v6, true, source: .ipAddress),
    QuirkCase("::/0", bytes: [192, 0, 2, 9], false, source: .ipAddress),
    QuirkCase(
      "192.0.2.0/24", bytes: Array(repeating: 0, count: 10) + [255, 255, 192, 0, 2, 9], true, source: .ipAddress),
    QuirkCase("192.0.2.0/24", bytes: [192, 0, 2], false, source: .ipAddress),
    QuirkCase("192.0.2.0/24", bytes: [], false, source: .ipAddress),
    QuirkCase("192.0.2.0/24", bytes: [192, 0, 2, 0, 255, 255, 255, 0], false, source: .ipAddress),
    QuirkCase("192.0.2.0/24", "192.0.2.9", true, source: .ipAddress),
    QuirkCase("2001:db8::/32", "2001:db8::abcd:1", true, source: .ipAddress),
    QuirkCase("192.0.2.0/24", "192.0.2.9", true), QuirkCase("192.0.2.0/24", "192.0.2.9", true, source: .commonName),
    QuirkCase("192.0.2.0/24", "https://192.0.2.9:8443/", true), QuirkCase("192.0.2.0/24", "192.0.3.9", false),
    QuirkCase("192.0.2.0/24", "192.0.2.9.", true), QuirkCase("192.0.2.0/24", "192.0.2.9.example.com", false),
    QuirkCase("2001:db8::/32", "2001:DB8::1", true), QuirkCase("2001:db8::/32", "[2001:db8::1]", true),
    QuirkCase("2001:db8::/32", "[2001:db8::1]:443", true, source: .commonName),
    QuirkCase("fe80::/10", "fe80::1%eth0", true), QuirkCase("2001:db8::/32", "2001:db9::1", false),
    QuirkCase("2001:db8::/32", "http://[2001:db8::1]:80/x", true, source: .uri),
    QuirkCase("2001:db8::/32", "root@[IPv6:2001:db8::1]", true, source: .email),
  ]

  static let hosts: [QuirkCase] = [
    QuirkCase("=example.com", "me@example.com", true, source: .email),
    QuirkCase("=example.com", "\"a@evil.org\"@example.com", true, source: .email),
    QuirkCase("example.com", "example.com@evil.org", false, source: .email),
    QuirkCase("=example.com", "Me <me+x@example.com>", true, source: .email),
    QuirkCase("=example.com", "a@example.com,b@evil.org", true, source: .email),
    QuirkCase("=example.com", "example.com", true, source: .email),
    QuirkCase("=xn--bcher-kva.example", "ü@bücher.example", true, source: .smtpUTF8Mailbox, tag: 12),
    QuirkCase("=bucher.example", "ü@bücher.example", false, source: .smtpUTF8Mailbox, tag: 12),
    QuirkCase("=example.com", "https://user:pw@example.com:8443/a/evil.org?b#c", true, source: .uri),
    QuirkCase("example.com", "https://evil.org/example.com", false, source: .uri),
    QuirkCase("example.com", "https://evil.org?x=example.com", false, source: .uri),
    QuirkCase("=example.com", "https://example.com", true, source: .uri),
    QuirkCase("=example.com", "spiffe://example.com/ns/default", true, source: .uri),
    QuirkCase("=example.com", "sip:alice@example.com;transport=tls", true, source: .uri),
    QuirkCase("=example.com", "mailto:a@example.com?subject=x", true, source: .uri),
    QuirkCase("example.com", "urn:uuid:f81d4fae-7dec-11d0", false, source: .uri),
    QuirkCase("=example.com", "_sip.example.com", true, source: .srvName),
    QuirkCase("=example.com", "_sip._tcp.example.com", true, source: .srvName),
    QuirkCase("=_sip.example.com", "_sip.example.com", true, source: .srvName),
    QuirkCase("example.com", "_sip.example.org", false, source: .srvName),
    QuirkCase("=_sip.example.com", "_sip.other.com", false, source: .srvName),
    QuirkCase("=example.com", "_sip.example.com", false, source: .dnsName),
  ]

  /// UTF-16, the higher byte first.
  private static func utf16(_ text: String) -> [UInt8] { text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] } }
}
