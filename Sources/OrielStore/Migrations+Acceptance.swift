extension Migrations {
  /// What certificates of an inventory are compared by, and when the baseline of a domain was last confirmed or taken
  /// back: what was judged before is judged again.
  static let acceptance = """
    ALTER TABLE inventory ADD COLUMN not_before INTEGER;
    ALTER TABLE inventory ADD COLUMN issuer_key_hash BLOB;
    ALTER TABLE inventory ADD COLUMN public_key BLOB;
    ALTER TABLE domains ADD COLUMN baseline_changed_at INTEGER;
    """
}
