import Synchronization

/// Where the pages are, as browsers see it.
final class PublicAddress: Sendable {
  private let url: Mutex<String>
  /// What tells our cookies from those of other services on the host: cookies know no ports.
  private let port = Mutex("")

  /// - Parameter url: without a slash at its end.
  init(_ url: String?) { self.url = Mutex(url ?? "") }

  /// Settles on the address that is listened on, if no other was given.
  func listening(host: String, port: Int) {
    url.withLock {
      guard $0.isEmpty else { return }
      $0 = "http://\(host.contains(":") ? "[\(host)]" : host):\(port)"
      self.port.withLock { $0 = "-\(port)" }
    }
  }

  var text: String { url.withLock { $0 } }
  var isSecure: Bool { text.hasPrefix("https://") }

  /// Cookies that no other host can set, where the connection allows it.
  private var name: String { (isSecure ? "__Host-" : "") + "oriel" + port.withLock { $0 } }
  var sessionCookie: String { name }
  /// For the forms of who is not signed in.
  var visitorCookie: String { name + "-visit" }
  /// Which of several accounts is looked at.
  var accountCookie: String { name + "-account" }

  func cookie(_ name: String, _ value: String, seconds: Int64? = nil) -> String {
    "\(name)=\(value); Path=/; HttpOnly; SameSite=Lax" + (isSecure ? "; Secure" : "")
      + (seconds.map { "; Max-Age=\($0)" } ?? "")
  }
}
