import Foundation

/// Speaks HTTP/1.1 over a socket of its own, to see what a server really sends.
package struct RawClient: Sendable {
  package struct Reply: Sendable {
    package let status: Int
    /// By lower-case name, in order.
    package let headers: [(name: String, value: String)]
    package let body: String

    package func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }

    package init?(_ bytes: [UInt8]) {
      let text = String(decoding: bytes, as: UTF8.self)
      guard let end = text.range(of: "\r\n\r\n") else { return nil }
      let lines = text[..<end.lowerBound].components(separatedBy: "\r\n")
      guard let status = lines.first?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else { return nil }
      self.status = status
      headers = lines.dropFirst().compactMap { line in
        let parts = line.split(separator: ":", maxSplits: 1)
        return parts.count == 2 ? (parts[0].lowercased(), parts[1].trimmingCharacters(in: .whitespaces)) : nil
      }
      body = String(text[end.upperBound...])
    }
  }

  package struct NoReply: Error {}

  package let port: Int
  /// What it calls the server, if it is not its address.
  package var host: String?

  package init(port: Int, host: String? = nil) {
    self.port = port
    self.host = host
  }

  package func request(
    _ method: String, _ path: String, headers: [(String, String)] = [], body: [UInt8]? = nil,
    until mark: String? = nil, began: AsyncStream<Void>.Continuation? = nil
  ) async throws -> Reply {
    var head = "\(method) \(path) HTTP/1.1\r\nHost: \(host ?? "127.0.0.1:\(port)")\r\nConnection: close\r\n"
    for (name, value) in headers { head += "\(name): \(value)\r\n" }
    if let body { head += "Content-Length: \(body.count)\r\n" }
    let bytes = Array((head + "\r\n").utf8) + (body ?? [])
    let received: [UInt8] = try await withCheckedThrowingContinuation { continuation in
      // A thread of its own: it blocks.
      Thread.detachNewThread { continuation.resume(with: Result { try talk(bytes, until: mark, began) }) }
    }
    guard let reply = Reply(received) else { throw NoReply() }
    return reply
  }

  /// - Parameters:
  ///   - mark: where to stop reading; nil for where the server closes the connection.
  ///   - began: is told whenever something came.
  private func talk(_ bytes: [UInt8], until mark: String?, _ began: AsyncStream<Void>.Continuation?) throws -> [UInt8] {
    let peer = try LoopbackSocket(port: port)
    peer.send(bytes)
    var received: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = recv(peer.handle, &buffer, buffer.count, 0)
      began?.yield()
      guard count > 0 else { return received }
      received += buffer[..<count]
      if let mark, String(decoding: received, as: UTF8.self).contains(mark) { return received }
      if RawClient.isWhole(received) { return received }
    }
  }

  /// Whether all that a Content-Length announces is there: not everybody closes a connection when asked to.
  private static func isWhole(_ received: [UInt8]) -> Bool {
    guard let end = received.firstRange(of: Array("\r\n\r\n".utf8)) else { return false }
    let head = String(decoding: received[..<end.lowerBound], as: UTF8.self).lowercased()
    guard let length = head.firstMatch(of: #/content-length: *(\d+)/#).flatMap({ Int($0.1) }) else { return false }
    return received.count - end.upperBound >= length
  }
}

/// A browser without a screen: keeps cookies, and fills in the hidden code of forms.
package final class Visitor: Sendable {
  package let client: RawClient
  private let jar = Jar()

  private actor Jar {
    var cookies: [String: String] = [:]
    func take(_ reply: RawClient.Reply) {
      for (name, value) in reply.headers where name == "set-cookie" {
        let pair = value.prefix { $0 != ";" }.split(separator: "=", maxSplits: 1).map(String.init)
        cookies[pair[0]] = value.contains("Max-Age=0") ? nil : pair.count > 1 ? pair[1] : ""
      }
    }
    func set(_ name: String, _ value: String) { cookies[name] = value }
  }

  package init(port: Int) { client = RawClient(port: port) }

  /// - Parameter session: what is taken over; nil for somebody who is not signed in.
  package convenience init(port: Int, session: String?) async {
    self.init(port: port)
    if let session { await signIn(session) }
  }

  /// Takes over a session.
  package func signIn(_ session: String) async { await jar.set("oriel-\(client.port)", session) }
  package func cookie(_ name: String) async -> String? { await jar.cookies[name] }

  package func request(
    _ method: String, _ path: String, _ headers: [(String, String)] = [], _ body: [UInt8]? = nil,
    until mark: String? = nil,
    began: AsyncStream<Void>.Continuation? = nil
  ) async throws -> RawClient.Reply {
    let cookies = await jar.cookies.map { "\($0)=\($1)" }.sorted().joined(separator: "; ")
    let own = cookies.isEmpty ? [] : [("Cookie", cookies)]
    let reply = try await client.request(method, path, headers: own + headers, body: body, until: mark, began: began)
    await jar.take(reply)
    return reply
  }

  package func get(_ path: String) async throws -> RawClient.Reply { try await request("GET", path) }

  /// Sends a form with the code that the page `of` has in its forms.
  package func post(
    _ path: String, _ fields: [(String, String)] = [], of page: String? = nil, headers: [(String, String)] = []
  ) async throws -> RawClient.Reply {
    let shown = try await get(page ?? "/certificate").body
    let code = shown.firstMatch(of: #/name="code" value="([a-z2-7]*)"/#)?.1 ?? ""
    return try await send(path, fields + [("code", String(code))], headers: headers)
  }

  package func send(
    _ path: String, _ fields: [(String, String)], headers: [(String, String)] = []
  ) async throws -> RawClient.Reply {
    let body = fields.map { Visitor.encode($0) + "=" + Visitor.encode($1) }.joined(separator: "&")
    return try await request(
      "POST", path, [("Content-Type", "application/x-www-form-urlencoded")] + headers, Array(body.utf8))
  }

  package static func encode(_ text: String) -> String {
    text.utf8.map { byte in
      (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte | 0x20)
        ? String(decoding: [byte], as: UTF8.self) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }.joined()
  }
}
