import Foundation

/// Figures: what the digest stage and the whole process cost, as ratios to the physical work in the same run.
///
///     oriel-bench corpus DIR [ENTRIES]     makes logs of realistic entries (400,000 by default)
///     oriel-bench digest DIR               the digest stage against inflating, scanning and hashing alone
///     oriel-bench process DIR ORIEL        `oriel watch --once` over loopback HTTP
///     oriel-bench policies DIR             judging certificates against the bare signature checks
///     oriel-bench outbox DIR ORIEL [COUNT] `oriel serve` sending what waits (100,000 by default), and its latency
@main
struct OrielBench {
  static func main() async throws {
    let arguments = Array(CommandLine.arguments.dropFirst())
    if arguments.first == "sink" { return try MailSink.run(every: arguments.last.flatMap { Int($0) } ?? 1000) }
    guard arguments.count >= 2 else { return print("usage: oriel-bench corpus|digest|process DIR [...]") }
    let directory = URL(filePath: arguments[1])
    switch arguments[0] {
    case "corpus": try Corpus(directory).write(entries: arguments.dropFirst(2).first.flatMap { Int($0) } ?? 400_000)
    case "digest": try await DigestBenchmark(corpus: Corpus(directory)).run()
    case "process" where arguments.count >= 3:
      try await ProcessBenchmark(corpus: Corpus(directory), oriel: arguments[2]).run()
    case "policies": try await PolicyBenchmark().run()
    case "outbox" where arguments.count >= 3:
      let count = arguments.dropFirst(3).first.flatMap { Int($0) } ?? 100_000
      let benchmark = OutboxBenchmark(directory: directory, oriel: arguments[2], count: count)
      try await benchmark.run()
      try await benchmark.latency(rounds: 20)
    default: print("unknown benchmark")
    }
  }
}

/// Processor seconds that this process has used.
func processorSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// The least processor time of several runs.
func best(of runs: Int = 5, _ work: () throws -> Void) rethrows -> Double {
  try (0..<runs).map { _ in
    let start = processorSeconds()
    try work()
    return processorSeconds() - start
  }.min() ?? 0
}

func text(_ value: Double, _ digits: Int = 2) -> String { String(format: "%.\(digits)f", value) }
