package import NIOCore
import NIOPosix

/// Which server takes the mail, and on what terms.
package struct SMTPSettings: Sendable {
  package enum Security: Sendable, Equatable {
    /// STARTTLS; a server that does not offer it gets nothing.
    case startTLS
    /// TLS from the first byte (port 465).
    case implicit
    case none
  }

  package var host: String
  package var port: Int
  package var security: Security
  package var credentials: SMTPCredentials?
  /// Lets a password go over a connection that is not encrypted. Only for a relay on the same machine.
  package var allowPlaintextAuth = false
  /// Certificates (PEM) to trust in place of the system's.
  package var caCertificateFile: String?
  /// The name the certificate has to bear, where it is not ``host``.
  package var verificationName: String?
  /// What to say after EHLO.
  package var heloName: String
  package var connectTimeout = TimeAmount.seconds(30)
  /// For each reply, the greeting and the TLS handshake among them.
  package var commandTimeout = TimeAmount.seconds(60)
  /// For each step forward while a message is sent, and for the reply to it.
  package var dataTimeout = TimeAmount.seconds(120)

  package init(
    host: String, port: Int, security: Security, credentials: SMTPCredentials? = nil, heloName: String? = nil
  ) {
    self.host = host
    self.port = port
    self.security = security
    self.credentials = credentials
    self.heloName = heloName ?? "localhost"
  }

  /// The server as error texts name it.
  var server: String { "\(host):\(port)".withoutControls }
}

/// What to log in with. Its password is in no description of it.
package struct SMTPCredentials: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  package enum Mechanism: Sendable, Equatable {
    /// PLAIN where it is offered, LOGIN otherwise.
    case automatic
    case plain, login
  }

  package var username: String
  package var password: String
  package var mechanism: Mechanism

  package init(username: String, password: String, mechanism: Mechanism = .automatic) {
    self.username = username
    self.password = password
    self.mechanism = mechanism
  }

  package var description: String { "credentials of \(username)" }
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: ["username": username]) }
}
