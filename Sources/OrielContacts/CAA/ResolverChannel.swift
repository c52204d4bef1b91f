import CAres
import Foundation

/// The codes of c-ares, which its header has as macros in one version and as an enumeration in another.
enum AresStatus {
  static let success: Int32 = 0
  static let noData: Int32 = 1
  static let serverFailure: Int32 = 3
  static let notFound: Int32 = 4
  static let refused: Int32 = 6
  static let badName: Int32 = 8
  static let badResponse: Int32 = 10
  static let noConnection: Int32 = 11
  static let timedOut: Int32 = 12
}

/// A channel of c-ares, used by the thread that made it, which does the waiting as well.
final class ResolverChannel {
  private final class Reply {
    var status: Int32?
    var message: [UInt8] = []
  }

  /// c-ares is set up once, and for good: taking it down while another thread uses it would not be safe.
  private static let setUp = ares_library_init(1)

  private var channel: ares_channel?
  /// Kept until the channel is gone, which calls back for what is still under way.
  private var reply = Reply()
  private let cancellation: Cancellation
  private let end: ContinuousClock.Instant

  init(_ settings: CAALookup.Settings, _ cancellation: Cancellation) throws(CAAFailure) {
    self.cancellation = cancellation
    end = .now + min(max(settings.limit, .milliseconds(1)), .seconds(600))
    var options = ares_options()
    // One server's SERVFAIL is worth telling; with several, the next is asked.
    options.flags = ARES_FLAG_EDNS | (settings.servers.count == 1 ? ARES_FLAG_NOCHECKRESP : 0)
    options.timeout = Int32(
      clamping: Int(min(max(settings.timeout, .milliseconds(1)), .seconds(60)) / .milliseconds(1)))
    options.tries = Int32(min(max(settings.tries, 1), 10))
    options.ednspsz = 1232
    let mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_EDNSPSZ
    var status = ResolverChannel.setUp
    if status == AresStatus.success { status = ares_init_options(&channel, &options, mask) }
    if status == AresStatus.success, !settings.servers.isEmpty {
      status = ares_set_servers_ports_csv(channel, settings.servers.map(\.description).joined(separator: ","))
    }
    guard status == AresStatus.success, channel != nil else { throw ResolverChannel.failure(status, ".") }
  }

  deinit {
    if let channel { ares_destroy(channel) }
  }

  /// The answer to one question; nothing there is an answer too.
  func query(_ name: String) throws(CAAFailure) -> DNSAnswer {
    reply = Reply()
    let argument = Unmanaged.passUnretained(reply).toOpaque()
    ares_query(
      channel, name, 1, 257,
      { argument, status, _, message, count in
        guard let argument else { return }
        let reply = Unmanaged<Reply>.fromOpaque(argument).takeUnretainedValue()
        reply.message = message.map { Array(UnsafeBufferPointer(start: $0, count: Int(max(count, 0)))) } ?? []
        reply.status = status
      }, argument)
    while reply.status == nil {
      guard !cancellation.isCancelled else { throw giveUp(name, .cancelled) }
      guard ContinuousClock.Instant.now < end else { throw giveUp(name, .timedOut) }
      waitAndProcess()
    }
    let status = reply.status ?? 0
    switch status {
    case AresStatus.noData, AresStatus.notFound:
      // An answer without records, or a name that does not exist; aliases may have led there, which changes nothing.
      return DNSAnswer()
    case AresStatus.success:
      guard let answer = DNSAnswer(reply.message, name: name) else {
        throw CAAFailure(name: name, reason: .unreadable)
      }
      return answer
    default: throw ResolverChannel.failure(status, name)
    }
  }

  private func giveUp(_ name: String, _ reason: CAAFailure.Reason) -> CAAFailure {
    ares_cancel(channel)
    return CAAFailure(name: name, reason: reason)
  }

  /// Waits for the sockets for a moment, and lets c-ares read, write, and see to its time limits.
  private func waitAndProcess() {
    var sockets = [ares_socket_t](repeating: ARES_SOCKET_BAD, count: 16)
    let wanted = ares_getsock(channel, &sockets, 16)
    var polled: [pollfd] = []
    for index in 0..<16 {
      // Bit n: wants to read; bit n + 16: wants to write.
      let events = (wanted >> index & 1 != 0 ? POLLIN : 0) | (wanted >> (index + 16) & 1 != 0 ? POLLOUT : 0)
      if events != 0 { polled.append(pollfd(fd: sockets[index], events: Int16(events), revents: 0)) }
    }
    // Short enough to notice that nobody waits any more.
    var limit = timeval(tv_sec: 0, tv_usec: 50_000)
    var time = timeval()
    let milliseconds = ares_timeout(channel, &limit, &time).map { Int32($0.pointee.tv_usec / 1000) + 1 } ?? 50
    poll(&polled, nfds_t(polled.count), min(milliseconds, 50))
    for entry in polled where entry.revents != 0 {
      let canRead = Int32(entry.revents) & (POLLIN | POLLERR | POLLHUP | POLLNVAL) != 0
      let canWrite = Int32(entry.revents) & (POLLOUT | POLLERR) != 0 && Int32(entry.events) & POLLOUT != 0
      ares_process_fd(channel, canRead ? entry.fd : ARES_SOCKET_BAD, canWrite ? entry.fd : ARES_SOCKET_BAD)
    }
    // What has arrived comes first: then it is not taken for late.
    ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD)
  }

  private static func failure(_ status: Int32, _ name: String) -> CAAFailure {
    let reason: CAAFailure.Reason =
      switch status {
      case AresStatus.serverFailure: .serverFailure
      case AresStatus.refused: .refused
      case AresStatus.timedOut: .timedOut
      case AresStatus.noConnection: .unreachable
      case AresStatus.badResponse, AresStatus.badName: .unreadable
      default: .other(String(cString: ares_strerror(status)))
      }
    return CAAFailure(name: name, reason: reason)
  }
}
