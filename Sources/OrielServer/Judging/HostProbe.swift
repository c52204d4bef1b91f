import CertificateTransparency
import OrielAlerting
package import OrielProbe
import OrielWatchlist

/// Looks at what hosts of a domain show at this moment, for the owner to say whether it is theirs.
///
/// Whoever adds a domain names the hosts, so that they are strangers' words: only public addresses are connected to, on
/// ports where certificates are to be expected, and not too many of them.
package struct HostProbe: Sendable {
  package typealias Resolve = @Sendable (ProbeTarget) async throws -> [SocketAddress]

  /// The ports, and how TLS begins there; nil where it does at once.
  package var ports: [UInt16: StartTLS?] = [
    443: nil, 465: nil, 636: nil, 853: nil, 990: nil, 993: nil, 995: nil, 5061: nil, 8443: nil, 25: .smtp, 587: .smtp,
    143: .imap, 110: .pop3,
  ]
  /// Whether addresses will do that are not of the public Internet.
  package var allowsPrivate = false
  /// For each handshake.
  package var timeout: Duration = .seconds(10)
  /// Nil for the system's own way.
  package var resolve: Resolve?

  package static let mostPlaces = 20
  private static let mostAtOnce = 4

  package init() {}

  /// A host and a port to look at.
  package struct Place: Hashable, Sendable, CustomStringConvertible {
    package let host: String
    package let port: UInt16

    package var description: String { port == 443 ? host : "\(host):\(port)" }
  }

  /// What is there.
  package enum Sight: Hashable, Sendable {
    /// Certificates in DER, each chain's own first.
    case chains([[[UInt8]]])
    /// Why nothing was seen, in words.
    case nothing(String)
  }

  package struct Objection: Error, CustomStringConvertible {
    package let description: String
  }

  /// Where to look for a domain unless told otherwise.
  func usualPlaces(of item: WatchedItem) -> [Place] {
    switch item {
    case .exact(let name): return [Place(host: name.ascii, port: 443)]
    case .subtree(let name):
      return [name.ascii, "www.\(name.ascii)", "mail.\(name.ascii)"].map { Place(host: $0, port: 443) }
        + [Place(host: "mail.\(name.ascii)", port: 25)]
    case .addresses, .publicKey, .issuer, .everything: return []
    }
  }

  /// Reads `www.example.com` or `www.example.com:8443`.
  ///
  /// - Throws: ``Objection`` for what is no name of the item, or a port that is not looked at.
  func place(_ text: String, of item: WatchedItem) throws -> Place {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    let shown = String(text.prefix(100))
    guard let first = parts.first, parts.count <= 2, let name = try? DomainName(first) else {
      throw Objection(description: "“\(shown)” is no name of a host")
    }
    let isOwn =
      switch item {
      case .subtree, .exact: item.isHit(by: name.ascii)
      case .addresses, .publicKey, .issuer, .everything: false
      }
    guard isOwn else { throw Objection(description: "\(name.ascii) is not covered by \(item)") }
    var port: UInt16 = 443
    if parts.count == 2 {
      guard let number = UInt16(parts[1]), ports.keys.contains(number) else {
        let known = ports.keys.sorted().map(String.init).joined(separator: ", ")
        throw Objection(description: "“\(shown)”: the ports looked at are \(known)")
      }
      port = number
    }
    return Place(host: name.ascii, port: port)
  }

  /// Looks at several places, a few at once.
  ///
  /// - Parameter seen: is told of each as it comes.
  func look(at places: [Place], _ seen: @escaping @Sendable (Place, Sight) async -> Void) async {
    var waiting = places.prefix(HostProbe.mostPlaces)
    await withTaskGroup(of: Void.self) { group in
      for place in waiting.prefix(HostProbe.mostAtOnce) { group.addTask { await seen(place, look(at: place)) } }
      waiting = waiting.dropFirst(HostProbe.mostAtOnce)
      while await group.next() != nil {
        if let place = waiting.popFirst() { group.addTask { await seen(place, look(at: place)) } }
      }
    }
  }

  /// One place, asked for an ECDSA and for an RSA certificate.
  func look(at place: Place) async -> Sight {
    var target: ProbeTarget
    do {
      target = try ProbeTarget(host: place.host, port: place.port, startTLS: ports[place.port] ?? nil)
      target.address = try await address(of: target)
    } catch { return .nothing("\(error)") }
    var (chains, failure): ([[[UInt8]]], String?) = ([], nil)
    for kind in [ProbeOptions.CertificateKind.ecdsa, .rsa] {
      do {
        let shown = try await TLSProbe(options(kind)).probe(target).certificates
        if !shown.isEmpty, !chains.contains(where: { $0.first == shown.first }) { chains.append(shown) }
      } catch {
        failure = failure ?? "\(error)"
      }
    }
    return chains.isEmpty ? .nothing(failure ?? "it shows no certificate") : .chains(chains)
  }

  private func options(_ kind: ProbeOptions.CertificateKind) -> ProbeOptions {
    var options = ProbeOptions()
    (options.certificateKind, options.totalTimeout, options.connectTimeout) = (kind, timeout, min(timeout, .seconds(5)))
    return options
  }

  /// The address to connect to. One that must not be reached rules out the host: its others are not to be trusted.
  private func address(of target: ProbeTarget) async throws -> SocketAddress {
    let addresses: [SocketAddress]
    if let resolve {
      addresses = try await resolve(target)
    } else {
      addresses = try await TLSProbe(options(.any)).addresses(of: target)
    }
    for address in addresses where !allowsPrivate {
      if let reason = TargetAddress.objection(to: address.host) {
        throw Objection(description: "its address \(address.host) is not to be reached: \(reason)")
      }
    }
    guard let first = addresses.first else { throw Objection(description: "it has no address") }
    return first
  }
}
