extension Migrations {
  /// Which settings of a domain the configuration file says, beside those that it always does.
  static let configured = """
    ALTER TABLE domains ADD COLUMN configured TEXT NOT NULL DEFAULT '[]';
    """
}
