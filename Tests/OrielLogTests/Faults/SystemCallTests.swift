import CertificateTransparency
import Foundation
import TestSupport
import TestWorld
import Testing

@testable import OrielLog

/// The kernel refuses what the log asks of it, call by call. `make soak` refuses more.
@Suite("System calls that fail", .serialized, .needsStrace)
struct SystemCallTests {
  /// A call of the server that fails in each of its threads.
  struct Fault: Sendable, CustomStringConvertible {
    let calls: [String]
    let error: String
    /// Which calls of a thread fail: `3`, or `3+` for all from the third on.
    let times: [String]

    var description: String { "\(error) from \(calls.joined(separator: ", "))" }
  }

  /// What stores files, and what databases do.
  static let campaign: [Fault] = {
    let calls = [["write"], ["fsync"], ["rename", "renameat", "renameat2"], ["openat"], ["pwrite64"], ["fdatasync"]]
    let all = (1...12).map { "\($0)" } + ["1+", "2+", "3+", "5+", "8+", "2+2", "1+3"]
    return calls.enumerated().flatMap { place, calls in
      (isCampaign ? ["EIO", "ENOSPC"] : [place % 2 == 0 ? "EIO" : "ENOSPC"]).map { error in
        Fault(calls: calls, error: error, times: isCampaign ? all : ["2", place % 2 == 0 ? "5" : "4+"])
      }
    }
  }()

  @Test("Whichever call fails, the log keeps every SCT and checkpoint it gave", arguments: campaign)
  func failure(_ fault: Fault) async throws {
    let log = try await OperatedLog()
    let submitter = Submitter(log.authority, try log.folder.entry.key)
    var heads: [LogHead] = []
    var hits = 0
    for time in fault.times {
      let trace = Trace(log, fault, time)
      let (command, http) = try await log.serve(["--period", "20"], under: trace.wrap)
      if let http {
        try await submit(submitter, http, trace)
        if let head = try? await log.head(http) { heads.append(head) }
        // What fails once in each thread is over at some time, and the log goes on by itself.
        if !trace.isSudden, !time.contains("+") {
          try await eventually { [nil, 200].contains(try await submitter.submit(http)) }
        }
        command.send(SIGKILL)
      } else {
        #expect(trace.hits > 0, "it did not start, but no call failed: \(command.errors)")
      }
      let result = try await command.finish()
      #expect(http != nil || result.status != 0 && result.errors.contains("\"logger\":\"oriel\""), "\(result)")
      hits += trace.hits
      try await log.recover(submitter, &heads, after: "\(fault), \(time): \(command.errors)")
    }
    #expect(hits > 0, "no call failed")
    #expect(submitter.refusals.allSatisfy { $0.hasPrefix("503 ") }, "\(Set(submitter.refusals))")
  }

  private func submit(_ submitter: Submitter, _ http: RawHTTP, _ trace: Trace) async throws {
    // Some calls come late, others never come so often.
    if trace.isSudden {
      for _ in 0..<96 where trace.hits == 0 { guard try await submitter.submit(http) != nil else { break } }
    } else {
      for _ in 0..<8 where trace.hits == 0 { guard try await submitter.submit(12, to: http) else { break } }
      _ = try await submitter.submit(12, to: http)
    }
  }

  /// strace as it runs one server.
  private struct Trace {
    let fault: Fault
    let time: String
    let folder: String
    let file: String

    init(_ log: OperatedLog, _ fault: Fault, _ time: String) {
      (self.fault, self.time, folder) = (fault, time, log.path)
      file = log.temporary.path + "/trace-\(UUID().uuidString)"
    }

    /// Whether the server is killed after the first failure, before another batch covers up what it did.
    var isSudden: Bool { Int(time).map { $0.isMultiple(of: 2) } ?? false }

    /// How many calls failed.
    var hits: Int {
      let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
      return text.split(separator: "\n").count { $0.hasSuffix("(INJECTED)") }
    }

    /// Only calls on the log's own files fail. Those have names with the number of the process, which is known to a
    /// shell that becomes it: strace stands aside as a process of its own.
    func wrap(_ arguments: [String]) -> (URL, [String]) {
      let names =
        ["lock.db", "lock.db-wal", "index/keys", "index/leaves", "public", "public/checkpoint", "public/issuer"]
        + ["incoming", "staging", "tile", "tile/0", "tile/data", "tile/names"].map { "public/\($0)" }
      let script = """
        for name in \(names.joined(separator: " ")); do paths="$paths -P $0/$name"; done
        for number in $(seq 600); do paths="$paths -P $0/public/incoming/$$-$number"; done
        exec strace -D -f -qq --seccomp-bpf -o "$1" -e signal=none -e trace="$2" -e inject="$3" $paths "$4" \
        "${@:5}"
        """
      let calls = fault.calls.map { "?\($0)" }.joined(separator: ",")
      let injection = "\(calls):error=\(fault.error):when=\(time)"
      return (
        URL(filePath: "/bin/bash"),
        ["-c", script, folder, file, calls, injection, Command.oriel.path] + arguments
      )
    }
  }
}

extension OperatedLog {
  /// Starts again without faults, and checks everything.
  fileprivate func recover(_ submitter: Submitter, _ heads: inout [LogHead], after fault: String) async throws {
    let (command, http) = try await serve(["--period", "20"])
    let running = try #require(http, "it does not start after \(fault): \(command.errors)")
    #expect(try await submitter.submit(running) == 200, "after \(fault)")
    let last = try await head(running)
    command.send(SIGTERM)
    #expect(try await command.finish().status == 0, "after \(fault)")
    let check = try await fsck()
    #expect(check.status == 0, "after \(fault): \(check.output)\(check.errors)")
    try await self.check(last, submitter.promises, heads)
    heads.append(last)
  }
}

extension Trait where Self == ConditionTrait {
  /// The test needs strace, and the right to use it.
  fileprivate static var needsStrace: Self {
    .enabled("needs strace, and leave to trace processes (apt-get install strace)") {
      let strace = "/usr/bin/strace"
      guard FileManager.default.isExecutableFile(atPath: strace) else { return false }
      let probe = ["-D", "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null", "-e", "trace=fsync", "/bin/true"]
      return try await Command(probe, program: URL(filePath: strace)).finish().status == 0
    }
  }
}
