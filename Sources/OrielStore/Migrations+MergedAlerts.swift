extension Migrations {
  /// Which deliveries are about which issuance, and the alerts about it that each of them stands for; and each issuance's
  /// alerts are routed in turn, besides each item's.
  static let mergedAlerts = """
    ALTER TABLE deliveries ADD COLUMN issuance_id BLOB;
    UPDATE deliveries SET issuance_id =
      (SELECT a.issuance_id FROM alerts a WHERE a.id = deliveries.alert_id AND a.kind = 'certificate');
    CREATE INDEX deliveries_by_issuance ON deliveries (issuance_id, target) WHERE issuance_id IS NOT NULL;

    CREATE TABLE merged_alerts (
      delivery INTEGER NOT NULL REFERENCES deliveries (id) ON DELETE CASCADE,
      urgency INTEGER NOT NULL,
      alert_id INTEGER NOT NULL,
      recipient TEXT NOT NULL,
      verdict TEXT,
      PRIMARY KEY (delivery, urgency, alert_id, recipient)
    ) WITHOUT ROWID;

    CREATE INDEX alerts_to_route_by_issuance ON alerts (issuance_id, id) WHERE routed = 0;
    """
}
