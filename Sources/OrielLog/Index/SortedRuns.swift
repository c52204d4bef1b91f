import Dispatch
import Foundation
package import MerkleTree
import Synchronization

/// An ``EntryTable`` in a folder of its own: each lot is written as a ``Run``, and runs of like size become one.
///
/// Keys are random. A table that is changed in place is written anew with every lot; here an entry is written once for
/// each time that the log has quadrupled since, and found with one read for each run.
package final class SortedRuns: EntryTable {
  private let folder: String
  private let width: KeyWidth
  private let threads = DispatchQueue(label: "oriel.log.index", attributes: .concurrent)
  /// In the order of their entries, nothing between them.
  private let runs: Mutex<[Run]>

  private static let fanIn = 4
  private static let suffix = ".run"

  /// - Parameter folder: is made if it is not there. One process at a time may write to it.
  package init(_ folder: String, _ width: KeyWidth) throws {
    (self.folder, self.width) = (folder, width)
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let names = try FileManager.default.contentsOfDirectory(atPath: folder)
    runs = Mutex(try SortedRuns.taken(names.map { folder + "/" + $0 }, width))
  }

  /// Opens the runs that make up a beginning of the log, the largest first, and deletes all else: what was merged, what
  /// a crash left half written, and what comes after a gap.
  private static func taken(_ paths: [String], _ width: KeyWidth) throws -> [Run] {
    let found = try paths.filter { $0.hasSuffix(suffix) }.compactMap { try Run.load($0, width) }
    let largestFirst = found.sorted { $0.entries.count > $1.entries.count }
    var runs: [Run] = []
    while let next = largestFirst.first(where: { $0.entries.lowerBound == runs.last?.entries.upperBound ?? 0 }) {
      runs.append(next)
    }
    let kept = Set(runs.map(\.path))
    for path in paths where !kept.contains(path) { unlink(path) }
    return runs
  }

  package func coveredSize() async throws -> UInt64 { runs.withLock { $0.last?.entries.upperBound ?? 0 } }

  package func forget(after size: UInt64) async throws {
    let gone = runs.withLock { runs in
      let gone = runs.filter { $0.entries.upperBound > size }
      runs.removeLast(gone.count)
      return gone
    }
    for run in gone { unlink(run.path) }
  }

  package func find(_ keys: [SHA256Hash]) async throws -> [SHA256Hash: [UInt64]] {
    let runs = runs.withLock { $0 }
    guard !runs.isEmpty, !keys.isEmpty else { return [:] }
    return try await threads.result {
      var found: [SHA256Hash: [UInt64]] = [:]
      for key in keys {
        for run in runs {
          let indexes = try run.find(key)
          if !indexes.isEmpty { found[key, default: []] += indexes }
        }
      }
      return found
    }
  }

  package func insert(_ entries: [SHA256Hash: UInt64], covering size: UInt64, resting: Bool) async throws {
    let start = try await coveredSize()
    guard start < size else { return }
    let new = entries.filter { $0.value >= start }
    let records = new.map { RunRecord(key: width.kept($0.key), index: $0.value) }.sorted()
    try await threads.result { [self] in
      try write(start..<size, resting: resting) { writer in
        for record in records { try writer.append(record) }
      }
      // What could not be merged is there all the same, and merged with the next.
      try? merge(resting: resting)
    }
  }

  /// Writes a run and takes it into use, in place of those that have parts of the same entries.
  private func write(
    _ entries: Range<UInt64>, resting: Bool, _ fill: (inout RunWriter) throws -> Void
  ) throws {
    let path = "\(folder)/\(entries.lowerBound)-\(entries.upperBound)\(SortedRuns.suffix)"
    var writer = try RunWriter(path + ".new", width, isResting: resting)
    try fill(&writer)
    try writer.finish(path, entries: entries)
    let run: Run
    do {
      try DirectoryStore.sync(directory: folder)
      guard let whole = try Run.load(path, width) else { throw BlobError.refused("read", path, code: EIO) }
      run = whole
    } catch {
      unlink(path)
      throw error
    }
    let replaced = runs.withLock { runs in
      let replaced = runs.filter { $0.entries.lowerBound >= entries.lowerBound }
      runs = runs.dropLast(replaced.count) + [run]
      return replaced
    }
    // Who is reading one of them goes on doing so.
    for old in replaced where old.path != path { unlink(old.path) }
  }

  private func merge(resting: Bool) throws {
    let all = runs.withLock { $0 }
    guard let first = SortedRuns.firstToMerge(all.map { UInt64($0.entries.count) }) else { return }
    // It is for speed alone: the log needs the room more.
    let needed = all[first...].reduce(0) { $0 + UInt64($1.blockCount * Run.blockByteCount) }
    guard (DirectoryStore.freeBytes(folder) ?? .max) / 2 > needed else { return }
    var sources = try all[first...].map { try RunReader($0) }
    let end = all.last?.entries.upperBound ?? 0
    try write(all[first].entries.lowerBound..<end, resting: resting) { writer in
      while let (record, place) = SortedRuns.smallest(sources) {
        try writer.append(record)
        try sources[place].advance()
      }
    }
  }

  private static func smallest(_ sources: [RunReader]) -> (record: RunRecord, place: Int)? {
    var smallest: (record: RunRecord, place: Int)?
    for place in sources.indices {
      guard let record = sources[place].current else { continue }
      if let known = smallest, known.record < record { continue }
      smallest = (record, place)
    }
    return smallest
  }

  /// Where the runs at the end that are to become one begin; nil if none are.
  ///
  /// Four runs of a size, or smaller, become one; if with that there are four of the next size, those too.
  static func firstToMerge(_ sizes: [UInt64]) -> Int? {
    func level(_ size: UInt64) -> Int { (UInt64.bitWidth - size.leadingZeroBitCount) / 2 }
    var sizes = sizes
    var first: Int?
    while let last = sizes.last {
      let tail = sizes.reversed().prefix { level($0) <= level(last) }
      guard tail.count >= fanIn else { return first }
      let sum = tail.reduce(0, +)
      sizes.removeLast(tail.count)
      first = sizes.count
      sizes.append(sum)
    }
    return first
  }
}
