import HTTPTypes
import HummingbirdCore
import NIOCore
import OrielAccounts
import OrielStore
import Synchronization

/// What is open for as long as somebody listens: pages that want to hear of news, and streams of certificates.
final class LiveStreams: Sendable {
  let pages: Occupancy
  let certificates: Occupancy
  private let state = Mutex(false)

  init(pages: Quota, certificates: Quota) {
    self.pages = Occupancy(pages)
    self.certificates = Occupancy(certificates)
  }

  /// Ends them all soon.
  func stop() { state.withLock { $0 = true } }
  var isStopping: Bool { state.withLock { $0 } }
}

extension Site {
  /// Server-sent events: one whenever there is something new to show, for as long as the session is good. What `since`
  /// or a break has seen is nothing new.
  func events(_ visit: Visit, lastSeen: String?) throws -> Response {
    guard let session = visit.session else { throw AccountError.signedOut }
    let account = try visit.someone().account
    let (pages, occupant) = (streams.pages, visit.occupant)
    guard !pages.isFull(for: occupant) else { throw AccountError.limited(retryAfter: 60_000) }
    let body = ResponseBody { [self] writer in
      // Only here: a body that is never asked for would never leave.
      guard pages.enter(occupant) else { return try await writer.finish(nil) }
      defer { pages.leave(occupant) }
      var last = lastSeen ?? visit.query["since"]
      while !streams.isStopping, !Task.isCancelled {
        // Anew each time: the session may have ended, or the member been removed.
        guard let actor = try? await signIn.actor(session: session, account: account),
          let news = try? await accounts.news(actor)
        else { break }
        // A comment shows whether anybody still listens.
        let text = news.mark == last ? ": \n\n" : "event: news\nid: \(news.mark)\ndata: \(news.open.value)\n\n"
        last = news.mark
        try await writer.write(ByteBuffer(string: text))
        try await Task.sleep(for: settings.liveInterval)
      }
      try await writer.finish(nil)
    }
    return Response(status: .ok, headers: [.contentType: "text/event-stream", .cacheControl: "no-store"], body: body)
  }
}
