/// The settings that differ between two configurations, by their dotted keys.
package struct ConfigurationChanges: Sendable, Equatable {
  /// What a reload has put in force.
  package let inForce: [String]
  /// What the service takes up when it starts next.
  package let afterRestart: [String]
  private let hasLists: Bool

  /// Settings that are read at the start alone.
  private static let ofStart = [
    "data_dir", "contact", "from", "log_lists", "dashboard.listen", "dashboard.trust_forwarded",
    "dashboard.probe_private", "digest.first", "digest.window", "retry",
    "contacts.rdap_bootstrap", "contacts.look_up",
  ]
  /// Settings that alerts and verdicts go by at once, and pages after the next start.
  private static let ofBoth = ["public_url", "caa"]

  /// - Parameters:
  ///   - previous: what was in force before.
  ///   - first: what the service was started with.
  package init(to new: LoadedConfiguration, from previous: LoadedConfiguration, startedWith first: LoadedConfiguration)
  {
    func changed(since old: LoadedConfiguration) -> [String] {
      Set(new.values.keys).union(old.values.keys).filter { new.values[$0] != old.values[$0] }.sorted()
    }
    hasLists = !new.configuration.watchLists.isEmpty || !new.configuration.certspotterWatchLists.isEmpty
    inForce = changed(since: previous).filter { !ConfigurationChanges.is($0, among: ConfigurationChanges.ofStart) }
    afterRestart = changed(since: first).filter {
      ConfigurationChanges.is($0, among: ConfigurationChanges.ofStart + ConfigurationChanges.ofBoth)
    }
  }

  private static func `is`(_ key: String, among settings: [String]) -> Bool {
    settings.contains { key == $0 || key.hasPrefix($0 + ".") }
  }

  /// One line for the operator.
  package var summary: String {
    let start = hasLists ? "the configuration and its watch lists were read again" : "the configuration was read again"
    let taken = inForce.isEmpty ? "" : ": " + ConfigurationChanges.list(inForce)
    guard !afterRestart.isEmpty else {
      return start + (inForce.isEmpty ? "; no setting has changed" : "; in force" + taken)
    }
    return start + (inForce.isEmpty ? "" : "; in force" + taken) + ". Restart the service to put in force: "
      + ConfigurationChanges.list(afterRestart)
  }

  private static func list(_ keys: [String]) -> String {
    let most = 20
    return keys.prefix(most).joined(separator: ", ") + (keys.count > most ? " and \(keys.count - most) more" : "")
  }
}
