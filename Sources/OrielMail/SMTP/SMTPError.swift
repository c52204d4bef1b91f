/// Why a connection to a mail server came to nothing.
package struct SMTPError: Error, Equatable, Sendable, CustomStringConvertible {
  package enum Cause: Equatable, Sendable {
    case unreachable(String)
    /// `during` is the step that was waited for: a command, the greeting, or the message.
    case timedOut(during: String)
    case cut(during: String, detail: String)
    /// The server is closing the connection (421).
    case closing(during: String, SMTPReply)
    /// A reply to a step without which nothing can be sent.
    case refused(step: String, SMTPReply)
    case malformedReply(during: String, String)
    case encryptionNotOffered
    /// Bytes in the clear after the reply to STARTTLS: somebody may be slipping in replies.
    case bytesBeforeEncryption
    case encryptionFailed(String)
    case certificateNotTrusted(String)
    case authenticationNotOffered(String)
    case authenticationRefused(SMTPReply)
    case authenticationRequired(SMTPReply)
    case passwordInClear
    case unusableSettings(String)
  }

  package let server: String
  package let cause: Cause
  /// The connection ended after the message was sent and before the reply to it: the server may have taken it.
  package var mayHaveBeenDelivered = false

  package var description: String {
    let doubt = mayHaveBeenDelivered ? "; the message may have been delivered all the same" : ""
    return "\(server): \(words)\(doubt)"
  }

  private var words: String {
    switch cause {
    case .unreachable(let reason): "can't connect: \(reason)"
    case .timedOut(let step): "no answer in time to \(step)"
    case .cut(let step, let detail): "the connection was cut during \(step)\(detail.isEmpty ? "" : " (\(detail))")"
    case .closing(let step, let reply): "the server closed the connection during \(step): \(reply)"
    case .refused(let step, let reply): "the server refused \(step): \(reply)"
    case .malformedReply(let step, let detail): "what the server answered to \(step) is not SMTP: \(detail)"
    case .encryptionNotOffered: "the server does not offer STARTTLS, and mail is not sent unencrypted"
    case .bytesBeforeEncryption:
      "the server sent more than the reply to STARTTLS before encryption; this may be an attack, nothing was sent"
    case .encryptionFailed(let detail): "TLS failed: \(detail)"
    case .certificateNotTrusted(let detail): "the server's certificate is not trusted: \(detail)"
    case .authenticationNotOffered(let offered):
      "the server offers no way to log in that can be used (it offers: \(offered.isEmpty ? "none" : offered))"
    case .authenticationRefused(let reply): "the server refused the user name or password: \(reply)"
    case .authenticationRequired(let reply): "the server wants a login or encryption first: \(reply)"
    case .passwordInClear: "the password would be sent unencrypted; use TLS, or allow it explicitly"
    case .unusableSettings(let detail): detail
    }
  }
}

extension SMTPError.Cause {
  /// Whether the connection ended while the reply to this step was waited for.
  func isDuring(_ step: String) -> Bool {
    switch self {
    case .cut(let during, _), .closing(let during, _), .timedOut(let during), .malformedReply(let during, _):
      during == step
    default: false
    }
  }
}
