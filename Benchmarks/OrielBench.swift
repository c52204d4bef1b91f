import Foundation

/// Figures: what the digest stage and the whole process cost, as ratios to the physical work in the same run.
///
///     oriel-bench corpus DIR [ENTRIES]     makes logs of realistic entries (400,000 by default)
///     oriel-bench digest DIR               the digest stage against inflating, scanning and hashing alone
///     oriel-bench process DIR ORIEL        `oriel watch --once` over loopback HTTP
///     oriel-bench policies DIR             judging certificates against the bare signature checks
///     oriel-bench bulk DIR                 `oriel check` of many certificates against the bare signature checks
///     oriel-bench outbox DIR ORIEL [COUNT] `oriel serve` sending what waits (100,000 by default), and its latency
///     oriel-bench submissions DIR [COUNT]  makes submissions for a log (330,000 by default)
///     oriel-bench log DIR ORIEL [RATE [SECONDS]]   `oriel log serve` taking them; every SCT is checked
///     oriel-bench overload DIR ORIEL       the same on one core, offered twice what it can do
///     oriel-bench verdict DIR              judging certificates for a domain
///     oriel-bench service-corpus DIR       makes the state of a service: 10,000 accounts, 5 million issuances (19 GB)
///     oriel-bench service DIR ORIEL        `oriel serve` over it: each page, changes of settings, memory
///     oriel-bench large DIR ORIEL SUBMISSIONS [COUNT]  starting on a log of 10,000,000 entries, and going on
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
    case "bulk": try BulkCheckBenchmark().run()
    case "outbox" where arguments.count >= 3:
      let count = arguments.dropFirst(3).first.flatMap { Int($0) } ?? 100_000
      let benchmark = OutboxBenchmark(directory: directory, oriel: arguments[2], count: count)
      try await benchmark.run()
      try await benchmark.latency(rounds: 20)
    case "submissions":
      try SubmissionCorpus.write(arguments.dropFirst(2).first.flatMap { Int($0) } ?? 330_000, to: directory)
    case "log" where arguments.count >= 3:
      let numbers = arguments.dropFirst(3).compactMap { Double($0) }
      try await LogBenchmark(corpus: SubmissionCorpus(directory), folder: directory, oriel: arguments[2])
        .run(rate: numbers.first ?? 2500, seconds: numbers.dropFirst().first ?? 120, core: nil)
    case "overload" where arguments.count >= 3:
      try await LogBenchmark(corpus: SubmissionCorpus(directory), folder: directory, oriel: arguments[2])
        .run(rate: nil, seconds: 30, core: 0)
    case "large" where arguments.count >= 4:
      let corpus = try SubmissionCorpus(URL(filePath: arguments[3]))
      try await LogBenchmark(corpus: corpus, folder: directory, oriel: arguments[2])
        .large(entries: arguments.dropFirst(4).first.flatMap { Int($0) } ?? 10_000_000)
    case "verdict": VerdictBenchmark().run()
    case "service-corpus": try await ServiceCorpus(directory: directory).write()
    case "service" where arguments.count >= 3:
      try await ServiceBenchmark(corpus: ServiceCorpus(directory: directory), oriel: arguments[2]).run()
    default: print("unknown benchmark")
    }
  }
}

/// Processor seconds that this process has used.
func processorSeconds() -> Double { Double(clock()) / Double(CLOCKS_PER_SEC) }

/// The least processor time of several runs.
func best(of runs: Int = 5, _ work: () throws -> Void) rethrows -> Double {
  try (0..<runs).map { _ in
    let start = processorSeconds()
    try work()
    return processorSeconds() - start
  }.min() ?? 0
}

/// The same of several kinds of work, which take turns so that a noisy moment is nobody's alone.
func best(of runs: Int = 5, _ works: [() throws -> Void]) throws -> [Double] {
  var least = [Double](repeating: .infinity, count: works.count)
  for _ in 0..<runs {
    for (index, work) in works.enumerated() { least[index] = min(least[index], try best(of: 1, work)) }
  }
  return least
}

func text(_ value: Double, _ digits: Int = 2) -> String { String(format: "%.\(digits)f", value) }
