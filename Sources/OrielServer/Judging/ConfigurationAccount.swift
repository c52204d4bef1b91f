import OrielAccounts

/// Shows what the configuration file watches in the operator's account.
actor ConfigurationAccount {
  private let service: AccountService
  private var shown: (account: AccountID, domains: [ConfiguredDomain])?

  init(_ accounts: AccountStore) { service = AccountService(accounts) }

  /// Brings the account in line with the file.
  ///
  /// - Parameter owner: gets the account, if it is nobody's.
  @discardableResult
  func show(_ domains: [ConfiguredDomain], owner: String?) async throws -> AccountID {
    let account = try await service.operatorsAccount()
    if let owner { try await service.give(account, to: owner) }
    if let shown, shown.account == account, shown.domains == domains { return account }
    try await service.mirror(domains, in: account)
    shown = (account, domains)
    return account
  }
}
