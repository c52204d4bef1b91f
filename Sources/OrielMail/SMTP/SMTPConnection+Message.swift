import NIOCore

extension SMTPConnection {
  /// Sends one message to some recipients (RFC 5321, section 3.3).
  ///
  /// - Throws: ``SMTPError`` where the connection ended; the recipients' own fates are in the results.
  func send(
    from sender: MailAddress, to recipients: [MailAddress], body: SMTPBody, size: Int
  ) async throws -> [MailResult] {
    if let limit = offers.sizeLimit, size > limit {
      let words = "the message has \(size) bytes, and the server takes at most \(limit)"
      return recipients.map { MailResult(recipient: $0, outcome: .permanent(words)) }
    }
    let envelope =
      ["MAIL FROM:<\(sender.address)>\(offers.hasSize ? " SIZE=\(size)" : "")"]
      + recipients.map { "RCPT TO:<\($0.address)>" }
    if offers.pipelining, offers.chunking { return try await sendAtOnce(envelope, to: recipients, body) }
    let replies = offers.pipelining ? try await exchange(envelope + ["DATA"]) : try await oneByOne(envelope)
    if let reply = replies.first(where: { $0.code == 530 }) { throw error(.authenticationRequired(reply)) }

    let mail = replies[0]
    guard mail.isPositive else {
      await abandon(dataReply: offers.pipelining ? replies.last : nil)
      return recipients.map { MailResult(recipient: $0, sender: mail) }
    }
    var results = zip(recipients, replies.dropFirst()).map { MailResult(recipient: $0, $1) }
    let accepted = recipients.indices.filter { replies[1 + $0].isPositive }
    if let data = replies.dropFirst(1 + recipients.count).first {
      if accepted.isEmpty || data.code != 354 {
        await abandon(dataReply: data)
        for index in accepted { results[index] = MailResult(recipient: recipients[index], outcome: data.refusal) }
      } else {
        let reply = try await transmit(body.dotted)
        for index in accepted { results[index] = MailResult(recipient: recipients[index], outcome: reply.outcome) }
      }
    } else {
      await abandon(dataReply: nil)
    }
    return results
  }

  /// Envelope and message in one go, for servers that take it so: one round trip (RFC 3030, section 4.2).
  private func sendAtOnce(
    _ envelope: [String], to recipients: [MailAddress], _ body: SMTPBody
  ) async throws -> [MailResult] {
    let content = body.plain
    let count = content.readableBytes
    var bytes = try wire(envelope + ["BDAT \(count) LAST"], before: count)
    bytes.writeImmutableBuffer(content)
    let replies: [SMTPReply]
    do {
      replies = try await exchange(bytes, steps: envelope + ["the message"], timeout: settings.dataTimeout)
    } catch var error as SMTPError {
      // A server that has not even answered the first command has given up an idle connection, before or after it came.
      let cause = error.cause
      error.mayHaveBeenDelivered = !cause.isDuring(SMTPWire.idleness) && !cause.isDuring(envelope[0])
      throw error
    }
    if let reply = replies.first(where: { $0.code == 530 }) { throw error(.authenticationRequired(reply)) }
    let message = replies[replies.count - 1]
    if !message.isPositive { await abandon(dataReply: nil) }
    guard replies[0].isPositive else { return recipients.map { MailResult(recipient: $0, sender: replies[0]) } }
    return zip(recipients, replies.dropFirst().dropLast()).map { recipient, reply in
      reply.isPositive
        ? MailResult(recipient: recipient, outcome: message.outcome) : MailResult(recipient: recipient, reply)
    }
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

extension MailResult {
  /// By the reply to the sender: it is the server's word on whether anything is taken from here, unless it is about the
  /// size that was announced with it (RFC 1870, section 6.1).
  fileprivate init(recipient: MailAddress, sender reply: SMTPReply) {
    self.init(recipient: recipient, outcome: reply.outcome, part: reply.code == 552 ? .message : .server)
  }

  /// By the reply to the recipient.
  fileprivate init(recipient: MailAddress, _ reply: SMTPReply) {
    self.init(recipient: recipient, outcome: reply.outcome, part: reply.isPositive ? .message : .recipient)
  }
}

extension SMTPReply {
  /// A refusal, even where the code is not one of a refusal.
  fileprivate var refusal: MailResult.Outcome { isPermanent ? .permanent(description) : .temporary(description) }
}

/// A message as it goes over the wire: every line end CRLF.
///
/// Line ends of another kind would let one server see two messages where the next sees one.
struct SMTPBody {
  /// As BDAT takes it.
  let plain: ByteBuffer

  init(_ message: [UInt8]) {
    var body = ByteBuffer()
    body.reserveCapacity(message.count + message.count / 64)
    message.withUnsafeBufferPointer { message in
      var index = 0
      while index < message.count {
        var end = index
        while end < message.count, message[end] != 0x0A, message[end] != 0x0D { end += 1 }
        body.writeBytes(message[index..<end])
        body.writeInteger(0x0D0A as UInt16)
        let isPair = end + 1 < message.count && message[end] == 0x0D && message[end + 1] == 0x0A
        index = end + (isPair ? 2 : 1)
      }
    }
    plain = body
  }

  /// As DATA takes it: dots at a line's start doubled, the final dot after it.
  var dotted: ByteBuffer {
    var body = ByteBuffer()
    body.reserveCapacity(plain.readableBytes + 64)
    plain.withUnsafeReadableBytes { bytes in
      var start = 0
      while start < bytes.count {
        if bytes[start] == UInt8(ascii: ".") { body.writeInteger(UInt8(ascii: ".")) }
        var end = start
        while end < bytes.count, bytes[end] != 0x0A { end += 1 }
        end = min(end + 1, bytes.count)
        body.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
        start = end
      }
    }
    body.writeString(".\r\n")
    return body
  }
}
