import CertificateTransparency
import Foundation
import TestSupport
import Testing

@testable import OrielProbe

@Suite("A probe that gets nothing says why", .needsPeers)
struct ProbeErrorTests {
  private func failure(_ target: ProbeTarget, _ options: ProbeOptions = ProbeOptions()) async throws -> ProbeError? {
    let probe = try TLSProbe(options)
    return await #expect(throws: ProbeError.self) { try await probe.probe(target) }
  }

  private func failure(_ mode: String, _ startTLS: StartTLS? = nil) async throws -> ProbeError? {
    let server = try await Peer.scripted(mode)
    return try await failure(server.target(startTLS: startTLS))
  }

  @Test("no such host, nothing listening, no way there")
  func unreachable() async throws {
    let long = String(repeating: "a", count: 64) + ".example"
    let unresolved = try await failure(ProbeTarget(host: long))
    guard case .nameNotResolved(long, _)? = unresolved else {
      Issue.record("\(String(describing: unresolved))")
      return
    }
    let address = try #require(SocketAddress("127.0.0.1", port: 1))
    #expect(try await failure(ProbeTarget(host: "127.0.0.1", port: 1)) == .refused(address))
    let nowhere = try await failure(ProbeTarget(host: "255.255.255.255"))
    #expect(nowhere?.code == "unreachable")
    #expect(nowhere?.description.hasPrefix("255.255.255.255:443 can't be reached: ") == true)
  }

  @Test(
    "no answer in time, in each phase",
    arguments: [("full", nil, .connecting), ("silent", nil, .handshake), ("silent", .smtp, .startTLS)]
      as [(String, StartTLS?, ProbeError.Phase)])
  func timeouts(_ mode: String, _ startTLS: StartTLS?, _ phase: ProbeError.Phase) async throws {
    var options = ProbeOptions()
    options.connectTimeout = .milliseconds(300)
    options.totalTimeout = .milliseconds(600)
    let server = try await Peer.scripted(mode)
    #expect(try await failure(server.target(startTLS: startTLS), options) == .timedOut(phase))
  }

  @Test(
    "another protocol, with a safe excerpt",
    arguments: [
      ("http", "HTTP/1.1 400 Bad.[31m Request"), ("ssh", "SSH-2.0-OpenSSH_9.2"), ("smtp", "220-mail.example"),
    ]
  )
  func notTLS(_ mode: String, _ excerpt: String) async throws {
    #expect(try await failure(mode) == .notTLS(excerpt: excerpt))
  }

  @Test("connections that end or break", arguments: ["resets", "closes"])
  func closed(_ mode: String) async throws {
    #expect(try await failure(mode) == .closed(.handshake))
  }

  @Test("the alert of the server, by its name")
  func alert() async throws {
    let error = try await failure("alerts")
    #expect(error == .alert(.unrecognisedName))
    #expect(error?.description.contains("unrecognized_name") == true)
  }

  @Test(
    "refused STARTTLS, with the reply",
    arguments: [
      (StartTLS.smtp, "454 4.7.0 TLS not available"), (.imap, "a1 NO not here"), (.pop3, "-ERR not here"),
      (.postgres, "N"),
    ])
  func startTLSRefused(_ kind: StartTLS, _ reply: String) async throws {
    #expect(try await failure("\(kind.rawValue)-refuses", kind) == .startTLSRefused(kind, reply: reply))
  }

  @Test("bytes slipped in before the handshake", arguments: StartTLS.allCases)
  func injected(_ kind: StartTLS) async throws {
    let error = try await failure("\(kind.rawValue)-injects", kind)
    guard case .startTLSRefused(kind, let reply)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(reply.hasPrefix("more before the handshake: "))
  }

  @Test(
    "another protocol than that of STARTTLS", arguments: StartTLS.allCases, ["ssh", "endless_line", "endless_reply"])
  func wrongProtocol(_ kind: StartTLS, _ mode: String) async throws {
    let error = try await failure(mode, kind)
    switch error {
    case .wrongProtocol(kind, _)?: break
    case .limitExceeded?: #expect(kind == .smtp && mode == "endless_reply")
    // The S of SSH is PostgreSQL's yes.
    case .startTLSRefused(kind, _)?: #expect(kind == .postgres && mode == "ssh")
    default: Issue.record("\(String(describing: error))")
    }
  }

  @Test("servers that send too much, or nothing that can be used")
  func hostile() async throws {
    #expect(try await failure("no_certificate") == .noCertificate)
    for mode in ["not_der", "bad_lengths", "endless_records", "endless_warnings", "random"] {
      let error = try await failure(mode)
      switch error {
      case .handshakeFailed?, .limitExceeded?, .alert?: break
      default: Issue.record("\(mode): \(String(describing: error))")
      }
    }
    for version in TLSProbeTests.versions {
      for (chain, words) in [("many.pem", "more than 32 certificates"), ("huge.pem", "larger than 256 KiB")] {
        let server = try await Peer.openSSL([], chain: chain)
        let error = try await failure(server.target(), .only(version))
        #expect(error?.code == "limit-exceeded" && error?.description.contains(words) == true, "\(chain)")
      }
    }
  }

  @Test("and none of a thousand damaged handshakes stops it", arguments: TLSProbeTests.versions)
  func mutated(_ version: TLSVersion) async throws {
    let upstream = try await Peer.scripted("tls")
    let server = try await Peer.scripted("mutated", upstream: upstream)
    // A damaged length leaves both sides waiting.
    var options = ProbeOptions.only(version)
    options.totalTimeout = .seconds(2)
    let probe = try TLSProbe(options)
    let target = try server.target()
    let codes = await withTaskGroup(of: String.self, returning: [String: Int].self) { group in
      for _ in 0..<500 {
        group.addTask {
          do throws(ProbeError) {
            _ = try await probe.probe(target)
            return "good"
          } catch {
            return error.code
          }
        }
      }
      return await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
    }
    #expect(codes["handshake-failed", default: 0] > 50)
    #expect(codes["unavailable"] == nil && codes["cancelled"] == nil)
  }

  @Test("cancellation closes the connection", arguments: [nil, StartTLS.imap])
  func cancellation(_ startTLS: StartTLS?) async throws {
    let server = try await Peer.scripted("silent")
    let target = try server.target(startTLS: startTLS)
    let task = Task { try await TLSProbe().probe(target) }
    if startTLS == nil {
      try await server.command.wait(for: "HEARD")
    } else {
      try await Task.sleep(for: .milliseconds(200))
    }
    task.cancel()
    await #expect(throws: ProbeError.cancelled) { try await task.value }
    try await server.command.wait(for: "GONE")
    #expect(server.command.output.contains("GONE"))
  }

  @Test("options that OpenSSL can't satisfy")
  func badOptions() throws {
    var options = ProbeOptions()
    options.minimumVersion = .tls13
    options.maximumVersion = .tls12
    #expect(throws: ProbeError.self) { try TLSProbe(options) }
  }
}

@Suite("A target")
struct ProbeTargetTests {
  @Test(
    "is read from text",
    arguments: [
      ("example.com", "example.com", 443), ("example.com:8443", "example.com", 8443), ("192.0.2.1:1", "192.0.2.1", 1),
      ("2001:db8::1", "2001:db8::1", 443), ("[2001:db8::1]", "2001:db8::1", 443), ("[::1]:65535", "::1", 65535),
    ] as [(String, String, UInt16)])
  func good(_ text: String, _ host: String, _ port: UInt16) throws {
    let target = try ProbeTarget(text)
    #expect(target.host == host && target.port == port)
    #expect(try ProbeTarget(host, startTLS: .smtp).port == 25)
  }

  @Test(
    "is refused where it can be none",
    arguments: [
      "", ":443", "example.com:", "example.com:0", "example.com:65536", "example.com:-1", "example.com:٣", "[::1",
      "[::1]x",
      "a b", "a\u{0}b", "bücher.example", String(repeating: "a", count: 256), "[]:1",
    ])
  func bad(_ text: String) {
    let error = #expect(throws: ProbeError.self) { try ProbeTarget(text) }
    #expect(error?.code == "invalid-target")
    #expect(error?.description.utf8.allSatisfy { $0 >= 0x20 } == true)
  }
}
