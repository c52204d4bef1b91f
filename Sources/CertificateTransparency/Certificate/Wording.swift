extension String {
  /// The text as a sentence's end: a name such as “Example Inc.” brings its own full stop.
  package var withFullStop: String { hasSuffix(".") || hasSuffix("…") ? self : self + "." }
}

/// A number with what is counted: “1 key”, “2 keys”.
package func counted(_ count: some BinaryInteger, _ one: String, _ many: String) -> String {
  "\(count) \(count == 1 ? one : many)"
}
