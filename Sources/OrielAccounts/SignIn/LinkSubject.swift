import OrielStore

extension SignIn {
  /// What an address is asked to hear of by a link that confirms it: an account, and perhaps one item of it.
  ///
  /// - Returns: nil for links of other kinds.
  package func subject(of link: Secret) async throws -> (account: String, item: String?)? {
    try await store.read { [store] connection in
      let row = try Links(connection: connection, store: store, now: store.now()).look(link)
      let source: String
      switch row.purpose {
      case .confirmMember: source = "NULL FROM members r JOIN accounts a ON a.id = r.account_id"
      case .confirmRecipient:
        source = "d.item FROM recipients r JOIN domains d ON d.id = r.domain_id JOIN accounts a ON a.id = d.account_id"
      case .signIn, .firstStart: return nil
      }
      let found = try connection.query("SELECT a.name, \(source) WHERE r.id = ?", [.optional(row.subject)]).first
      return found.map { ($0.text(0) ?? "", $0.text(1)) }
    }
  }
}
