import Foundation
import NIOCore
import TestSupport
import Testing

@testable import OrielMail

@Suite("An SMTP client", .needsMailServer)
struct SMTPClientTests {
  let sender: MailAddress
  let reader: MailAddress
  let message = Array("Subject: hello\r\n\r\nHello.\r\n".utf8)
  let login = SMTPCredentials(username: "user", password: "pässword")

  init() throws {
    sender = try MailAddress("watch@a.example")
    reader = try MailAddress("reader@b.example")
  }

  /// The cause with which a message fails.
  private func failure(_ settings: SMTPSettings) async -> SMTPError? {
    let client = SMTPClient(settings)
    let error = await #expect(throws: SMTPError.self) {
      try await client.send(from: sender, to: [reader], message: message)
    }
    await client.close()
    return error
  }

  @Test(
    "delivers in every mode a server may have",
    arguments: [
      ("plain", SMTPSettings.Security.none, false), ("plain-pipelining", .none, false), ("starttls", .startTLS, false),
      ("implicit", .implicit, false), ("starttls-auth-pipelining", .startTLS, true), ("implicit-auth", .implicit, true),
      ("starttls-auth-login", .startTLS, true), ("auth-clear", .none, true),
    ])
  func delivers(_ mode: String, _ security: SMTPSettings.Security, _ logsIn: Bool) async throws {
    let server = try await MailServer(mode)
    var settings = try server.settings(security, logsIn ? login : nil)
    settings.allowPlaintextAuth = mode == "auth-clear"
    let client = SMTPClient(settings)
    for _ in 0..<3 {
      let results = try await client.send(from: sender, to: [reader], message: message)
      #expect(results == [MailResult(recipient: reader, outcome: .delivered("250 2.0.0 kept"))])
    }
    await client.close()
    let mails = try server.mails()
    #expect(mails.count == 3)
    #expect(mails.allSatisfy { String(decoding: $0, as: UTF8.self).hasSuffix("Hello.\r\n") })
    #expect(try server.envelope(1) == [sender.address, reader.address])
  }

  @Test("checks the certificate against the address where no name is given")
  func verifiesAddress() async throws {
    let server = try await MailServer("starttls")
    var settings = try server.settings(.startTLS)
    settings.verificationName = nil
    let results = try await SMTPClient(settings).send(from: sender, to: [reader], message: message)
    #expect(results.map(\.outcome) == [.delivered("250 2.0.0 kept")])
  }

  @Test(
    "sends dots, bare line ends and long lines so that one message stays one message", arguments: ["", "-pipelining"])
  func transparency(_ suffix: String) async throws {
    let server = try await MailServer("plain" + suffix)
    let long = String(repeating: "x", count: 900)
    let hostile = Array(".\r\n..\r\n.a\r\nb\n.\nMAIL FROM:<x@y.example>\r.\r\(long)\r\n.".utf8)
    let client = SMTPClient(try server.settings())
    let results = try await client.send(from: sender, to: [reader], message: hostile)
    #expect(results.map(\.outcome) == [.delivered("250 2.0.0 kept")])
    await client.close()
    let mails = try server.mails()
    #expect(mails.count == 1)
    let text = mails.first.map { String(decoding: $0, as: UTF8.self) }
    #expect(text?.hasSuffix(".\r\n..\r\n.a\r\nb\r\n.\r\nMAIL FROM:<x@y.example>\r\n.\r\n\(long)\r\n.\r\n") == true)
  }

  @Test("tells the fate of each recipient, and can send the next message", arguments: ["plain", "plain-pipelining"])
  func eachRecipient(_ mode: String) async throws {
    let server = try await MailServer(mode)
    let client = SMTPClient(try server.settings())
    let recipients = try ["nobody@b.example", "grey@b.example", "reader@b.example"].map { try MailAddress($0) }
    for round in 0..<2 {
      let outcomes = try await client.send(from: sender, to: recipients, message: message).map(\.outcome)
      #expect(outcomes[0] == .permanent("550 5.1.1 no such  [31muser"))
      let kept = MailResult.Outcome.delivered("250 2.0.0 kept")
      #expect(outcomes[1] == (round == 0 ? .temporary("450 4.2.0 greylisted, come again") : kept))
      #expect(outcomes[2] == kept)
    }
    let none = try await client.send(from: sender, to: [recipients[0]], message: message)
    #expect(none.map(\.outcome) == [.permanent("550 5.1.1 no such  [31muser")])
    let refused = try await client.send(from: sender, to: [reader], message: message + Array("too much".utf8))
    #expect(refused.map(\.outcome) == [.permanent("552 5.2.3 too much for me")])
    #expect(try await client.send(from: sender, to: [], message: message).isEmpty)
    await client.close()
    #expect(try server.mails().count == 2)
  }

  @Test("takes more recipients than one message may have")
  func manyRecipients() async throws {
    let server = try await MailServer("plain-pipelining")
    let client = SMTPClient(try server.settings())
    let recipients = try (0..<250).map { try MailAddress("reader\($0)@b.example") }
    let results = try await client.send(from: sender, to: recipients, message: message)
    #expect(results.map(\.recipient) == recipients)
    #expect(results.allSatisfy { $0.outcome == .delivered("250 2.0.0 kept") })
    #expect(try server.mails().count == 3)
  }

  @Test("does not send what is over the server's limit")
  func sizeLimit() async throws {
    let server = try await MailServer("plain-small")
    let results = try await SMTPClient(try server.settings()).send(
      from: sender, to: [reader], message: [UInt8](repeating: 0x61, count: 1001))
    #expect(results.map(\.outcome) == [.permanent("the message has 1001 bytes, and the server takes at most 1000")])
  }

  @Test("opens a new connection where the server gave up the old one", arguments: ["closing", "hangs_up_when_idle"])
  func reconnects(_ mode: String) async throws {
    let server = try await MailServer(mode)
    let client = SMTPClient(try server.settings())
    for _ in 0..<2 {
      let results = try await client.send(from: sender, to: [reader], message: message)
      #expect(results.count == 1)
      guard case .delivered = results[0].outcome else {
        Issue.record("not delivered: \(results[0].outcome)")
        return
      }
    }
    #expect(try server.mails().count == 2)
  }

  @Test("takes turns where several tasks send at once")
  func concurrentSends() async throws {
    let server = try await MailServer("plain-pipelining")
    let client = SMTPClient(try server.settings())
    try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<20 {
        group.addTask { try await client.send(from: sender, to: [reader], message: message).count }
      }
      for try await count in group { #expect(count == 1) }
    }
    #expect(try server.mails().count == 20)
  }

  @Test("sends nothing unencrypted where STARTTLS is missing")
  func strippedSTARTTLS() async throws {
    let server = try await MailServer("plain")
    let error = await failure(try server.settings(.startTLS))
    #expect(error?.cause == .encryptionNotOffered)
  }

  @Test("trusts no certificate for another name or of another authority", arguments: ["starttls", "implicit"])
  func wrongCertificates(_ mode: String) async throws {
    for leaf in [TestCertificates.Leaf.wrong, .untrusted] {
      let server = try await MailServer(mode + "-auth", certificate: leaf)
      let error = await failure(try server.settings(mode == "implicit" ? .implicit : .startTLS, login))
      guard case .certificateNotTrusted = error?.cause else {
        Issue.record("\(leaf): \(String(describing: error))")
        continue
      }
    }
  }

  @Test("is not fooled by replies slipped in before encryption", arguments: ["injected", "injected_late", "unasked"])
  func injectedReplies(_ mode: String) async throws {
    let server = try await MailServer(mode)
    let error = await failure(try server.settings(.startTLS, login))
    switch (mode, error?.cause) {
    case ("injected", .bytesBeforeEncryption): break
    case ("injected_late", .encryptionFailed): break
    case ("unasked", .malformedReply), ("unasked", .encryptionFailed), ("unasked", .cut), ("unasked", .timedOut): break
    default: Issue.record("\(mode): \(String(describing: error))")
    }
    #expect(!server.heard().contains("AUTH"))
  }

  @Test("keeps the password to itself")
  func passwordInClear() async throws {
    let server = try await MailServer("auth-clear")
    #expect(await failure(try server.settings(.none, login))?.cause == .passwordInClear)
    #expect(!"\(login)\(String(reflecting: login))".contains("pässword"))
    var dumped = ""
    dump(try server.settings(.none, login), to: &dumped)
    #expect(dumped.contains("user") && !dumped.contains("pässword"))
  }

  @Test("says so where the login fails")
  func badLogin() async throws {
    let server = try await MailServer("starttls-auth")
    let bad = SMTPCredentials(username: "user", password: "guess")
    let error = await failure(try server.settings(.startTLS, bad))
    guard case .authenticationRefused(let reply) = error?.cause else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(reply.code == 535)
    let none = await failure(try server.settings(.startTLS))
    guard case .authenticationRequired = none?.cause else {
      Issue.record("\(String(describing: none))")
      return
    }
    let login = try await MailServer("starttls-auth-login")
    let plain = SMTPCredentials(username: "user", password: "pässword", mechanism: .plain)
    #expect(await failure(try login.settings(.startTLS, plain))?.cause == .authenticationNotOffered("LOGIN"))
  }

  @Test("says what a misbehaving server did")
  func misbehaviour() async throws {
    var server = try await MailServer("cut_after_data")
    let late = await failure(try server.settings())
    #expect(late?.cause == .cut(during: "the message", detail: "") && late?.mayHaveBeenDelivered == true)
    server = try await MailServer("cut_before_data")
    let early = await failure(try server.settings())
    #expect(early?.cause == .cut(during: "MAIL FROM:<watch@a.example>", detail: ""))
    #expect(early?.mayHaveBeenDelivered == false)
    server = try await MailServer("endless_line")
    #expect(
      await failure(try server.settings())?.cause == .malformedReply(during: "the greeting", "a line without end"))
    server = try await MailServer("endless_reply")
    #expect(
      await failure(try server.settings())?.cause == .malformedReply(during: "the greeting", "more than 100 lines"))
    server = try await MailServer("not_smtp")
    #expect(
      await failure(try server.settings())?.cause
        == .malformedReply(during: "the greeting", "“HTTP/1.1 400 Bad Request”"))
    server = try await MailServer("unwelcome")
    #expect(await failure(try server.settings())?.description.hasSuffix("554 5.7.1 your kind is not welcome") == true)
    server = try await MailServer("wants_login")
    #expect(
      await failure(try server.settings())?.description.hasSuffix("530 5.7.0 Authentication required") == true)
    var nowhere = try server.settings()
    nowhere.port = 1
    guard case .unreachable = await failure(nowhere)?.cause else {
      Issue.record("port 1 answered")
      return
    }
  }

  @Test("does not wait for ever", arguments: ["silent", "silent_after_data"])
  func timeouts(_ mode: String) async throws {
    let server = try await MailServer(mode)
    var settings = try server.settings()
    settings.commandTimeout = .milliseconds(mode == "silent" ? 200 : 60_000)
    settings.dataTimeout = .milliseconds(200)
    let error = await failure(settings)
    #expect(error?.cause == .timedOut(during: mode == "silent" ? "the greeting" : "the message"))
    #expect(error?.mayHaveBeenDelivered == (mode != "silent"))
  }

  @Test("sends envelope and message in one go where the server takes chunks")
  func chunks() async throws {
    let server = try await MailServer("chunking")
    let client = SMTPClient(try server.settings())
    let body = Array("Subject: dots\r\n\r\n.\r\n..two\nend".utf8)
    func send(_ recipients: [MailAddress], _ message: [UInt8]) async throws -> [MailResult.Outcome] {
      try await client.send(from: sender, to: recipients, message: message).map(\.outcome)
    }
    #expect(try await send([reader], body) == [.delivered("250 kept")])
    #expect(try server.mails() == [Array("Subject: dots\r\n\r\n.\r\n..two\r\nend\r\n".utf8)])
    let nobody = try MailAddress("nobody@b.example")
    #expect(try await send([nobody], body) == [.permanent("550 no such user")])
    #expect(try await send([nobody, reader], body) == [.permanent("550 no such user"), .delivered("250 kept")])
    #expect(try await send([reader], Array("full".utf8)) == [.temporary("452 4.3.1 no room")])
    #expect(try await send([reader], body) == [.delivered("250 kept")])
    #expect(try server.mails().count == 3)
    let error = await #expect(throws: SMTPError.self) { try await send([reader], Array("cut here".utf8)) }
    #expect(error?.mayHaveBeenDelivered == true)
    #expect(!server.heard().contains("DATA"))
  }

  @Test("opens a new connection where a server that takes chunks has given up the old one")
  func chunksOnOldConnections() async throws {
    let server = try await MailServer("chunking_once")
    let client = SMTPClient(try server.settings())
    for _ in 0..<3 {
      let results = try await client.send(from: sender, to: [reader], message: message)
      #expect(results.map(\.outcome) == [.delivered("250 kept")])
    }
    #expect(try server.mails().count == 3)
  }

  @Test("stops when its task is cancelled")
  func cancellation() async throws {
    let server = try await MailServer("silent")
    let client = SMTPClient(try server.settings())
    let task = Task { try await client.send(from: sender, to: [reader], message: message) }
    try await Task.sleep(for: .milliseconds(200))
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
  }

  @Test("sends a large message whole to a slow reader")
  func slowReader() async throws {
    let server = try await MailServer("slow_reader")
    let settings = try server.settings()
    let line = [UInt8](repeating: 0x61, count: 78) + [13, 10]
    let large = Array((0..<40_000).map { _ in line }.joined())
    let results = try await SMTPClient(settings).send(from: sender, to: [reader], message: large)
    #expect(results.map(\.outcome) == [.delivered("250 kept")])
    #expect(try server.mails().first?.count == large.count + 3)
  }

  @Test("speaks with a server that knows only HELO")
  func oldServer() async throws {
    let server = try await MailServer("old")
    let results = try await SMTPClient(try server.settings()).send(from: sender, to: [reader], message: message)
    #expect(results.map(\.outcome) == [.delivered("250 kept")])
  }

  @Test("ends a message that nobody is to get, and sends the next")
  func acceptsEmpty() async throws {
    let server = try await MailServer("accepts_empty")
    let client = SMTPClient(try server.settings())
    #expect(
      try await client.send(from: sender, to: [reader], message: message).map(\.outcome) == [.permanent("550 no")])
    #expect(
      try await client.send(from: sender, to: [reader], message: message).map(\.outcome) == [.delivered("250 kept")])
  }

  @Test("sends over a thousand messages over one connection")
  func throughput() async throws {
    let server = try await MailServer("sink")
    let client = SMTPClient(try server.settings())
    let mail = MailMessage(
      from: sender, to: [reader], subject: "A new certificate for b.example", date: 0, messageID: "1@a.example",
      text: String(repeating: "A line of text as alerts have it.\n", count: 40))
    let bytes = mail.encoded()
    let clock = ContinuousClock()
    let count = 2000
    let elapsed = try await clock.measure {
      for _ in 0..<count {
        let results = try await client.send(from: sender, to: [reader], message: bytes)
        #expect(results.first?.outcome == .delivered("250 fine"))
      }
    }
    await client.close()
    print(
      "\(count) messages of \(bytes.count) bytes in \(elapsed): \(Double(count) / (elapsed / .seconds(1))) per second")
  }
}
