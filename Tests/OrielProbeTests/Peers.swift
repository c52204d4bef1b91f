import CertificateTransparency
import Foundation
import OrielProbe
import TestSupport
import Testing

/// An authority, its intermediate, and leaves of both kinds; made once per run.
struct Certificates: Sendable {
  static let shared = Result { try Certificates() }

  let folder: TemporaryFolder

  private init() throws {
    folder = try TemporaryFolder()
    let script = Peer.file("certificates.sh")
    _ = try MailServer.output(of: "/bin/sh", ["-c", "cd '\(folder.path)' && . '\(script)' >log 2>&1"])
  }

  func path(_ name: String) -> String { folder.url.appending(path: name).path }

  /// The DER of each certificate of a file.
  func der(_ name: String) throws -> [[UInt8]] {
    try PEM.blocks(in: [UInt8](Data(contentsOf: folder.url.appending(path: name))))
      .filter { $0.label == "CERTIFICATE" }.map { try $0.bytes() }
  }

  /// The OpenSSL form of the TLS extension 18 with this data, for TLS 1.2 and 1.3.
  func serverInfo(_ data: [UInt8], _ name: String) throws -> String {
    let count = UInt16(data.count)
    let bytes: [UInt8] = [0, 0, 0x11, 0xc0, 0, 18, UInt8(count >> 8), UInt8(count & 0xff)] + data
    return try folder.write(PEM.encode(bytes, label: "SERVERINFOV2 FOR SCT"), to: name)
  }
}

/// A real server, for as long as this lives.
final class Peer: Sendable {
  struct Failure: Error { let reason: String }

  static let openssl = "/usr/bin/openssl"
  static let nginx = "/usr/sbin/nginx"
  static let areAvailable =
    [openssl, MailServer.python].allSatisfy(FileManager.default.isExecutableFile)
    && (try? Certificates.shared.get()) != nil

  let port: UInt16
  let command: Command
  let certificates: Certificates

  static func file(_ name: String) -> String {
    URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Server/\(name)").path
  }

  private init(_ command: Command, port: UInt16?, _ certificates: Certificates) throws {
    guard let port else { throw Failure(reason: command.output + command.errors) }
    self.command = command
    self.port = port
    self.certificates = certificates
  }

  private static func number(after mark: String, in text: String) -> UInt16? {
    text.range(of: mark).flatMap { UInt16(text[$0.upperBound...].prefix { $0.isNumber }) }
  }

  /// The Python server in one of its modes.
  static func scripted(_ mode: String, upstream: Peer? = nil) async throws -> Peer {
    let certificates = try Certificates.shared.get()
    let arguments = [file("probe_server.py"), mode, certificates.folder.path] + (upstream.map { ["\($0.port)"] } ?? [])
    let command = try Command(arguments, program: URL(filePath: MailServer.python))
    try await command.wait(for: mode == "full" ? "FULL\n" : "\n")
    return try Peer(command, port: number(after: "PORT ", in: command.output), certificates)
  }

  /// `openssl s_server` with the EC certificate, unless told otherwise.
  static func openSSL(_ options: [String], leaf: String = "ec", chain: String = "inter.pem") async throws -> Peer {
    let certificates = try Certificates.shared.get()
    let arguments = [
      "s_server", "-accept", "127.0.0.1:0", "-www", "-cert", certificates.path("\(leaf).pem"), "-key",
      certificates.path("\(leaf).key"), "-cert_chain", certificates.path(chain),
    ]
    let command = try Command(arguments + options, program: URL(filePath: openssl))
    try await command.wait(for: "ACCEPT ")
    return try Peer(command, port: number(after: "ACCEPT 127.0.0.1:", in: command.output), certificates)
  }

  /// nginx with both certificates and these lines in its server block.
  static func nginx(_ lines: [String]) async throws -> Peer {
    let certificates = try Certificates.shared.get()
    let free = "import socket;s=socket.socket();s.bind(('127.0.0.1',0));print(s.getsockname()[1])"
    let text = String(decoding: try MailServer.output(of: MailServer.python, ["-c", free]), as: UTF8.self)
    guard let port = UInt16(text.trimmingCharacters(in: .newlines)) else { throw Failure(reason: text) }
    let folder = certificates.path("nginx-\(port)")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map { "\($0)_temp_path \(folder)/\($0);" }
    let pairs = ["ec", "rsa"].map {
      "ssl_certificate \(certificates.path("\($0)-chain.pem")); ssl_certificate_key \(certificates.path("\($0).key"));"
    }
    let configuration = """
      daemon off; master_process off; pid \(folder)/pid; error_log \(folder)/log;
      events {}
      http { access_log off; \(temporary.joined(separator: " "))
      server { listen 127.0.0.1:\(port) ssl; ssl_protocols TLSv1.2 TLSv1.3;
      \((pairs + lines).joined(separator: "\n"))
      return 200; } }
      """
    let file = try certificates.folder.write(configuration, to: "nginx-\(port).conf")
    let command = try Command(["-e", folder + "/log", "-c", file], program: URL(filePath: nginx))
    let peer = try Peer(command, port: port, certificates)
    while true {
      do throws(ProbeError) {
        _ = try await TLSProbe().probe(peer.target())
        return peer
      } catch .refused where command.errors.isEmpty {
        try await Task.sleep(for: .milliseconds(20))
      } catch {
        throw error
      }
    }
  }

  /// This server under a name, reached by its address.
  func target(
    _ host: String = "probe.example", serverName: ProbeTarget.ServerName = .host, startTLS: StartTLS? = nil
  ) throws(ProbeError) -> ProbeTarget {
    try ProbeTarget(
      host: host, port: port, address: SocketAddress("127.0.0.1", port: port), serverName: serverName,
      startTLS: startTLS)
  }
}

extension ProbeOptions {
  static func only(_ version: TLSVersion, _ kind: CertificateKind = .any) -> ProbeOptions {
    var options = ProbeOptions()
    options.minimumVersion = version
    options.maximumVersion = version
    options.certificateKind = kind
    return options
  }
}

extension Trait where Self == ConditionTrait {
  static var needsPeers: Self {
    .enabled(if: Peer.areAvailable, "needs openssl and python3 (apt-get install them)")
  }
}
