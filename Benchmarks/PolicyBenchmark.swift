import CTPolicy
import CertificateTransparency
import Foundation
import MerkleTree
import TestWorld

/// Judging certificates of two SCTs by five policies, against the bare signature checks of the same run; on one core and
/// on all.
struct PolicyBenchmark {
  private static let count = 2000

  func run() async throws {
    let authority = try TestAuthority(seed: 3, signatureMode: .filler, now: Corpus.time)
    let logs = try ["a", "b"].enumerated().map { place, name in
      try TestLog(.rfc6962, name: name, seed: UInt64(place + 60), now: Corpus.time)
    }
    let view = LogView(
      logs.map { $0.description(url: "https://\($0.name).example/", operatorName: "Operator \($0.name)") },
      timestamp: Corpus.time())
    let time = Timestamp(milliseconds: Corpus.time().milliseconds + 3_600_000)
    var subjects: [PresentedCertificate] = []
    var checks: [(key: LogKey, signature: DigitallySigned, input: [UInt8])] = []
    for number in 0..<PolicyBenchmark.count {
      let pending = try authority.begin(CertificateRequest(["site\(number).example", "www.site\(number).example"]))
      let scts = try logs.map { try $0.sct(at: try $0.append(pending.entry)) }
      let pair = try pending.finish(scts)
      subjects.append(PresentedCertificate(leaf: pair.certificate, issuers: pair.chain))
      for (sct, log) in zip(scts, logs) {
        checks.append(
          (log.signer.publicKey, sct.signature, try sct.signatureInput(for: pending.entry.body)))
      }
    }
    let verifier = SCTVerifier(logs: view)
    let raw = best(of: 3) {
      for check in checks { precondition(check.key.verify(check.signature, over: check.input)) }
    }
    let judge: @Sendable (PresentedCertificate) -> Bool = { subject in
      let report = verifier.verify(subject, at: time)
      return BrowserPolicy.current.allSatisfy { $0.judge(report, asOf: time).passes }
    }
    let whole = best(of: 3) { for subject in subjects { precondition(judge(subject)) } }
    let cores = ProcessInfo.processInfo.activeProcessorCount
    let all = (0..<10).flatMap { _ in subjects }
    var wall = Double.infinity
    for _ in 0..<3 {
      let start = ContinuousClock.now
      await withTaskGroup(of: Void.self) { group in
        for core in 0..<cores {
          group.addTask {
            for place in stride(from: core, to: all.count, by: cores) { precondition(judge(all[place])) }
          }
        }
      }
      wall = min(wall, start.duration(to: .now) / .seconds(1))
    }
    let possible = Double(cores) * Double(checks.count) / raw / 2
    print(
      "policies: \(text(Double(checks.count) / raw, 0)) signature checks/s alone;",
      "with reading, rebuilding and five policies \(text(whole / raw)) of that time;",
      "in bulk \(text(Double(all.count) / wall, 0)) certificates/s on \(cores) cores,",
      "\(text(Double(all.count) / wall / possible)) of what the checks alone allow")
  }
}
