import NIOCore
import Synchronization

/// The connections that are open. One on which no request is under way, because the head of the first has not come as a
/// whole or because nobody asks for more, has to make room: of one address for its next ones, and, once all places are
/// taken, for those of others.
final class Connections: Sendable {
  struct Limits: Sendable {
    var total = 1024
    /// Of one address, without a request under way.
    var idlePerAddress = 64
  }

  private struct State {
    var count = 0
    var number = 0
    /// The connections without a request under way, by address, the oldest first; no list is empty.
    var idle: [String: [Entry]] = [:]

    mutating func popOldest(of address: String) -> Entry? {
      guard let oldest = idle[address]?.first else { return nil }
      remove(oldest)
      return oldest
    }

    mutating func remove(_ entry: Entry) {
      idle[entry.address]?.removeAll { $0.number == entry.number }
      if idle[entry.address]?.isEmpty == true { idle[entry.address] = nil }
    }
  }

  struct Entry: Sendable {
    fileprivate let number: Int
    fileprivate let address: String
    fileprivate let channel: any Channel
  }

  private let limits: Limits
  private let state = Mutex(State())

  init(_ limits: Limits) { self.limits = limits }

  /// Notes a new connection, which is idle. Closes another one for it if need be, or else the new one itself.
  ///
  /// - Returns: nil if it was closed.
  func opened(_ channel: any Channel) -> Entry? {
    let address = NetworkAddress.key(of: channel.remoteAddress)
    let (entry, closing) = state.withLock { state -> (Entry?, Entry?) in
      state.number += 1
      let entry = Entry(number: state.number, address: address, channel: channel)
      var victim: Entry?
      if state.idle[address]?.count ?? 0 >= limits.idlePerAddress {
        victim = state.popOldest(of: address)
      } else if state.count >= limits.total {
        // Whoever has most of them gives one.
        victim = state.idle.max { $0.value.count < $1.value.count }.flatMap { state.popOldest(of: $0.key) }
        guard victim != nil else { return (nil, entry) }
      }
      state.count += 1
      state.idle[address, default: []].append(entry)
      return (entry, victim)
    }
    closing?.channel.close(promise: nil)
    return entry
  }

  /// A request has begun.
  func busy(_ entry: Entry) { state.withLock { $0.remove(entry) } }

  /// All requests have been answered.
  func idle(_ entry: Entry) {
    let victim = state.withLock { state -> Entry? in
      state.idle[entry.address, default: []].append(entry)
      let isOver = state.idle[entry.address]?.count ?? 0 > limits.idlePerAddress
      return isOver ? state.popOldest(of: entry.address) : nil
    }
    victim?.channel.close(promise: nil)
  }

  func closed(_ entry: Entry) {
    state.withLock { state in
      state.count -= 1
      state.remove(entry)
    }
  }
}
