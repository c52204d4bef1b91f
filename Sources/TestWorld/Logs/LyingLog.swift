import CertificateTransparency
import MerkleTree
import Synchronization

/// A log between a reader and a ``TestLog``: it answers truly until told to lie.
package final class LyingLog: Sendable {
  package let log: TestLog

  private struct Lie: Sendable {
    let fault: Fault
    let occurrence: Fault.Occurrence
    let part: String
    let headWhenTold: SignedTreeHead?
    var concerned = 0
  }

  private struct State: Sendable {
    var script: [Lie] = []
    var fork: (index: Int, head: SignedTreeHead?, log: TestLog)?
  }

  private let state = Mutex(State())

  package init(_ log: TestLog) { self.log = log }

  /// The one fault that always strikes; nil for an honest log. Setting it ends all others.
  package var fault: Fault? {
    get { state.withLock { $0.script.first?.fault } }
    set {
      state.withLock { $0.script = [] }
      if let newValue { lie(newValue) }
    }
  }

  /// Adds a fault to the script; the first one that strikes a request has it.
  ///
  /// - Parameter part: what a target must contain to be concerned, such as `tile/data`; everything by default.
  package func lie(_ fault: Fault, _ occurrence: Fault.Occurrence = .always, on part: String = "") {
    let lie = Lie(fault: fault, occurrence: occurrence, part: part, headWhenTold: log.head)
    state.withLock { $0.script.append(lie) }
  }

  /// Answers a path with its query, both below the log's prefix and without a slash at the start.
  package func respond(to target: String) -> TestResponse {
    let lie = state.withLock { state -> Lie? in
      for index in state.script.indices {
        let lie = state.script[index]
        guard lie.fault.concerns(target), lie.part.isEmpty || target.contains(lie.part) else { continue }
        state.script[index].concerned += 1
        if lie.occurrence.includes(lie.concerned + 1) { return lie }
      }
      return nil
    }
    guard let lie else { return log.respond(to: target) }
    do {
      return try respond(to: target, lie)
    } catch {
      return TestResponse(status: 500, "\(error)\n")
    }
  }

  private func respond(to target: String, _ lie: Lie) throws -> TestResponse {
    switch lie.fault {
    case .shortRanges(let limit):
      return respond(to: target) { start, end in (start, min(end, start + max(limit, 1) - 1)) }
    case .alignedRanges(let block):
      return respond(to: target) { start, end in (start, min(end, (start / max(block, 1) + 1) * max(block, 1) - 1)) }
    case .refusedRanges(let limit, let status):
      guard let (start, end) = range(target), end - start >= limit else { return log.respond(to: target) }
      return TestResponse(status: status, "ResourceExhausted: received message larger than max\n")
    case .shiftedRanges(let distance):
      return respond(to: target) { start, end in (max(start + distance, 0), max(end + distance, 0)) }
    case .flippedLeaf(let index): return log.withFlippedBit(inEntry: index).respond(to: target)
    case .fork(let index): return try fork(at: index).respond(to: target)
    default:
      if let head = try head(lie), let response = try log.respond(to: target, with: head) { return response }
      return lie.fault.spoil(log.respond(to: target))
    }
  }

  private func respond(to target: String, range: (Int, Int) -> (Int, Int)) -> TestResponse {
    guard let (start, end) = self.range(target) else { return log.respond(to: target) }
    let (first, last) = range(start, end)
    return log.respond(to: "ct/v1/get-entries?start=\(first)&end=\(last)")
  }

  /// The entries that a target asks for, the last one included.
  private func range(_ target: String) -> (start: Int, end: Int)? {
    let query = TestLog.Query(target.split(separator: "?", maxSplits: 1).last.map(String.init) ?? "")
    guard let start = try? query.number("start"), let end = try? query.number("end") else { return nil }
    return (start, end)
  }

  /// The false head that a lie asks for; nil if it is about something else.
  private func head(_ lie: Lie) throws -> SignedTreeHead? {
    guard let present = log.head else { return nil }
    let size = Int(present.treeSize)
    switch lie.fault {
    case .badHeadSignature:
      var signature = present.signature.signature
      if let last = signature.indices.last { signature[last] ^= 1 }
      return SignedTreeHead(
        treeSize: present.treeSize, timestamp: present.timestamp, rootHash: present.rootHash,
        signature: DigitallySigned(algorithm: present.signature.algorithm, signature: signature))
    case .shrinkingHead(let size):
      let later = Timestamp(milliseconds: present.timestamp.milliseconds + 1)
      return try log.signedHead(size: min(size, log.size), at: later)
    case .forkedHead:
      return try log.signedHead(size: size, at: present.timestamp, root: SHA256Hash.hash(present.rootHash.bytes))
    case .timeBackwards(let milliseconds):
      let time = present.timestamp.milliseconds
      return try log.signedHead(size: size, at: Timestamp(milliseconds: time - min(time, milliseconds)))
    case .frozenHead: return lie.headWhenTold
    default: return nil
    }
  }

  /// The other tree, remade when the true one has grown.
  private func fork(at index: Int) throws -> TestLog {
    let head = log.head
    if let known = state.withLock({ $0.fork }), known.index == index, known.head == head { return known.log }
    let fork = try log.fork(at: index)
    state.withLock { $0.fork = (index, head, fork) }
    return fork
  }
}
