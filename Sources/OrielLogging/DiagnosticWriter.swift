import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Writes lines to a descriptor that may be full, closed, or read by nobody.
///
/// No write is fatal, and none waits longer than a bounded time: a process must not die or stand still because its log
/// cannot be written. What cannot be written is dropped and counted, and the count is reported once writing works again.
package final class DiagnosticWriter: Sendable {
  package static let standardError = DiagnosticWriter(descriptor: STDERR_FILENO)

  private struct State {
    /// Lines dropped since the last one that was written.
    var dropped = 0
    /// Whether the last write ended inside a line.
    var isMidLine = false
    /// Whether a progress line stands at the bottom of the terminal and must be cleared first.
    var hasProgress = false
  }

  private let descriptor: Int32
  private let patience: Duration
  private let state = Mutex(State())

  /// A pipe takes so many bytes whole once it is writable (POSIX guarantees 512, Linux a page).
  private static let chunk = 4096

  /// - Parameters:
  ///   - descriptor: stays open and the caller's own.
  ///   - patience: the longest wait for a reader that has fallen behind. While lines are dropped, nothing waits.
  package init(descriptor: Int32, patience: Duration = .milliseconds(100)) {
    self.descriptor = descriptor
    self.patience = patience
  }

  /// Whether somebody looks at it: progress is shown on a terminal only.
  package var isTerminal: Bool { isatty(descriptor) == 1 }

  /// Lines dropped since the last one that was written.
  package var droppedCount: Int { state.withLock { $0.dropped } }

  /// Writes text that ends with a line feed.
  ///
  /// - Parameter lossNotice: the line that says how many before it were dropped.
  package func write(_ text: String, lossNotice: (Int) -> String = DiagnosticWriter.lossNotice) {
    state.withLock { state in
      clearProgress(&state)
      let deadline = ContinuousClock.now + (state.dropped == 0 ? patience : .zero)
      var whole = state.isMidLine ? "\n" : ""
      if state.dropped > 0 { whole += lossNotice(state.dropped) }
      whole += text
      let bytes = Array(whole.utf8)
      let written = put(bytes[...], until: deadline)
      if written > 0 { state.isMidLine = bytes[written - 1] != 0x0A }
      state.dropped = written == bytes.count ? 0 : state.dropped + 1
    }
  }

  /// Shows `text` as the progress line; on a terminal only.
  package func showProgress(_ text: String) {
    guard isTerminal else { return }
    state.withLock { state in
      _ = put(Array(("\r\u{1b}[K" + text).utf8)[...], until: .now + patience)
      state.hasProgress = true
    }
  }

  package func clearProgress() { state.withLock { clearProgress(&$0) } }

  private func clearProgress(_ state: inout State) {
    guard state.hasProgress else { return }
    _ = put(Array("\r\u{1b}[K".utf8)[...], until: .now + patience)
    state.hasProgress = false
  }

  package static func lossNotice(_ count: Int) -> String {
    "oriel: \(count) \(count == 1 ? "message" : "messages") could not be written here\n"
  }

  /// Writes what the descriptor takes by the deadline.
  ///
  /// - Returns: how many bytes were written.
  private func put(_ bytes: ArraySlice<UInt8>, until deadline: ContinuousClock.Instant) -> Int {
    var rest = bytes
    while !rest.isEmpty {
      let wait = max(.zero, ContinuousClock.now.duration(to: deadline)) / .milliseconds(1)
      var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      let count = poll(&ready, 1, Int32(min(wait.rounded(.up), 60_000)))
      if count == 0 { break }
      if count > 0 {
        let written = rest.withUnsafeBytes {
          unsafe Self.write(descriptor, $0.baseAddress, min($0.count, Self.chunk))
        }
        if written > 0 {
          rest = rest.dropFirst(written)
          continue
        }
      }
      guard errno == EINTR || errno == EAGAIN, ContinuousClock.now < deadline else { break }
    }
    return bytes.count - rest.count
  }

  private static func write(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    #if canImport(Glibc)
      unsafe Glibc.write(descriptor, bytes, count)
    #else
      unsafe Darwin.write(descriptor, bytes, count)
    #endif
  }
}
