extension Migrations {
  /// What waits for the hour of its audience, and what a verdict takes into account beside the settings of a domain.
  static let judging = """
    CREATE TABLE held (
      audience TEXT NOT NULL,
      alert_id INTEGER NOT NULL REFERENCES alerts (id),
      kind TEXT NOT NULL,
      until INTEGER NOT NULL,
      PRIMARY KEY (audience, alert_id)
    );
    CREATE INDEX held_by_time ON held (until);

    CREATE INDEX deliveries_by_recipient ON deliveries (recipient, id);

    CREATE TABLE baseline (
      id INTEGER PRIMARY KEY,
      domain_id INTEGER NOT NULL REFERENCES domains (id) ON DELETE CASCADE,
      digest BLOB NOT NULL,
      names TEXT NOT NULL,
      issuer_key_hash BLOB,
      owner TEXT,
      public_key BLOB,
      not_before INTEGER,
      not_after INTEGER,
      source TEXT NOT NULL,
      UNIQUE (domain_id, digest)
    );

    ALTER TABLE domains ADD COLUMN caa_previous TEXT;
    ALTER TABLE domains ADD COLUMN caa_confirmed_at INTEGER;
    ALTER TABLE domains ADD COLUMN is_inventory_complete INTEGER NOT NULL DEFAULT 0;
    """
}
