import HTTPTypes
import HummingbirdCore
import NIOCore
import OrielAccounts
import OrielStore
import Synchronization

/// The pages that are open and want to hear of news.
final class LivePages: Sendable {
  private let state = Mutex((count: 0, isStopping: false))

  func stop() { state.withLock { $0.isStopping = true } }
  var isStopping: Bool { state.withLock { $0.isStopping } }

  func isFull(_ most: Int) -> Bool { state.withLock { $0.count >= most } }

  /// - Returns: false if there are as many as may be.
  func enter(most: Int) -> Bool {
    state.withLock { state in
      guard state.count < most, !state.isStopping else { return false }
      state.count += 1
      return true
    }
  }

  func leave() { state.withLock { $0.count -= 1 } }
}

extension Site {
  /// Server-sent events: one whenever there is something new to show, for as long as the session is good. What `since`
  /// or a break has seen is nothing new.
  func events(_ visit: Visit, lastSeen: String?) throws -> Response {
    guard let session = visit.session else { throw AccountError.signedOut }
    let account = try visit.someone().account
    guard !live.isFull(settings.livePages) else { throw AccountError.limited(retryAfter: 60_000) }
    let body = ResponseBody { [self] writer in
      // Only here: a body that is never asked for would never leave.
      guard live.enter(most: settings.livePages) else { return try await writer.finish(nil) }
      defer { live.leave() }
      var last = lastSeen ?? visit.query["since"]
      while !live.isStopping, !Task.isCancelled {
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
