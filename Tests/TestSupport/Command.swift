public import Foundation
import Testing

/// A program run as its user would run it, with its output in files, so that it never waits for a reader.
public final class Command: Sendable {
  public struct Result: Sendable {
    public let status: Int32
    public let output: String
    public let errors: String

    /// The lines of the output.
    public var lines: [String] { output.split(separator: "\n").map(String.init) }
  }

  /// The `oriel` that was built along with the tests.
  public static let oriel = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    .deletingLastPathComponent().appending(path: "oriel")

  private let program: RunningProgram
  private let folder: URL

  /// Starts a program.
  public init(
    _ arguments: [String], program: URL = Command.oriel, environment: [String: String] = [:]
  ) throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "oriel-command-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for name in ["out", "err"] {
      try Data().write(to: folder.appending(path: name))
    }
    let folder = folder
    let handles = try ["out", "err"].map { try FileHandle(forWritingTo: folder.appending(path: $0)) }
    self.program = try RunningProgram(
      program.path, arguments, environment: ProcessInfo.processInfo.environment.merging(environment) { $1 },
      output: handles[0], errors: handles[1])
    for handle in handles { try handle.close() }
  }

  deinit {
    program.send(SIGKILL)
    program.wait()
    try? FileManager.default.removeItem(at: folder)
  }

  /// What it has printed so far.
  public var output: String { text("out") }
  public var errors: String { text("err") }

  private func text(_ name: String) -> String {
    String(decoding: (try? Data(contentsOf: folder.appending(path: name))) ?? Data(), as: UTF8.self)
  }

  /// The number of its process.
  public var identifier: pid_t { program.identifier }

  public func send(_ signal: Int32) { program.send(signal) }

  public var isRunning: Bool { program.isRunning }

  /// The processor time that it has taken, in seconds.
  public var processorTime: Double {
    var clock = clockid_t()
    var time = timespec()
    guard clock_getcpuclockid(program.identifier, &clock) == 0, clock_gettime(clock, &time) == 0 else { return 0 }
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// Waits for its end. One that does not end is killed after five minutes, with a status that no test expects.
  public func finish() async throws -> Result {
    let hasEnded = try await eventually(within: .seconds(300), every: .milliseconds(5)) { !program.isRunning }
    if !hasEnded {
      program.send(SIGKILL)
      program.wait()
    }
    return Result(status: program.status ?? -1, output: output, errors: errors)
  }

  /// Waits until it has printed something, or has ended, for at most five minutes.
  public func wait(for text: String) async throws {
    try await eventually(within: .seconds(300)) { output.contains(text) || errors.contains(text) || !isRunning }
  }

  /// The port on which a server says that it is listening; nil if it ended instead.
  public func port() async throws -> Int? {
    try await wait(for: "listening on ")
    let address = errors.split(separator: "listening on ").dropFirst().last?.prefix { $0 != "\"" && $0 != "\n" }
    return address?.split(whereSeparator: { !$0.isNumber }).last.flatMap { Int($0) }
  }

  /// Runs `oriel` to its end.
  public static func run(_ arguments: [String], environment: [String: String] = [:]) async throws -> Result {
    try await Command(arguments, environment: environment).finish()
  }
}

/// A folder that is there as long as somebody holds it.
public final class TemporaryFolder: Sendable {
  public let url: URL
  public var path: String { url.path }

  public init() throws {
    url = FileManager.default.temporaryDirectory.appending(path: "oriel-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  /// Writes a file and gives its path.
  public func write(_ text: String, to name: String) throws -> String {
    let file = url.appending(path: name)
    try Data(text.utf8).write(to: file)
    return file.path
  }
}
