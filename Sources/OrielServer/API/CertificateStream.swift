import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
import OrielAccounts
import OrielStore

extension APIOperation {
  /// Each certificate that is judged for the account, as it comes, in the form of certstream's messages.
  static let events = APIOperation(
    method: .get, path: "/stream", id: "streamCertificates",
    summary: "Certificates as they are judged, as server-sent events in the form of certstream. With the header "
      + "Last-Event-ID it goes on behind that event.", permission: .read, answer: .events
  ) { call in
    let (streams, occupant) = (call.site.streams.certificates, call.occupant)
    guard !streams.isFull(for: occupant) else { throw AccountError.limited(retryAfter: 60_000) }
    let body = ResponseBody { writer in
      // Only here: a body that is never asked for would never leave.
      guard streams.enter(occupant) else { return try await writer.finish(nil) }
      defer { streams.leave(occupant) }
      var stream = CertificateStream(call)
      try await stream.run(&writer)
      try await writer.finish(nil)
    }
    return .response(
      Response(status: .ok, headers: [.contentType: "text/event-stream", .cacheControl: "no-store"], body: body))
  }
}

/// One stream, to one reader.
struct CertificateStream {
  private let call: APICall
  /// Nil before it is known where it begins.
  private var place: Int64?
  private var lastWrite = ContinuousClock.now

  init(_ call: APICall) {
    self.call = call
    place = HTTPField.Name("Last-Event-ID").flatMap { call.request.headers[$0] }.flatMap { Int64($0) }.map {
      max(0, $0)
    }
  }

  /// Runs until the reader goes, their right ends, or the server stops.
  mutating func run(_ writer: inout any ResponseBodyWriter) async throws {
    try await write(": hello\n\n", &writer)
    while !call.site.streams.isStopping, !Task.isCancelled {
      guard try await step(&writer) else { return }
    }
  }

  /// - Returns: false if it is over.
  private mutating func step(_ writer: inout any ResponseBodyWriter) async throws -> Bool {
    // Anew each time: the token may be revoked, or its member removed.
    guard let actor = await call.caller.now(call.site), actor.may(.read),
      let arrivals = try? await call.accounts.arrivals(actor, after: place)
    else { return false }
    for (place, judgement) in arrivals.judgements {
      // An issuance that is gone by now is no news.
      guard let record = try? await call.accounts.record(actor, judgement.issuance.id) else { continue }
      let json = try await CertstreamMessage(call.site, record, judgement).json
      try await write(
        "id: \(place)\ndata: \(String(decoding: try json.encoded(), as: UTF8.self))\n\n", &writer)
    }
    // What others were told in between has no event, but need not be looked at again after a break.
    let isNews = place == nil
    place = arrivals.next
    if isNews { try await write("id: \(arrivals.next)\n\n", &writer) }
    guard !arrivals.hasMore else { return true }
    if .now - lastWrite >= call.site.settings.streamHeartbeat { try await write(": \n\n", &writer) }
    try await Task.sleep(for: call.site.settings.liveInterval)
    return true
  }

  private mutating func write(_ text: String, _ writer: inout any ResponseBodyWriter) async throws {
    try await writer.write(ByteBuffer(string: text))
    lastWrite = .now
  }
}
