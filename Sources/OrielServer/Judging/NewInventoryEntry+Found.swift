package import OrielAccounts
package import OrielVerdicts

extension NewInventoryEntry {
  /// What was found in a file or a folder.
  package init(_ found: OrielVerdicts.InventoryEntry, isBackup: Bool = false) {
    self.init(
      kind: found.kind == .key ? .key : .certificate, hash: found.hash, names: found.names,
      notBefore: found.notBefore, notAfter: found.notAfter, issuerKeyHash: found.issuerKeyHash,
      publicKey: found.publicKey, isBackup: isBackup)
  }
}
