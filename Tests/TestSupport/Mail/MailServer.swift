package import Foundation
package import OrielMail
package import Testing

/// The Python server of `Server/smtp_server.py`, in one of its modes, for as long as this lives.
package final class MailServer {
  package let port: Int
  package let folder: URL
  private let process: RunningProgram
  private let input: Pipe

  package struct Failure: Error { let reason: String }

  package static let python = "/usr/bin/python3"
  package static let isAvailable = (try? output(of: python, ["-c", "import aiosmtpd"])) != nil

  package init(_ mode: String, certificate: TestCertificates.Leaf = .right) async throws {
    folder = try TestCertificates.newFolder()
    input = Pipe()
    let files = try TestCertificates.shared.get()
    let said = folder.appending(path: "port")
    try Data().write(to: said)
    process = try RunningProgram(
      Self.python,
      [Self.script("smtp_server.py"), mode, folder.path, files.path("\(certificate).pem"), files.path("leaf.key")],
      input: input.fileHandleForReading, output: try FileHandle(forWritingTo: said))
    // Python takes its time; a thread that waits for it would be missing elsewhere.
    var line = ""
    while !line.hasSuffix("\n"), process.isRunning {
      try await Task.sleep(for: .milliseconds(20))
      line = try String(contentsOf: said, encoding: .utf8)
    }
    guard let port = Int(line.trimmingCharacters(in: .whitespacesAndNewlines)) else {
      throw Failure(reason: "the server said no port but “\(line)”")
    }
    self.port = port
  }

  deinit {
    try? input.fileHandleForWriting.close()
    process.wait()
    try? FileManager.default.removeItem(at: folder)
  }

  package func settings(
    _ security: SMTPSettings.Security = .none, _ credentials: SMTPCredentials? = nil
  ) throws -> SMTPSettings {
    var settings = SMTPSettings(host: "127.0.0.1", port: port, security: security, credentials: credentials)
    settings.caCertificateFile = try TestCertificates.shared.get().path("ca.pem")
    settings.verificationName = "mail.example"
    return settings
  }

  /// How many messages it has kept so far.
  package func count() throws -> Int {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).count { $0.hasSuffix(".eml") }
  }

  /// The messages kept so far, in order.
  package func mails() throws -> [[UInt8]] {
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".eml") }
    let numbers = names.compactMap { Int($0.dropLast(4)) }.sorted()
    return try numbers.map { [UInt8](try Data(contentsOf: folder.appending(path: "\($0).eml"))) }
  }

  package func envelope(_ number: Int) throws -> [String] {
    try String(contentsOf: folder.appending(path: "\(number).env"), encoding: .utf8).components(separatedBy: "\n")
  }

  /// The lines a scripted server was sent.
  package func heard() -> String {
    (try? String(contentsOf: folder.appending(path: "heard.txt"), encoding: .utf8)) ?? ""
  }

  package static func script(_ name: String) -> String {
    URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Server/\(name)").path
  }

  package static func output(of program: String, _ arguments: [String], input: [UInt8] = []) throws -> Data {
    let (stdin, stdout) = (Pipe(), Pipe())
    let process = try RunningProgram(
      program, arguments, input: stdin.fileHandleForReading, output: stdout.fileHandleForWriting)
    try stdin.fileHandleForReading.close()
    try stdout.fileHandleForWriting.close()
    try stdin.fileHandleForWriting.write(contentsOf: Data(input))
    try stdin.fileHandleForWriting.close()
    let data = stdout.fileHandleForReading.readDataToEndOfFile()
    guard process.wait() == 0 else { throw Failure(reason: "\(program) \(arguments)") }
    return data
  }
}

/// An authority, a certificate of it for `mail.example` and 127.0.0.1, and one for another name; made once per run.
package struct TestCertificates: Sendable {
  package enum Leaf: String { case right, wrong, untrusted }

  package let folder: URL

  package static let shared = Result { try TestCertificates() }

  package func path(_ name: String) -> String { folder.appending(path: name).path }

  package static func newFolder() throws -> URL {
    let folder = FileManager.default.temporaryDirectory.appending(path: "mail-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder
  }

  private init() throws {
    folder = try Self.newFolder()
    let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    func openssl(_ arguments: [String]) throws { _ = try MailServer.output(of: "/usr/bin/openssl", arguments) }
    for name in ["ca", "other"] {
      try openssl(
        ["req", "-x509", "-subj", "/CN=\(name)", "-keyout", path("\(name).key"), "-out", path("\(name).pem")] + curve)
    }
    try openssl(["req", "-new", "-subj", "/CN=leaf", "-keyout", path("leaf.key"), "-out", path("leaf.csr")] + curve)
    for (leaf, names, authority) in [
      ("right", "DNS:mail.example,IP:127.0.0.1", "ca"), ("wrong", "DNS:other.example", "ca"),
      ("untrusted", "DNS:mail.example", "other"),
    ] {
      try Data("subjectAltName=\(names)\n".utf8).write(to: folder.appending(path: "names"))
      try openssl([
        "x509", "-req", "-in", path("leaf.csr"), "-CA", path("\(authority).pem"), "-CAkey", path("\(authority).key"),
        "-CAcreateserial", "-days", "2", "-extfile", path("names"), "-out", path("\(leaf).pem"),
      ])
    }
  }
}

extension Trait where Self == ConditionTrait {
  package static var needsMailServer: Self {
    .enabled(if: MailServer.isAvailable, "needs python3-aiosmtpd and openssl (apt-get install them)")
  }
}
