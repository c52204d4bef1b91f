import CertificateTransparency
import Foundation

/// Submits bodies at a rate over kept connections, and keeps every answer.
///
/// One thread and poll: it shares the cores with the server that it measures, so it does as little as it can.
final class SubmissionLoad {
  struct Answer {
    let body: Int
    let status: Int
    let retryAfter: Int?
    /// Milliseconds since the start at which it was due, and at which the answer was there.
    let due: Double
    let done: Double
    let content: [UInt8]
  }

  private struct Connection {
    var socket: Int32
    var body = -1
    var due = 0.0
    var output: [UInt8] = []
    var sent = 0
    var input: [UInt8] = []
  }

  private let corpus: SubmissionCorpus
  private let port: Int
  private let prefix: String
  private let checkpoint: URL?
  private let suffixes: [[UInt8]]
  private var connections: [Connection] = []
  private var free: [Int] = []
  private var next = 0
  private let start = ContinuousClock.now
  private var buffer = [UInt8](repeating: 0, count: 8192)
  private(set) var answers: [Answer] = []
  private(set) var failures = 0
  /// Every checkpoint that was seen in the log's folder.
  private(set) var checkpoints: Set<Data> = []
  private var lastLook = -Double.infinity
  /// Due, but no connection was free.
  private(set) var unsent = 0

  /// - Parameter checkpoint: the file to look at ten times a second; nil for none.
  init(_ corpus: SubmissionCorpus, port: Int, prefix: String, checkpoint: URL? = nil) {
    (self.corpus, self.port, self.prefix, self.checkpoint) = (corpus, port, prefix, checkpoint)
    suffixes = corpus.issuers.map { issuer in
      Array(("\"" + issuer.chain.map { ",\"\(Base64.encode($0))\"" }.joined() + "]}").utf8)
    }
  }

  deinit { for connection in connections { close(connection.socket) } }

  private var now: Double { (ContinuousClock.now - start) / .milliseconds(1) }

  /// Submits for some seconds; then waits for the answers.
  ///
  /// - Parameter rate: a second, however the server fares; nil to have `width` under way at all times.
  func run(seconds: Double, rate: Double?, width: Int) {
    let begin = now
    let end = begin + seconds * 1000
    var count = 0
    while true {
      let time = now
      if let checkpoint, time > lastLook + 100 {
        lastLook = time
        if let content = try? Data(contentsOf: checkpoint) { checkpoints.insert(content) }
      }
      if time < end {
        let due = rate.map { Int((time - begin) / 1000 * $0) } ?? Int.max
        while count < due, next < corpus.bodies.count {
          let moment = rate.map { begin + Double(count + 1) * 1000 / $0 } ?? now
          guard submit(due: moment, width: width) else {
            if rate == nil { break }
            unsent += due - count
            count = due
            break
          }
          count += 1
        }
      } else if free.count == connections.count || time > end + 30_000 {
        return
      }
      wait()
    }
  }

  /// Goes on where something can be read or written; not more often than every two milliseconds.
  private func wait() {
    usleep(2000)
    var polled: [pollfd] = []
    var places: [Int] = []
    for (place, connection) in connections.enumerated() where connection.body >= 0 {
      let isSent = connection.sent == connection.output.count
      polled.append(pollfd(fd: connection.socket, events: Int16(isSent ? POLLIN : POLLIN | POLLOUT), revents: 0))
      places.append(place)
    }
    guard poll(&polled, nfds_t(polled.count), 0) > 0 else { return }
    for (place, item) in zip(places, polled) where item.revents != 0 {
      if item.revents & Int16(POLLOUT) != 0 { send(place) }
      if item.revents & ~Int16(POLLOUT) != 0 { receive(place) }
    }
  }

  private func submit(due: Double, width: Int) -> Bool {
    guard let place = free.popLast() ?? open(width) else { return false }
    let body = corpus.bodies[next]
    let name = body.kind == .x509 ? "add-chain" : "add-pre-chain"
    let head = "{\"chain\":[\""
    let length = head.utf8.count + body.range.count + suffixes[body.issuer].count
    connections[place].body = next
    connections[place].due = due
    connections[place].sent = 0
    connections[place].input.removeAll(keepingCapacity: true)
    connections[place].output = Array(
      "POST \(prefix)ct/v1/\(name) HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: \(length)\r\n\r\n\(head)".utf8)
    connections[place].output += corpus.content[body.range]
    connections[place].output += suffixes[body.issuer]
    next += 1
    send(place)
    return true
  }

  private func open(_ width: Int) -> Int? {
    guard connections.count < width else { return nil }
    guard let handle = SubmissionLoad.connect(to: port) else { return nil }
    connections.append(Connection(socket: handle))
    return connections.count - 1
  }

  static func connect(to port: Int) -> Int32? {
    let handle = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(handle, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard result == 0 else {
      close(handle)
      return nil
    }
    _ = fcntl(handle, F_SETFL, O_NONBLOCK)
    var yes: Int32 = 1
    setsockopt(handle, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, 4)
    return handle
  }

  private func send(_ place: Int) {
    while connections[place].sent < connections[place].output.count {
      let sent = connections[place].sent
      let handle = connections[place].socket
      let count = connections[place].output.withUnsafeBytes {
        Glibc.send(handle, $0.baseAddress?.advanced(by: sent), $0.count - sent, Int32(MSG_NOSIGNAL))
      }
      if count < 0, errno == EAGAIN { return }
      guard count > 0 else { return fail(place) }
      connections[place].sent += count
    }
  }

  private func receive(_ place: Int) {
    let count = recv(connections[place].socket, &buffer, buffer.count, 0)
    if count < 0, errno == EAGAIN { return }
    guard count > 0 else { return fail(place) }
    connections[place].input += buffer.prefix(count)
    finish(place)
  }

  private func finish(_ place: Int) {
    let input = connections[place].input
    guard let head = input.firstRange(of: Array("\r\n\r\n".utf8)) else { return }
    let lines = String(decoding: input[..<head.lowerBound], as: UTF8.self).lowercased().split(separator: "\r\n")
    let header = { (name: String) in
      lines.first { $0.hasPrefix(name) }.flatMap { Int($0.dropFirst(name.count).filter { $0 != " " }) }
    }
    let length = header("content-length:") ?? 0
    guard input.count >= head.upperBound + length else { return }
    let status = lines.first.flatMap { Int($0.dropFirst(9).prefix(3)) } ?? 0
    answers.append(
      Answer(
        body: connections[place].body, status: status, retryAfter: header("retry-after:"), due: connections[place].due,
        done: now, content: status == 200 ? Array(input[head.upperBound...]) : []))
    connections[place].body = -1
    free.append(place)
  }

  /// A connection that broke, as one does that was idle for long: the request is sent once more over another.
  private func fail(_ place: Int) {
    failures += 1
    close(connections[place].socket)
    guard let handle = SubmissionLoad.connect(to: port) else { return }
    connections[place].socket = handle
    connections[place].sent = 0
    connections[place].input.removeAll(keepingCapacity: true)
  }
}
