import OrielAccounts
import Synchronization

/// How much of something may be under way at once: in all, and by whom.
package struct Quota: Sendable {
  package var total: Int
  package var perAccount = Int.max
  /// Of a browser that is signed in, or of a token.
  package var perSession = Int.max
  package var perAddress = Int.max
}

/// Who takes part of a quota.
struct Occupant: Sendable {
  /// As ``NetworkAddress/key(of:)`` gives it.
  var address: String
  var account: AccountID?
  var session: Secret?
}

/// Counts what is under way at once, so that nobody takes more of it than a quota allows.
final class Occupancy: Sendable {
  private enum Party: Hashable {
    case all
    case account(AccountID)
    case session(Secret)
    case address(String)
  }

  private let quota: Quota
  private let counts = Mutex<[Party: Int]>([:])

  init(_ quota: Quota) { self.quota = quota }

  /// Whether there is no place for an occupant at this moment.
  func isFull(for occupant: Occupant) -> Bool {
    counts.withLock { counts in parties(of: occupant).contains { counts[$0.party, default: 0] >= $0.most } }
  }

  /// Takes a place, to be given back by ``leave(_:)`` with the same occupant.
  ///
  /// - Returns: false if there is none.
  func enter(_ occupant: Occupant) -> Bool {
    let parties = parties(of: occupant)
    return counts.withLock { counts in
      guard parties.allSatisfy({ counts[$0.party, default: 0] < $0.most }) else { return false }
      for (party, _) in parties { counts[party, default: 0] += 1 }
      return true
    }
  }

  func leave(_ occupant: Occupant) {
    counts.withLock { counts in
      for (party, _) in parties(of: occupant) {
        let left = counts[party, default: 1] - 1
        counts[party] = left > 0 ? left : nil
      }
    }
  }

  private func parties(of occupant: Occupant) -> [(party: Party, most: Int)] {
    var parties: [(Party, Int)] = [(.all, quota.total), (.address(occupant.address), quota.perAddress)]
    if let account = occupant.account { parties.append((.account(account), quota.perAccount)) }
    if let session = occupant.session { parties.append((.session(session), quota.perSession)) }
    return parties
  }
}
