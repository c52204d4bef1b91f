import CertificateTransparency
import Crypto
import Foundation
import TestSupport
import TestWorld
import Testing

/// `oriel check` as a person runs it, against `openssl s_server`.
@Suite("oriel check", .serialized, .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl")))
struct CheckCommandTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    var embedded: [String] = []
    var tls: [String] = []
    var ocsp: [String] = []
    var days: UInt64 = 90
    let status: Int32
    /// The policies that fail, and Chrome's code.
    let failing: Set<String>
    let code: String

    var testDescription: String { name }
  }

  static let cases = [
    Case(name: "two embedded, two operators", embedded: ["a", "b"], status: 0, failing: [], code: "CT-OK-1"),
    Case(
      name: "two embedded, one operator", embedded: ["a", "a2"], status: 1,
      failing: ["chrome", "firefox", "android", "apple-published"], code: "CT-OPERATORS-1"),
    Case(name: "TLS alone", tls: ["a", "b"], status: 0, failing: [], code: "CT-OK-1"),
    Case(name: "OCSP alone", ocsp: ["a", "b"], status: 1, failing: ["chrome"], code: "CT-OCSP-1"),
    Case(
      name: "two for 200 days", embedded: ["a", "b"], days: 200, status: 1,
      failing: ["chrome", "firefox", "android", "apple-published", "apple-observed"], code: "CT-COUNT-1"),
    Case(
      name: "only of logs that nobody knows", status: 1,
      failing: ["chrome", "firefox", "android", "apple-published", "apple-observed"], code: "CT-LOG-1"),
  ]

  @Test("judges what a server sends in certificate, TLS and OCSP", arguments: cases, ["-tls1_2", "-tls1_3"])
  func server(_ item: Case, version: String) async throws {
    let scene = try CheckScene()
    let certificate = try scene.certificate(
      embedded: item.embedded, tls: item.tls, ocsp: item.ocsp, days: item.days)
    let (server, port) = try await CheckScene.serve(certificate.arguments + [version])
    let result = try await Command.run(
      ["check", "--json", "localhost:\(port)", "--address", "127.0.0.1"] + scene.judging)
    #expect(result.status == item.status, "\(result.output)\(result.errors)\(server.errors)")
    let standings = try CheckScene.standings(try #require(result.lines.first))
    #expect(Set(standings.filter { $0.value.standing == "fail" }.keys) == item.failing)
    #expect(standings["chrome"]?.code == item.code)
    let text = try await Command.run(["check", "localhost:\(port)", "--address", "127.0.0.1"] + scene.judging)
    #expect(text.status == item.status)
    #expect(text.output.contains(version == "-tls1_2" ? "TLS 1.2" : "TLS 1.3"))
    if item.status == 1 {
      #expect(text.output.contains("Cause     ") && text.output.contains("Mend      "))
      #expect(text.output.contains("net::ERR_CERTIFICATE_TRANSPARENCY_REQUIRED"))
    }
  }

  @Test("goes by what Apple's trustd does; the published text is shown, and decides where it is asked for")
  func publishedText() async throws {
    let scene = try CheckScene()
    let chain = try scene.certificate(embedded: ["x", "y"]).chain
    let common = ["check", chain, "--host", "localhost"] + scene.judging
    let text = try await Command.run(common)
    #expect(text.status == 0 && text.output.contains("Apple (published) not met"), "\(text.output)\(text.errors)")
    #expect(text.output.contains("CT-CLASSIC-1") && !text.output.contains("Cause"), "\(text.output)")
    let line = try await Command.run(common + ["--json"]).output
    #expect(line.contains("\"standing\":\"pass\"") && line.contains("\"codes\":[]"), "\(line)")
    let standings = try CheckScene.standings(line)
    #expect(standings["apple-published"]?.standing == "fail" && standings["apple-observed"]?.standing == "pass")
    for (policy, status) in [("apple", Int32(0)), ("apple-published", 1), ("apple-observed", 0)] {
      let result = try await Command.run(common + ["--policy", policy])
      #expect(result.status == status, "\(policy) \(result.output)")
    }
  }

  @Test("agrees with `openssl s_client -ct` on SCTs of certificate, OCSP and TLS")
  func openSSL() async throws {
    let scene = try CheckScene()
    let certificate = try scene.certificate(embedded: ["a", "b"], tls: ["c"], ocsp: ["a2"])
    let (server, port) = try await CheckScene.serve(certificate.arguments)
    let sections = scene.logs.map { name, log in
      "[\(name)]\ndescription = \(name)\nkey = \(Data(log.signer.publicKey.derRepresentation).base64EncodedString())\n"
    }
    let enabled = scene.logs.keys.sorted().joined(separator: ",")
    let logs = try scene.folder.write(
      "enabled_logs = \(enabled)\n\n" + sections.joined(separator: "\n"), to: "logs.cnf")
    let client = try Command(
      [
        "s_client", "-connect", "127.0.0.1:\(port)", "-servername", "localhost", "-CAfile", scene.roots, "-status",
        "-ct", "-ctlogfile", logs,
      ], program: URL(filePath: "/usr/bin/openssl"))
    let theirs = try await client.finish()
    let ours = try await Command.run(
      ["check", "--json", "localhost:\(port)", "--address", "127.0.0.1"] + scene.judging)
    let valid = { (text: String, mark: String) in text.components(separatedBy: mark).count - 1 }
    #expect(valid(theirs.output.lowercased(), "validation status: valid") == 4, "\(theirs.output)\(server.errors)")
    #expect(valid(ours.output, "\"status\":\"valid\"") == 4, "\(ours.output)")
  }

  @Test("asks nothing of a root that is not public, and tells where the root is not known")
  func publicity() async throws {
    let scene = try CheckScene()
    let chain = try scene.certificate(embedded: []).chain
    let local = try await Command.run(
      ["check", chain, "--host", "localhost", "--log-list", scene.list, "--roots", scene.roots])
    #expect(local.status == 0 && local.output.contains("not required"))
    let stale = try await Command.run(["check", chain, "--as-of", "2027-12-01"] + scene.judging)
    #expect(stale.output.contains("TOO OLD to judge by"), "\(stale.output)")
    let unknown = try await Command.run(["check", chain, "--log-list", scene.list])
    #expect(unknown.status == 2 && unknown.output.contains("CHAIN-ISSUER-1"), "\(unknown.output)")
  }

  @Test("takes --as-of with the date of today for now, and with an earlier one for that day")
  func asOf() async throws {
    let scene = try CheckScene()
    let chain = try scene.certificate(embedded: ["a"], days: 200).chain
    let day = { String("\(Timestamp(milliseconds: UInt64(Date().timeIntervalSince1970 * 1000)))".prefix(10)) }
    let common = ["check", chain, "--host", "localhost", "--json"] + scene.judging
    // At midnight the day may change in between.
    for _ in 0..<2 {
      let today = day()
      let now = try CheckScene.standings(try await Command.run(common).output)
      let asOf = try await Command.run(common + ["--as-of", today])
      guard today == day() else { continue }
      #expect(asOf.status == 1)
      let then = try CheckScene.standings(asOf.output)
      #expect(now.count == 5 && then.mapValues(\.code) == now.mapValues(\.code))
      #expect(then.mapValues(\.standing) == now.mapValues(\.standing))
      break
    }
    let before = try CheckScene.standings(try await Command.run(common + ["--as-of", "2025-01-01"]).output)
    #expect(before["android"]?.standing == "not-required" && before["firefox"]?.standing == "not-required")
    #expect(before["chrome"]?.standing == "fail")
  }

  @Test("takes enterprise policies into account, and tells of one that nearly matches")
  func exemptions() async throws {
    let scene = try CheckScene()
    let chain = try scene.certificate(embedded: ["a"]).chain
    let near = try scene.folder.write(
      #"{"CertificateTransparencyEnforcementDisabledForUrls": [".host"]}"#, to: "near.json")
    let exact = try scene.folder.write(
      #"{"CertificateTransparencyEnforcementDisabledForUrls": ["localhost"]}"#, to: "exact.json")
    let common = ["check", chain, "--host", "localhost", "--policy", "chrome"] + scene.judging
    let blocked = try await Command.run(common + ["--enterprise-policy", near])
    #expect(blocked.status == 1, "\(blocked.output)")
    let exempt = try await Command.run(common + ["--enterprise-policy", exact])
    #expect(
      exempt.status == 0 && exempt.output.contains("localhost covers") || exempt.output.contains("covers localhost"))
  }

  @Test("has its own words for each kind of bad input")
  func badInput() async throws {
    let scene = try CheckScene()
    let certificate = try scene.certificate(embedded: ["a", "b"])
    let key = scene.folder.path + "/leaf.key"
    let garbage = try scene.folder.write("hello\n", to: "garbage.pem")
    let reversed = try scene.folder.write(
      ([certificate.pair.certificate] + certificate.pair.chain.dropLast()).reversed().map { PEM.encode($0) }.joined(),
      to: "reversed.pem")
    let expected: [(arguments: [String], status: Int32, words: String)] = [
      ([key], 2, "is a private key"), ([garbage], 2, "neither PEM nor DER"), (["/nowhere.pem"], 2, "no such file"),
      (["localhost:1"], 2, "refuses the connection"), (["no-such-host.invalid"], 2, "does not resolve"),
    ]
    for (arguments, status, words) in expected {
      let result = try await Command.run(["check"] + arguments + scene.judging)
      #expect(result.status == status && result.errors.contains(words), "\(arguments) \(result.output)\(result.errors)")
    }
    let repaired = try await Command.run(["check", reversed, "--host", "localhost"] + scene.judging)
    #expect(repaired.status == 0 && repaired.output.contains("out of order"), "\(repaired.output)")
    let leafOnly = try await Command.run(["check", scene.folder.path + "/leaf.pem"] + scene.judging)
    #expect(leafOnly.status == 2 && leafOnly.output.contains("CHAIN-ISSUER-1"), "\(leafOnly.output)")
    let noList = try await Command.run(["check", certificate.chain, "--data-dir", scene.folder.path + "/none"])
    #expect(noList.status == 2 && noList.errors.contains("oriel logs update"))
  }

  @Test(
    "names a file to judge by that can't be used, with an exit code of its own",
    arguments: [
      ("--log-list", "<html>captive portal</html>"), ("--log-list", #"{"version": "7", "operators": [{"name": "A"#),
      ("--log-list", ""), ("--log-list", #"{"logs": [], "operators": []}"#), ("--log-list", "[]"),
      ("--log-list", #"{"version": "7", "operators": []}"#), ("--log-list", nil), ("--root-stores", "{}}"),
      ("--root-stores", nil), ("--roots", "hello"), ("--roots", nil), ("--enterprise-policy", "[1"),
      ("--enterprise-policy", nil), ("--hosts", nil),
    ] as [(String, String?)])
  func unusableFiles(_ option: String, _ content: String?) async throws {
    let scene = try CheckScene()
    let chain = try scene.certificate(embedded: ["a", "b"]).chain
    let file = scene.folder.path + "/a, b.txt"
    if let content { _ = try scene.folder.write(content, to: "a, b.txt") }
    let judging = option == "--log-list" ? [] : ["--log-list", scene.list]
    for value in option == "--log-list" ? [file, "apple=\(scene.list),chrome=\(file)"] : [file] {
      let result = try await Command.run(["check", chain, "--json"] + judging + [option, value])
      #expect(result.status == 65, "\(result.output)\(result.errors)")
      #expect(result.output.isEmpty && result.errors.contains(file), "\(result.errors)")
    }
  }

  @Test("many hosts at once: each is told, in the order asked for")
  func manyHosts() async throws {
    let scene = try CheckScene()
    let (server, port) = try await CheckScene.serve(try scene.certificate(embedded: ["a", "b"]).arguments)
    let hosts = try scene.folder.write(
      "# ours\n" + (0..<20).map { $0 % 5 == 4 ? "localhost:1\n" : "localhost:\(port)\n" }.joined(), to: "hosts")
    let result = try await Command.run(["check", "--json", "--hosts", hosts] + scene.judging)
    #expect(result.status == 2, "\(result.errors)\(server.errors)")
    #expect(result.lines.count == 20)
    for (number, line) in result.lines.enumerated() {
      #expect(line.contains(number % 5 == 4 ? "\"refused\"" : "\"standing\":\"pass\""))
    }
  }

  @Test("explains its codes, decodes and verifies SCTs, and suggests policies")
  func besides() async throws {
    let explained = try await Command.run(["check", "--explain", "ct-operators-1"])
    #expect(explained.status == 0 && explained.output.contains("CT-OPERATORS-1"))
    #expect(try await Command.run(["check", "--explain", "CT-NOTHING"]).status == 64)
    let scene = try CheckScene()
    let certificate = try scene.certificate(embedded: ["a", "b"])
    let verified = try await Command.run(["sct", "verify", "--cert", certificate.chain, "--log-list", scene.list])
    #expect(verified.status == 0 && verified.lines.count == 2 && verified.lines.allSatisfy { $0.contains("valid") })
    let sct = try scene.scts(["c"], certificate.pair.certificateEntry)[0].encoded()
    let decoded = try await Command.run(
      ["sct", "decode", Data(sct).base64EncodedString(), "--log-list", scene.list, "--json"])
    #expect(decoded.status == 0 && decoded.output.contains("Operator c"), "\(decoded.errors)")
    let suggestion = try await Command.run(["policy", "suggest", certificate.chain, "--for", "chrome"])
    #expect(suggestion.status == 0 && suggestion.output.contains("DisabledForCas"))
  }
}
