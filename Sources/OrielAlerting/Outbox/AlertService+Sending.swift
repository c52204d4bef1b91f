import CertificateTransparency
import Logging
import OrielStore

/// How what is due leaves.
extension AlertService {
  /// Sends what is due to one target, until nothing is or the target takes nothing.
  func send(to target: String) async throws {
    while !Task.isCancelled {
      let due = try await store.next(to: target, now: now(), settings.policy)
      guard !due.isEmpty, try await send(due, atOnce: routes.routes.channels[target]?.concurrency ?? 1) else { return }
    }
  }

  /// Sends these in order, a few at once where the channel allows it; the next are written while others are under way.
  ///
  /// - Returns: whether the target takes more.
  private func send(_ due: [StoredDelivery], atOnce most: Int) async throws -> Bool {
    let (letters, written) = AsyncStream.makeStream(of: Written.self)
    return try await withThrowingTaskGroup(of: Void.self) { writing in
      writing.addTask { [self] in
        defer { written.finish() }
        for delivery in due {
          guard !Task.isCancelled else { return }
          // What follows upon another alert is about how that one ends, which may be under way.
          let send = delivery.alert.kind.isFollowUp ? nil : try await write(delivery)
          written.yield(Written(delivery: delivery, send: send))
        }
      }
      let goesOn = try await send(letters, atOnce: most)
      if goesOn {
        try await writing.waitForAll()
      } else {
        // What was still being written is of no more use, and neither is how that ended.
        writing.cancelAll()
        while await writing.nextResult() != nil {}
      }
      return goesOn
    }
  }

  /// An alert that is put together for its target.
  private struct Written: Sendable {
    let delivery: StoredDelivery
    /// Sends it; nil if it is yet to be put together.
    let send: Send?
  }

  private typealias Send = @Sendable () async -> DeliveryResult

  private func send(_ letters: AsyncStream<Written>, atOnce most: Int) async throws -> Bool {
    try await withThrowingTaskGroup(of: Bool.self) { attempts in
      var (running, goesOn) = (0, true)
      for await letter in letters {
        if running >= most, let takesMore = try await attempts.next() {
          goesOn = goesOn && takesMore
          running -= 1
        }
        guard goesOn else { break }
        attempts.addTask { [self] in try await attempt(letter) }
        running += 1
      }
      while let takesMore = try await attempts.next() { goesOn = goesOn && takesMore }
      return goesOn
    }
  }

  private static let gone = "it is not configured any more"

  /// Puts together what is to be said; nil if nobody is to be reached at the moment.
  private func write(_ delivery: StoredDelivery) async throws -> Send? {
    guard case .channel(let channel, _) = try await reach(delivery) else { return nil }
    return try await write(delivery, for: channel)
  }

  private func write(_ delivery: StoredDelivery, for channel: any Channel) async throws -> Send {
    var alert = delivery.alert
    if alert.kind == .digest { alert = try await store.close(digest: alert.id, now: now()) ?? alert }
    var composed = try await composer.compose(alert, for: AlertTarget(delivery))
    // A receiver that has refused what it says more than once gets no word of a stranger.
    if delivery.messageRefusals > 1, let short = try await composer.short(delivery) {
      composed = Alert(id: composed.id, createdAt: composed.createdAt, content: .short(short))
    }
    let origin = delivery.alert.kind.isFollowUp ? try await store.origin(of: delivery) : nil
    let id = { (key: String) in AlertStore.key(key, delivery.recipient, delivery.target) }
    return await channel.prepare(
      Delivery(
        id: id(alert.key), alert: composed, inReplyTo: origin.map(id), attemptedAt: Timestamp(clamping: now())))
  }

  /// How a delivery's target is reached at this moment.
  private func reach(_ delivery: StoredDelivery) async throws -> AlertReach {
    let target = AlertTarget(delivery)
    if delivery.alert.kind == .explained, try await store.origin(of: delivery) == nil {
      return .unwanted("the alert that it follows was not sent")
    }
    if let reach = try await router?.reach(target, with: delivery.alert) { return reach }
    return routes.routes.channels[delivery.target].map { .channel($0, isConfirmed: false) } ?? .gone(AlertService.gone)
  }

  /// Makes one attempt and notes what became of it.
  ///
  /// - Returns: whether the next one may follow at once.
  private func attempt(_ letter: Written) async throws -> Bool {
    let delivery = letter.delivery
    let result: DeliveryResult
    var isConfirmed = delivery.isTargetProven
    switch try await reach(delivery) {
    case .channel(let channel, let hasConfirmed):
      isConfirmed = isConfirmed || hasConfirmed
      let send = if let send = letter.send { send } else { try await write(delivery, for: channel) }
      result = await send()
    case .unreachable(let words): result = .unavailable(words)
    case .gone(let words): result = .gone(words)
    case .unwanted(let words): return try await note(delivery, .dropped, words)
    }
    switch result {
    case .delivered(let words): return try await note(delivery, .delivered, words)
    // An attempt that was broken off has no result to note; it is repeated after the restart.
    case _ where Task.isCancelled: return false
    case .unavailable(let words, let asked):
      return try await note(delivery, .unavailable(asked: (asked ?? .zero).wholeMilliseconds), words)
    case .gone(let words): return try await note(delivery, .givenUp, words)
    case .refused(let words, let part, let isPermanent, let asked):
      let isMistake = part == .recipient && isPermanent && !isConfirmed && words.contains(/\b5\.1\.\d+\b/)
      guard !isMistake, !hasFailed(delivery, for: settings.giveUpAfter) else {
        return try await giveUp(delivery, words)
      }
      let pause = settings.pause(afterFailures: delivery.refusals + 1, asked: asked, random: .random(in: 0..<1))
      // What the receiver calls temporary is not for what the alert says, unless it lasts.
      let isOfMessage = part == .message && (isPermanent || hasFailed(delivery, for: .seconds(3600)))
      return try await note(delivery, .refused(ofMessage: isOfMessage, retryAt: now() + pause), words)
    }
  }

  /// Whether a delivery has been refused for so long.
  private func hasFailed(_ delivery: StoredDelivery, for span: Duration) -> Bool {
    delivery.failingSince.map { now() - $0 >= span.wholeMilliseconds } ?? false
  }

  private func giveUp(_ delivery: StoredDelivery, _ words: String) async throws -> Bool {
    let target = AlertTarget(delivery)
    let isSettled = try await router?.refused(target, words: words) ?? false
    return try await note(delivery, isSettled ? .dropped : .givenUp, words)
  }

  /// Notes what became of an attempt, also while the service is being stopped: what was delivered and is not noted is
  /// sent again.
  ///
  /// - Returns: whether the next one may follow at once.
  private func note(_ delivery: StoredDelivery, _ outcome: AttemptOutcome, _ words: String) async throws -> Bool {
    // Out of reach of the cancellation that stops the service.
    let record = try await Task { [store, settings, now] in
      try await store.record(delivery.id, outcome, words: words, now: now(), settings.policy)
    }.value
    log(delivery, outcome, words, record)
    return record?.takesMore ?? true
  }

  /// Writes to the service's log what did not get through.
  private func log(
    _ delivery: StoredDelivery, _ outcome: AttemptOutcome, _ words: String, _ record: RecordedAttempt?
  ) {
    let place = DeliveryPlace(delivery.target)
    var metadata: Logger.Metadata = [
      "delivery": "\(delivery.id)", "kind": "\(delivery.alert.kind.rawValue)", "target": "\(place)",
      "reason": "\(words.oneLine(limit: 500))",
    ]
    if let next = record?.nextAttempt { metadata["next_attempt"] = "\(Timestamp(clamping: next))" }
    switch outcome {
    case .delivered: logger.debug("an alert was delivered", metadata: metadata)
    case .dropped: logger.notice("a delivery was cancelled", metadata: metadata)
    case .givenUp: logger.error("a delivery was given up", metadata: metadata)
    case .refused: logger.warning("a delivery was refused and will be tried again", metadata: metadata)
    case .unavailable:
      logger.warning("a target accepts no alerts and will be tried again", metadata: metadata)
      if let count = record?.givenUpCount, count > 0 {
        let deliveries = counted(count, "delivery", "deliveries")
        logger.error("\(deliveries) to a target that accepts no alerts given up", metadata: metadata)
      }
    }
  }
}

extension StoredAlert.Kind {
  /// Whether it goes on from an alert about the same certificate.
  fileprivate var isFollowUp: Bool { self == .followUp || self == .explained }
}
