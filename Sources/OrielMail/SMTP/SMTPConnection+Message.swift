import NIOCore

extension SMTPConnection {
  /// Sends one message to some recipients (RFC 5321, section 3.3).
  ///
  /// - Parameter body: the message with dots doubled and the final dot in place; `size` is its size without those.
  /// - Throws: ``SMTPError`` where the connection ended; the recipients' own fates are in the results.
  func send(
    from sender: MailAddress, to recipients: [MailAddress], body: ByteBuffer, size: Int
  ) async throws -> [MailResult] {
    func all(_ outcome: MailResult.Outcome) -> [MailResult] {
      recipients.map { MailResult(recipient: $0, outcome: outcome) }
    }
    if let limit = offers.sizeLimit, size > limit {
      return all(.permanent("the message has \(size) bytes, and the server takes at most \(limit)"))
    }
    let envelope =
      ["MAIL FROM:<\(sender.address)>\(offers.hasSize ? " SIZE=\(size)" : "")"]
      + recipients.map { "RCPT TO:<\($0.address)>" }
    let replies = offers.pipelining ? try await exchange(envelope + ["DATA"]) : try await oneByOne(envelope)
    if let reply = replies.first(where: { $0.code == 530 }) { throw error(.authenticationRequired(reply)) }

    let mail = replies[0]
    guard mail.isPositive else {
      await abandon(dataReply: offers.pipelining ? replies.last : nil)
      return all(mail.outcome)
    }
    var outcomes = replies.dropFirst().prefix(recipients.count).map(\.outcome)
    let accepted = outcomes.indices.filter { replies[1 + $0].isPositive }
    if let data = replies.dropFirst(1 + recipients.count).first {
      if accepted.isEmpty || data.code != 354 {
        await abandon(dataReply: data)
        for index in accepted { outcomes[index] = data.refusal }
      } else {
        let reply = try await transmit(body)
        for index in accepted { outcomes[index] = reply.outcome }
      }
    } else {
      await abandon(dataReply: nil)
    }
    return zip(recipients, outcomes).map { MailResult(recipient: $0, outcome: $1) }
  }

  /// The same dialogue for a server that wants to answer each command before the next.
  private func oneByOne(_ envelope: [String]) async throws -> [SMTPReply] {
    var replies: [SMTPReply] = []
    for line in envelope {
      replies += try await exchange([line])
      if !replies[0].isPositive { return replies }
    }
    if replies.dropFirst().contains(where: \.isPositive) { replies += try await exchange(["DATA"]) }
    return replies
  }

  private func transmit(_ body: ByteBuffer) async throws -> SMTPReply {
    do {
      return try await exchange(body, steps: ["the message"], timeout: settings.dataTimeout)[0]
    } catch var error as SMTPError {
      error.mayHaveBeenDelivered = true
      throw error
    }
  }

  /// Makes the connection ready for the next message after a refusal.
  ///
  /// A server that said 354 though it took no recipient waits for a message: an empty one (RFC 2920, section 3.1).
  private func abandon(dataReply: SMTPReply?) async {
    do {
      if dataReply?.code == 354 {
        let empty = ByteBuffer(string: ".\r\n")
        _ = try await exchange(empty, steps: ["an empty message"], timeout: settings.dataTimeout)
      }
      if try await exchange(["RSET"])[0].isPositive { return }
    } catch {}
    // The fates are known all the same; only the connection is of no more use.
    try? await channel.close()
  }
}

extension SMTPReply {
  /// A refusal, even where the code is not one of a refusal.
  fileprivate var refusal: MailResult.Outcome { isPermanent ? .permanent(description) : .temporary(description) }
}

/// A message as DATA takes it: every line end CRLF, dots at a line's start doubled, the final dot after it.
///
/// Line ends of another kind would let one server see two messages where the next sees one.
func smtpBody(_ message: [UInt8]) -> ByteBuffer {
  var body = ByteBuffer()
  body.reserveCapacity(message.count + message.count / 64 + 8)
  var index = 0
  while index < message.count {
    let end = message[index...].firstIndex { $0 == 0x0A || $0 == 0x0D } ?? message.count
    if end > index, message[index] == UInt8(ascii: ".") { body.writeInteger(UInt8(ascii: ".")) }
    body.writeBytes(message[index..<end])
    body.writeInteger(0x0D0A as UInt16)
    let isPair = end + 1 < message.count && message[end] == 0x0D && message[end + 1] == 0x0A
    index = end + (isPair ? 2 : 1)
  }
  body.writeString(".\r\n")
  return body
}
