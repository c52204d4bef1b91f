import OrielAccounts
import OrielStore
import OrielWatchlist

/// Shows what the configuration file watches in an account: the first one that there was, which is the operator's.
actor ConfigurationAccount {
  private static let note = "configuration-account"

  private let accounts: AccountStore
  private let alerts: AlertStore
  private let now: @Sendable () -> Int64
  private var shown:
    (account: AccountID, items: [WatchedItem], times: [String: DeliveryTimes], lookalikes: Set<String>)?

  init(_ accounts: AccountStore, _ alerts: AlertStore, now: @escaping @Sendable () -> Int64) {
    self.accounts = accounts
    self.alerts = alerts
    self.now = now
  }

  /// Brings the account in line with the file.
  ///
  /// - Parameter owner: makes the account, if there never was one; nil to wait until somebody does.
  /// - Returns: the account; nil if there is none.
  func show(
    _ items: [WatchedItem], _ times: [String: DeliveryTimes] = [:], lookalikes: Set<String> = [], owner: String?
  ) async throws -> AccountID? {
    guard let account = try await account(owner: owner) else { return nil }
    if let shown, shown.account == account, shown.items == items, shown.times == times, shown.lookalikes == lookalikes {
      return account
    }
    try await AccountService(accounts).mirror(items, in: account, times: times, lookalikes: lookalikes)
    shown = (account, items, times, lookalikes)
    return account
  }

  /// It stays the same one: when it is removed, the next is somebody else's.
  private func account(owner: String?) async throws -> AccountID? {
    let service = AccountService(accounts)
    let all = try await service.accounts(limit: 1)
    if let known = try await alerts.alarm(ConfigurationAccount.note).flatMap({ AccountID($0.state) }) {
      let found = try await service.accounts(after: AccountID(known.value - 1), limit: 1).first?.id
      return found == known ? known : nil
    }
    let account: AccountID
    if let first = all.first {
      account = first.id
    } else if let owner {
      account = try await service.addAccount(name: "Oriel", owner: owner).account.id
    } else {
      return nil
    }
    _ = try await alerts.alarm(ConfigurationAccount.note, state: "\(account)", now: now(), alert: nil)
    return account
  }
}
