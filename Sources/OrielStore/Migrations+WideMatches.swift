extension Migrations {
  /// How many matches of an issuance are not kept, as they are too many.
  static let wideMatches = """
    CREATE TABLE omitted_matches (
      issuance_id BLOB NOT NULL,
      owner TEXT NOT NULL,
      count INTEGER NOT NULL,
      PRIMARY KEY (issuance_id, owner)
    ) WITHOUT ROWID;
    """
}
