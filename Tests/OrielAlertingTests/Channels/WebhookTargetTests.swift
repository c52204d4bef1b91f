import Foundation
import Synchronization
import TestWorld
import Testing

@testable import OrielAlerting

@Suite("A webhook's target")
struct WebhookTargetTests {
  private static func deliver(
    to url: String, allowPrivateTargets: Bool = false, _ addresses: [String] = [],
    lookups: Received<String> = Received()
  ) async throws -> DeliveryResult {
    let settings = WebhookChannel.Settings(url: try WebhookURL(url), allowPrivateTargets: allowPrivateTargets)
    let resolver = HostResolver { host in
      lookups.add(host)
      return addresses
    }
    return await WebhookChannel(settings, resolver: resolver).deliver(Alerts.heartbeat)
  }

  private static let hint = " (set allow_private_targets if it is meant)"

  @Test("is not reached where the URL itself has a local address")
  func literal() async throws {
    let (result, count) = try await TestServer.run(respond: { _ in .notFound }) { server in
      (try await Self.deliver(to: server.url), server.requestCount)
    }
    #expect(result == .unavailable("127.0.0.1, which is not to be reached: loopback" + Self.hint))
    #expect(count == 0)
  }

  @Test(
    "is not reached where any of the name's addresses is a local one",
    arguments: [
      (["127.0.0.1"], "hooks.example is 127.0.0.1, which is not to be reached: loopback"),
      (["1.1.1.1", "127.0.0.1"], "hooks.example is 127.0.0.1, which is not to be reached: loopback"),
      (["::ffff:127.0.0.1"], "hooks.example is ::ffff:127.0.0.1, which is not to be reached: loopback"),
      (["fe80::1%lo"], "hooks.example is fe80::1%lo, which is not to be reached: it is not an IP address"),
      (["localhost"], "hooks.example is localhost, which is not to be reached: it is not an IP address"),
      ([], "hooks.example has no address"),
    ])
  func names(_ addresses: [String], _ words: String) async throws {
    let (result, count) = try await TestServer.run(respond: { _ in .notFound }) { server in
      (try await Self.deliver(to: "http://hooks.example:\(server.port)/", addresses), server.requestCount)
    }
    #expect(result == .unavailable(words.contains("not to be reached") ? words + Self.hint : words))
    #expect(count == 0)
  }

  @Test("is not reached by another spelling of a local address", arguments: ["127.1", "2130706433", "0x7f000001", "0"])
  func spellings(_ host: String) async throws {
    let (result, count) = try await TestServer.run(respond: { _ in .notFound }) { server in
      let settings = WebhookChannel.Settings(url: try WebhookURL("http://\(host):\(server.port)/"))
      return (await WebhookChannel(settings).deliver(Alerts.heartbeat), server.requestCount)
    }
    #expect(result.outcome == "unavailable")
    #expect(result.words.contains("which is not to be reached"))
    #expect(count == 0)
  }

  @Test(
    "is looked up once, and the address that was checked is the one that is reached",
    arguments: [
      ("hooks.invalid", "hooks.invalid"), ("Hooks.INVALID", "Hooks.INVALID"), ("hooks%2einvalid", "hooks.invalid"),
      ("bücher.invalid", "xn--bcher-kva.invalid"),
    ])
  func rebinding(_ spelling: String, _ host: String) async throws {
    let lookups = Received<String>()
    let hosts = Received<[String]>()
    let respond: TestServer.Responder = { request in
      hosts.add(request.header("host"))
      return TestResponse(status: 200, "ok")
    }
    // Were the name looked up again, there would be no such host.
    let (result, port) = try await TestServer.run(respond: respond) { server in
      let url = "http://\(spelling):\(server.port)/"
      let result = try await Self.deliver(to: url, allowPrivateTargets: true, ["127.0.0.1"], lookups: lookups)
      return (result, server.port)
    }
    #expect(result == .delivered("answered 200: ok"))
    #expect(lookups.all == [host])
    #expect(hosts.all == [["\(host):\(port)"]])
  }

  @Test("may have addresses that can't be reached: the next one is tried")
  func secondAddress() async throws {
    let (result, count) = try await TestServer.run(respond: { _ in TestResponse(status: 200, "ok") }) { server in
      let url = "http://hooks.invalid:\(server.port)/"
      let result = try await Self.deliver(to: url, allowPrivateTargets: true, ["127.0.0.2", "127.0.0.1"])
      return (result, server.requestCount)
    }
    #expect(result == .delivered("answered 200: ok"))
    #expect(count == 1)
  }

  @Test("keeps nobody waiting by a lookup that hangs, or fails")
  func lookups() async throws {
    let url = try WebhookURL("https://hooks.example/")
    let hanging = HostResolver { _ in
      await Task { try? await Task.sleep(for: .seconds(60)) }.value
      return []
    }
    let settings = WebhookChannel.Settings(url: url, timeout: .milliseconds(200))
    let result = await WebhookChannel(settings, resolver: hanging).deliver(Alerts.heartbeat)
    #expect(result == .refused("hooks.example did not answer in 0.2 seconds"))
    let failing = HostResolver { _ in throw HostResolver.Failure("no such host") }
    let other = await WebhookChannel(settings, resolver: failing).deliver(Alerts.heartbeat)
    #expect(other == .unavailable("hooks.example: no such host"))
  }

  @Test("refuses an alert after which it hangs up: others may fare better")
  func hangsUp() async throws {
    let listener = try Listener()
    let request = Task { await listener.firstBytes() }
    let result = try await Self.deliver(
      to: "http://hooks.example:\(listener.port)/", allowPrivateTargets: true, ["127.0.0.1"])
    #expect(result.outcome == "refused")
    #expect(String(decoding: await request.value, as: Unicode.ASCII.self).hasPrefix("POST / "))
  }

  @Test("is asked for its certificate by its name, not by its address")
  func serverName() async throws {
    let listener = try Listener()
    let hello = Task { await listener.firstBytes() }
    let result = try await Self.deliver(
      to: "https://hooks.example:\(listener.port)/", allowPrivateTargets: true, ["127.0.0.1"])
    #expect(result.outcome == "unavailable")
    let text = String(decoding: await hello.value, as: Unicode.ASCII.self)
    #expect(text.contains("hooks.example"))
  }

  @Test("is found by the system's resolver")
  func systemResolver() async throws {
    #expect(try await HostResolver.system.addresses("127.0.0.1") == ["127.0.0.1"])
    #expect(try await HostResolver.system.addresses("::1") == ["::1"])
    await #expect(throws: HostResolver.Failure.self) { try await HostResolver.system.addresses("a..b") }
  }
}

/// A socket on loopback that hears one client out and hangs up.
private struct Listener {
  let port: Int
  private let descriptor: Int32

  struct Failure: Error {}

  init() throws {
    #if canImport(Glibc)
      descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    #else
      descriptor = socket(AF_INET, SOCK_STREAM, 0)
    #endif
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let socket = descriptor
    let isListening = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(socket, $0, size) == 0 && listen(socket, 1) == 0 && getsockname(socket, $0, &size) == 0
      }
    }
    guard isListening else { throw Failure() }
    port = Int(UInt16(bigEndian: address.sin_port))
  }

  func firstBytes() async -> [UInt8] {
    await withCheckedContinuation { continuation in
      Thread.detachNewThread {
        let client = accept(descriptor, nil, nil)
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = read(client, &buffer, buffer.count)
        close(client)
        close(descriptor)
        continuation.resume(returning: Array(buffer.prefix(max(0, count))))
      }
    }
  }
}
