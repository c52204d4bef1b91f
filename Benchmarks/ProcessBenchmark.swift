import Foundation
import TestWorld

/// `oriel watch --once` from the first entry over loopback HTTP, its tree verified: processor seconds per million entries,
/// peak memory, and wall time against all the work that was done.
struct ProcessBenchmark {
  let corpus: Corpus
  let oriel: String

  func run() async throws {
    let many = try ManyLogs(corpus, count: 40)
    let files = FileResponder(corpus.directory)
    try await TestServer.run(port: 18999) { request in
      many.respond(to: request) ?? files.respond(to: request)
    } _: { _ in
      print("form      watching   CPU s/million   peak MiB   wall s   server CPU s   wall / all CPU")
      for form in Corpus.Form.allCases {
        for list in corpus.watchLists {
          var results: [Measurement] = []
          for _ in 0..<3 {
            results.append(try await measure(list: logs(form), watchList: list.path))
          }
          show(form.rawValue, list.name, results.sorted { $0.processor < $1.processor }[1], try corpus.size(form))
        }
      }
      // So many entries that what is done once, however much is logged, hardly counts.
      let entries = try corpus.size(.gzip) * many.count
      for list in corpus.watchLists {
        let without = try await measure(list: many.listFile, watchList: list.path)
        let with = try await measure(list: many.listFile, watchList: list.path, lookalikes: true)
        show("\(many.count) logs", list.name, without, entries)
        show("  alike", list.name, with, entries)
        let starts = [
          try await measure(list: logs(.raw), watchList: list.path, from: "now").processor,
          try await measure(list: logs(.raw), watchList: list.path, from: "now", lookalikes: true).processor,
        ]
        print(
          "  with look-alikes: \(text((with.processor - starts[1]) / (without.processor - starts[0]))) times an entry,",
          "\(text(starts[1] - starts[0])) s more at the start")
        fflush(nil)
      }
    }
  }

  private func logs(_ form: Corpus.Form) -> String { corpus.directory.path + "/\(form.rawValue).json" }

  private func show(_ form: String, _ list: String, _ result: Measurement, _ entries: Int) {
    print(
      form.padding(toLength: 9, withPad: " ", startingAt: 0), list,
      text(result.processor * 1e6 / Double(entries)), text(result.peak, 0), text(result.wall), text(result.server),
      text(result.wall / (result.processor + result.server)), separator: "   ")
    fflush(nil)
  }

  private struct Measurement {
    var processor = 0.0
    var peak = 0.0
    var wall = 0.0
    var server = 0.0
  }

  private func measure(
    list: String, watchList: String, from: String = "start", lookalikes: Bool = false
  ) async throws -> Measurement {
    let state = FileManager.default.temporaryDirectory.appending(path: "oriel-bench-\(UUID().uuidString)")
    let settings = state.path + ".yaml"
    defer {
      for path in [state.path, state.path + ".err", settings] { try? FileManager.default.removeItem(atPath: path) }
    }
    try Data("watch_lists: ['\(watchList)']\ndefaults: {lookalikes: \(lookalikes)}\n".utf8)
      .write(to: URL(filePath: settings))
    let process = Process()
    process.executableURL = URL(filePath: "/bin/sh")
    // The shell's own use is next to nothing; `exec` makes it Oriel's.
    process.arguments = [
      "-c",
      "exec '\(oriel)' watch --once --from \(from) --json --log-list '\(list)' "
        + "--data-dir '\(state.path)' --config '\(settings)' >/dev/null 2>'\(state.path).err'",
    ]
    let server = processorSeconds()
    let start = ContinuousClock.now
    let before = ProcessBenchmark.children()
    try process.run()
    var peak = 0.0
    while process.isRunning {
      peak = max(peak, ProcessBenchmark.peak(of: process.processIdentifier))
      try await Task.sleep(for: .milliseconds(20))
    }
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Failed(status: process.terminationStatus) }
    let after = ProcessBenchmark.children()
    let wall = start.duration(to: .now) / .seconds(1)
    return Measurement(
      processor: after - before, peak: peak, wall: wall, server: processorSeconds() - server)
  }

  private struct Failed: Error {
    let status: Int32
  }

  private static func children() -> Double {
    var times = tms()
    Glibc.times(&times)
    return Double(times.tms_cutime + times.tms_cstime) / Double(sysconf(Int32(_SC_CLK_TCK)))
  }

  /// What a process has used so far.
  static func used(by process: Int32) -> Double {
    let text = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ""
    // After the name in brackets, fields 14 and 15 are user and system time in ticks of 10 ms.
    let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
    return fields.count > 13 ? (Double(fields[11]) ?? 0) / 100 + (Double(fields[12]) ?? 0) / 100 : 0
  }

  /// The most memory that a process has had at once, in MiB.
  static func peak(of process: Int32) -> Double {
    let status = (try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") } ?? ""
    return Double(line.filter(\.isNumber)).map { $0 / 1024 } ?? 0
  }
}

extension Corpus {
  func size(_ form: Form) throws -> Int {
    let entries = try Data(contentsOf: directory.appending(path: "entries"))
    return Int(String(decoding: entries, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
  }
}
