extension Migrations {
  /// What each target's receiver made of the attempts, and how often it refused an alert by itself.
  static let deliveryTargets = """
    CREATE TABLE targets (
      target TEXT PRIMARY KEY,
      failures INTEGER NOT NULL DEFAULT 0,
      refusals INTEGER NOT NULL DEFAULT 0,
      failing_since INTEGER,
      stopped_at INTEGER,
      stopped_until INTEGER,
      words TEXT,
      delivered_at INTEGER,
      reported_at INTEGER
    );
    INSERT INTO targets (target, delivered_at)
      SELECT target, max(coalesce(last_attempt, 0)) FROM deliveries WHERE state = 'delivered' GROUP BY target;
    CREATE INDEX targets_failing ON targets (failing_since) WHERE failing_since IS NOT NULL;

    ALTER TABLE deliveries ADD COLUMN refusals INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE deliveries ADD COLUMN message_refusals INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE deliveries ADD COLUMN failing_since INTEGER;
    ALTER TABLE deliveries ADD COLUMN reported_at INTEGER;
    CREATE INDEX deliveries_in_order ON deliveries (target, id) WHERE state = 'waiting' AND refusals = 0;
    CREATE INDEX deliveries_refused ON deliveries (target, next_attempt) WHERE state = 'waiting' AND refusals > 0;
    CREATE INDEX deliveries_unexplained ON deliveries (failing_since, id)
      WHERE verdict = 'unexplained' AND reported_at IS NULL AND state = 'waiting' AND refusals > 0;
    CREATE INDEX deliveries_lost ON deliveries (id)
      WHERE verdict = 'unexplained' AND reported_at IS NULL AND state = 'given-up';
    CREATE INDEX deliveries_given_up ON deliveries (last_attempt, target) WHERE state = 'given-up';
    """
}
