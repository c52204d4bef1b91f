package import OrielWatchlist

/// Finds out who registered a domain for its owner, by RDAP. Asks nobody until it is called.
package struct RegistrarLookup: Sendable {
  package enum Answer: Hashable, Sendable {
    case found(RegistrarContact)
    /// There is no RDAP service to ask (many country codes have none): where to look instead.
    case noService(domain: String, reason: String, page: WebPage?)
    case failed(domain: String, reason: String)
  }

  private let bootstrap: RDAPBootstrap
  private let suffixes: PublicSuffixes
  private let fetch: Fetch

  package init(bootstrap: RDAPBootstrap, suffixes: PublicSuffixes, fetch: @escaping Fetch) {
    self.bootstrap = bootstrap
    self.suffixes = suffixes
    self.fetch = fetch
  }

  /// The registrar of the registrable name above (or at) a name. Two fetches at most.
  package func registrar(of name: DomainName) async -> Answer {
    guard let domain = suffixes.registrableName(of: name) else {
      return .failed(domain: name.ascii, reason: "\(name) is a public suffix; nobody registered it with a registrar")
    }
    switch bootstrap.service(for: domain) {
    case .query(let page): return await ask(page, for: domain)
    case .insecure(let page):
      return noService(domain, "the registry's RDAP service is not secured (\(page)), so its answer can't be trusted")
    case .none: return noService(domain, "IANA lists no RDAP service for it")
    }
  }

  private func noService(_ domain: DomainName, _ reason: String) -> Answer {
    let top = domain.ascii.split(separator: ".").last ?? ""
    // IANA's page on a top-level domain names the registry, its site and its WHOIS server.
    return .noService(
      domain: domain.ascii, reason: reason, page: WebPage("https://www.iana.org/domains/root/db/\(top).html"))
  }

  private func ask(_ page: WebPage, for domain: DomainName) async -> Answer {
    do {
      var contact = try RegistrarContact(json: try await fetch(page.url), domain: domain.ascii)
      // Once, and only for what the registry didn't say; the registrar's answer may be missing or bad.
      if contact.abuseAddresses.isEmpty, let related = contact.related, related.url != page.url,
        let bytes = try? await fetch(related.url),
        let more = try? RegistrarContact(json: bytes, domain: domain.ascii)
      {
        contact.add(more)
      }
      return .found(contact)
    } catch { return .failed(domain: domain.ascii, reason: "\(error)".cleaned(limit: 300)) }
  }
}
