import Synchronization

/// Where the pages are, as browsers see it.
final class PublicAddress: Sendable {
  /// With what tells our cookies from those of other services on the host, as cookies know no ports.
  private let place: Mutex<(url: String, suffix: String)>

  /// - Parameter url: without a slash at its end.
  init(_ url: String?) { place = Mutex((url ?? "", "")) }

  /// Settles on the address that is listened on, if no other was given.
  func listening(host: String, port: Int) {
    place.withLock { place in
      guard place.url.isEmpty else { return }
      place = ("http://\(host.contains(":") ? "[\(host)]" : host):\(port)", "-\(port)")
    }
  }

  var text: String { place.withLock { $0.url } }
  var isSecure: Bool { text.hasPrefix("https://") }

  /// Cookies that no other host can set, where the connection allows it.
  private var name: String { (isSecure ? "__Host-" : "") + "oriel" + place.withLock { $0.suffix } }
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
