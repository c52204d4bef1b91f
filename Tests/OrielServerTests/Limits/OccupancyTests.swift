import Foundation
import OrielAccounts
import Synchronization
import TestSupport
import Testing

@testable import OrielServer

@Suite("How much may be under way at once")
struct OccupancyTests {
  private func occupant(_ address: String = "a", _ account: Int64? = 1, _ session: String? = "s") -> Occupant {
    Occupant(address: address, account: account.map { AccountID($0) }, session: session.map { Secret($0) })
  }

  @Test("Nobody takes more of a quota than is theirs, and what is given back is there again")
  func quotas() {
    let places = Occupancy(Quota(total: 4, perAccount: 3, perSession: 2, perAddress: 3))
    #expect(places.enter(occupant()) && places.enter(occupant()))
    #expect(places.isFull(for: occupant()) && !places.enter(occupant()))
    #expect(places.enter(occupant("b", 1, "t")))
    // The account has three by now.
    #expect(!places.enter(occupant("b", 1, "u")))
    #expect(places.enter(occupant("a", 2, "v")))
    // All four are taken.
    #expect(!places.enter(occupant("c", 3, "w")))
    places.leave(occupant())
    // The address still has two, and gets its third.
    #expect(places.enter(occupant("a", 3, "w")))
    #expect(!places.enter(occupant("a", 4, "x")))
  }

  /// Work that goes on until it is let go.
  private final class Gate: Sendable {
    private let lock = NSCondition()
    private let state = Mutex((isOpen: false, running: 0, most: 0))
    private let (beginnings, began) = AsyncStream.makeStream(of: Void.self)

    var most: Int { state.withLock { $0.most } }

    func pass() {
      state.withLock { state in
        state.running += 1
        state.most = max(state.most, state.running)
      }
      began.yield()
      lock.lock()
      while !state.withLock({ $0.isOpen }) { lock.wait() }
      lock.unlock()
      state.withLock { $0.running -= 1 }
    }

    func open() {
      lock.lock()
      state.withLock { $0.isOpen = true }
      lock.broadcast()
      lock.unlock()
    }

    func waitForBeginnings(_ count: Int) async { for await _ in beginnings.prefix(count) {} }
  }

  @Test("Two pieces of heavy work run at once, of different accounts; the others wait, and what is too much is refused")
  func heavyWork() async throws {
    let work = HeavyWork(HeavyWork.Limits(running: 2, waiting: 3, perAccount: 2))
    let gate = Gate()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for account in [Int64(1), 2] { group.addTask { try await work.run(for: AccountID(account)) { gate.pass() } } }
      await gate.waitForBeginnings(2)
      for account in [Int64(1), 2, 3] { group.addTask { try await work.run(for: AccountID(account)) { gate.pass() } } }
      // Until all three wait, somebody else gets in to wait.
      var problem: WebProblem?
      while problem == nil {
        do { try await withTimeout { try await work.run(for: AccountID(4)) {} } } catch let found as WebProblem {
          problem = found
        } catch {}
      }
      #expect(problem?.retryAfter != nil)
      gate.open()
      try await group.waitForAll()
    }
    #expect(gate.most == 2)
    #expect(try await work.run(for: AccountID(1)) { 7 } == 7)
  }

  /// Gives up what waits after a moment.
  private func withTimeout(_ body: @escaping @Sendable () async throws -> Void) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask(operation: body)
      group.addTask {
        try await Task.sleep(for: .milliseconds(20))
        throw CancellationError()
      }
      defer { group.cancelAll() }
      try await group.next()
    }
  }

  @Test("Whoever no longer waits leaves the queue, and a mistake gives the place back")
  func cancelled() async throws {
    let work = HeavyWork(HeavyWork.Limits(running: 1, waiting: 1, perAccount: 2))
    let gate = Gate()
    async let first: Void = work.run(for: AccountID(1)) { gate.pass() }
    await gate.waitForBeginnings(1)
    let second = Task { try await work.run(for: AccountID(2)) {} }
    second.cancel()
    await #expect(throws: CancellationError.self) { try await second.value }
    gate.open()
    try await first
    await #expect(throws: WebProblem.self) { try await work.run(for: AccountID(3)) { throw WebProblem.tooLarge } }
    try await work.run(for: AccountID(3)) {}
  }

  @Test("A browser, an account and an address have only so many open pages; others have theirs")
  func livePages() async throws {
    let dashboard = try await Dashboard()
    let (_, session) = try await dashboard.account("Alpha")
    let (_, other) = try await dashboard.account("Beta")
    try await dashboard.serve({ settings, _ in
      settings.livePages = Quota(total: 10, perAccount: 2, perSession: 1)
    }) { port in
      let (member, neighbour) = (Visitor(port: port), Visitor(port: port))
      await member.signIn(session.text)
      await neighbour.signIn(other.text)
      let (heard, began) = AsyncStream.makeStream(of: Void.self)
      async let open = member.request("GET", "/events", began: began)
      _ = await heard.first { _ in true }
      let refused = try await member.get("/events")
      #expect(refused.status == 429 && refused.header("retry-after") != nil)
      #expect(try await neighbour.request("GET", "/events", until: "\n\n").status == 200)
      try await dashboard.signIn.signOut(session)
      #expect(try await open.status == 200)
    }
  }

  @Test("Forms of somebody who is not signed in are small, and what is too long to be typed is not shown again")
  func smallForms() async throws {
    let dashboard = try await Dashboard()
    let (_, session) = try await dashboard.account("Alpha")
    try await dashboard.serve { port in
      let (nobody, member) = (Visitor(port: port), Visitor(port: port))
      await member.signIn(session.text)
      let large = String(repeating: "\"", count: 6000)
      let refused = try await nobody.post("/sign-in", [("address", large)], of: "/sign-in")
      #expect(refused.status == 413)
      let typed = try await nobody.post(
        "/sign-in", [("address", "<\(String(repeating: "x", count: 1500))")], of: "/sign-in")
      #expect(typed.status == 422 && typed.body.contains("value=\"&lt;xxx"))
      for path in ["/domains", "/settings/tokens"] {
        let long = try await member.post(path, [("item", large), ("name", large)])
        #expect(long.status == 422 && !long.body.contains("&quot;&quot;&quot;&quot;") || path == "/domains", "\(path)")
        #expect(long.body.utf8.count < 30_000, "\(path)")
      }
    }
  }

  @Test("While as many uploads come as may be, the next one is told to wait")
  func uploads() async throws {
    let dashboard = try await Dashboard()
    let (owner, session) = try await dashboard.account("Alpha")
    let domain = try await dashboard.domain(owner, "alpha.example")
    let cookie = "oriel-"
    try await dashboard.serve({ settings, _ in settings.uploads = Quota(total: 5, perAccount: 1) }) { port in
      let member = Visitor(port: port)
      await member.signIn(session.text)
      let path = "/domains/\(domain)/inventory"
      let head = [
        "POST \(path) HTTP/1.1", "Host: x", "Cookie: \(cookie)\(port)=\(session.text)", "Content-Length: 1000000",
        "Content-Type: multipart/form-data; boundary=b",
      ]
      let slow = try LoopbackSocket(port: port)
      slow.send(Array((head.joined(separator: "\r\n") + "\r\n\r\n--b\r\n").utf8))
      let file = ("file", SentFile("a.pem", "no certificate"))
      var reply = try await member.upload(path, files: [file])
      while reply.status == 422 { reply = try await member.upload(path, files: [file]) }
      #expect(reply.status == 429 && reply.header("retry-after") != nil)
      #expect(reply.body.contains("other uploads are being worked on"))
      withExtendedLifetime(slow) {}
    }
  }
}
