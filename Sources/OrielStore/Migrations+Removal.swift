extension Migrations {
  /// Since when an account is being removed: it takes more than one transaction.
  static let removal = """
    ALTER TABLE accounts ADD COLUMN removed_at INTEGER;
    CREATE INDEX accounts_going ON accounts (removed_at) WHERE removed_at IS NOT NULL;
    """
}
