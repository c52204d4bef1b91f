import CTLogClient
import CertificateTransparency
import Crypto
import CryptoExtras
import Foundation
import MerkleTree
import OrielLog

/// `oriel log serve` under submissions: how many, how fast, at what cost, and whether every SCT was kept.
struct LogBenchmark {
  let corpus: SubmissionCorpus
  let folder: URL
  let oriel: String

  private static let port = 18_990
  private static let prefix = "/bench/"
  private static let url = "http://127.0.0.1:\(port)\(prefix)"

  /// - Parameter core: the only one that the server may use; nil for all.
  func run(rate: Double?, seconds: Double, core: Int?) async throws {
    let home = folder.appending(path: "log-\(UUID().uuidString.prefix(8))")
    defer { try? FileManager.default.removeItem(at: home) }
    try initialise(home)
    let server = try await RunningLog(oriel, home: home, port: LogBenchmark.port, core: core)
    defer { server.stop() }
    let load = SubmissionLoad(
      corpus, port: LogBenchmark.port, prefix: LogBenchmark.prefix,
      checkpoint: home.appending(path: "public/checkpoint"))
    // Keys are parsed, intermediates remembered, pages warm.
    load.run(seconds: 2, rate: min(rate ?? 500, 500), width: 512)
    if core != nil { return try await overload(load, server, seconds) }
    let warm = load.answers.count
    let before = server.use()
    load.run(seconds: seconds, rate: rate, width: 4096)
    let after = server.use()
    report("sustained", Array(load.answers[warm...]), load, seconds: seconds)
    let count = Double(load.answers.count - warm)
    print(
      "server: \(text((after.processor - before.processor) * 1000 / count, 3)) ms a submission,",
      "\(text((after.written - before.written) / count, 0)) bytes written to the device an entry,",
      "peak \(text(after.peak, 0)) MiB")
    server.stop()
    print(
      "disk: \(text(RunningLog.size(of: home) / Double(load.answers.count { $0.status == 200 }), 0)) bytes an entry")
    try SCTCheck(corpus: corpus, home: home).check(load.answers, checkpoints: load.checkpoints)
    floor(per: (after.processor - before.processor) / count)
  }

  /// Starts on a log of so many entries, which is laid out first where it is not there, and submits to it.
  func large(entries: Int) async throws {
    let home = folder.appending(path: "large-\(entries)")
    if !FileManager.default.fileExists(atPath: home.path) {
      let roots = try String(contentsOf: corpus.folder.appending(path: "roots.pem"), encoding: .utf8)
      try await LargeLog(folder: home).build(entries, roots: roots, url: LogBenchmark.url)
    }
    let start = ContinuousClock.now
    let server = try await RunningLog(oriel, home: home, port: LogBenchmark.port)
    defer { server.stop() }
    print("it starts in \(text(start.duration(to: .now) / .seconds(1))) s, with \(text(server.use().peak, 0)) MiB")
    let load = SubmissionLoad(corpus, port: LogBenchmark.port, prefix: LogBenchmark.prefix)
    let before = server.use()
    load.run(seconds: 60, rate: 1500, width: 4096)
    let after = server.use()
    report("sustained", load.answers, load, seconds: 60)
    print(
      "\(text((after.written - before.written) / Double(load.answers.count), 0)) bytes written to the device an entry,",
      "peak \(text(after.peak, 0)) MiB")
  }

  private func initialise(_ home: URL) throws {
    let process = Process()
    process.executableURL = URL(filePath: oriel)
    process.arguments = [
      "log", "init", home.path, "--no-anchor", "--roots", corpus.folder.appending(path: "roots.pem").path,
      "--submission-url",
      LogBenchmark.url,
    ]
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
  }

  /// Finds out what the server sustains on its core, offers twice as much, and then little again.
  private func overload(_ load: SubmissionLoad, _ server: RunningLog, _ seconds: Double) async throws {
    var first = load.answers.count
    load.run(seconds: 10, rate: nil, width: 1000)
    let sustained = Double(load.answers[first...].count { $0.status == 200 }) / 10
    print("on one core it sustains \(text(sustained, 0)) submissions/s")
    try await Task.sleep(for: .seconds(3))
    first = load.answers.count
    load.run(seconds: seconds, rate: 2 * sustained, width: 8192)
    report("offered twice that", Array(load.answers[first...]), load, seconds: seconds)
    first = load.answers.count
    load.run(seconds: 8, rate: sustained / 2, width: 8192)
    let after = load.answers[first...]
    let start = after.map(\.due).min() ?? 0
    let last = after.filter { $0.status != 200 || $0.done - $0.due > 750 }.map { $0.due - start }.max() ?? 0
    print("offered half again, it is as quick as ever after \(text(last / 1000)) s")
  }

  private func report(_ title: String, _ answers: [SubmissionLoad.Answer], _ load: SubmissionLoad, seconds: Double) {
    let well = answers.filter { $0.status == 200 }
    let times = well.map { $0.done - $0.due }.sorted()
    let at = { (part: Double) in times.isEmpty ? 0 : times[min(times.count - 1, Int(part * Double(times.count)))] }
    let others = Dictionary(grouping: answers.filter { $0.status != 200 }, by: \.status)
      .map { "\($0): \($1.count), \($1.count { $0.retryAfter != nil }) with Retry-After" }
    print(
      "\(title): \(text(Double(well.count) / seconds, 0)) SCTs/s, p50 \(text(at(0.5), 0)) ms,",
      "p99 \(text(at(0.99), 0)) ms, longest \(text(times.last ?? 0, 0)) ms;",
      "\(others.joined(separator: "; ")) \(load.unsent) not offered, \(load.failures) connections lost")
    if ProcessInfo.processInfo.environment["ORIEL_BENCH_SECONDS"] != nil { reportSeconds(answers) }
  }

  /// Each second in which something was slow or refused.
  private func reportSeconds(_ answers: [SubmissionLoad.Answer]) {
    let start = answers.map(\.due).min() ?? 0
    let seconds = Dictionary(grouping: answers) { Int(($0.due - start) / 1000) }
    for (second, answers) in seconds.sorted(by: { $0.key < $1.key }) {
      let longest = answers.map { $0.done - $0.due }.max() ?? 0
      let refused = answers.count { $0.status != 200 }
      if longest > 500 || refused > 0 {
        print("  second \(second): longest \(text(longest, 0)) ms, \(refused) refused")
      }
    }
  }

  /// The signatures verified and made and the hashes of the same submissions, alone.
  private func floor(per submission: Double) {
    let sample = (0..<2000).map { ($0, corpus.certificate($0)) }
    let key = P256.Signing.PrivateKey()
    let signer = LogSigner(key)
    var keys: [CertificateVerifier] = []
    for issuer in corpus.issuers { keys.append(CertificateVerifier(issuer.publicKey)) }
    let seconds = best {
      for (number, certificate) in sample {
        precondition(keys[corpus.bodies[number].issuer].verify(certificate))
        // Deduplication key, leaf, and its issuers' fingerprints.
        for _ in 0..<2 { _ = SHA256Hash.hash(certificate) }
        for issuer in corpus.issuers[corpus.bodies[number].issuer].chain { _ = SHA256Hash.hash(issuer) }
        _ = try? signer.sign(certificate)
      }
    }
    let each = seconds / Double(sample.count)
    print(
      "floor: \(text(each * 1000, 3)) ms for signatures and hashes alone; the server takes",
      "\(text(submission / each)) times that")
  }
}

/// A public key with its way of signing, for the floor.
struct CertificateVerifier {
  private let rsa: _RSA.Signing.PublicKey?
  private let p384: P384.Signing.PublicKey?
  private let p256: P256.Signing.PublicKey?

  init(_ der: [UInt8]) {
    rsa = try? _RSA.Signing.PublicKey(derRepresentation: der)
    p384 = try? P384.Signing.PublicKey(derRepresentation: der)
    p256 = try? P256.Signing.PublicKey(derRepresentation: der)
  }

  func verify(_ certificate: [UInt8]) -> Bool {
    let bytes = certificate.span
    guard let fields = CertificateFields(certificate: 0..<bytes.count, in: bytes),
      let algorithm = DERElement.read(bytes, at: fields.tbs.upperBound, limit: bytes.count),
      let value = DERElement.read(bytes, at: algorithm.end, limit: bytes.count)
    else { return false }
    let signed = certificate[fields.tbs]
    let signature = certificate[value.content.dropFirst()]
    if let rsa {
      return rsa.isValidSignature(
        .init(rawRepresentation: signature), for: SHA256.hash(data: signed), padding: .insecurePKCS1v1_5)
    }
    if let p384 {
      return (try? p384.isValidSignature(.init(derRepresentation: signature), for: SHA384.hash(data: signed))) ?? false
    }
    return (try? p256?.isValidSignature(.init(derRepresentation: signature), for: SHA256.hash(data: signed))) ?? false
  }
}
