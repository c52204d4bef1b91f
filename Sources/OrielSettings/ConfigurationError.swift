/// What is wrong with a configuration, all of it at once.
package struct ConfigurationError: Error, Equatable, Sendable, CustomStringConvertible {
  package struct Problem: Hashable, Sendable, CustomStringConvertible {
    /// The file, or where else the value came from: `environment variable NAME`, `--set`.
    package let source: String
    /// Both count from 1; nil outside a file.
    package let line: Int?
    package let column: Int?
    /// The dotted key, such as `smtp.port`; empty for the file as a whole.
    package let key: String
    package let message: String

    package var description: String {
      let place = line.map { "\(source):\($0):\(column ?? 1)" } ?? source
      return key.isEmpty ? "\(place): \(message)" : "\(place): \(key): \(message)"
    }
  }

  package let problems: [Problem]

  package var description: String { problems.map(\.description).joined(separator: "\n") }
}
