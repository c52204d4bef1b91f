import Foundation

/// Asks for pages, one after the other, over one connection.
final class PageClient {
  struct Failed: Error, CustomStringConvertible { let description: String }
  struct Answer {
    let status: Int
    let body: String
    let location: String?
    /// Milliseconds from the question's first byte to the answer's last.
    let time: Double
  }

  private let port: Int
  private var handle: Int32?

  init(port: Int) { self.port = port }

  deinit { if let handle { close(handle) } }

  func get(_ path: String, cookie: String = "", headers: [String] = []) throws -> Answer {
    try ask("GET \(path) HTTP/1.1", ["Cookie: \(cookie)"] + headers, body: "")
  }

  func post(_ path: String, cookie: String, _ form: String) throws -> Answer {
    try ask(
      "POST \(path) HTTP/1.1",
      ["Cookie: \(cookie)", "Content-Type: application/x-www-form-urlencoded", "Content-Length: \(form.utf8.count)"],
      body: form)
  }

  private func ask(_ line: String, _ headers: [String], body: String) throws -> Answer {
    do { return try askOnce(line, headers, body: body) } catch {
      // A connection that nobody has used for a while may be gone.
      if let handle { close(handle) }
      handle = nil
      return try askOnce(line, headers, body: body)
    }
  }

  private func askOnce(_ line: String, _ headers: [String], body: String) throws -> Answer {
    let socket = try connection()
    let question = ([line, "Host: 127.0.0.1:\(port)"] + headers).joined(separator: "\r\n") + "\r\n\r\n" + body
    let start = ContinuousClock.now
    let bytes = Array(question.utf8)
    guard send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
      throw Failed(description: "\(line): can't send")
    }
    var received: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 18)
    while true {
      let count = recv(socket, &buffer, buffer.count, 0)
      guard count > 0 else { throw Failed(description: "\(line): the connection was closed") }
      received += buffer[..<count]
      guard let end = received.firstRange(of: Array("\r\n\r\n".utf8)) else { continue }
      let head = String(decoding: received[..<end.lowerBound], as: UTF8.self)
      let length = PageClient.field("content-length", head).flatMap { Int($0) } ?? 0
      guard received.count - end.upperBound >= length else { continue }
      let time = start.duration(to: .now) / .milliseconds(1)
      return Answer(
        status: Int(head.dropFirst(9).prefix(3)) ?? 0,
        body: String(decoding: received[end.upperBound...], as: UTF8.self),
        location: PageClient.field("location", head), time: time)
    }
  }

  private static func field(_ name: String, _ head: String) -> String? {
    let line = head.split(whereSeparator: \.isNewline).first { $0.lowercased().hasPrefix(name + ":") }
    return line.map { String($0.drop { $0 != ":" }.dropFirst().drop { $0 == " " }) }
  }

  private func connection() throws -> Int32 {
    if let handle { return handle }
    guard let new = SubmissionLoad.connect(to: port) else { throw Failed(description: "nobody listens at \(port)") }
    // SubmissionLoad's do not block.
    _ = fcntl(new, F_SETFL, fcntl(new, F_GETFL) & ~O_NONBLOCK)
    handle = new
    return new
  }
}
