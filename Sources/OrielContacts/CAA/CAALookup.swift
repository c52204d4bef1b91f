import Foundation
package import OrielWatchlist
import Synchronization

/// Looks up the CAA records that decide for a name (RFC 8659, 3): its own, or those of the nearest name above it.
package struct CAALookup: Sendable {
  package struct Settings: Hashable, Sendable {
    /// Empty: those that the machine is set up with.
    package var servers: [NameServer]
    /// How long the first try may take; later ones take longer.
    package var timeout: Duration
    package var tries: Int
    /// How long all of it may take.
    package var limit: Duration

    package init(
      servers: [NameServer] = [], timeout: Duration = .seconds(2), tries: Int = 3, limit: Duration = .seconds(20)
    ) {
      self.servers = servers
      self.timeout = timeout
      self.tries = tries
      self.limit = limit
    }
  }

  private static let aliasLimit = 8

  private let settings: Settings

  package init(_ settings: Settings = Settings()) { self.settings = settings }

  /// The records that decide for a name; for a wildcard, ask for the name after the `*.`.
  ///
  /// Works on a thread of its own, which ends before this returns, also when the task is cancelled.
  package func records(for name: DomainName) async -> CAAResult {
    let settings = settings
    let cancellation = Cancellation()
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let work = Work { continuation.resume(returning: $0 ?? CAALookup.climb(from: name, settings, cancellation)) }
        if !work.start() {
          work.body(.notKnown(CAAFailure(name: name.ascii, reason: .other("no thread is to be had for it"))))
        }
      }
    } onCancel: {
      cancellation.cancel()
    }
  }

  private static func climb(from name: DomainName, _ settings: Settings, _ cancellation: Cancellation) -> CAAResult {
    var labels = name.ascii.split(separator: ".")[...]
    do {
      let channel = try ResolverChannel(settings, cancellation)
      while !labels.isEmpty {
        let current = labels.joined(separator: ".")
        let (records, alias) = try follow(current, channel)
        if !records.isEmpty { return .found(CAASet(name: current, alias: alias, records: records)) }
        labels = labels.dropFirst()
      }
      return .noRecords
    } catch { return .notKnown(error) }
  }

  /// The records of one name or, where it is an alias, of what it stands for; names above that have no say.
  private static func follow(
    _ name: String, _ channel: ResolverChannel
  ) throws(CAAFailure) -> (records: [CAARecord], alias: String?) {
    var target = name
    for _ in 0..<aliasLimit {
      let answer = try channel.query(target)
      guard let next = answer.alias else { return (answer.records, target == name ? nil : target) }
      if !answer.records.isEmpty || answer.isRecursive { return (answer.records, next) }
      target = next
    }
    throw CAAFailure(name: name, reason: .tooManyAliases)
  }
}

/// Something to do on a thread of its own.
private final class Work: Sendable {
  /// Called once: with nil on the thread, or with a result where there is none.
  let body: @Sendable (CAAResult?) -> Void

  init(_ body: @escaping @Sendable (CAAResult?) -> Void) { self.body = body }

  /// False if no thread can be started.
  func start() -> Bool {
    let argument = Unmanaged.passRetained(self)
    var thread = pthread_t()
    let status = pthread_create(
      &thread, nil,
      { (argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? in
        if let argument { Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body(nil) }
        return nil
      }, argument.toOpaque())
    guard status == 0 else {
      argument.release()
      return false
    }
    pthread_detach(thread)
    return true
  }
}

/// Says to a thread that its work is no longer wanted.
final class Cancellation: Sendable {
  private let flag = Atomic(false)

  func cancel() { flag.store(true, ordering: .releasing) }
  var isCancelled: Bool { flag.load(ordering: .acquiring) }
}
