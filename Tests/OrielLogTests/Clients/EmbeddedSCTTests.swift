import CertificateTransparency
import Crypto
import Foundation
import MerkleTree
import TestSupport
import TestWorld
import Testing

@testable import OrielLog

/// A certificate whose SCTs came from add-pre-chain of two logs, as others see it.
@Suite("Certificates with the SCTs of two logs", .serialized)
struct EmbeddedSCTTests {
  private struct Scene {
    let folder: TemporaryFolder
    let entries: [LogListEntry]
    let scts: [SignedCertificateTimestamp]
    let root: String
    let certificate: String
    /// The certificate and its issuer.
    let chain: String
    let issuer: String
    let key: String

    init(_ folder: TemporaryFolder, _ entries: [LogListEntry], _ authority: TestAuthority, port: Int) async throws {
      (self.folder, self.entries) = (folder, entries)
      let pending = try authority.begin(CertificateRequest(["localhost"]))
      let submission = try AddChainRequest(chain: [pending.precertificate] + pending.precertificateChain).json()
      var scts: [SignedCertificateTimestamp] = []
      for entry in entries {
        let path = LogListEntry.prefix(entry.submissionURL) + "ct/v1/add-pre-chain"
        let reply = try await RawHTTP(port: port).request("POST", path, body: submission)
        scts.append(try AddChainResponse(json: reply.body).sct)
      }
      self.scts = scts
      let pair = try pending.finish(scts)
      root = try folder.write(PEM.encode(authority.root.chain[0]), to: "root.pem")
      certificate = try folder.write(PEM.encode(pair.certificate), to: "leaf.pem")
      issuer = try folder.write(PEM.encode(pair.chain[0]), to: "issuer.pem")
      chain = try folder.write(PEM.encode(pair.certificate) + PEM.encode(pair.chain[0]), to: "chain.pem")
      key = try folder.write(try #require(pending.privateKey).pemRepresentation, to: "leaf.key")
    }

    /// OpenSSL's list of logs, with the key of each; `swapped` gives each the key of the other.
    func ctLogFile(swapped: Bool = false) throws -> String {
      let names = entries.indices.map { "log\($0)" }
      var text = "enabled_logs = \(names.joined(separator: ","))\n"
      for (name, entry) in zip(names, swapped ? entries.reversed() : entries) {
        text += "[\(name)]\ndescription = Oriel \(name)\nkey = \(Base64.encode(entry.key.derRepresentation))\n"
      }
      return try folder.write(text, to: "ctlogs\(swapped).cnf")
    }
  }

  private func withScene(_ body: (Scene) async throws -> Void) async throws {
    let folder = try TemporaryFolder()
    let clock = TravelClock()
    // OpenSSL reckons in whole seconds: an SCT of this very second is one of the future to it.
    clock.step(-60_000)
    let authority = try TestAuthority(seed: 21, now: { clock.now })
    var services: [LogService] = []
    for prefix in ["/a/", "/b/"] {
      let path = "\(folder.path)/log\(services.count)"
      try await ServedLog.create(path, authority, clock, nil, prefix: prefix)
      var settings = ServedLog.Options().service
      settings.period = .milliseconds(20)
      services.append(try await LogFolder(path).open(clock: clock.clock, settings: settings))
    }
    try await ServedLog.serve(services, ServedLog.Options().server) { port in
      try await body(try await Scene(folder, services.map(\.entry), authority, port: port))
    }
  }

  @Test("openssl s_client accepts them by its list of logs, and none by one without", .needs("openssl"))
  func openssl() async throws {
    let openssl = try #require(Programs.path("openssl"))
    try await withScene { scene in
      let server = try Command(
        [
          "s_server", "-accept", "127.0.0.1:0", "-www", "-cert", scene.certificate, "-key", scene.key, "-cert_chain",
          scene.issuer,
        ], program: openssl)
      try await server.wait(for: "ACCEPT 127.0.0.1:")
      let text = server.output
      let port = text.range(of: "ACCEPT 127.0.0.1:").map { text[$0.upperBound...].prefix { $0.isNumber } }
      let address = "127.0.0.1:\(try #require(port, "\(server.errors)"))"
      func connect(_ logs: String) async throws -> Command.Result {
        try await Command(
          [
            "s_client", "-connect", address, "-servername", "localhost", "-CAfile", scene.root, "-verify_return_error",
            "-ct", "-ctlogfile", logs,
          ], program: openssl
        ).finish()
      }
      let result = try await connect(try scene.ctLogFile())
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.output.contains("Verify return code: 0 (ok)"))
      #expect(result.output.contains("SCTs present (2)"), "\(result.output)")
      #expect(result.output.components(separatedBy: "SCT validation status: valid").count == 3)
      for number in 0..<2 { #expect(result.output.contains("Oriel log\(number)"), "\(result.output)") }
      let others = try await connect(try scene.folder.write("enabled_logs =\n", to: "none.cnf"))
      #expect(!others.output.contains("SCT validation status: valid"))
      #expect(
        others.output.components(separatedBy: "SCT validation status: unknown log").count == 3, "\(others.errors)")
      // It is born with SIGTERM blocked, as the threads of tests are.
      server.send(SIGKILL)
      _ = try await server.finish()
    }
  }

  private struct Embedded: Decodable, Hashable {
    let log: String
    let milliseconds: UInt64
    let version: String
    let type: String
  }

  @Test("Python's cryptography reads logs, times and kind of entry", .needsPythonCryptography)
  func python() async throws {
    try await withScene { scene in
      let script = """
        import datetime, json, sys
        from cryptography import x509
        certificate = x509.load_pem_x509_certificate(open(sys.argv[1], "rb").read())
        scts = certificate.extensions.get_extension_for_class(x509.PrecertificateSignedCertificateTimestamps).value
        epoch = datetime.datetime(1970, 1, 1)
        print(json.dumps([{
          "log": sct.log_id.hex(), "version": sct.version.name, "type": sct.entry_type.name,
          "milliseconds": (sct.timestamp.replace(tzinfo=None) - epoch) // datetime.timedelta(milliseconds=1),
        } for sct in scts]))
        """
      let result = try await Command(
        ["-c", script, scene.certificate], program: try #require(Programs.python)
      ).finish()
      #expect(result.status == 0, "\(result.errors)")
      let expected = scene.scts.map { sct in
        Embedded(
          log: sct.logID.hash.hex, milliseconds: sct.timestamp.milliseconds, version: "v1", type: "PRE_CERTIFICATE")
      }
      #expect(try JSONDecoder().decode([Embedded].self, from: Data(result.output.utf8)) == expected)
      #expect(Set(expected.map(\.log)) == Set(scene.entries.map(\.key.logID.hash.hex)))
    }
  }

  @Test("oriel check verifies them, and every policy passes")
  func orielCheck() async throws {
    try await withScene { scene in
      let kinds: [(entry: LogListEntry, kind: LogDescription.Kind)] = [
        (
          scene.entries[0],
          .staticCT(submission: scene.entries[0].submissionURL, monitoring: scene.entries[0].monitoringURL)
        ),
        (scene.entries[1], .rfc6962(url: scene.entries[1].submissionURL)),
      ]
      let list = try scene.folder.write(try ServedLog.list(kinds), to: "list.json")
      let result = try await Command.run(
        ["check", scene.chain, "--log-list", list, "--roots", scene.root, "--root-stores", scene.root, "--json"])
      #expect(result.status == 0, "\(result.output)\(result.errors)")
      let object = try #require(
        try JSONSerialization.jsonObject(with: Data((result.lines.first ?? "").utf8)) as? [String: Any])
      let verdicts = try #require(object["verdicts"] as? [[String: Any]])
      #expect(!verdicts.isEmpty && verdicts.allSatisfy { $0["standing"] as? String == "pass" }, "\(result.output)")
      let text = result.output.replacing("\\/", with: "/")
      for entry in scene.entries { #expect(text.contains(entry.key.logID.base64)) }
    }
  }
}
