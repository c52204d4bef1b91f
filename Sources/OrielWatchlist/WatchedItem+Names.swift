extension WatchedItem {
  /// The name that it is about; nil for one that is about something else.
  package var name: DomainName? {
    switch self {
    case .subtree(let name), .exact(let name): name
    case .addresses, .publicKey, .issuer, .everything: nil
    }
  }

  /// Whether the item is a domain name.
  package var isName: Bool { name != nil }

  /// Whether a name of a certificate is the item's, as far as items about names go.
  package func isHit(by text: String) -> Bool {
    // A wildcard above the name covers it.
    func isName(_ name: DomainName) -> Bool {
      text == name.ascii || text.hasPrefix("*.") && name.ascii.drop { $0 != "." } == text.dropFirst()
    }
    switch self {
    case .subtree(let name): return isName(name) || text.hasSuffix("." + name.ascii)
    case .exact(let name): return isName(name)
    case .addresses, .publicKey, .issuer, .everything: return true
    }
  }
}
