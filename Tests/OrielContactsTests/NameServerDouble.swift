import Foundation
import Synchronization

/// A small name server on loopback, over UDP and TCP, that answers by a script.
final class NameServerDouble: Sendable {
  struct Query: Sendable {
    let name: String
    let type: Int
    let isTCP: Bool
    let hasEDNS: Bool
  }

  struct Record: Sendable {
    let owner: String
    let type: UInt16
    let data: [UInt8]

    static func caa(_ owner: String, _ tag: String, _ value: String, flags: UInt8 = 0) -> Record {
      Record(owner: owner, type: 257, data: [flags, UInt8(tag.utf8.count)] + Array(tag.utf8) + Array(value.utf8))
    }

    static func alias(_ owner: String, _ target: String) -> Record {
      Record(owner: owner, type: 5, data: NameServerDouble.encoded(target))
    }
  }

  enum Reply: Sendable {
    case records([Record])
    /// From a server that does not follow aliases.
    case authoritative([Record])
    case code(UInt8)
    case truncated
    case silence
    /// These bytes after the identifier and the question.
    case raw(flags: UInt16, answers: UInt16, [UInt8])
    /// Nothing that belongs to the question.
    case garbage([UInt8])
  }

  struct NoPort: Error {}

  let port: UInt16
  private let script: @Sendable (Query) -> Reply
  private let queries = Mutex<[Query]>([])
  private let isStopped = Atomic(false)

  var asked: [Query] { queries.withLock { $0 } }
  var names: [String] { asked.map(\.name) }

  init(_ script: @escaping @Sendable (Query) -> Reply) throws {
    self.script = script
    var found: (udp: Int32, tcp: Int32, port: UInt16)?
    // A port that is free for UDP need not be free for TCP.
    for _ in 0..<50 where found == nil { found = NameServerDouble.sockets() }
    guard let found else { throw NoPort() }
    port = found.port
    let (udp, tcp) = (found.udp, found.tcp)
    Thread { [self] in serve(udp, tcp) }.start()
  }

  func stop() { isStopped.store(true, ordering: .releasing) }

  private static func address(_ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return address
  }

  private static func bound(_ kind: Int32, _ port: UInt16) -> (socket: Int32, port: UInt16)? {
    let socket = socket(AF_INET, kind, 0)
    guard socket >= 0 else { return nil }
    var address = address(port)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(socket, $0, length) == 0 && getsockname(socket, $0, &length) == 0
      }
    }
    guard isBound else {
      close(socket)
      return nil
    }
    return (socket, UInt16(bigEndian: address.sin_port))
  }

  private static func sockets() -> (udp: Int32, tcp: Int32, port: UInt16)? {
    guard let udp = bound(Int32(SOCK_DGRAM.rawValue), 0) else { return nil }
    guard let tcp = bound(Int32(SOCK_STREAM.rawValue), udp.port), listen(tcp.socket, 16) == 0 else {
      close(udp.socket)
      return nil
    }
    return (udp.socket, tcp.socket, udp.port)
  }

  private func serve(_ udp: Int32, _ tcp: Int32) {
    defer {
      close(udp)
      close(tcp)
    }
    while !isStopped.load(ordering: .acquiring) {
      var polled = [udp, tcp].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
      poll(&polled, 2, 20)
      if polled[0].revents != 0 { answerDatagram(udp) }
      if polled[1].revents != 0 { answerStream(tcp) }
    }
  }

  private func answerDatagram(_ socket: Int32) {
    var buffer = [UInt8](repeating: 0, count: 4096)
    var sender = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &sender) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        let count = recvfrom(socket, &buffer, buffer.count, 0, address, &length)
        guard count > 0, let reply = reply(to: Array(buffer.prefix(count)), isTCP: false) else { return }
        sendto(socket, reply, reply.count, 0, address, length)
      }
    }
  }

  private func answerStream(_ listener: Int32) {
    let socket = accept(listener, nil, nil)
    guard socket >= 0 else { return }
    defer { close(socket) }
    var head = [UInt8](repeating: 0, count: 2)
    guard recv(socket, &head, 2, Int32(MSG_WAITALL)) == 2 else { return }
    var body = [UInt8](repeating: 0, count: Int(head[0]) << 8 | Int(head[1]))
    guard recv(socket, &body, body.count, Int32(MSG_WAITALL)) == body.count,
      let reply = reply(to: body, isTCP: true)
    else { return }
    let framed = [UInt8(reply.count >> 8), UInt8(reply.count & 255)] + reply
    send(socket, framed, framed.count, Int32(MSG_NOSIGNAL))
  }

  private func reply(to request: [UInt8], isTCP: Bool) -> [UInt8]? {
    guard request.count > 16 else { return nil }
    var labels: [String] = []
    var offset = 12
    while offset < request.count, request[offset] > 0, offset + Int(request[offset]) < request.count {
      let end = offset + 1 + Int(request[offset])
      labels.append(String(decoding: request[(offset + 1)..<end], as: UTF8.self))
      offset = end
    }
    guard offset + 5 <= request.count else { return nil }
    let question = Array(request[12..<(offset + 5)])
    let name = labels.joined(separator: ".")
    let query = Query(
      name: name, type: Int(request[offset + 1]) << 8 | Int(request[offset + 2]), isTCP: isTCP,
      hasEDNS: request[11] > 0)
    queries.withLock { $0.append(query) }
    switch script(query) {
    case .records(let records): return message(request, 0x8180, records, question, name)
    case .authoritative(let records): return message(request, 0x8500, records, question, name)
    case .code(let code): return message(request, 0x8180 | UInt16(code), [], question, name)
    case .truncated: return message(request, 0x8380, [], question, name)
    case .silence: return nil
    case .raw(let flags, let answers, let bytes):
      return header(request, flags, answers) + question + bytes
    case .garbage(let bytes): return bytes
    }
  }

  private func header(_ request: [UInt8], _ flags: UInt16, _ answers: UInt16) -> [UInt8] {
    var bytes = [request[0], request[1], UInt8(flags >> 8), UInt8(flags & 255), 0, 1]
    bytes += [UInt8(answers >> 8), UInt8(answers & 255), 0, 0, 0, 0]
    return bytes
  }

  private func message(
    _ request: [UInt8], _ flags: UInt16, _ records: [Record], _ question: [UInt8], _ name: String
  ) -> [UInt8] {
    var answers: [UInt8] = []
    for record in records {
      // The name asked for is a pointer to the question, as servers write it.
      answers += record.owner == name ? [0xc0, 0x0c] : NameServerDouble.encoded(record.owner)
      answers += [UInt8(record.type >> 8), UInt8(record.type & 255), 0, 1, 0, 0, 0, 60]
      answers += [UInt8(record.data.count >> 8), UInt8(record.data.count & 255)]
      answers += record.data
    }
    return header(request, flags, UInt16(records.count)) + question + answers
  }

  static func encoded(_ name: String) -> [UInt8] {
    name.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
  }
}
