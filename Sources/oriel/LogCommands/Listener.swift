import CTLogClient
import Dispatch
import Foundation
import OrielLog
import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// Where this process listens, or is about to.
final class Listener: Sendable {
  private let host: String
  private let port: Mutex<Int>

  /// - Parameter port: 0 until it is known.
  init(host: String, port: Int) {
    self.host = host
    self.port = Mutex(port)
  }

  func listens(on port: Int) { self.port.withLock { $0 = port } }

  /// Whether a URL leads to this process. Through a proxy or a translated address it does not, as far as can be told.
  func serves(_ url: String) async -> Bool {
    let port = port.withLock { $0 }
    guard port != 0, let url = URL(string: url), let name = url.host(percentEncoded: false),
      url.port ?? (url.scheme == "https" ? 443 : 80) == port
    else { return false }
    let host = host
    return await withCheckedContinuation { continuation in
      // Names are looked up on a thread that may wait.
      DispatchQueue.global().async { continuation.resume(returning: Listener.isReached(host, by: name)) }
    }
  }

  private static func isReached(_ host: String, by name: String) -> Bool {
    let listening = Set(addresses(of: host).map(\.text))
    let isAny = listening.contains("0.0.0.0") || listening.contains("::")
    return addresses(of: name).contains { isAny ? $0.isLocal : listening.contains($0.text) }
  }

  private struct Address {
    let text: String
    /// Whether it is one of this machine's.
    let isLocal: Bool

    init?(_ entry: addrinfo) {
      var buffer = [CChar](repeating: 0, count: 64)
      let failure = getnameinfo(
        entry.ai_addr, entry.ai_addrlen, &buffer, socklen_t(buffer.count), nil, 0, NI_NUMERICHOST)
      guard failure == 0 else { return nil }
      text = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      // Only an own address can be bound to; the port is one that is free.
      let probe = socket(entry.ai_family, Int32(SOCK_STREAM.rawValue), 0)
      defer { close(probe) }
      isLocal = probe >= 0 && bind(probe, entry.ai_addr, entry.ai_addrlen) == 0
    }
  }

  private static func addresses(of name: String) -> [Address] {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var first: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(name, "0", &hints, &first) == 0 else { return [] }
    defer { freeaddrinfo(first) }
    var addresses: [Address] = []
    var next = first
    while let entry = next?.pointee {
      if let address = Address(entry) { addresses.append(address) }
      next = entry.ai_next
    }
    return addresses
  }
}

extension PublicCheckpoint {
  /// The checkpoint at a log's monitoring URL, unless this process is who serves it there.
  init(of monitoringURL: String, _ transport: HTTPTransport, unlessServedBy listener: Listener) {
    self.init {
      if await listener.serves(monitoringURL) { return .own }
      var note: [UInt8] = []
      do {
        _ = try await transport.get(monitoringURL + "checkpoint", limit: 1 << 16, into: &note)
        return .note(note)
      } catch {
        return .unreachable("\(error)")
      }
    }
  }
}
