import Foundation

/// A mail server that takes everything and keeps nothing, as a process of its own: what the sender's figures are
/// measured against. It prints its port, and then, after every so many messages, how many it has and when.
struct MailSink {
  static func run(every step: Int) throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    try withUnsafeMutablePointer(to: &address) { pointer in
      try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        guard bind(listener, pointer, size) == 0, listen(listener, 8) == 0,
          getsockname(listener, pointer, &size) == 0
        else { throw Failure(code: errno) }
      }
    }
    say("\(UInt16(bigEndian: address.sin_port))")
    while true {
      let connection = accept(listener, nil, nil)
      guard connection >= 0 else { throw Failure(code: errno) }
      // Its short answers are not to wait for each other.
      var yes: Int32 = 1
      setsockopt(connection, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
      var session = Session(socket: connection, step: step)
      session.serve()
      close(connection)
    }
  }

  private struct Failure: Error {
    let code: Int32
  }

  private static func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

  private struct Session {
    let socket: Int32
    let step: Int
    private var input: [UInt8] = []
    private var isData = false
    /// The size of a chunk that was announced.
    private var awaited: Int?
    private var chunk = [UInt8](repeating: 0, count: 65_536)
    private nonisolated(unsafe) static var count = 0

    init(socket: Int32, step: Int) { (self.socket, self.step) = (socket, step) }

    mutating func serve() {
      answer("220 sink")
      while true {
        let got = recv(socket, &chunk, chunk.count, 0)
        guard got > 0 else { return }
        input.append(contentsOf: chunk.prefix(got))
        while let end = nextEnd() {
          let line = String(decoding: input[..<min(end, 40)], as: UTF8.self).uppercased()
          input.removeFirst(end)
          if isData || awaited != nil {
            (isData, awaited) = (false, nil)
            take()
          } else if line.hasPrefix("EHLO") {
            answer("250-sink\r\n250-PIPELINING\r\n250-CHUNKING\r\n250-8BITMIME\r\n250 SIZE 10000000")
          } else if line.hasPrefix("BDAT ") {
            awaited = Int(line.dropFirst(5).prefix { $0.isNumber })
          } else if line.hasPrefix("DATA") {
            isData = true
            answer("354 go on")
          } else if line.hasPrefix("QUIT") {
            return answer("221 bye")
          } else {
            answer("250 ok")
          }
        }
      }
    }

    private mutating func take() {
      Session.count += 1
      if Session.count == 1 || Session.count % step == 0 {
        MailSink.say("\(Session.count) \(Date().timeIntervalSince1970)")
      }
      answer("250 taken")
    }

    /// Past the end of the next line, or of the message.
    private func nextEnd() -> Int? {
      if let awaited { return input.count >= awaited ? awaited : nil }
      let mark: [UInt8] = isData ? [13, 10, 46, 13, 10] : [13, 10]
      return input.withUnsafeBytes { bytes in
        var place = 0
        while place + mark.count <= bytes.count {
          // Most bytes are no line's end.
          if bytes[place] == 13, (1..<mark.count).allSatisfy({ bytes[place + $0] == mark[$0] }) {
            return place + mark.count
          }
          place += 1
        }
        return nil
      }
    }

    private func answer(_ line: String) {
      let bytes = Array((line + "\r\n").utf8)
      _ = send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }
  }
}
