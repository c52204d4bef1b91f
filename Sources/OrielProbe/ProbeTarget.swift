/// Where a probe goes: a name or an address, a port, and how TLS is begun there.
package struct ProbeTarget: Hashable, Sendable, CustomStringConvertible {
  /// What the client says the server is called (RFC 6066, section 3).
  package enum ServerName: Hashable, Sendable {
    /// The host, unless that is an address.
    case host
    case name(String)
    case none
  }

  /// A name in ASCII, or an address without brackets.
  package let host: String
  package let port: UInt16
  /// Connects there instead of to the addresses of the host.
  package var address: SocketAddress?
  package var serverName: ServerName
  package var startTLS: StartTLS?

  /// - Throws: ``ProbeError/invalidTarget(_:)`` if the host can be neither a name nor an address.
  package init(
    host: String, port: UInt16? = nil, address: SocketAddress? = nil, serverName: ServerName = .host,
    startTLS: StartTLS? = nil
  ) throws(ProbeError) {
    try ProbeTarget.check(host, "the host")
    if case .name(let name) = serverName { try ProbeTarget.check(name, "the server name") }
    self.host = host
    self.port = port ?? startTLS?.port ?? 443
    self.address = address
    self.serverName = serverName
    self.startTLS = startTLS
  }

  /// Reads `example.com`, `example.com:8443`, `192.0.2.1:443`, `2001:db8::1` or `[2001:db8::1]:443`.
  ///
  /// - Throws: ``ProbeError/invalidTarget(_:)``.
  package init(_ text: String, startTLS: StartTLS? = nil) throws(ProbeError) {
    var host = text[...]
    var port: Substring?
    if text.hasPrefix("[") {
      guard let close = text.firstIndex(of: "]") else { throw .invalidTarget("“\(Excerpt.text(text))” lacks a “]”") }
      host = text[text.index(after: text.startIndex)..<close]
      let rest = text[text.index(after: close)...]
      guard rest.isEmpty || rest.first == ":" else {
        throw .invalidTarget("“\(Excerpt.text(text))” has something else than a port after “]”")
      }
      port = rest.isEmpty ? nil : rest.dropFirst()
    } else if let colon = text.firstIndex(of: ":"), text[text.index(after: colon)...].firstIndex(of: ":") == nil {
      host = text[..<colon]
      port = text[text.index(after: colon)...]
    }
    var number: UInt16?
    if let port {
      number = port.allSatisfy { $0.isASCII && $0.isNumber } ? UInt16(port) : nil
      guard let number, number > 0 else {
        throw .invalidTarget("“\(Excerpt.text(String(port)))” is no port between 1 and 65535")
      }
    }
    try self.init(host: String(host), port: number, startTLS: startTLS)
  }

  private static func check(_ name: String, _ what: String) throws(ProbeError) {
    guard !name.isEmpty else { throw .invalidTarget("\(what) is empty") }
    guard name.utf8.count <= 255 else { throw .invalidTarget("\(what) has more than 255 characters") }
    guard name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
      throw .invalidTarget("“\(Excerpt.text(name))”: \(what) holds characters that a name on the wire can't have")
    }
  }

  /// The name to send; nil for none.
  var indicatedName: String? {
    let name: String
    switch serverName {
    case .none: return nil
    case .name(let other): name = other
    case .host:
      guard SocketAddress(host, port: 0) == nil else { return nil }
      name = host
    }
    return name.hasSuffix(".") ? String(name.dropLast()) : name
  }

  package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// What a probe offers, and how long it waits.
package struct ProbeOptions: Hashable, Sendable {
  /// The kind of certificate to ask for, of servers that have several.
  package enum CertificateKind: String, Hashable, Sendable, CaseIterable {
    case any, rsa, ecdsa
  }

  /// For each address.
  package var connectTimeout: Duration = .seconds(5)
  /// For everything, from the look-up of the name on.
  package var totalTimeout: Duration = .seconds(15)
  package var minimumVersion: TLSVersion = .tls12
  package var maximumVersion: TLSVersion = .tls13
  package var certificateKind: CertificateKind = .any
  /// Only addresses of this family.
  package var family: SocketAddress.Family?
  package var maximumCertificates = 32

  package init() {}
}

/// A version of TLS by its number on the wire.
package struct TLSVersion: RawRepresentable, Hashable, Sendable, Comparable, CustomStringConvertible {
  package let rawValue: UInt16

  package init(rawValue: UInt16) { self.rawValue = rawValue }

  package static let tls10 = TLSVersion(rawValue: 0x0301)
  package static let tls11 = TLSVersion(rawValue: 0x0302)
  package static let tls12 = TLSVersion(rawValue: 0x0303)
  package static let tls13 = TLSVersion(rawValue: 0x0304)

  package static func < (left: TLSVersion, right: TLSVersion) -> Bool { left.rawValue < right.rawValue }

  package var description: String {
    rawValue >= 0x0301 && rawValue <= 0x0304 ? "TLS 1.\(rawValue - 0x0301)" : "SSL version \(rawValue)"
  }
}
