import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
import NIOHTTP1
import OrielAccounts

/// Reading what requests bring, within bounds.
extension Routes {
  /// How much of a body is read, and for how long.
  enum BodyBounds {
    /// A form of somebody who is not signed in.
    case anonymous
    case form, files
    /// As much as of files, and nothing is kept of it.
    case dropped

    var hasFiles: Bool { self == .files || self == .dropped }
  }

  /// Takes a place for a form with files, to be given back by `site.uploads.leave`.
  ///
  /// Who may not send files, or not there, or not now, is told so, and nothing of what they send is kept meanwhile.
  static func admit(_ visit: Visit, _ request: Request, _ context: WebContext, _ site: Site) async throws {
    do {
      try checkOrigin(request, site)
      let actor = try visit.someone()
      _ = try await site.accounts.domain(actor, visit.domain)
      guard actor.may(.write) else { throw AccountError.forbidden(.write) }
      guard site.uploads.enter(visit.occupant) else { throw WebProblem.busy }
    } catch {
      _ = try? await body(of: request, context, site, .dropped, from: visit.occupant)
      throw error
    }
  }

  /// The form that a request brings.
  static func form(
    of request: Request, _ context: WebContext, _ site: Site, _ visit: Visit, isUpload: Bool
  ) async throws -> Form {
    let bounds = isUpload ? BodyBounds.files : visit.actor == nil ? .anonymous : .form
    let body = try await body(of: request, context, site, bounds, from: visit.occupant)
    let type = request.headers[.contentType]
    guard isUpload, let account = visit.actor?.account else { return try Form(body, contentType: type) }
    return try await site.heavyWork.run(for: account) { try Form(body, contentType: type) }
  }

  static func body(
    of request: Request, _ context: WebContext, _ site: Site, _ bounds: BodyBounds = .form, from occupant: Occupant
  ) async throws -> [UInt8] {
    let (channel, settings) = (context.channel, site.settings)
    do {
      guard site.bodies.enter(occupant) else { throw WebProblem.busy }
      defer { site.bodies.leave(occupant) }
      return try await withThrowingTaskGroup(of: [UInt8].self) { group in
        group.addTask {
          guard !bounds.hasFiles else {
            return try await Routes.files(of: request, settings.uploadByteCount, isKept: bounds == .files)
          }
          let most = bounds == .anonymous ? settings.anonymousFormByteCount : settings.formByteCount
          return [UInt8]((try await request.body.collect(upTo: most)).readableBytesView)
        }
        group.addTask {
          try await Task.sleep(for: bounds.hasFiles ? settings.uploadTimeout : settings.bodyTimeout)
          throw WebProblem.tooSlow
        }
        defer { group.cancelAll() }
        return try await group.next() ?? []
      }
    } catch {
      // Nobody wants to read the rest.
      channel.eventLoop.execute {
        try? channel.pipeline.syncOperations.handler(type: ConnectionHandler.self).closesAfterAnswer()
      }
      switch error {
      case is NIOTooManyBytesError: throw WebProblem.tooLarge
      case is HTTPParserError: throw WebProblem.damagedForm
      default: throw error
      }
    }
  }

  /// What is too much is read and thrown away, up to a point: browsers look at no answer before they have sent all.
  private static func files(of request: Request, _ most: Int, isKept: Bool) async throws -> [UInt8] {
    var (bytes, count) = ([UInt8](), 0)
    for try await part in request.body {
      count += part.readableBytes
      guard count <= most else {
        bytes = []
        if count > most * 8 { break }
        continue
      }
      if isKept { bytes += part.readableBytesView }
    }
    guard count <= most else { throw WebProblem.tooLarge }
    return bytes
  }
}
