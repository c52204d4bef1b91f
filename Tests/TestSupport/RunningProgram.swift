public import Foundation
import OrielMail
import Synchronization

/// A process of ours, with nothing of this one but what it is given.
///
/// Foundation's `Process` reads beyond its memory while it looks for open descriptors, which ends a run of tests that has
/// many of them.
public final class RunningProgram: Sendable {
  public let identifier: pid_t
  /// What the system said of its end; nil while it runs.
  private let end = Mutex<Int32?>(nil)

  /// Starts a program; what is not given of its three descriptors is the null device.
  public init(
    _ program: String, _ arguments: [String] = [],
    environment: [String: String] = ProcessInfo.processInfo.environment, input: FileHandle? = nil,
    output: FileHandle? = nil, errors: FileHandle? = nil
  ) throws {
    let descriptors = [input, output, errors].enumerated().map { number, handle -> ProgramStart.Descriptor in
      if let handle { return .same(as: handle.fileDescriptor) }
      return number == 0 ? .reading("/dev/null") : .writing("/dev/null")
    }
    identifier = try ProgramStart(program, arguments, environment: environment, descriptors: descriptors).start()
  }

  public var isRunning: Bool { end.withLock { look(&$0) } }

  /// The code that it exited with, or the number of the signal that ended it; nil while it runs.
  public var status: Int32? {
    guard !isRunning else { return nil }
    return end.withLock { end in end.map { $0 & 0x7f == 0 ? $0 >> 8 & 0xff : $0 & 0x7f } }
  }

  public func send(_ signal: Int32) {
    end.withLock { end in
      // Reaped under the same lock, so that the number is nobody else's.
      if look(&end) { kill(identifier, signal) }
    }
  }

  /// Blocks until it has ended.
  @discardableResult
  public func wait() -> Int32 {
    while isRunning { usleep(2000) }
    return status ?? -1
  }

  /// Whether it still runs; if not, it is reaped.
  private func look(_ end: inout Int32?) -> Bool {
    guard end == nil else { return false }
    var status: Int32 = 0
    let found = waitpid(identifier, &status, WNOHANG)
    guard found != 0 else { return true }
    end = found == identifier ? status : -1
    return false
  }
}
