import Synchronization

/// What is counted of one log, in the text format of Prometheus.
final class Metrics: Sendable {
  private struct Counts {
    var submissions: [Submission: UInt64] = [:]
    var reads: [Int: UInt64] = [:]
    var waits = Histogram()
    var ticks = Histogram()
    var failedTicks: UInt64 = 0
  }

  private struct Submission: Hashable {
    let endpoint: String
    let status: Int
  }

  private struct Histogram {
    static let bounds = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5]
    var counts = Histogram.bounds.map { _ in UInt64(0) }
    var sum = 0.0
    var count: UInt64 = 0

    mutating func add(_ duration: Duration) {
      let seconds = duration / .seconds(1)
      for (place, bound) in Histogram.bounds.enumerated() where seconds <= bound { counts[place] += 1 }
      sum += seconds
      count += 1
    }
  }

  private let counts = Mutex(Counts())

  func countSubmission(_ endpoint: Substring, status: Int, took: Duration) {
    counts.withLock { counts in
      counts.submissions[Submission(endpoint: String(endpoint), status: status), default: 0] += 1
      if status == 200 { counts.waits.add(took) }
    }
  }

  func countRead(status: Int) { counts.withLock { $0.reads[status, default: 0] += 1 } }

  func countTick(took: Duration, failed: Bool) {
    counts.withLock { counts in
      counts.ticks.add(took)
      if failed { counts.failedTicks += 1 }
    }
  }

  /// A name, its kind, and its samples by log: those of all logs stand together.
  typealias Family = (name: String, kind: String, samples: [String])

  func families(log: String, _ gauges: [(name: String, value: Double)]) -> [Family] {
    let counts = counts.withLock { $0 }
    // Origins are host names and paths; quotes and backslashes have no place in them, but would break the format.
    let label = "log=\"\(log.filter { $0 != "\"" && $0 != "\\" && !$0.isNewline })\""
    func histogram(_ name: String, _ values: Histogram) -> Family {
      var samples = zip(Histogram.bounds, values.counts).map { "_bucket{\(label),le=\"\($0)\"} \($1)" }
      samples.append("_bucket{\(label),le=\"+Inf\"} \(values.count)")
      return (name, "histogram", samples + ["_sum{\(label)} \(values.sum)", "_count{\(label)} \(values.count)"])
    }
    let submissions = counts.submissions.map { key, count in
      "{\(label),endpoint=\"\(key.endpoint)\",status=\"\(key.status)\"} \(count)"
    }
    return [
      ("oriel_log_submissions_total", "counter", submissions.sorted()),
      ("oriel_log_reads_total", "counter", counts.reads.map { "{\(label),status=\"\($0)\"} \($1)" }.sorted()),
      histogram("oriel_log_submission_seconds", counts.waits),
      histogram("oriel_log_sequencing_seconds", counts.ticks),
      ("oriel_log_sequencing_failures_total", "counter", ["{\(label)} \(counts.failedTicks)"]),
    ] + gauges.map { ($0.name, "gauge", ["{\(label)} \($0.value)"]) }
  }

  static func text(_ logs: [[Family]]) -> String {
    guard let first = logs.first else { return "" }
    var lines: [String] = []
    for place in first.indices {
      lines.append("# TYPE \(first[place].name) \(first[place].kind)")
      for log in logs { lines += log[place].samples.map { log[place].name + $0 } }
    }
    return lines.joined(separator: "\n")
  }
}
