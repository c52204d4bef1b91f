import CertificateTransparency
import OrielAlerting
import OrielContacts
import OrielMonitor
import OrielSettings
import OrielWatchlist

extension RegistrarDirectory {
  /// Whom to ask for registrars; nil where the configuration does not say.
  static func asked(
    by configuration: Configuration, _ time: Timekeeper
  ) throws -> (@Sendable (DomainName) async -> RegistrarLookup.Answer)? {
    guard let place = configuration.rdapBootstrap else { return nil }
    let fetch = PublicFetch(
      limit: 1 << 20, timeout: .seconds(15), userAgent: "oriel/\(OrielVersion.text)",
      accept: "application/rdap+json, application/json;q=0.9", redirects: 5)
    let directory = RegistrarDirectory(
      place, suffixes: try configuration.publicSuffixList.map { try PublicSuffixes(file: $0) } ?? .system,
      now: { Timestamp(milliseconds: UInt64(max(0, time.now()))) }, fetch: { try await fetch.bytes(at: $0) })
    return { await directory.registrar(of: $0) }
  }
}
