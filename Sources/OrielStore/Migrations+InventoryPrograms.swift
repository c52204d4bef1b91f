extension Migrations {
  /// When a program (a deploy hook, or one that uses the API) last told of each entry of an inventory: such an inventory
  /// changes by itself.
  static let inventoryPrograms = """
    ALTER TABLE inventory ADD COLUMN program_at INTEGER;
    UPDATE inventory SET program_at = last_seen WHERE source LIKE 'oriel certificates:%' OR source = 'API';
    CREATE INDEX inventory_by_program ON inventory (domain_id, program_at) WHERE program_at IS NOT NULL;
    """
}
