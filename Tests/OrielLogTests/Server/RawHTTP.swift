import Foundation
import TestSupport

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
  /// - Parameters:
  ///   - endsInput: whether the server is told that no more will come.
  ///   - isSlow: whether so little is read at a time, with rests, that the server has to wait.
  func exchange(
    _ pieces: [[UInt8]], pause: Duration = .zero, endsInput: Bool = false, isSlow: Bool = false
  ) async throws -> [UInt8] {
    try await withCheckedThrowingContinuation { continuation in
      // A thread of its own: it blocks.
      Thread.detachNewThread { continuation.resume(with: Result { try talk(pieces, pause, endsInput, isSlow) }) }
    }
  }

  private func talk(_ pieces: [[UInt8]], _ pause: Duration, _ endsInput: Bool, _ isSlow: Bool) throws -> [UInt8] {
    let peer = try LoopbackSocket(port: port)
    var received: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: isSlow ? 1 << 14 : 1 << 16)
    for piece in pieces {
      peer.send(piece)
      if pieces.count > 1 { usleep(UInt32(pause / .microseconds(1))) }
      // A server that has had enough resets the connection in the end, and what was not read by then is lost.
      received += buffer[..<max(0, recv(peer.handle, &buffer, buffer.count, Int32(MSG_DONTWAIT)))]
    }
    if endsInput { shutdown(peer.handle, Int32(SHUT_WR)) }
    while true {
      if isSlow { usleep(1000) }
      let count = recv(peer.handle, &buffer, buffer.count, 0)
      // A signal to another test's part of this process is no end.
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return received }
      received += buffer[..<count]
    }
  }
}
