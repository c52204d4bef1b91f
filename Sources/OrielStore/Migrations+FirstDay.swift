extension Migrations {
  /// What each certificate of a baseline calls its issuer, and whether its owner has confirmed it; which of an inventory
  /// is kept in reserve.
  static let firstDay = """
    ALTER TABLE baseline ADD COLUMN is_confirmed INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE baseline ADD COLUMN issuer_name TEXT;
    ALTER TABLE baseline ADD COLUMN serial TEXT;
    UPDATE baseline SET is_confirmed = 1
      WHERE domain_id IN (SELECT id FROM domains WHERE baseline_confirmed_at IS NOT NULL);
    ALTER TABLE inventory ADD COLUMN is_backup INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX inventory_by_time ON inventory (added_at);
    """
}
