extension Migrations {
  /// Bursts are counted for each watched item and verdict, which deliveries keep; and each item's alerts are routed in
  /// turn.
  static let bursts = """
    DROP TABLE bursts;
    CREATE TABLE bursts (
      recipient TEXT NOT NULL,
      target TEXT NOT NULL,
      topic TEXT NOT NULL,
      started_at INTEGER NOT NULL,
      sent INTEGER NOT NULL,
      digest INTEGER,
      PRIMARY KEY (recipient, target, topic)
    );
    CREATE INDEX bursts_by_time ON bursts (started_at);
    ALTER TABLE deliveries ADD COLUMN verdict TEXT;
    CREATE INDEX alerts_to_route_by_item ON alerts (item, id) WHERE routed = 0;
    DROP INDEX alerts_to_route;
    """
}
