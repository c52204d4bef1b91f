import Foundation

/// A TCP connection of one thread, which never waits longer than its watch allows.
struct Connection: ~Copyable {
  private let descriptor: Int32

  private init(_ descriptor: Int32) { self.descriptor = descriptor }

  deinit { close(descriptor) }

  /// Connects.
  static func open(to address: SocketAddress, _ watch: Watch) throws(ProbeError) -> Connection {
    let descriptor = socket(address.family.number, Resolver.stream, 0)
    guard descriptor >= 0 else {
      let code = errno
      // A machine without IPv6 is no reason to give up the other addresses.
      if code == EAFNOSUPPORT { throw .unreachable(address, reason: text(code)) }
      throw .unavailable("no socket: \(text(code))")
    }
    let connection = Connection(descriptor)
    guard fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK) == 0,
      fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0
    else { throw .unavailable("no socket: \(text(errno))") }
    let status = address.system.withUnsafeBytes { bytes -> Int32 in
      guard let pointer = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self) else { return -1 }
      return connect(descriptor, pointer, socklen_t(bytes.count))
    }
    var failure = status == 0 ? 0 : errno
    if failure == EINPROGRESS || failure == EINTR {
      try connection.wait(for: Int32(POLLOUT), watch, .connecting)
      var length = socklen_t(MemoryLayout<Int32>.size)
      guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &failure, &length) == 0 else {
        throw .unavailable("no socket: \(text(errno))")
      }
    }
    switch failure {
    case 0: return connection
    case ECONNREFUSED: throw .refused(address)
    case ETIMEDOUT: throw .timedOut(.connecting)
    default: throw .unreachable(address, reason: text(failure))
    }
  }

  private borrowing func wait(for events: Int32, _ watch: Watch, _ phase: ProbeError.Phase) throws(ProbeError) {
    while true {
      var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
      let count = poll(&entry, 1, try watch.slice(phase))
      if count > 0 { return }
      guard count == 0 || errno == EINTR else { throw .unavailable("no poll: \(Connection.text(errno))") }
    }
  }

  /// The next bytes, at most 16 KiB; none at the end.
  borrowing func read(_ watch: Watch, _ phase: ProbeError.Phase) throws(ProbeError) -> [UInt8] {
    while true {
      try wait(for: Int32(POLLIN), watch, phase)
      var failure: Int32 = 0
      let bytes = [UInt8](unsafeUninitializedCapacity: 16_384) { buffer, initialized in
        let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
        failure = count < 0 ? errno : 0
        initialized = max(0, count)
      }
      if failure == 0 { return bytes }
      guard failure == EAGAIN || failure == EINTR else { throw .closed(phase) }
    }
  }

  borrowing func write(_ bytes: [UInt8], _ watch: Watch, _ phase: ProbeError.Phase) throws(ProbeError) {
    var sent = 0
    while sent < bytes.count {
      try wait(for: Int32(POLLOUT), watch, phase)
      let count = bytes[sent...].withUnsafeBytes {
        send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if count >= 0 {
        sent += count
      } else if errno != EAGAIN, errno != EINTR {
        throw .closed(phase)
      }
    }
  }

  private static func text(_ number: Int32) -> String { String(cString: strerror(number)) }
}
