import CertificateTransparency
import Foundation
import MerkleTree
import TestWorld
import Testing

@testable import OrielAlerting

@Suite("The command channel")
struct CommandChannelTests {
  /// Runs a shell script for a delivery; `$OUT` is a directory that outlives it.
  private static func run(
    _ script: String, _ delivery: Delivery = Alerts.heartbeat, timeLimit: Duration = .seconds(3600)
  ) async throws -> (result: DeliveryResult, files: [String: [UInt8]]) {
    let folder = FileManager.default.temporaryDirectory.appending(path: "oriel-test-\(UUID())")
    let (out, temporary) = (folder.appending(path: "out"), folder.appending(path: "tmp"))
    for directory in [out, temporary] {
      try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    }
    defer { try? FileManager.default.removeItem(at: folder) }
    let settings = CommandChannel.Settings(
      program: "/bin/sh", arguments: ["-c", script, "hook", "first argument"], environment: ["OUT": out.path],
      timeLimit: timeLimit, grace: .milliseconds(200))
    let result = await CommandChannel(settings, temporaryDirectory: temporary).deliver(delivery)
    #expect(try FileManager.default.contentsOfDirectory(atPath: temporary.path) == [], "files are left")
    var files: [String: [UInt8]] = [:]
    for name in try FileManager.default.contentsOfDirectory(atPath: out.path) {
      files[name] = [UInt8](try Data(contentsOf: out.appending(path: name)))
    }
    return (result, files)
  }

  /// The environment that a hook sees.
  private static func environment(_ content: Alert.Content) async throws -> [String: String] {
    let (result, files) = try await run(#"env -0 > "$OUT/env""#, Alerts.delivery(content))
    #expect(result == .delivered("/bin/sh ended with 0"))
    let pairs = try #require(files["env"]).split(separator: 0).map { line in
      String(decoding: line, as: UTF8.self).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    }
    return Dictionary(uniqueKeysWithValues: pairs.map { (String($0[0]), String($0[1])) })
  }

  @Test("hands over the payload on standard input, and arguments as they are")
  func input() async throws {
    let delivery = Alerts.delivery(.certificate(try Alerts.certificate()))
    let (result, files) = try await Self.run(
      #"cat > "$OUT/stdin"; cp "$ORIEL_JSON_FILENAME" "$OUT/file"; printf %s "$1" > "$OUT/argument""#, delivery)
    #expect(result == .delivered("/bin/sh ended with 0"))
    #expect(files["stdin"] == (try AlertJSON(delivery.alert).encoded()))
    #expect(files["file"] == files["stdin"])
    #expect(files["argument"] == Array("first argument".utf8))
  }

  @Test("sets the variables that certspotter's hook scripts know")
  func certificateVariables() async throws {
    let alert = try Alerts.certificate()
    let variables = try await Self.environment(.certificate(alert))
    let pair = try #require(alert.certificates.first)
    let tbs = try TBSCertificate.withoutSCTs(certificate: pair.der)
    let expected: [String: String?] = [
      "EVENT": "discovered_cert",
      "SUMMARY": "Certificate for www.shop.example, shop.example (watching shop.example)",
      "WATCH_ITEM": "shop.example", "LOG_URI": "Example Log 1", "ENTRY_INDEX": "7",
      "TBS_SHA256": SHA256Hash.hash(tbs).hex, "CERT_SHA256": SHA256Hash.hash(pair.der).hex,
      "PUBKEY_SHA256": alert.facts.publicKeyHash?.hex, "SERIAL": alert.facts.serialNumber,
      "SUBJECT_DN": "CN=www.shop.example", "ISSUER_DN": alert.facts.issuer?.description,
      "NOT_AFTER_UNIXTIME": alert.facts.notAfter.map { String($0) },
      "ORIEL_KIND": "certificate", "ORIEL_ALERT_ID": "a1-b2", "ORIEL_DELIVERY_ID": "d-1",
      "ORIEL_DNS_NAMES": "www.shop.example\nshop.example", "ORIEL_KEY_TYPE": "EC P-256",
      "PATH": ProcessInfo.processInfo.environment["PATH"], "HOME": ProcessInfo.processInfo.environment["HOME"],
    ]
    for (name, value) in expected { #expect(variables[name] == value, "\(name)") }
    let after = try #require(variables["NOT_AFTER_RFC3339"])
    #expect(variables["NOT_AFTER"] == "\(after.prefix(10)) \(after.dropFirst(11).prefix(8)) +0000 UTC")
    #expect(variables["VALIDITY_PARSE_ERROR"] == nil && variables["PARSE_ERROR"] == nil)
  }

  @Test("keeps the rest of our own environment to itself")
  func cleanEnvironment() async throws {
    setenv("ORIEL_TEST_SECRET", "x", 1)
    let variables = try await Self.environment(.certificate(try Alerts.certificate()))
    #expect(variables["ORIEL_TEST_SECRET"] == nil)
    // What the shell itself sets.
    let known: Set<String> = ["PATH", "HOME", "LANG", "OUT", "PWD", "OLDPWD", "SHLVL", "_", "EVENT", "SUMMARY"]
    let prefixes = ["ORIEL_", "NOT_"]
    let suffixes = ["_FILENAME", "_SHA256", "_DN"]
    let others = variables.keys.filter { name in
      !known.contains(name) && !prefixes.contains { name.hasPrefix($0) } && !suffixes.contains { name.hasSuffix($0) }
    }
    #expect(Set(others) == ["WATCH_ITEM", "LOG_URI", "ENTRY_INDEX", "SERIAL"])
  }

  @Test(
    "names the event",
    arguments: [
      ("certificate", "discovered_cert"), ("sample", "discovered_cert"), ("digest", "digest"),
      ("follow-up", "follow_up"), ("log-health", "error"), ("canary", "error"), ("heartbeat", "heartbeat"),
    ])
  func events(_ kind: String, _ event: String) throws {
    let content = try #require(try Alerts.all().first { Alerts.delivery($0).alert.kind == kind })
    #expect(HookEnvironment(Alerts.delivery(content)).variables["EVENT"] == event)
  }

  @Test("tells a recovery from an error, and a certificate that can't be read from one that was")
  func otherEvents() throws {
    #expect(HookEnvironment(Alerts.delivery(Alerts.logHealth("current"))).variables["EVENT"] == "recovered")
    var alert = try Alerts.certificate(matched: [])
    alert.facts = CertificateFacts(certificate: [0x30, 0x00])
    alert.problems = ["not a certificate"]
    let variables = HookEnvironment(Alerts.delivery(.certificate(alert))).variables
    #expect(variables["EVENT"] == "malformed_cert")
    #expect(variables["PARSE_ERROR"] == "not a certificate")
    for name in ["VALIDITY_PARSE_ERROR", "SUBJECT_PARSE_ERROR", "ISSUER_PARSE_ERROR", "SERIAL_PARSE_ERROR"] {
      #expect(variables[name] != nil, "\(name)")
    }
    for name in ["NOT_BEFORE", "NOT_AFTER_RFC3339", "SUBJECT_DN", "ISSUER_DN", "SERIAL", "PUBKEY_SHA256"] {
      #expect(variables[name] == nil, "\(name)")
    }
  }

  @Test("writes certificate, JSON and text to files that only we may read")
  func files() async throws {
    let alert = try Alerts.certificate()
    let (_, files) = try await Self.run(
      """
      cp "$CERT_FILENAME" "$OUT/pem"; cp "$JSON_FILENAME" "$OUT/json"; cp "$TEXT_FILENAME" "$OUT/text"
      ls -ld "$(dirname "$CERT_FILENAME")" | cut -c1-10 > "$OUT/mode"
      """, Alerts.delivery(.certificate(alert)))
    #expect(String(decoding: files["mode"] ?? [], as: UTF8.self) == "drwx------\n")
    let pem = String(decoding: files["pem"] ?? [], as: UTF8.self)
    #expect(pem == alert.certificates.compactMap(\.pem).joined())
    #expect(pem.components(separatedBy: "-----BEGIN CERTIFICATE-----").count == 3)
    let json = try JSONObject(files["json"] ?? [])
    #expect(json.text("tbs_sha256") == alert.tbsHash?.hex && alert.tbsHash != nil)
    #expect(json.text("cert_sha256") == alert.certificates.first?.sha256.hex)
    #expect(json.text("pubkey_sha256") == alert.facts.publicKeyHash?.hex)
    #expect(json.texts("dns_names") == ["www.shop.example", "shop.example"])
    #expect(json.text("serial_number") == alert.facts.serialNumber)
    #expect(json.text("issuer_der").flatMap { Base64.decode($0) }?.first == 0x30)
    #expect(json.text("subject_der").flatMap { Base64.decode($0) }?.first == 0x30)
    #expect(
      Set(json.fields.keys) == [
        "tbs_sha256", "cert_sha256", "pubkey_sha256", "issuer_der", "subject_der", "dns_names", "ip_addresses",
        "not_before", "not_after", "serial_number",
      ])
    let text = String(decoding: files["text"] ?? [], as: UTF8.self)
    #expect(text.hasPrefix("Certificate for www.shop.example, shop.example (watching shop.example)\n"))
  }

  @Test("knows the TBSCertificate of a precertificate, and claims none that does not belong")
  func tbsHash() throws {
    var alert = try Alerts.certificate()
    let hash = alert.tbsHash
    alert.certificates.removeFirst()
    #expect(alert.tbsHash == hash && hash != nil)
    alert.issuerKeyHash = .zero
    #expect(alert.tbsHash == nil)
  }

  @Test("lets no name out of its variable")
  func hostileNames() async throws {
    let names = ["a\nEVENT=error.shop.example", "$(touch x).example", "nul\0.example", "\u{202e}x.example", "-rf"]
    let variables = try await Self.environment(.certificate(try Alerts.certificate(names, item: "x\0y\nz")))
    #expect(variables["EVENT"] == "discovered_cert")
    #expect(
      variables["ORIEL_MATCHED_NAMES"]
        == #"a EVENT=error.shop.example"# + "\n$(touch x).example\n" + #"nul\u{0}.example"# + "\n"
        + #"\u{202e}x.example"# + "\n-rf")
    #expect(variables["WATCH_ITEM"] == #"x\u{0}y z"#)
  }

  @Test("runs for a certificate of very many names")
  func manyNames() async throws {
    let names = (0..<20_000).map { "n\($0).shop.example" }
    let variables = try await Self.environment(.certificate(try Alerts.certificate(names)))
    let told = try #require(variables["ORIEL_DNS_NAMES"]).split(separator: "\n").map(String.init)
    #expect(told.count > 300 && told.count < 1000)
    #expect(told == Array(names.prefix(told.count)))
  }

  @Test(
    "tells how it ended, in the command's own words",
    arguments: [
      ("echo fine; echo indeed >&2", .delivered("/bin/sh ended with 0: fine indeed")),
      ("exit 0", .delivered("/bin/sh ended with 0")),
      ("echo busy; exit 75", .refused("/bin/sh ended with 75 (try again): busy")),
      (
        "echo 'no: \u{1b}[31mway' >&2; exit 3", .refused(#"/bin/sh ended with 3: no: \u{1b}[31mway"#, isPermanent: true)
      ),
      ("exit 255", .refused("/bin/sh ended with 255", isPermanent: true)),
      ("kill -9 $$", .refused("/bin/sh was ended by signal 9")),
      ("exec 0<&- 1>&- 2>&-; exit 0", .delivered("/bin/sh ended with 0")),
    ] as [(String, DeliveryResult)])
  func ends(_ script: String, _ result: DeliveryResult) async throws {
    #expect(try await Self.run(script).result == result)
  }

  @Test("fails where the command can't be started", arguments: ["/no/such/program", "/etc/passwd", "/", "", "a\0b"])
  func notStarted(_ program: String) async {
    let result = await CommandChannel(CommandChannel.Settings(program: program)).deliver(Alerts.heartbeat)
    #expect(result.outcome == "unavailable")
    #expect(result.words.contains("can't be started: "))
  }

  @Test("takes any amount of output, and keeps its start")
  func hugeOutput() async throws {
    let result = try await Self.run("head -c 30000000 /dev/zero | tr '\\0' x; exit 1").result
    #expect(result == .refused("/bin/sh ended with 1: " + String(repeating: "x", count: 4096), isPermanent: true))
  }

  @Test("does not wait for what the command leaves running")
  func leftRunning() async throws {
    let (result, files) = try await Self.run(#"sleep 3600 & echo $! > "$OUT/pid"; echo done"#)
    #expect(result == .delivered("/bin/sh ended with 0: done"))
    let text = String(decoding: files["pid"] ?? [], as: UTF8.self)
    let process = try #require(pid_t(text.split(separator: "\n").first ?? ""))
    #expect(kill(process, SIGKILL) == 0)
  }

  @Test(
    "ends a command that hangs, with all that it started",
    arguments: [
      "sleep 3600", "trap '' TERM; while :; do sleep 3600; done", "(trap '' TERM; sleep 3600) & wait",
    ])
  func hangs(_ script: String) async throws {
    let fifo = try Fifo()
    // Every process of the script holds the writing end: it closes when the last is gone.
    let (result, files) = try await Self.run(
      #"echo $$ > "$OUT/pid"; exec 9>"\#(fifo.path)"; echo alive >&9; sleep 3600 & "# + script,
      timeLimit: .milliseconds(700))
    #expect(result == .refused("/bin/sh did not end in 0.7 seconds"))
    #expect(await fifo.content() == "alive\n")
    // Reaped: it is no child of ours any more.
    let process = try #require(pid_t(String(decoding: files["pid"] ?? [], as: UTF8.self).filter { $0 != "\n" }))
    var status: Int32 = 0
    #expect(waitpid(process, &status, WNOHANG) == -1 && errno == ECHILD)
  }

  @Test("ends the command when its task is cancelled")
  func cancelled() async throws {
    let fifo = try Fifo()
    let task = Task { try await Self.run(#"exec 9>"\#(fifo.path)"; echo alive >&9; sleep 3600"#) }
    while !fifo.hasContent { try await Task.sleep(for: .milliseconds(5)) }
    task.cancel()
    #expect(try await task.value.result.outcome == "refused")
    #expect(await fifo.content() == "alive\n")
  }

  @Test("hands down no descriptor of ours")
  func descriptors() async throws {
    let null = open("/dev/null", O_RDONLY)
    let high = fcntl(null, F_DUPFD, 200)
    defer {
      close(null)
      close(high)
    }
    try #require(high >= 200)
    let (_, files) = try await Self.run(#"for f in /dev/fd/*; do echo "${f##*/}"; done > "$OUT/list""#)
    let open = String(decoding: files["list"] ?? [], as: UTF8.self).split(separator: "\n").compactMap { Int32($0) }
    #expect(open.contains(0) && open.contains(1) && open.contains(2))
    #expect(!open.contains(high) && open.allSatisfy { $0 < 200 })
  }

  @Test("runs many commands at once")
  func many() async throws {
    let results = try await withThrowingTaskGroup(of: DeliveryResult.self) { group in
      for number in 0..<20 { group.addTask { try await Self.run("cat > /dev/null; echo \(number)").result } }
      return try await group.reduce(into: Set<String>()) { $0.insert($1.words) }
    }
    #expect(results == Set((0..<20).map { "/bin/sh ended with 0: \($0)" }))
  }
}

/// A named pipe that tells when the last of its writers is gone.
private final class Fifo: Sendable {
  let path: String
  private let descriptor: Int32

  struct Failure: Error {}

  init() throws {
    path = FileManager.default.temporaryDirectory.appending(path: "oriel-fifo-\(UUID())").path
    guard mkfifo(path, 0o600) == 0 else { throw Failure() }
    descriptor = open(path, O_RDONLY | O_NONBLOCK)
    guard descriptor >= 0 else { throw Failure() }
  }

  deinit {
    close(descriptor)
    unlink(path)
  }

  var hasContent: Bool {
    var facts = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&facts, 1, 0) == 1 && facts.revents & Int16(POLLIN) != 0
  }

  /// All that was written, once nobody can write any more.
  func content() async -> String {
    var content: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 100)
    while true {
      let count = read(descriptor, &buffer, buffer.count)
      if count == 0 { return String(decoding: content, as: UTF8.self) }
      if count > 0 { content += buffer.prefix(count) } else { try? await Task.sleep(for: .milliseconds(10)) }
    }
  }
}
