/// Why a text is not something that can be watched, and what to write instead.
public enum WatchedItemError: Error, Hashable, Sendable {
  /// There is nothing there.
  case empty
  /// The bytes are not UTF-8.
  case notText
  /// Two full stops in a row, or one at the start.
  case emptyLabel(in: String)
  /// A label of more than 63 bytes, as an A-label if it is not ASCII.
  case labelTooLong(String)
  /// A name of more than 253 bytes, as A-labels.
  case nameTooLong(String)
  /// A character that no host name has.
  case invalidCharacter(Unicode.Scalar, in: String)
  /// A `*`, which names in certificates may have and watched items may not.
  case wildcard(in: String)
  /// A label that IDNA does not allow, and what libidn2 says about it.
  case notIDNA(label: String, reason: String)
  /// A last label of digits alone, which is neither a domain nor an address.
  case numericTopLevel(String)
  /// A public suffix of the ICANN section, below which names belong to many.
  case publicSuffix(DomainName)
  /// Something like an address or a range that is none.
  case invalidAddress(String)
  /// A prefix length beyond what the address has bits for.
  case prefixTooLong(in: String, longest: Int)
  /// A key or issuer that is not 64 hexadecimal digits.
  case invalidHash(String)
  /// An option after the name that is not known.
  case unknownOption(String)
}

extension WatchedItemError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .empty: "nothing to watch is given; write a name such as example.com, or . for everything"
    case .notText: "this is not UTF-8 text; save the list as UTF-8"
    case .emptyLabel(let name): "\(quoted(name)) has an empty label; take out the surplus dot"
    case .labelTooLong(let label): "the label \(quoted(label)) is longer than the 63 bytes that DNS allows"
    case .nameTooLong(let name): "\(quoted(name)) is longer than the 253 bytes that DNS allows"
    case .invalidCharacter(let scalar, let name):
      "\(quoted(name)) has \(quoted(String(scalar))) in it; give the host name alone, without scheme, port, path or user"
    case .wildcard(let name):
      "\(quoted(name)) has a * in it; write \(quoted(withoutWildcards(name))) for a name and everything below it"
    case .notIDNA(let label, let reason):
      "\(quoted(label)) is not allowed in an internationalised name (\(reason)); if it does exist, write its xn-- form"
    case .numericTopLevel(let name): "\(quoted(name)) is neither a name nor an IP address; its last label is a number"
    case .publicSuffix(let name):
      "\(quoted(name.ascii)) is a public suffix: everybody's names are below it; watch your own, or allow public suffixes"
    case .invalidAddress(let text):
      "\(quoted(text)) is not an address range; write it like 192.0.2.0/24, 2001:db8::/32 or 192.0.2.1"
    case .prefixTooLong(let text, let longest): "the prefix length of \(quoted(text)) is not between 0 and \(longest)"
    case .invalidHash(let text): "\(quoted(text)) is not a SHA-256 hash; write its 64 hexadecimal digits"
    case .unknownOption(let option): "the option \(quoted(option)) is not known; take it out"
    }
  }

  private func withoutWildcards(_ name: String) -> String {
    let labels = name.split(separator: ".").drop { $0.contains("*") }
    return labels.isEmpty || labels.contains { $0.contains("*") } ? "example.com" : labels.joined(separator: ".")
  }

  /// The text in quotation marks, what is not printable escaped, and cut where it is long.
  private func quoted(_ text: String) -> String {
    text.count > 80 ? "\(String(text.prefix(80)).debugDescription)…" : text.debugDescription
  }
}
