import CertificateTransparency
import Foundation
import TestWorld

/// Many logs of both kinds over the entries of the corpus, each with a key of its own.
struct ManyLogs: Sendable {
  let listFile: String
  let count: Int
  /// Answers to requests for heads, by path.
  private let heads: [String: [UInt8]]

  init(_ corpus: Corpus, count: Int) throws {
    self.count = count
    var heads: [String: [UInt8]] = [:]
    var logs: [LogDescription] = []
    let note = try SignedNote(decoding: [UInt8](Data(contentsOf: corpus.folder(.gzip).appending(path: "checkpoint"))))
    let tiled = try Checkpoint(text: note.text)
    let classic = try SignedTreeHead(
      json: [UInt8](Data(contentsOf: corpus.folder(.rfc6962).appending(path: "ct/v1/get-sth"))))
    for number in 0..<count {
      let isStatic = number % 2 == 0
      let log = try TestLog(
        isStatic ? .staticCT : .rfc6962, name: "many\(number)", seed: UInt64(number + 100), now: Corpus.time)
      let prefix = "/many/\(isStatic ? "gzip" : "rfc6962")/\(number)/"
      let head = try log.signedHead(
        size: Int(isStatic ? tiled.treeSize : classic.treeSize), root: isStatic ? tiled.rootHash : classic.rootHash)
      if isStatic {
        heads[prefix + "checkpoint"] = try head.checkpoint(origin: log.origin, logID: log.signer.logID).encoded()
      } else {
        heads[prefix + "ct/v1/get-sth"] = try head.json()
      }
      logs.append(log.description(url: "http://127.0.0.1:18999\(prefix)", operatorName: "Operator \(number / 4)"))
    }
    self.heads = heads
    let operators = Set(logs.map(\.operatorName)).sorted().map { LogList.Operator(name: $0) }
    listFile = corpus.directory.appending(path: "many.json").path
    try Data(LogList(version: "1.0", timestamp: Corpus.time(), operators: operators, logs: logs).json())
      .write(to: URL(filePath: listFile))
    files = FileResponder(corpus.directory)
  }

  private let files: FileResponder

  /// Answers below `/many/`; nil for other requests.
  func respond(to request: TestRequest) -> TestResponse? {
    guard request.target.hasPrefix("/many/") else { return nil }
    if let head = heads[request.target] { return TestResponse(type: "application/octet-stream", head) }
    // /many/FORM/NUMBER/path is the corpus's FORM/path.
    let parts = request.target.split(separator: "/", maxSplits: 3)
    guard parts.count == 4 else { return .notFound }
    return files.respond(to: TestRequest("/\(parts[1])/\(parts[3])"))
  }
}
