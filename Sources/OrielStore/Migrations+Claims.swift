extension Migrations {
  /// What owners told of is in their inventories, to be seen and taken out there: the key of what they said was theirs,
  /// and what they uploaded on the first day.
  static let claims = """
    ALTER TABLE baseline ADD COLUMN issuance BLOB;
    INSERT INTO inventory (domain_id, kind, hash, names, source, added_at, last_seen, is_backup)
    SELECT j.domain_id, 'key', i.spki_sha256,
      (SELECT json_group_array(DISTINCT m.name) FROM matches m JOIN domains d ON d.id = j.domain_id
        WHERE m.issuance_id = i.id AND m.item = d.item AND m.name <> ''),
      'this was me', coalesce(j.changed_at, j.at), coalesce(j.changed_at, j.at), 0
    FROM judgements j JOIN issuances i ON i.number = j.issuance
    WHERE j.state = 'claimed' AND i.spki_sha256 IS NOT NULL ON CONFLICT DO NOTHING;
    """
}
