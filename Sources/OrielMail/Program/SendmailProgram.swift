import Foundation

/// Hands mail to a program that takes it as sendmail does: `sendmail -i -f FROM -- TO…`, the message on standard input.
package struct SendmailProgram: Sendable {
  package var path: String
  /// What stands before the sender and the recipients.
  package var arguments: [String]
  package var timeLimit: Duration

  package init(path: String = "/usr/sbin/sendmail", arguments: [String] = ["-i"], timeLimit: Duration = .seconds(60)) {
    self.path = path
    self.arguments = arguments
    self.timeLimit = timeLimit
  }

  /// Runs the program once; its one exit status counts for all recipients.
  ///
  /// - Parameter message: as ``MailMessage/encoded()`` gives it; the program gets it with LF line ends.
  /// - Throws: `CancellationError`, after the program has been killed.
  package func send(
    from sender: MailAddress, to recipients: [MailAddress], message: [UInt8]
  ) async throws -> [MailResult] {
    guard !recipients.isEmpty else { return [] }
    let envelope = ["-f", sender.address, "--"] + recipients.map(\.address)
    let (outcome, part): (MailResult.Outcome, MailResult.Part)
    do {
      let file = try PrivateFile(unixLines(message))
      defer { file.remove() }
      let child = ChildProcess(
        program: path, arguments: arguments + envelope, environment: SendmailProgram.environment, input: file.path,
        timeLimit: timeLimit)
      (outcome, part) = result(of: await child.run())
    } catch {
      (outcome, part) = (.temporary("the message can't be written to a file: \(error)".withoutControls), .server)
    }
    try Task.checkCancellation()
    return recipients.map { MailResult(recipient: $0, outcome: outcome, part: part) }
  }

  /// What a mail program needs to find its settings and its clock; the rest, where secrets may be, stays here.
  private static var environment: [String: String] {
    let own = ProcessInfo.processInfo.environment
    let kept = own.filter { ["HOME", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR"].contains($0.key) }
    return kept.merging(["PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]) { $1 }
  }

  /// The exit codes are those of `sysexits.h`.
  private func result(of result: ChildProcess.Outcome) -> (MailResult.Outcome, MailResult.Part) {
    let said = String(decoding: result.output, as: UTF8.self).withoutControls.trimmingSpaces
    let output = said.isEmpty ? "" : ": \(said)"
    switch result.end {
    case .exited(0): return (.delivered("\(path) took it\(output)"), .message)
    case .exited(let code):
      let words = "\(path) ended with \(code)\(output)"
      return ((69...75).contains(code) ? .temporary(words) : .permanent(words), SendmailProgram.part(refusing: code))
    case .signalled(let signal): return (.temporary("\(path) was killed by signal \(signal)\(output)"), .message)
    case .timedOut:
      let words = "\(path) did not end within \(timeLimit.components.seconds) s and was killed\(output)"
      return (.temporary(words), .message)
    case .notStarted(let reason): return (.temporary("\(path) can't be run: \(reason)"), .server)
    }
  }

  private static func part(refusing code: Int32) -> MailResult.Part {
    switch code {
    // EX_NOUSER, EX_NOHOST.
    case 67, 68: .recipient
    // EX_USAGE, EX_UNAVAILABLE to EX_IOERR, EX_NOPERM, EX_CONFIG.
    case 64, 69...74, 77, 78: .server
    default: .message
    }
  }
}

/// A file that nobody else may read.
private struct PrivateFile {
  let path: String

  init(_ bytes: [UInt8]) throws {
    var template = Array(FileManager.default.temporaryDirectory.appending(path: "oriel-mail-XXXXXX").path.utf8CString)
    let descriptor = mkstemp(&template)
    guard descriptor >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
    path = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    do {
      try FileHandle(fileDescriptor: descriptor, closeOnDealloc: true).write(contentsOf: Data(bytes))
    } catch {
      remove()
      throw error
    }
  }

  func remove() { try? FileManager.default.removeItem(atPath: path) }
}

/// CRLF and CR as LF.
private func unixLines(_ message: [UInt8]) -> [UInt8] {
  var result: [UInt8] = []
  result.reserveCapacity(message.count)
  for (index, byte) in message.enumerated() {
    if byte == 0x0D {
      result.append(0x0A)
    } else if byte != 0x0A || index == 0 || message[index - 1] != 0x0D {
      result.append(byte)
    }
  }
  return result
}
