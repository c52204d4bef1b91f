import CertificateTransparency
import Foundation
import TestSupport
import Testing

@testable import OrielProbe

@Suite("A probe", .needsPeers)
struct TLSProbeTests {
  static let versions = [TLSVersion.tls12, .tls13]
  static let captured = "tls/extracted/signed_certificate_timestamp-2_18af57b6b3"

  @Test("brings back chain, staple and SCT extension as the server has them", .needsTestData, arguments: versions)
  func threeWays(_ version: TLSVersion) async throws {
    let certificates = try Certificates.shared.get()
    let list = try TestData.bytes(Self.captured + "_tls_sct_list.bin")
    let info = try certificates.serverInfo(list, "captured-\(version).info")
    let staple = Self.captured + "_ocsp.der"
    let server = try await Peer.openSSL(["-serverinfo", info, "-status_file", try TestData.url(staple).path])
    let handshake = try await TLSProbe(.only(version)).probe(server.target())
    #expect(handshake.version == version)
    #expect(handshake.certificates == (try certificates.der("ec-chain.pem")))
    #expect(handshake.sctList == list)
    #expect(handshake.ocspResponse == (try TestData.bytes(staple)))
    #expect(handshake.notes.isEmpty)
    #expect(handshake.address.description == "127.0.0.1:\(server.port)")
    #expect(handshake.cipherSuite.hasPrefix(version == .tls13 ? "TLS_AES_" : "TLS_ECDHE_ECDSA_WITH_"))
  }

  @Test("says what is not there", arguments: versions)
  func bare(_ version: TLSVersion) async throws {
    let server = try await Peer.openSSL([])
    let handshake = try await TLSProbe(.only(version)).probe(server.target())
    #expect(handshake.certificates.count == 2)
    #expect(handshake.sctList == nil && handshake.ocspResponse == nil)
  }

  @Test(
    "hands on an SCT extension that is no list, as it came", arguments: versions,
    [[0xff], [0x00, 0x00], [0x00, 0x05, 0x00, 0x09, 0x01], [UInt8](repeating: 0xa5, count: 9000)])
  func brokenLists(_ version: TLSVersion, _ data: [UInt8]) async throws {
    let info = try Certificates.shared.get().serverInfo(data, "broken-\(version)-\(data.count).info")
    let server = try await Peer.openSSL(["-serverinfo", info])
    #expect(try await TLSProbe(.only(version)).probe(server.target()).sctList == data)
  }

  @Test("gets the RSA and the ECDSA certificate of a server that has both", arguments: versions)
  func bothKinds(_ version: TLSVersion) async throws {
    let certificates = try Certificates.shared.get()
    let inter = certificates.path("inter.pem")
    let server = try await Peer.openSSL([
      "-dcert", certificates.path("rsa.pem"), "-dkey", certificates.path("rsa.key"), "-dcert_chain", inter,
    ])
    for kind in [ProbeOptions.CertificateKind.rsa, .ecdsa] {
      let handshake = try await TLSProbe(.only(version, kind)).probe(server.target())
      #expect(handshake.certificates == (try certificates.der(kind == .rsa ? "rsa-chain.pem" : "ec-chain.pem")))
    }
  }

  @Test("is told by an alert that there is no certificate of the kind", arguments: versions)
  func otherKind(_ version: TLSVersion) async throws {
    let server = try await Peer.openSSL([])
    await #expect(throws: ProbeError.alert(.handshakeFailure)) {
      try await TLSProbe(.only(version, .rsa)).probe(server.target())
    }
  }

  @Test("looks at servers that speak only old versions when asked to", arguments: [TLSVersion.tls10, .tls11])
  func oldVersions(_ version: TLSVersion) async throws {
    let server = try await Peer.openSSL([version == .tls10 ? "-tls1" : "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"])
    #expect(try await TLSProbe(.only(version)).probe(server.target()).version == version)
    await #expect(throws: ProbeError.alert(.protocolVersion)) { try await TLSProbe().probe(server.target()) }
  }

  @Test(
    "reads nginx with both certificates, staple and SCTs", .needsTestData,
    .enabled(if: FileManager.default.isExecutableFile(atPath: Peer.nginx), "needs nginx (apt-get install nginx-light)"),
    arguments: versions)
  func nginx(_ version: TLSVersion) async throws {
    let certificates = try Certificates.shared.get()
    let list = try TestData.bytes(Self.captured + "_tls_sct_list.bin")
    let staple = Self.captured + "_ocsp.der"
    let info = try certificates.serverInfo(list, "nginx-\(version.rawValue).info")
    let server = try await Peer.nginx([
      "ssl_stapling on; ssl_stapling_file \(try TestData.url(staple).path);",
      "ssl_conf_command ServerInfoFile \(info);",
    ])
    for kind in [ProbeOptions.CertificateKind.rsa, .ecdsa] {
      let handshake = try await TLSProbe(.only(version, kind)).probe(server.target())
      #expect(handshake.certificates == (try certificates.der(kind == .rsa ? "rsa-chain.pem" : "ec-chain.pem")))
      #expect(handshake.ocspResponse == (try TestData.bytes(staple)))
      // nginx gives the file to one of its certificates: where it staples, to the first.
      #expect(handshake.sctList == (kind == .ecdsa ? list : nil))
    }
  }

  @Test("says that a client certificate is asked for, and has the chain all the same", arguments: versions)
  func clientCertificate(_ version: TLSVersion) async throws {
    for option in ["-verify", "-Verify"] {
      let server = try await Peer.openSSL([option, "1", "-verify_return_error"])
      let handshake = try await TLSProbe(.only(version)).probe(server.target())
      #expect(handshake.certificates.count == 2)
      #expect(handshake.notes.first == .clientCertificateRequested)
      switch handshake.notes.dropFirst().first {
      case nil: #expect(option == "-verify" || version == .tls13)
      case .refusedWithoutClientCertificate(let error)?:
        #expect(option == "-Verify" && version == .tls12)
        #expect(error == .alert(.handshakeFailure) || error == .closed(.handshake))
      case let note?: Issue.record("\(note)")
      }
    }
  }

  @Test(
    "names the server as told",
    arguments: [
      ("probe.example", ProbeTarget.ServerName.host, "probe.example"), ("probe.example.", .host, "probe.example"),
      ("127.0.0.1", .host, "None"), ("::1", .host, "None"), ("127.0.0.1", .name("other.example"), "other.example"),
      ("probe.example", .none, "None"),
    ])
  func serverName(_ host: String, _ name: ProbeTarget.ServerName, _ heard: String) async throws {
    let server = try await Peer.scripted("tls")
    _ = try await TLSProbe().probe(server.target(host, serverName: name))
    try await server.command.wait(for: "NAME ")
    #expect(server.command.output.hasSuffix("NAME \(heard)\n"))
  }

  @Test("goes on to the next address of a name, and keeps to the family asked for")
  func addresses() async throws {
    let server = try await Peer.scripted("tls")
    let target = try ProbeTarget(host: "localhost", port: server.port)
    let addresses = try await TLSProbe().addresses(of: target)
    let expected = try #require(SocketAddress("127.0.0.1", port: server.port))
    #expect(addresses.contains(expected))
    #expect(try await TLSProbe().probe(target).address == expected)
    var options = ProbeOptions()
    options.family = .ipv6
    await #expect(throws: ProbeError.self) { try await TLSProbe(options).probe(target) }
    await #expect(throws: ProbeError.self) {
      try await TLSProbe(options).addresses(of: ProbeTarget(host: "127.0.0.1"))
    }
  }

  @Test("turns to TLS by each protocol's own preamble", arguments: StartTLS.allCases)
  func startTLS(_ kind: StartTLS) async throws {
    let server = try await Peer.scripted(kind.rawValue)
    let handshake = try await TLSProbe().probe(server.target(startTLS: kind))
    #expect(handshake.certificates == (try server.certificates.der("ec-chain.pem")))
  }

  @Test("shakes hands a thousand times at once")
  func thousand() async throws {
    let server = try await Peer.scripted("tls")
    let probe = try TLSProbe()
    let target = try server.target()
    let expected = try server.certificates.der("ec-chain.pem")
    let good = await withTaskGroup(of: Bool.self, returning: Int.self) { group in
      for _ in 0..<1000 {
        group.addTask { (try? await probe.probe(target))?.certificates == expected }
      }
      return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
    }
    #expect(good == 1000)
  }
}
