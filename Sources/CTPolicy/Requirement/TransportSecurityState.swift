public import CertificateTransparency
public import MerkleTree

/// What hosts have asked for by `Expect-CT`, for judging by the eras whose browsers listened.
///
/// Chrome kept such a wish from version 61 to 106; no browser of today does. A value, bounded in size.
public struct TransportSecurityState: Hashable, Sendable {
  /// One Known Expect-CT Host (RFC 9163, section 2.3.2).
  public struct Entry: Hashable, Sendable {
    public let header: ExpectCTHeader
    /// When it is forgotten.
    public let expiry: Timestamp
  }

  public enum Outcome: Hashable, Sendable {
    case noted
    /// The host was no longer to be remembered.
    case forgotten
    /// The field has no effect, for this reason.
    case ignored(String)
  }

  private var hosts: [String: Entry] = [:]

  public static let maximumHosts = 1024
  /// Chrome remembered no wish for longer: 30 days.
  public static let maximumAge: UInt64 = 30 * 86_400
  /// From Chrome 61 (2017-09-05) until Chrome 107 (2022-10-25).
  public static let chromeEra =
    Timestamp(milliseconds: 1_504_569_600_000)..<Timestamp(milliseconds: 1_666_656_000_000)

  public init() {}

  public var count: Int { hosts.count }

  /// Takes note of the field in a response that came over a connection without errors.
  ///
  /// Addresses are never noted (RFC 9163, section 2.3.2). Where the store is full, the wish that expires first gives way.
  public mutating func note(
    expectCT value: String, host: String, at now: Timestamp, reading: ExpectCTHeader.Reading = .strict
  ) -> Outcome {
    let name = HostFilter.canonical(host)
    guard !name.isEmpty, name.utf8.count <= 253, !HostFilter.isAddress(name) else {
      return .ignored("only hosts with a name are remembered")
    }
    let header: ExpectCTHeader
    do {
      header = try ExpectCTHeader(value, reading: reading)
    } catch {
      return .ignored(error.description)
    }
    guard header.maxAge > 0 else {
      return hosts.removeValue(forKey: name) == nil ? .ignored("max-age is 0, and the host was not known") : .forgotten
    }
    if hosts[name] == nil, hosts.count >= TransportSecurityState.maximumHosts {
      hosts = hosts.filter { $0.value.expiry > now }
      if hosts.count >= TransportSecurityState.maximumHosts,
        let first = hosts.min(by: { ($0.value.expiry, $0.key) < ($1.value.expiry, $1.key) })
      {
        hosts[first.key] = nil
      }
    }
    let seconds = min(header.maxAge, TransportSecurityState.maximumAge)
    let (expiry, overflow) = now.milliseconds.addingReportingOverflow(seconds * 1000)
    hosts[name] = Entry(header: header, expiry: Timestamp(milliseconds: overflow ? .max : expiry))
    return .noted
  }

  /// The wish of a host at a time; nil if there is none, or none any more.
  public func entry(for host: String, at now: Timestamp) -> Entry? {
    hosts[HostFilter.canonical(host)].flatMap { $0.expiry > now ? $0 : nil }
  }
}

/// A header field that browsers no longer listen to, and what to do instead.
public struct ObsoleteHeader: Hashable, Sendable {
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    case expectCT = "Expect-CT"
    case publicKeyPins = "Public-Key-Pins"
    case publicKeyPinsReportOnly = "Public-Key-Pins-Report-Only"
  }

  public let kind: Kind
  /// What the field asked for; nil if it is no Expect-CT, or malformed.
  public let expectCT: ExpectCTHeader?
  /// The pins that an HPKP field names; ``PolicySuggestion`` takes them.
  public let pins: [SHA256Hash]
  public let advice: String

  /// Recognises a field by its name; nil for all others.
  public init?(name: String, value: String) {
    let folded = HostFilter.lowercased(name)
    guard let kind = Kind.allCases.first(where: { HostFilter.lowercased($0.rawValue) == folded }) else { return nil }
    self.kind = kind
    guard kind != .expectCT else {
      pins = []
      expectCT = try? ExpectCTHeader(value, reading: .lenient)
      advice =
        "Expect-CT is obsolete: browsers now ask for CT of every publicly trusted certificate, and Chrome ignores the "
        + "field since version 107. Remove it."
      return
    }
    expectCT = nil
    pins = value.utf8.prefix(ExpectCTHeader.maximumByteCount).split(separator: UInt8(ascii: ";")).prefix(64)
      .compactMap { KeyPin.pin(String(decoding: $0, as: UTF8.self)) }
    advice =
      kind == .publicKeyPins
      ? "HPKP is obsolete: no browser listens to it (Chrome until 71, Firefox until 71), and a lost key locked visitors "
        + "out. Remove it; to learn of certificates that you did not order, watch the CT logs, and restrict who may "
        + "issue by CAA records."
      : "HPKP is obsolete, and its report-only form too: no browser sends reports. Remove it, and watch the CT logs."
  }
}
