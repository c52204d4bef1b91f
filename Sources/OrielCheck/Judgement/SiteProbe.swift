import MerkleTree
package import OrielProbe

/// Looks at a site: at one address with whatever certificate it shows, or at all its addresses and both kinds of
/// certificate.
package struct SiteProbe: Sendable {
  /// What was seen in one place.
  package struct Sighting: Sendable {
    package let address: SocketAddress?
    package let kind: ProbeOptions.CertificateKind
    package let result: Result<Handshake, ProbeError>
  }

  private let options: ProbeOptions

  package init(_ options: ProbeOptions = ProbeOptions()) { self.options = options }

  /// One look.
  package func look(at target: ProbeTarget) async throws(ProbeError) -> Handshake {
    try await TLSProbe(options).probe(target)
  }

  /// Each address, asked for an RSA and for an ECDSA certificate.
  package func lookEverywhere(at target: ProbeTarget) async throws(ProbeError) -> [Sighting] {
    let addresses = try await TLSProbe(options).addresses(of: target)
    var probes: [(ProbeOptions.CertificateKind, TLSProbe)] = []
    for kind in [ProbeOptions.CertificateKind.ecdsa, .rsa] {
      var options = options
      options.certificateKind = kind
      probes.append((kind, try TLSProbe(options)))
    }
    let tasks = addresses.prefix(SiteProbe.mostAddresses).flatMap { address in
      probes.map { (address, $0.0, $0.1) }
    }
    return await withTaskGroup(of: (Int, Sighting).self) { group in
      for (place, (address, kind, probe)) in tasks.enumerated() {
        var there = target
        there.address = address
        let target = there
        group.addTask {
          let result: Result<Handshake, ProbeError>
          do throws(ProbeError) { result = .success(try await probe.probe(target)) } catch { result = .failure(error) }
          return (place, Sighting(address: address, kind: kind, result: result))
        }
      }
      var sightings: [(Int, Sighting)] = []
      for await sighting in group { sightings.append(sighting) }
      return sightings.sorted { $0.0 < $1.0 }.map(\.1)
    }
  }

  private static let mostAddresses = 32

  /// Sightings that show the same, together: what is the same is judged once.
  package static func groups(_ sightings: [Sighting]) -> [(handshake: Handshake, seen: [Sighting])] {
    var groups: [(handshake: Handshake, seen: [Sighting])] = []
    for sighting in sightings {
      guard case .success(let handshake) = sighting.result else { continue }
      if let place = groups.firstIndex(where: { $0.handshake.showsTheSame(as: handshake) }) {
        groups[place].seen.append(sighting)
      } else {
        groups.append((handshake, [sighting]))
      }
    }
    return groups
  }
}

extension Handshake {
  fileprivate func showsTheSame(as other: Handshake) -> Bool {
    // A staple is renewed every few hours, and its SCTs with it: only whether there is one is compared.
    certificates == other.certificates && sctList == other.sctList
      && (ocspResponse == nil) == (other.ocspResponse == nil)
  }
}
