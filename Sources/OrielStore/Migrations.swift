/// The schema of the monitor's state, as a list that only grows: entry n brings version n to version n + 1.
package enum Migrations {
  package static let all: [String] = [
    following, alerting, searching, accounts, judging, retention, firstDay, lookalikes, counting,
    finding, removal, configured, happenings, claims, configuredDeliveries, bursts, deliveryTargets,
    inventoryPrograms, mergedAlerts, acceptance, escapedText, wideMatches,
  ]

  /// What is looked for among much that is not meant.
  private static let finding = """
    CREATE INDEX judgements_denied ON judgements (domain_id, first_seen, issuance) WHERE state = 'denied';
    CREATE INDEX alerts_digests ON alerts (id) WHERE kind = 'digest';
    CREATE INDEX recipients_suspended ON recipients (domain_id) WHERE suspended_at IS NOT NULL;
    """

  /// What goes to those whom the configuration file names is found among what goes to all others.
  private static let configuredDeliveries = """
    CREATE INDEX deliveries_configured ON deliveries (id)
      WHERE account_id IS NULL AND substr(recipient, 1, 7) <> 'domain:';
    """

  private static let following = """
    CREATE TABLE logs (
      log_id BLOB PRIMARY KEY,
      description TEXT NOT NULL,
      operator TEXT NOT NULL,
      kind TEXT NOT NULL,
      url TEXT NOT NULL,
      first_seen INTEGER NOT NULL,
      start TEXT NOT NULL,
      position INTEGER,
      frontier BLOB,
      verified_position INTEGER,
      verified_frontier BLOB,
      last_success INTEGER,
      state TEXT NOT NULL DEFAULT 'new',
      state_since INTEGER NOT NULL DEFAULT 0,
      reason TEXT,
      unreadable INTEGER NOT NULL DEFAULT 0
    );

    CREATE TABLE heads (
      log_id BLOB NOT NULL REFERENCES logs (log_id),
      tree_size INTEGER NOT NULL,
      root BLOB NOT NULL,
      timestamp INTEGER NOT NULL,
      signed BLOB NOT NULL,
      seen_at INTEGER NOT NULL,
      verified INTEGER NOT NULL DEFAULT 0,
      PRIMARY KEY (log_id, tree_size, root)
    );

    CREATE TABLE evidence (
      id INTEGER PRIMARY KEY,
      log_id BLOB NOT NULL REFERENCES logs (log_id),
      at INTEGER NOT NULL,
      kind TEXT NOT NULL,
      detail TEXT NOT NULL,
      digest BLOB NOT NULL,
      material BLOB NOT NULL,
      UNIQUE (log_id, kind, digest)
    );

    CREATE TABLE issuances (
      id BLOB PRIMARY KEY,
      issuer_key_hash BLOB NOT NULL,
      first_seen INTEGER NOT NULL,
      not_before INTEGER,
      not_after INTEGER,
      serial TEXT,
      issuer TEXT,
      spki_sha256 BLOB
    );

    CREATE TABLE certificates (
      sha256 BLOB PRIMARY KEY,
      issuance_id BLOB NOT NULL REFERENCES issuances (id),
      entry_type TEXT NOT NULL,
      der BLOB NOT NULL,
      chain BLOB NOT NULL
    );
    CREATE INDEX certificates_by_issuance ON certificates (issuance_id);

    CREATE TABLE issuers (
      sha256 BLOB PRIMARY KEY,
      der BLOB NOT NULL
    );

    CREATE TABLE matches (
      issuance_id BLOB NOT NULL REFERENCES issuances (id),
      item TEXT NOT NULL,
      name TEXT NOT NULL,
      PRIMARY KEY (issuance_id, item, name)
    );

    CREATE TABLE sightings (
      log_id BLOB NOT NULL REFERENCES logs (log_id),
      entry_index INTEGER NOT NULL,
      issuance_id BLOB NOT NULL REFERENCES issuances (id),
      certificate BLOB NOT NULL REFERENCES certificates (sha256),
      timestamp INTEGER NOT NULL,
      seen_at INTEGER NOT NULL,
      problems TEXT NOT NULL DEFAULT '',
      suspect INTEGER NOT NULL DEFAULT 0,
      announced INTEGER NOT NULL DEFAULT 0,
      PRIMARY KEY (log_id, entry_index, issuance_id)
    );
    CREATE INDEX sightings_by_issuance ON sightings (issuance_id);
    CREATE INDEX sightings_to_announce ON sightings (announced) WHERE announced = 0;
    """

  private static let alerting = """
    CREATE TABLE alerts (
      id INTEGER PRIMARY KEY,
      key TEXT NOT NULL UNIQUE,
      kind TEXT NOT NULL,
      issuance_id BLOB REFERENCES issuances (id),
      item TEXT,
      content BLOB,
      created_at INTEGER NOT NULL,
      routed INTEGER NOT NULL DEFAULT 0,
      closed INTEGER NOT NULL DEFAULT 0
    );
    CREATE INDEX alerts_to_route ON alerts (id) WHERE routed = 0;
    CREATE INDEX alerts_by_item ON alerts (item, id) WHERE kind = 'certificate';

    CREATE TABLE deliveries (
      id INTEGER PRIMARY KEY,
      alert_id INTEGER NOT NULL REFERENCES alerts (id),
      recipient TEXT NOT NULL,
      target TEXT NOT NULL,
      state TEXT NOT NULL DEFAULT 'waiting',
      attempts INTEGER NOT NULL DEFAULT 0,
      next_attempt INTEGER NOT NULL,
      last_attempt INTEGER,
      words TEXT,
      digest INTEGER REFERENCES alerts (id),
      UNIQUE (alert_id, recipient, target)
    );
    CREATE INDEX deliveries_waiting ON deliveries (target, id) WHERE state = 'waiting';
    CREATE INDEX deliveries_by_digest ON deliveries (digest) WHERE digest IS NOT NULL;

    CREATE TABLE bursts (
      recipient TEXT NOT NULL,
      target TEXT NOT NULL,
      started_at INTEGER NOT NULL,
      sent INTEGER NOT NULL,
      digest INTEGER,
      PRIMARY KEY (recipient, target)
    );

    CREATE TABLE alarms (
      subject TEXT PRIMARY KEY,
      state TEXT NOT NULL,
      since INTEGER NOT NULL
    );
    """
}
