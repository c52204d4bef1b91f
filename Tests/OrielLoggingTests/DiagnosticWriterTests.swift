import Foundation
import Testing

@testable import OrielLogging

#if canImport(Glibc)
  import Glibc
#endif

@Suite("Writing diagnostics")
struct DiagnosticWriterTests {
  /// A pipe whose ends are closed at the end of a test.
  private final class Pipe {
    private(set) var ends: [Int32] = [-1, -1]

    init() throws {
      signal(SIGPIPE, SIG_IGN)
      try #require(pipe(&ends) == 0)
    }

    var reading: Int32 { ends[0] }
    var writing: Int32 { ends[1] }

    func stopReading() {
      close(ends[0])
      ends[0] = -1
    }

    /// What has been written so far, without waiting for more.
    func read() -> String {
      _ = fcntl(reading, F_SETFL, O_NONBLOCK)
      var (text, buffer) = ([UInt8](), [UInt8](repeating: 0, count: 65_536))
      while case let count = Glibc.read(reading, &buffer, buffer.count), count > 0 { text += buffer.prefix(count) }
      return String(decoding: text, as: UTF8.self)
    }

    deinit { for end in ends where end >= 0 { close(end) } }
  }

  @Test("A line is written as it is")
  func plain() throws {
    let pipe = try Pipe()
    DiagnosticWriter(descriptor: pipe.writing).write("one\n")
    #expect(pipe.read() == "one\n")
  }

  @Test("A full disk, a reader that has gone and a closed descriptor are no reason to die: lines are counted")
  func unwritable() throws {
    let full = open("/dev/full", O_WRONLY)
    try #require(full >= 0)
    defer { close(full) }
    let pipe = try Pipe()
    pipe.stopReading()
    for descriptor in [full, pipe.writing, 1_000_000] {
      let writer = DiagnosticWriter(descriptor: descriptor)
      writer.write("one\n")
      writer.write("two\n")
      #expect(writer.droppedCount == 2, "descriptor \(descriptor)")
    }
  }

  @Test("A reader that stands still holds nobody up, and hears how much it missed")
  func stalled() throws {
    let pipe = try Pipe()
    let writer = DiagnosticWriter(descriptor: pipe.writing, patience: .milliseconds(1))
    let line = String(repeating: "x", count: 999) + "\n"
    for _ in 0..<1000 { writer.write(line) }
    #expect(writer.droppedCount > 500)
    let missed = writer.droppedCount
    let before = pipe.read()
    writer.write("after\n")
    #expect(writer.droppedCount == 0)
    let after = pipe.read()
    #expect(after.hasSuffix("oriel: \(missed) messages could not be written here\nafter\n"))
    // A line that was cut is ended before anything else is written.
    #expect((before + after).split(separator: "\n").contains("oriel: \(missed) messages could not be written here"))
  }

  @Test("Longer than a pipe is deep, read meanwhile: whole")
  func long() async throws {
    let pipe = try Pipe()
    let text = String(repeating: "0123456789", count: 50_000) + "\n"
    let (reading, writing) = (pipe.reading, pipe.writing)
    let reader = Task.detached {
      var (all, buffer) = ([UInt8](), [UInt8](repeating: 0, count: 65_536))
      while all.last != 0x0A, case let count = Glibc.read(reading, &buffer, buffer.count), count > 0 {
        all += buffer.prefix(count)
      }
      return all
    }
    DiagnosticWriter(descriptor: writing, patience: .seconds(60)).write(text)
    #expect(await reader.value == Array(text.utf8))
    withExtendedLifetime(pipe) {}
  }
}
