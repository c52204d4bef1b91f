/// A protocol that begins in the clear and turns to TLS when asked.
package enum StartTLS: String, Hashable, Sendable, CaseIterable, CustomStringConvertible {
  /// RFC 3207.
  case smtp
  /// RFC 9051, section 6.2.1.
  case imap
  /// RFC 2595, section 4 (STLS).
  case pop3
  /// SSLRequest of PostgreSQL's frontend protocol.
  case postgres

  /// The usual port.
  package var port: UInt16 {
    switch self {
    case .smtp: 25
    case .imap: 143
    case .pop3: 110
    case .postgres: 5432
    }
  }

  package var description: String {
    switch self {
    case .smtp: "SMTP"
    case .imap: "IMAP"
    case .pop3: "POP3"
    case .postgres: "PostgreSQL"
    }
  }

  /// Brings the server to the point where the handshake may begin.
  func negotiate(over connection: borrowing Connection, _ watch: Watch) throws(ProbeError) {
    var talk = Talk(kind: self, watch: watch)
    switch self {
    case .smtp: try negotiateSMTP(&talk, connection)
    case .imap: try negotiateIMAP(&talk, connection)
    case .pop3: try negotiatePOP3(&talk, connection)
    case .postgres: try negotiatePostgres(&talk, connection)
    }
    // Whatever is said before the handshake would be taken for part of what is protected by it.
    guard talk.buffer.isEmpty else {
      throw .startTLSRefused(self, reply: "more before the handshake: " + Excerpt.text(talk.buffer))
    }
  }

  private func negotiateSMTP(_ talk: inout Talk, _ connection: borrowing Connection) throws(ProbeError) {
    let greeting = try talk.smtpReply(connection)
    guard greeting.hasPrefix("220") else { throw .startTLSRefused(self, reply: greeting) }
    try talk.say("EHLO localhost\r\n", connection)
    let hello = try talk.smtpReply(connection)
    guard hello.hasPrefix("250") else { throw .startTLSRefused(self, reply: hello) }
    try talk.say("STARTTLS\r\n", connection)
    let reply = try talk.smtpReply(connection)
    guard reply.hasPrefix("220") else { throw .startTLSRefused(self, reply: reply) }
  }

  private func negotiateIMAP(_ talk: inout Talk, _ connection: borrowing Connection) throws(ProbeError) {
    let greeting = try talk.line(connection)
    guard greeting.hasPrefix("* ") else { throw .wrongProtocol(self, found: greeting) }
    guard greeting.uppercased().hasPrefix("* OK") else { throw .startTLSRefused(self, reply: greeting) }
    try talk.say("a1 STARTTLS\r\n", connection)
    for _ in 0..<Talk.maximumLines {
      let line = try talk.line(connection)
      if line.hasPrefix("* ") { continue }
      guard line.hasPrefix("a1 ") else { throw .wrongProtocol(self, found: line) }
      guard line.uppercased().hasPrefix("A1 OK") else { throw .startTLSRefused(self, reply: line) }
      return
    }
    throw .limitExceeded("more than \(Talk.maximumLines) lines before the answer to STARTTLS")
  }

  private func negotiatePOP3(_ talk: inout Talk, _ connection: borrowing Connection) throws(ProbeError) {
    for command in [nil, "STLS\r\n"] {
      if let command { try talk.say(command, connection) }
      let line = try talk.line(connection)
      if line.hasPrefix("-ERR") { throw .startTLSRefused(self, reply: line) }
      guard line.hasPrefix("+OK") else { throw .wrongProtocol(self, found: line) }
    }
  }

  private func negotiatePostgres(_ talk: inout Talk, _ connection: borrowing Connection) throws(ProbeError) {
    try connection.write([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f], talk.watch, .startTLS)
    let answer = try talk.byte(connection)
    switch answer {
    case UInt8(ascii: "S"): return
    case UInt8(ascii: "N"), UInt8(ascii: "E"):
      throw .startTLSRefused(self, reply: Excerpt.text([answer] + talk.buffer))
    default: throw .wrongProtocol(self, found: Excerpt.text([answer] + talk.buffer))
    }
  }
}

/// A conversation in lines, each of them bounded, and their number too.
private struct Talk {
  static let maximumLines = 100
  static let maximumLine = 4096

  let kind: StartTLS
  let watch: Watch
  /// What was received and not yet read.
  private(set) var buffer: [UInt8] = []

  init(kind: StartTLS, watch: Watch) {
    self.kind = kind
    self.watch = watch
  }

  func say(_ text: String, _ connection: borrowing Connection) throws(ProbeError) {
    try connection.write(Array(text.utf8), watch, .startTLS)
  }

  private mutating func fill(_ connection: borrowing Connection) throws(ProbeError) {
    let bytes = try connection.read(watch, .startTLS)
    guard !bytes.isEmpty else {
      // Some close without a line end; what they said first is worth more than that they are gone.
      throw buffer.isEmpty ? .closed(.startTLS) : .wrongProtocol(kind, found: Excerpt.text(buffer))
    }
    buffer += bytes
  }

  /// The next line, fit for a terminal and without its end.
  mutating func line(_ connection: borrowing Connection) throws(ProbeError) -> String {
    while true {
      if let end = buffer.firstIndex(of: 0x0a) {
        defer { buffer.removeFirst(end + 1) }
        return Excerpt.text(buffer[..<end])
      }
      guard buffer.count < Talk.maximumLine else {
        throw .wrongProtocol(kind, found: Excerpt.text(buffer))
      }
      try fill(connection)
    }
  }

  mutating func byte(_ connection: borrowing Connection) throws(ProbeError) -> UInt8 {
    while buffer.isEmpty { try fill(connection) }
    return buffer.removeFirst()
  }

  /// The last line of a reply (RFC 5321, section 4.2).
  mutating func smtpReply(_ connection: borrowing Connection) throws(ProbeError) -> String {
    for _ in 0..<Talk.maximumLines {
      let line = try line(connection)
      let code = line.prefix(3)
      guard code.count == 3, code.allSatisfy(\.isNumber) else { throw .wrongProtocol(kind, found: line) }
      if line.dropFirst(3).first != "-" { return line }
    }
    throw .limitExceeded("more than \(Talk.maximumLines) lines in one reply")
  }
}
