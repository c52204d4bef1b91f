extension Migrations {
  /// What people said about each issuance, and how verdicts changed; and when what was judged is valid, in the order in
  /// which it ends.
  static let happenings = """
    CREATE TABLE judgement_events (
      id INTEGER PRIMARY KEY,
      issuance INTEGER NOT NULL,
      domain_id INTEGER NOT NULL REFERENCES domains (id) ON DELETE CASCADE,
      at INTEGER NOT NULL,
      kind TEXT NOT NULL,
      value TEXT NOT NULL,
      who TEXT,
      note TEXT
    );
    INSERT INTO judgement_events (issuance, domain_id, at, kind, value, who, note)
      SELECT issuance, domain_id, changed_at, 'said', state, changed_by, note FROM judgements
      WHERE changed_at IS NOT NULL ORDER BY changed_at;
    CREATE INDEX judgement_events_by_judgement ON judgement_events (issuance, domain_id, id);
    CREATE INDEX judgement_events_by_domain ON judgement_events (domain_id, id);

    ALTER TABLE judgements ADD COLUMN not_before INTEGER;
    ALTER TABLE judgements ADD COLUMN not_after INTEGER;
    UPDATE judgements SET (not_before, not_after) =
      (SELECT i.not_before, i.not_after FROM issuances i WHERE i.number = judgements.issuance);
    CREATE INDEX judgements_by_end ON judgements (domain_id, not_after, issuance, not_before);
    """
}
