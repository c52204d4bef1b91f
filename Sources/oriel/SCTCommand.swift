import ArgumentParser
import CTPolicy
import CertificateTransparency
import Foundation
import OrielCheck

struct SCTCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sct",
    abstract: "Single SCTs and lists of them: what they say, and whether their signatures hold.",
    discussion: """
      Examples:
        oriel sct decode shop.sct                    a list, one SCT, or their base64
        oriel sct verify --cert chain.pem shop.sct   against the lists of logs that are kept
      """,
    subcommands: [Decode.self, Verify.self])

  /// The bytes of a list, made of one SCT where that is what the file holds.
  ///
  /// - Throws: ``CommandFailure`` if nothing in it can be read as an SCT.
  static func list(_ source: String) throws -> [UInt8] {
    let bytes = try content(source)
    let report = SCTVerifier(logs: LogView([], timestamp: nil)).verify(
      PresentedCertificate(leaf: [], tlsSCTList: bytes), at: Timestamp(milliseconds: .max))
    guard !report.scts.contains(where: { $0.sct != nil }) else { return bytes }
    let problem = report.listProblems.first { $0.source == .tls }.map { "\($0)" }
    let reason = problem ?? report.scts.first?.status.code ?? "it is empty"
    throw CommandFailure("'\(source.safeLine)' is no SCT and no list of SCTs: \(reason.safeLine)", .badData)
  }

  private static func content(_ source: String) throws -> [UInt8] {
    let isFile = source == "-" || FileManager.default.fileExists(atPath: source)
    guard var bytes = isFile ? try CheckLooking.file(source) : Base64.decode(source) else {
      throw CommandFailure("'\(source.safeLine)' is neither a file nor base64", .badData)
    }
    let text = String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace }
    if !bytes.contains(0), let decoded = Base64.decode(text) { bytes = decoded }
    // A list says its own length; a single SCT begins with its version, which is 0.
    let length = bytes.count >= 2 ? Int(bytes[0]) << 8 | Int(bytes[1]) : -1
    guard length != bytes.count - 2, bytes.count < 65_533 else { return bytes }
    let count = bytes.count
    return [UInt8((count + 2) >> 8), UInt8((count + 2) & 0xff), UInt8(count >> 8), UInt8(count & 0xff)] + bytes
  }

  struct Decode: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "decode", abstract: "What an SCT or a list of them says.",
      discussion: """
        Example:
          oriel sct decode shop.sct
        Exit code 0 if an SCT can be read, 65 if not.
        """)

    @Argument(help: ArgumentHelp("A file (- for stdin), or base64.", valueName: "FILE|BASE64")) var source: String
    @OptionGroup var judging: CheckJudging
    @Flag(help: "Print a JSON array.") var json = false

    func run() async throws {
      try await reportingFailures {
        let checker = try? await judging.checker()
        let view = checker?.lists[.chrome]?.view ?? LogView([], timestamp: nil)
        try SCTLine.tell(
          SCTVerifier(logs: view).verify(
            PresentedCertificate(leaf: [], tlsSCTList: try SCTCommand.list(source)),
            at: Timestamp(milliseconds: .max)), json: json, isVerified: false)
      }
    }
  }

  struct Verify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "verify", abstract: "Whether the signatures of SCTs hold for a certificate.",
      discussion: """
        Examples:
          oriel sct verify --cert chain.pem              those embedded in it
          oriel sct verify --cert chain.pem shop.sct     a list that TLS delivers
        Exit code 0 if all are valid, 1 if not, 65 if a file is not what it should be.
        """)

    @Argument(help: ArgumentHelp("A file (- for stdin), or base64.", valueName: "FILE|BASE64")) var source: String?
    @Option(name: .customLong("cert"), help: ArgumentHelp("The certificate and its issuers.", valueName: "FILE"))
    var certificate: String
    @OptionGroup var judging: CheckJudging
    @Flag(help: "Print a JSON array.") var json = false

    func run() async throws {
      try await reportingFailures {
        let checker = try await judging.checker()
        let file = try CertificateFile(try CheckLooking.bytes(certificate), name: certificate)
        guard let view = checker.lists[.chrome]?.view, let leaf = file.certificates.first else { return }
        let report = SCTVerifier(logs: view).verify(
          PresentedCertificate(
            leaf: leaf, issuers: Array(file.certificates.dropFirst()), tlsSCTList: try source.map(SCTCommand.list)),
          at: checker.time)
        try SCTLine.tell(report, json: json, isVerified: true)
        if report.scts.isEmpty || !report.listProblems.isEmpty || report.scts.contains(where: { $0.status != .valid }) {
          throw ExitCode.findings
        }
      }
    }
  }
}

/// An SCT as it is listed.
private struct SCTLine: Encodable {
  let source: String
  let position: Int
  let logID, log, operatorName, timestamp, status, signature: String?
  let leafIndex: UInt64?

  enum CodingKeys: String, CodingKey {
    case source, position, log, timestamp, status, signature
    case logID = "log_id"
    case operatorName = "operator"
    case leafIndex = "leaf_index"
  }

  init(_ sct: ReportedSCT, isVerified: Bool) {
    source = sct.source.rawValue
    position = sct.position
    logID = sct.logID?.description
    log = sct.log?.description
    operatorName = sct.operatorName
    timestamp = sct.timestamp?.description
    let isReadable = sct.sct != nil
    status = isVerified || !isReadable ? sct.status.code : nil
    signature = sct.sct.map { "\($0.signature.algorithm)" }
    if case .index(let index, _) = sct.leafIndex { leafIndex = index } else { leafIndex = nil }
  }

  static func tell(_ report: SCTReport, json: Bool, isVerified: Bool) throws {
    let lines = report.scts.map { SCTLine($0, isVerified: isVerified) }
    if json {
      try Terminal.write(json: lines)
    } else {
      for line in lines {
        let facts = [
          line.status, line.log?.safeLine ?? line.logID.map { "log \($0)" }, line.operatorName?.safeLine,
          line.timestamp, line.leafIndex.map { "leaf \($0)" }, line.signature,
        ]
        try Terminal.write(
          "\(line.source) \(line.position + 1)  " + facts.compactMap { $0 }.joined(separator: "  ") + "\n")
      }
    }
    // Where no certificate was given, none can be read.
    let problems = report.listProblems.filter { isVerified || $0.source == .tls }
    for problem in problems { Terminal.complain("\(problem)") }
    if lines.isEmpty, problems.isEmpty { Terminal.note("oriel: there is no SCT") }
    if !problems.isEmpty, !isVerified { throw ExitCode.badData }
  }
}
