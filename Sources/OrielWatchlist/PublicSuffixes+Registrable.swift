extension PublicSuffixes {
  /// The part of a name that somebody registered: one label more than its public suffix; nil for a suffix itself.
  ///
  /// A top level that the list doesn't know counts as a suffix.
  package func registrableName(of name: DomainName) -> DomainName? {
    if isICANNSuffix(name) { return nil }
    var found = name
    while let dot = found.ascii.firstIndex(of: ".") {
      let above = found.ascii[found.ascii.index(after: dot)...]
      guard above.contains("."), let parent = try? DomainName(above), !isICANNSuffix(parent) else { return found }
      found = parent
    }
    return nil
  }
}
