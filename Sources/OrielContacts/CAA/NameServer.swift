import CAres

/// A resolver to ask, as `host:port`, the host an IP address; IPv6 in brackets.
package struct NameServer: Hashable, Sendable, CustomStringConvertible {
  package struct Unusable: Error, Hashable, Sendable, CustomStringConvertible {
    package let text: String
    package var description: String {
      "“\(text.cleaned(limit: 80))” is no name server: write an IP address, as 192.0.2.53:53 or [2001:db8::53]:53"
    }
  }

  package let host: String
  package let port: UInt16

  /// Reads `192.0.2.53`, `192.0.2.53:5353`, `2001:db8::53` or `[2001:db8::53]:5353`; the port is 53 where none is given.
  package init(_ text: String) throws(Unusable) {
    var host = text[...]
    var port = "53"[...]
    if host.hasPrefix("["), let end = host.firstIndex(of: "]") {
      let rest = host[host.index(after: end)...]
      guard rest.isEmpty || rest.hasPrefix(":") else { throw Unusable(text: text) }
      if !rest.isEmpty { port = rest.dropFirst() }
      host = host[..<end].dropFirst()
    } else if host.count(where: { $0 == ":" }) == 1, let colon = host.firstIndex(of: ":") {
      port = host[host.index(after: colon)...]
      host = host[..<colon]
    }
    guard let port = UInt16(port), port > 0, NameServer.isAddress(String(host)) else { throw Unusable(text: text) }
    self.host = String(host)
    self.port = port
  }

  package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

  private static func isAddress(_ text: String) -> Bool {
    var space = [UInt8](repeating: 0, count: 16)
    return ares_inet_pton(AF_INET, text, &space) == 1 || ares_inet_pton(AF_INET6, text, &space) == 1
  }
}
