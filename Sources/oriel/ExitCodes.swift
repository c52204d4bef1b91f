import ArgumentParser
import CTLogClient
import CTPolicy
import CertificateTransparency
import Foundation
import OrielAccounts
import OrielCheck
import OrielProbe
import OrielServer
import OrielSettings
import OrielStore
import OrielWatchlist

extension ExitCode {
  /// Something that was looked for was found wanting.
  static let findings = ExitCode(1)
  /// A log stayed unreachable, or lied.
  static let incomplete = ExitCode(3)
  /// A file or an answer is not what it should be.
  static let badData = ExitCode(65)
  /// The configuration has mistakes.
  static let configuration = ExitCode(78)
  /// The data directory is in use or can't be written, or the address to listen on is another's.
  static let cannotWrite = ExitCode(73)
}

/// A failure with what to say of it and how to end.
struct CommandFailure: Error {
  let message: String
  let code: ExitCode

  init(_ message: String, _ code: ExitCode) {
    self.message = message
    self.code = code
  }

  /// What any error means for the person at the terminal.
  init(_ error: any Error) {
    switch error {
    case let failure as CommandFailure: self = failure
    case let error as StoreError:
      switch error {
      case .corrupt, .newer, .older, .foreign, .noBackup: self.init(error.description, .badData)
      case .inUse, .unwritable, .full, .unmade, .busy, .outdatedService: self.init(error.description, .cannotWrite)
      }
    case let error as WatchlistError: self.init("\(error)", .badData)
    case let error as WatchedItemError: self.init("\(error)", ExitCode(64))
    case AccountError.refused(let field, let reason): self.init("\(field.rawValue): \(reason)", ExitCode(64))
    case let error as ConfigurationError: self.init("\(error)", .configuration)
    case let error as Dashboard.Unlistenable: self.init("\(error)", .cannotWrite)
    case let error as FetchError: self.init("\(error)", .incomplete)
    case is FormatError, is PolicyFileError, is CertificateFile.Failure, is TrustAnchors.Failure:
      self.init("\(error)", .badData)
    case let error as SCTFile.Failure:
      if case .unwritable = error { self.init("\(error)", .cannotWrite) } else { self.init("\(error)", .badData) }
    case let code as ExitCode: self.init("", code)
    default: self.init("\(error)", .failure)
    }
  }
}

/// Runs a command's work; says what went wrong on standard error, and ends with the code that fits.
func reportingFailures(_ work: () async throws -> Void) async throws {
  do {
    try await work()
  } catch {
    let failure = CommandFailure(error)
    if !failure.message.isEmpty { Terminal.complain(failure.message) }
    throw failure.code
  }
}
