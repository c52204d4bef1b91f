import COpenSSL
import CTLogClient
import CTPolicy
import CertificateTransparency
import Foundation
import OrielCheck
import OrielProbe
import TestWorld

/// `oriel check --json` of many certificates below one CA by five policies and two lists of logs, against the bare
/// signature checks of the same run: of two SCTs and of the two certificates of the chain.
struct BulkCheckBenchmark {
  private static let count = 2000

  func run() throws {
    let authority = try TestAuthority(seed: 4, now: Corpus.time)
    let logs = try ["a", "b"].enumerated().map { place, name in
      try TestLog(.rfc6962, name: name, seed: UInt64(place + 70), now: Corpus.time)
    }
    let checker = Checker(
      lists: try lists(logs), anchors: try TrustAnchors(certificates: [authority.root.chain[0]]),
      time: Timestamp(milliseconds: Corpus.time().milliseconds + 3_600_000))
    var subjects: [CheckSubject] = []
    var scts: [(key: LogKey, signature: DigitallySigned, input: [UInt8])] = []
    var links: [(certificate: OpaquePointer, key: OpaquePointer)] = []
    for number in 0..<BulkCheckBenchmark.count {
      let name = "site\(number).example"
      let pending = try authority.begin(CertificateRequest([name, "www.\(name)"]))
      let promises = try logs.map { try $0.sct(at: try $0.append(pending.entry)) }
      let pair = try pending.finish(promises)
      subjects.append(CheckSubject(name: name, host: name, certificates: [pair.certificate] + pair.chain.dropLast()))
      for (sct, log) in zip(promises, logs) {
        scts.append((log.signer.publicKey, sct.signature, try sct.signatureInput(for: pending.entry.body)))
      }
      let parsed = ([pair.certificate] + pair.chain).compactMap(BulkCheckBenchmark.parsed)
      for (certificate, issuer) in zip(parsed, parsed.dropFirst()) {
        guard let key = X509_get0_pubkey(issuer) else { continue }
        links.append((certificate, key))
      }
    }
    let times = try best(
      of: 5,
      [
        {
          for sct in scts { precondition(sct.key.verify(sct.signature, over: sct.input)) }
          for link in links { precondition(X509_verify(link.certificate, link.key) == 1) }
        },
        {
          for subject in subjects {
            let report = checker.check(subject)
            precondition(report.standing == .pass && report.results.count == 5 && report.json().utf8.count > 1000)
          }
        },
      ])
    print(
      "bulk check: \(text(Double(scts.count + links.count) / times[0], 0)) signature checks/s alone, SCTs and chains;",
      "\(text(Double(subjects.count) / times[1], 0)) certificates/s checked, as JSON,",
      "\(text(times[1] / times[0])) of the time of as many signature checks")
  }

  private static func parsed(_ der: [UInt8]) -> OpaquePointer? {
    der.withUnsafeBufferPointer { bytes in
      var position = bytes.baseAddress
      return d2i_X509(nil, &position, bytes.count)
    }
  }

  /// Chrome's and Apple's, as they are kept.
  private func lists(_ logs: [TestLog]) throws -> BrowserLists {
    let listed = logs.map { $0.description(url: "https://\($0.name).example/", operatorName: "Operator \($0.name)") }
    let list = LogList(
      version: "1", timestamp: Corpus.time(), operators: listed.map { LogList.Operator(name: $0.operatorName) },
      logs: listed)
    return BrowserLists(
      [Browser.chrome: LogListSource.chrome, .apple: .apple].mapValues { source in
        BrowserLists.List(name: source.name, list, fetchedAt: Corpus.time(), signature: .verified)
      })
  }
}
