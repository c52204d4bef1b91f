import CertificateTransparency
import Crypto
import Foundation
import TestSupport
import TestWorld
import Testing

/// An authority, logs with their list, and certificates with SCTs of them.
struct CheckScene {
  let folder: TemporaryFolder
  let authority: TestAuthority
  let logs: [String: TestLog]
  let list: String
  let roots: String

  init() throws {
    folder = try TemporaryFolder()
    let now: @Sendable () -> Timestamp = {
      Timestamp(milliseconds: UInt64(Date().timeIntervalSince1970 * 1000) - 3_600_000)
    }
    authority = try TestAuthority(now: now)
    var logs: [String: TestLog] = [:]
    for (seed, name) in ["a", "a2", "b", "c", "x", "y"].enumerated() {
      let kind: TestLog.Kind = name < "x" ? .rfc6962 : .staticCT
      logs[name] = try TestLog(kind, name: name, seed: UInt64(seed + 50), now: now)
    }
    self.logs = logs
    let listed = logs.values.map { log in
      log.description(url: "http://127.0.0.1:1/\(log.name)/", operatorName: "Operator \(log.name.prefix(1))")
    }
    let operators = Set(listed.map(\.operatorName)).sorted().map { LogList.Operator(name: $0) }
    list = try folder.write(
      String(
        decoding: try LogList(version: "7", timestamp: now(), operators: operators, logs: listed).json(),
        as: UTF8.self), to: "list.json")
    roots = try folder.write(PEM.encode(authority.root.chain[0]), to: "roots.pem")
  }

  func scts(_ names: [String], _ entry: TestEntry) throws -> [SignedCertificateTimestamp] {
    try names.compactMap { logs[$0] }.map { log in try log.sct(at: try log.append(entry)) }
  }

  /// A certificate for localhost, its chain and key as files, and what a server is to send besides.
  func certificate(
    embedded: [String], tls: [String] = [], ocsp: [String] = [], days: UInt64 = 90
  ) throws -> (chain: String, arguments: [String], pair: IssuedPair) {
    var request = CertificateRequest(["localhost"])
    request.notAfter = Timestamp(milliseconds: UInt64(Date().timeIntervalSince1970 * 1000) + days * 86_400_000)
    let pending = try authority.begin(request)
    let pair = embedded.isEmpty ? try pending.finish() : try pending.finish(try scts(embedded, pending.entry))
    let leaf = try folder.write(PEM.encode(pair.certificate), to: "leaf.pem")
    let issuers = try folder.write(pair.chain.dropLast().map { PEM.encode($0) }.joined(), to: "issuers.pem")
    let chain = try folder.write(
      ([pair.certificate] + pair.chain.dropLast()).map { PEM.encode($0) }.joined(), to: "chain.pem")
    let key = try folder.write(try #require(pending.privateKey).pemRepresentation, to: "leaf.key")
    var arguments = ["-cert", leaf, "-key", key, "-cert_chain", issuers]
    if !tls.isEmpty {
      let list = try SCTList(try scts(tls, pair.certificateEntry)).encoded()
      let bytes = [0, 0, 0x11, 0xc0, 0, 18, UInt8(list.count >> 8), UInt8(list.count & 0xff)] + list
      let block = PEM.encode(bytes, label: "SERVERINFOV2 FOR SCT")
      arguments += ["-serverinfo", try folder.write(block, to: "serverinfo.pem")]
    }
    if !ocsp.isEmpty {
      let list = try SCTList(try scts(ocsp, pair.certificateEntry)).encoded()
      let response = OCSPResponse.build(pair.certificate, pending.issuer, list, .sha1)
      try Data(response).write(to: folder.url.appending(path: "ocsp.der"))
      arguments += ["-status", "-status_file", folder.path + "/ocsp.der"]
    }
    return (chain, arguments, pair)
  }

  var judging: [String] { ["--log-list", list, "--roots", roots, "--root-stores", roots] }

  /// Starts `openssl s_server` and gives its port.
  static func serve(_ arguments: [String]) async throws -> (server: Command, port: Int) {
    let server = try Command(
      ["s_server", "-accept", "127.0.0.1:0", "-www"] + arguments, program: URL(filePath: "/usr/bin/openssl"))
    try await server.wait(for: "ACCEPT ")
    let mark = "ACCEPT 127.0.0.1:"
    let text = server.output
    let port = text.range(of: mark).flatMap { Int(text[$0.upperBound...].prefix { $0.isNumber }) }
    return (server, try #require(port, "\(text)\(server.errors)"))
  }

  static func standings(_ line: String) throws -> [String: (standing: String, code: String)] {
    let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    var standings: [String: (standing: String, code: String)] = [:]
    for verdict in try #require(object["verdicts"] as? [[String: Any]]) {
      let policy = try #require(verdict["policy"] as? String)
      standings[policy] = (verdict["standing"] as? String ?? "", verdict["code"] as? String ?? "")
    }
    return standings
  }
}
