/// What is known of the root that a chain was verified to. Browsers ask for CT of public roots only.
public enum RootPublicity: String, Hashable, Sendable, Codable, CaseIterable {
  /// Shipped as trusted by a platform, now or once: a formerly public root that somebody installs again still counts.
  case `public`
  /// Installed by its user or administrator.
  case local
  case unknown
}
