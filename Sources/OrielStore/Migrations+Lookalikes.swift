extension Migrations {
  /// Names that imitate watched domains: one row for each domain that is imitated and each name that somebody has
  /// registered, with the issuances for it.
  static let lookalikes = """
    CREATE TABLE lookalikes (
      id INTEGER PRIMARY KEY,
      owner INTEGER NOT NULL,
      item TEXT NOT NULL,
      registrable TEXT NOT NULL,
      name TEXT NOT NULL,
      reason TEXT NOT NULL,
      sentence TEXT NOT NULL,
      unicode TEXT,
      rating INTEGER NOT NULL,
      first_seen INTEGER NOT NULL,
      last_seen INTEGER NOT NULL,
      UNIQUE (owner, item, registrable)
    );
    CREATE INDEX lookalikes_by_item ON lookalikes (owner, item, id);

    CREATE TABLE lookalike_issuances (
      lookalike INTEGER NOT NULL REFERENCES lookalikes (id) ON DELETE CASCADE,
      issuance INTEGER NOT NULL,
      PRIMARY KEY (lookalike, issuance)
    );
    CREATE INDEX lookalike_issuances_by_issuance ON lookalike_issuances (issuance);

    ALTER TABLE domains ADD COLUMN lookalike_delivery TEXT NOT NULL DEFAULT 'daily';
    CREATE INDEX domains_lookalikes ON domains (account_id) WHERE lookalikes = 1;
    """
}
