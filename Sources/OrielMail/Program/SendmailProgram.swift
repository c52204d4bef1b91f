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
    let result = await ChildProcess.run(
      path, arguments + envelope, input: unixLines(message), timeLimit: timeLimit)
    if result.end == .cancelled { throw CancellationError() }
    let outcome = outcome(of: result)
    return recipients.map { MailResult(recipient: $0, outcome: outcome) }
  }

  /// The exit codes are those of `sysexits.h`.
  private func outcome(of result: ChildProcess.Result) -> MailResult.Outcome {
    let said = String(decoding: result.output, as: UTF8.self).withoutControls.trimmingSpaces
    let output = said.isEmpty ? "" : ": \(said)"
    switch result.end {
    case .exited(0): return .delivered("\(path) took it\(output)")
    case .exited(let code) where (69...75).contains(code):
      return .temporary("\(path) ended with \(code)\(output)")
    case .exited(let code): return .permanent("\(path) ended with \(code)\(output)")
    case .killed(let signal): return .temporary("\(path) was killed by signal \(signal)\(output)")
    case .timedOut:
      return .temporary("\(path) did not end within \(timeLimit.components.seconds) s and was killed\(output)")
    case .notStarted(let reason): return .temporary("\(path) can't be run: \(reason)")
    case .cancelled, .unknown: return .temporary("how \(path) ended is not known\(output)")
    }
  }
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
