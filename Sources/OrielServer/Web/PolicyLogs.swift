package import CTPolicy

/// A list of logs that a browser's policy is judged by.
package struct PolicyLogs: Sendable {
  /// Whose it is, for people.
  package let name: String
  package let view: LogView

  package init(name: String, _ view: LogView) {
    self.name = name
    self.view = view
  }
}
