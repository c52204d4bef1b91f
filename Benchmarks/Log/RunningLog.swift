import Foundation

/// `oriel log serve` in a process of its own, and what it uses.
final class RunningLog {
  struct Use {
    /// Seconds.
    let processor: Double
    /// Bytes.
    let written: Double
    /// MiB.
    let peak: Double
  }

  struct DidNotStart: Error {}

  private let process = Process()

  init(_ oriel: String, home: URL, port: Int, core: Int? = nil) async throws {
    let arguments = [
      oriel, "log", "serve", home.path, "--listen", "127.0.0.1:\(port)", "--min-free", "100",
    ]
    process.executableURL = URL(filePath: core == nil ? oriel : "/usr/bin/taskset")
    process.arguments = core.map { ["-c", "\($0)"] + arguments } ?? Array(arguments.dropFirst())
    process.standardError = FileHandle.nullDevice
    try process.run()
    let start = ContinuousClock.now
    while ContinuousClock.now - start < .seconds(60) {
      if let handle = SubmissionLoad.connect(to: port) {
        close(handle)
        return
      }
      try await Task.sleep(for: .milliseconds(20))
    }
    throw DidNotStart()
  }

  func use() -> Use {
    let pid = process.processIdentifier
    let io = (try? String(contentsOfFile: "/proc/\(pid)/io", encoding: .utf8)) ?? ""
    let line = io.split(separator: "\n").first { $0.hasPrefix("write_bytes:") } ?? ""
    return Use(
      processor: ProcessBenchmark.used(by: pid), written: Double(line.filter(\.isNumber)) ?? 0,
      peak: ProcessBenchmark.peak(of: pid))
  }

  func stop() {
    guard process.isRunning else { return }
    process.terminate()
    process.waitUntilExit()
  }

  /// The bytes that a folder takes up.
  static func size(of folder: URL) -> Double {
    var bytes = 0
    guard let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: [.fileSizeKey]) else {
      return 0
    }
    for case let file as URL in files { bytes += (try? file.resourceValues(forKeys: [.fileSizeKey]))?.fileSize ?? 0 }
    return Double(bytes)
  }
}
