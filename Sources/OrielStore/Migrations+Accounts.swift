extension Migrations {
  /// Numbers and names for issuances, so that they can be searched in the order of their first sighting.
  static let searching = """
    ALTER TABLE issuances ADD COLUMN number INTEGER;
    ALTER TABLE issuances ADD COLUMN is_indexed INTEGER NOT NULL DEFAULT 0;
    UPDATE issuances SET number = old.number
      FROM (SELECT id, row_number() OVER (ORDER BY first_seen, id) AS number FROM issuances) AS old
      WHERE old.id = issuances.id;
    CREATE UNIQUE INDEX issuances_by_number ON issuances (number);
    CREATE INDEX issuances_by_time ON issuances (first_seen, number);
    CREATE INDEX issuances_by_public_key ON issuances (spki_sha256, first_seen, number);
    CREATE INDEX issuances_by_issuer ON issuances (issuer_key_hash, first_seen, number);
    CREATE INDEX issuances_by_serial ON issuances (serial, first_seen, number);
    CREATE INDEX issuances_to_index ON issuances (number) WHERE is_indexed = 0;

    CREATE TABLE issuance_names (
      key TEXT NOT NULL,
      first_seen INTEGER NOT NULL,
      issuance INTEGER NOT NULL,
      PRIMARY KEY (key, first_seen, issuance)
    ) WITHOUT ROWID;
    """

  /// Who watches what, who is told, who may change it, and what was made of each issuance.
  static let accounts = """
    CREATE TABLE accounts (
      id INTEGER PRIMARY KEY,
      name TEXT NOT NULL,
      plan TEXT NOT NULL,
      created_at INTEGER NOT NULL
    );

    CREATE TABLE members (
      id INTEGER PRIMARY KEY,
      account_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      address TEXT NOT NULL,
      role TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      locked_at INTEGER,
      confirmed_at INTEGER,
      suspended_at INTEGER,
      suspended_reason TEXT,
      unsubscribed_at INTEGER,
      UNIQUE (account_id, address)
    );
    CREATE INDEX members_by_address ON members (address);

    CREATE TABLE domains (
      id INTEGER PRIMARY KEY,
      account_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      item TEXT NOT NULL,
      source TEXT NOT NULL,
      is_on INTEGER NOT NULL DEFAULT 0,
      unexplained TEXT NOT NULL,
      expected TEXT NOT NULL,
      known TEXT NOT NULL,
      no_history TEXT NOT NULL,
      lookalikes INTEGER NOT NULL DEFAULT 0,
      baseline_confirmed_at INTEGER,
      allowed_owners TEXT NOT NULL DEFAULT '[]',
      caa TEXT,
      caa_seen TEXT,
      created_at INTEGER NOT NULL,
      UNIQUE (account_id, item)
    );
    CREATE INDEX domains_on ON domains (item, id) WHERE is_on = 1;

    CREATE TABLE recipients (
      id INTEGER PRIMARY KEY,
      domain_id INTEGER NOT NULL REFERENCES domains (id) ON DELETE CASCADE,
      address TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      confirmed_at INTEGER,
      suspended_at INTEGER,
      suspended_reason TEXT,
      unsubscribed_at INTEGER,
      UNIQUE (domain_id, address)
    );
    CREATE INDEX recipients_by_address ON recipients (address);

    CREATE TABLE links (
      hash BLOB PRIMARY KEY,
      purpose TEXT NOT NULL,
      subject INTEGER,
      address TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      expires_at INTEGER NOT NULL,
      used_at INTEGER
    );
    CREATE INDEX links_by_expiry ON links (expires_at);

    CREATE TABLE sessions (
      id INTEGER PRIMARY KEY,
      hash BLOB NOT NULL UNIQUE,
      address TEXT NOT NULL,
      client TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      last_used INTEGER NOT NULL,
      expires_at INTEGER NOT NULL
    );
    CREATE INDEX sessions_by_address ON sessions (address);
    CREATE INDEX sessions_by_expiry ON sessions (expires_at);

    CREATE TABLE tokens (
      id INTEGER PRIMARY KEY,
      account_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      member_id INTEGER NOT NULL REFERENCES members (id) ON DELETE CASCADE,
      name TEXT NOT NULL,
      hash BLOB NOT NULL UNIQUE,
      scopes TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      last_used INTEGER,
      revoked_at INTEGER
    );
    CREATE INDEX tokens_by_account ON tokens (account_id, id);
    CREATE INDEX tokens_by_member ON tokens (member_id);

    CREATE TABLE attempts (
      key TEXT NOT NULL,
      at INTEGER NOT NULL
    );
    CREATE INDEX attempts_by_key ON attempts (key, at);
    CREATE INDEX attempts_by_time ON attempts (at);

    CREATE TABLE secrets (
      name TEXT PRIMARY KEY,
      value BLOB NOT NULL
    );

    CREATE TABLE generations (
      name TEXT PRIMARY KEY,
      value INTEGER NOT NULL
    );
    INSERT INTO generations (name, value) VALUES ('settings', 0), ('watch', 0);

    CREATE TABLE inventory (
      id INTEGER PRIMARY KEY,
      domain_id INTEGER NOT NULL REFERENCES domains (id) ON DELETE CASCADE,
      kind TEXT NOT NULL,
      hash BLOB NOT NULL,
      names TEXT NOT NULL,
      source TEXT NOT NULL,
      added_at INTEGER NOT NULL,
      last_seen INTEGER NOT NULL,
      not_after INTEGER,
      removed_at INTEGER,
      UNIQUE (domain_id, kind, hash)
    );
    CREATE INDEX inventory_by_domain ON inventory (domain_id, id);

    CREATE TABLE judgements (
      issuance INTEGER NOT NULL,
      domain_id INTEGER NOT NULL REFERENCES domains (id) ON DELETE CASCADE,
      account_id INTEGER NOT NULL,
      first_seen INTEGER NOT NULL,
      verdict TEXT NOT NULL,
      is_proven INTEGER NOT NULL,
      reasons TEXT NOT NULL,
      at INTEGER NOT NULL,
      state TEXT NOT NULL DEFAULT 'new',
      note TEXT,
      changed_by TEXT,
      changed_at INTEGER,
      PRIMARY KEY (issuance, domain_id)
    );
    CREATE INDEX judgements_by_domain ON judgements (domain_id, first_seen, issuance, verdict, state);
    CREATE INDEX judgements_by_account ON judgements (account_id, first_seen, issuance, domain_id, verdict, state);
    CREATE INDEX judgements_open ON judgements (account_id, first_seen, issuance, domain_id)
      WHERE verdict = 'unexplained' AND state = 'new';

    CREATE TABLE mutes (
      id INTEGER PRIMARY KEY,
      domain_id INTEGER NOT NULL REFERENCES domains (id) ON DELETE CASCADE,
      kind TEXT NOT NULL,
      value TEXT NOT NULL,
      until INTEGER NOT NULL,
      created_at INTEGER NOT NULL
    );
    CREATE INDEX mutes_by_domain ON mutes (domain_id, until);

    CREATE TABLE audit (
      id INTEGER PRIMARY KEY,
      account_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
      who TEXT NOT NULL,
      at INTEGER NOT NULL,
      what TEXT NOT NULL
    );
    CREATE INDEX audit_by_account ON audit (account_id, id);
    """
}
