package import CertificateTransparency

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A folder of the inventory can't be listed, or can be again: for whoever runs the service.
package struct InventoryHealthAlert: Hashable, Sendable {
  /// As it is configured.
  package let folder: String
  /// Why it can't be listed; nil once it can.
  package let reason: String?
  package let since: Timestamp

  package init(folder: String, reason: String?, since: Timestamp) {
    self.folder = folder
    self.reason = reason
    self.since = since
  }

  /// The reason where a look into a folder did not end in time: nothing of it is known then, nor whose it is.
  package static func silence(of folder: String, for limit: Duration) -> String {
    "\(folder): \(noAnswer) in \(limit.components.seconds) s"
  }

  private static let noAnswer = "no answer"

  /// One line, safe to show.
  var summary: String {
    let folder = folder.oneLine(limit: 200)
    return "The inventory folder \(folder) \(reason == nil ? "can be listed again" : "can't be listed")"
  }

  /// What lets Oriel list the folder, which depends on whose it is; nil where nothing is wrong.
  var remedy: String? {
    guard let reason else { return nil }
    if [ENOENT, ENOTDIR].contains(where: { reason.hasSuffix(String(cString: strerror($0))) }) {
      return "Look whether the path in “inventory” is right, and whether the disk that it is on is mounted."
    }
    if reason.contains(": \(InventoryHealthAlert.noAnswer) in ") {
      return "Look whether the server that the folder is on can be reached. Certificates are judged meanwhile by what "
        + "Oriel read before."
    }
    let parts = folder.split(separator: "/")
    let place =
      parts.firstIndex { ["live", "archive"].contains($0) } ?? parts.firstIndex(of: "letsencrypt").map { $0 + 1 }
    if let place {
      let root = "/" + parts[..<place].joined(separator: "/")
      return
        "certbot keeps its folders to root. Let others list them, as its manual says; the keys in them stay root's: "
        + "sudo chmod 0755 \(root)/live \(root)/archive"
    }
    if ["home", "root"].contains(parts.first ?? "") || parts.contains(".acme.sh") {
      return "The systemd unit hides home directories (ProtectHome=yes). Let the ACME client keep a copy of the "
        + "certificates elsewhere, such as in /etc/tls (acme.sh --install-cert with --fullchain-file), and name that folder "
        + "in “inventory”; or let it call “oriel certificates add” as its deploy hook."
    }
    return
      "Let the user of the service list the folder and read the certificates in it (setfacl -m g:GROUP:rx FOLDER, and "
      + "SupplementaryGroups=GROUP in the systemd unit), or name another folder in “inventory”."
  }

  var letter: Letter {
    var letter = Letter(
      health: summary, lead: summary.withFullStop, isWell: reason == nil,
      facts: [Letter.Fact(label: "Folder", lines: [folder.oneLine(limit: 200)])], since: since, reason: reason,
      meaning:
        "Oriel does not learn of the certificates that are kept there. They are reported as unexplained until this is put "
        + "right.")
    if let remedy { letter.sections.append(Letter.Section(heading: "What to do", paragraphs: [remedy])) }
    return letter
  }
}
