import Foundation

/// Speaks HTTP/1.1 byte by byte over a socket of its own, to see what a server really sends.
struct RawHTTP: Sendable {
  struct Reply: Sendable {
    let status: Int
    /// By lower-case name.
    let headers: [String: String]
    let body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }

    init?(_ bytes: [UInt8]) {
      guard let end = bytes.indices.first(where: { bytes[$0...].starts(with: [13, 10, 13, 10]) }) else { return nil }
      let lines = String(decoding: bytes[..<end], as: UTF8.self).components(separatedBy: "\r\n")
      guard let status = lines.first?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else { return nil }
      self.status = status
      headers = Dictionary(
        lines.dropFirst().map { line in
          let parts = line.split(separator: ":", maxSplits: 1)
          return (parts[0].lowercased(), parts[1].trimmingCharacters(in: .whitespaces))
        }, uniquingKeysWith: { $0 + ", " + $1 })
      body = Array(bytes[(end + 4)...])
    }
  }

  struct NoReply: Error {}

  let port: Int

  func request(
    _ method: String = "GET", _ path: String, headers: [String: String] = [:], body: [UInt8]? = nil
  ) async throws -> Reply {
    var head = "\(method) \(path) HTTP/1.1\r\nHost: test\r\nConnection: close\r\n"
    for (name, value) in headers { head += "\(name): \(value)\r\n" }
    if let body { head += "Content-Length: \(body.count)\r\n" }
    let bytes = try await exchange([Array((head + "\r\n").utf8) + (body ?? [])])
    guard let reply = Reply(bytes) else { throw NoReply() }
    return reply
  }

  /// Sends pieces with pauses between them, and gives all that comes until the server closes the connection.
  ///
  /// - Parameter endsInput: whether the server is told that no more will come.
  func exchange(_ pieces: [[UInt8]], pause: Duration = .zero, endsInput: Bool = false) async throws -> [UInt8] {
    try await withCheckedThrowingContinuation { continuation in
      // A thread of its own: it blocks.
      Thread.detachNewThread { continuation.resume(with: Result { try talk(pieces, pause, endsInput) }) }
    }
  }

  private func talk(_ pieces: [[UInt8]], _ pause: Duration, _ endsInput: Bool) throws -> [UInt8] {
    let peer = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(peer) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let connected = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(peer, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard connected == 0 else { throw NoReply() }
    var received: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    for piece in pieces {
      var rest = piece[...]
      while !rest.isEmpty {
        let count = rest.withUnsafeBytes { send(peer, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        // The server has closed; what it said is yet to be read.
        guard count > 0 else { break }
        rest = rest.dropFirst(count)
      }
      if pieces.count > 1 { usleep(UInt32(pause / .microseconds(1))) }
      // A server that has had enough resets the connection in the end, and what was not read by then is lost.
      received += buffer[..<max(0, recv(peer, &buffer, buffer.count, Int32(MSG_DONTWAIT)))]
    }
    if endsInput { shutdown(peer, Int32(SHUT_WR)) }
    while true {
      let count = recv(peer, &buffer, buffer.count, 0)
      guard count > 0 else { return received }
      received += buffer[..<count]
    }
  }
}
