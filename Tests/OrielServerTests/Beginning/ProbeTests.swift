import CertificateTransparency
import Crypto
import Foundation
import OrielAccounts
import OrielProbe
import OrielStore
import OrielWatchlist
import TestSupport
import TestWorld
import Testing

@testable import OrielServer

/// A TLS server on loopback that shows one certificate.
private final class ShownHost: Sendable {
  static let openssl = "/usr/bin/openssl"

  let port: UInt16
  private let folder: TemporaryFolder
  private let command: Command

  struct Failure: Error { let words: String }

  init(_ pair: IssuedPair) async throws {
    folder = try TemporaryFolder()
    let key = try #require(pair.pending.privateKey)
    let files = [
      try folder.write(PEM.encode(pair.certificate), to: "leaf.pem"),
      try folder.write(key.pemRepresentation, to: "key.pem"),
      try folder.write(pair.chain.map { PEM.encode($0) }.joined(), to: "chain.pem"),
    ]
    command = try Command(
      ["s_server", "-accept", "127.0.0.1:0", "-www", "-cert", files[0], "-key", files[1], "-cert_chain", files[2]],
      program: URL(filePath: ShownHost.openssl))
    try await command.wait(for: "ACCEPT ")
    let output = command.output
    guard let mark = output.range(of: "ACCEPT 127.0.0.1:"),
      let port = UInt16(output[mark.upperBound...].prefix { $0.isNumber })
    else { throw Failure(words: output + command.errors) }
    self.port = port
  }
}

@Suite("Looking at the hosts of a domain")
struct ProbeTests {
  /// Finds every host on loopback, and may look at one more port.
  private static func probe(_ port: UInt16, allowsPrivate: Bool = true) -> HostProbe {
    var probe = HostProbe()
    probe.ports[port] = .some(nil)
    probe.allowsPrivate = allowsPrivate
    probe.resolve = { target in
      // What nobody listens on, for all but the port that is asked for.
      [try #require(SocketAddress("127.0.0.1", port: target.port == port ? port : 1))]
    }
    return probe
  }

  @Test(
    "What hosts show is listed with where it was seen; what can't be reached says why",
    .enabled(if: FileManager.default.isExecutableFile(atPath: ShownHost.openssl), "needs openssl (apt-get install it)"))
  func looking() async throws {
    let dashboard = try await Dashboard()
    let (owner, session) = try await dashboard.account("Alpha")
    let domain = try await dashboard.domain(owner, "alpha.example", isConfirmed: false)
    let pair = try dashboard.authority.issue(CertificateRequest(["shop.alpha.example", "www.beta.example"]))
    let host = try await ShownHost(pair)
    try await dashboard.serve({ $1.probe = Self.probe(host.port) }) { (port: Int) async throws in
      let member = Visitor(port: port)
      await member.signIn(session.text)
      let path = "/domains/\(domain)/first-day"
      let page = try await member.get(path).body
      #expect(page.contains("mail.alpha.example:25") && page.contains("www.alpha.example"))
      let reply = try await member.post(path + "/probe", [("hosts", "Shop.alpha.example:\(host.port)\r\n")])
      #expect(reply.header("location") == path + "#looked")
      while try await member.get(path).body.contains("Looking,") { try await Task.sleep(for: .milliseconds(20)) }
      let seen = try await member.get(path).body
      #expect(seen.contains("shop.alpha.example:\(host.port)</bdi>: <bdi>its certificate is listed below"))
      #expect(seen.contains("www.alpha.example</bdi>: <bdi>") && seen.contains("127.0.0.1:1"))
      #expect(seen.contains("seen at shop.alpha.example:\(host.port)"))
      HostileTextTests.check(seen, path)
      let records = try await AlertStore(dashboard.database).baseline(of: domain.value).map(\.record)
      #expect(records.map(\.names) == [["shop.alpha.example"]] && records.allSatisfy { !$0.isConfirmed })
      #expect(records.first?.issuerKeyHash == pair.issuerKeyHash)
      // Not again and again.
      #expect(try await member.post(path + "/probe").status == 429)
      dashboard.pass(ProbeRuns.pause)
      #expect(try await member.post(path + "/probe", [("hosts", "shop.alpha.example:\(host.port)")]).status == 303)
      while try await member.get(path).body.contains("Looking,") { try await Task.sleep(for: .milliseconds(20)) }
      #expect(try await member.get(path).body.contains("its certificate is nothing new"))
    }
  }

  @Test("A look that takes long goes on behind the page, and ends with the server")
  func slow() async throws {
    let dashboard = try await Dashboard()
    let (owner, session) = try await dashboard.account("Alpha")
    let domain = try await dashboard.domain(owner, "alpha.example", isConfirmed: false)
    var probe = HostProbe()
    probe.resolve = { _ in
      try await Task.sleep(for: .seconds(86_400))
      return []
    }
    let slow = probe
    try await dashboard.serve({ settings, parts in
      settings.probeWait = .milliseconds(1)
      parts.probe = slow
    }) { (port: Int) async throws in
      let member = Visitor(port: port)
      await member.signIn(session.text)
      let path = "/domains/\(domain)/first-day"
      #expect(try await member.post(path + "/probe").status == 303)
      #expect(try await member.get(path).body.contains("Looking, 0 of 4 done."))
      dashboard.pass(Dashboard.day)
      #expect(try await member.post(path + "/probe").status == 429)
    }
  }

  static let hosts: [(text: String, words: String)] = [
    ("www.beta.example", "www.beta.example is not covered by alpha.example"),
    ("xalpha.example", "xalpha.example is not covered by alpha.example"),
    ("127.0.0.1", "is no name of a host"), ("localhost", "is not covered"), ("[::1]", "is no name of a host"),
    ("a.alpha.example:22", "the ports looked at are 25, 110, 143,"), ("a.alpha.example:x", "the ports looked at"),
    ("a.alpha.example:443:1", "is no name of a host"), ("https://a.alpha.example/", "https is not covered"),
    ("*.alpha.example", "is no name of a host"), ("<b>", "is no name of a host"),
    ((0..<30).map { "h\($0).alpha.example" }.joined(separator: " "), "at most 20 hosts at once"),
  ]

  @Test("Names that are not of the domain, and ports that have no certificates, are refused", arguments: hosts)
  func refused(_ item: (text: String, words: String)) async throws {
    try await UploadTests.run { dashboard, _, domain, member in
      let path = "/domains/\(domain)/first-day"
      let reply = try await member.post(path + "/probe", [("hosts", item.text)])
      #expect(reply.status == 422 && reply.body.contains(item.words), "\(item.text.prefix(50))")
      #expect(reply.body.contains(#"id="e-hosts""#) && reply.body.contains(#"aria-invalid="true""#))
      HostileTextTests.check(reply.body, path)
    }
  }

  static let addresses = [
    ["127.0.0.1"], ["10.0.0.1"], ["169.254.169.254"], ["192.168.1.1", "198.41.0.4"], ["198.41.0.4", "::1"],
    ["fe80::1"], ["::ffff:10.0.0.1"], ["fc00::1"],
  ]

  @Test(
    "Hosts with an address that is not public are not connected to, unless the operator allows it", arguments: addresses
  )
  func inside(_ texts: [String]) async throws {
    var probe = HostProbe()
    let addresses = try texts.map { try #require(SocketAddress($0, port: 443)) }
    probe.resolve = { _ in addresses }
    let sight = await probe.look(at: HostProbe.Place(host: "a.alpha.example", port: 443))
    guard case .nothing(let reason) = sight else {
      Issue.record("\(sight)")
      return
    }
    #expect(reason.contains("is not to be reached: "))
  }

  @Test(
    "Where to look first goes by what is watched",
    arguments: [
      ("a.example", ["a.example", "www.a.example", "mail.a.example", "mail.a.example:25"]),
      ("=w.a.example", ["w.a.example"]), ("192.0.2.0/24", []),
    ])
  func usual(_ item: String, _ places: [String]) throws {
    #expect(HostProbe().usualPlaces(of: try WatchedItem(parsing: item)).map(\.description) == places)
  }
}
