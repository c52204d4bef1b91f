package import OrielWatchlist

/// IANA's list of RDAP services for domain names (RFC 9224).
package struct RDAPBootstrap: Sendable {
  package struct Unreadable: Error, CustomStringConvertible {
    package var description: String { "not a bootstrap file for RDAP; IANA has it at \(RDAPBootstrap.address)" }
  }

  package static let address = "https://data.iana.org/rdap/dns.json"

  /// When IANA published it, as the file says.
  package let publication: String?
  private let services: [String: [WebPage]]

  /// - Throws: ``Unreadable``. Services whose URLs can't be used are passed over.
  package init(json: [UInt8]) throws(Unreadable) {
    guard let document = JSONValue.read(json), case .array(let list) = document["services"] else { throw Unreadable() }
    var services: [String: [WebPage]] = [:]
    for service in list.prefix(20_000) {
      let parts = service.elements
      guard parts.count >= 2 else { continue }
      let pages = parts[1].texts.prefix(8).compactMap { WebPage($0) }
      for suffix in parts[0].texts { services[suffix.lowercased()] = pages }
    }
    guard !services.isEmpty else { throw Unreadable() }
    self.services = services
    publication = document["publication"]?.text.map { $0.cleaned(limit: 40) }
  }

  package enum Service: Hashable, Sendable {
    /// The URL to ask.
    case query(WebPage)
    /// The list has only plain HTTP for it, which anybody on the way could answer.
    case insecure(WebPage)
    case none
  }

  /// Where to ask for a domain: the service of the longest suffix listed.
  package func service(for name: DomainName) -> Service {
    var labels = name.ascii.split(separator: ".")[...]
    while true {
      if let pages = services[labels.joined(separator: ".")], !pages.isEmpty {
        let page = pages.first(where: \.isSecure) ?? pages[0]
        let base = page.url.hasSuffix("/") ? page.url : page.url + "/"
        guard let query = WebPage(base + "domain/" + name.ascii) else { return .none }
        return page.isSecure ? .query(query) : .insecure(query)
      }
      guard !labels.isEmpty else { return .none }
      labels = labels.dropFirst()
    }
  }
}
