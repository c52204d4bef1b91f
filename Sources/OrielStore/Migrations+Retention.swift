extension Migrations {
  /// By what expired issuances are found, and what refers to them: without these, forgetting one reads whole tables.
  static let retention = """
    CREATE INDEX issuances_by_expiry ON issuances (not_after, number);
    CREATE INDEX sightings_by_certificate ON sightings (certificate);
    CREATE INDEX alerts_by_issuance ON alerts (issuance_id) WHERE issuance_id IS NOT NULL;
    """
}
