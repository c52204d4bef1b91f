/// Looks into a folder from time to time, and tells what its certificates and requests are and which are new.
///
/// Unchanged files (by inode, size and times) are not read again.
package struct FolderScanner: Sendable {
  /// What a look brought.
  package struct Report: Hashable, Sendable {
    /// Everything there is now.
    package var entries: Set<InventoryEntry> = []
    /// Of these, what was not there the last time.
    package var added: Set<InventoryEntry> = []
    /// What was there the last time and is not now. It may go on being used: certificates that were replaced are valid still.
    package var removed: Set<InventoryEntry> = []
    /// The certificates, for a baseline.
    package var certificates: [FoundCredentials.Certificate] = []
    /// Files that can't be read, with the reason.
    package var problems: [String: String] = [:]
    /// Folders that can't be listed, with what the system says.
    package var unlisted: [String: String] = [:]
    /// Whether there was more than the limits allow.
    package var isCutShort = false
    package var filesRead = 0

    package init() {}
  }

  private struct Known: Sendable {
    let stamp: FileStamp
    let file: CertificateFile
    let problem: String?
  }

  private let folder: CertificateFolder
  private var known: [String: Known] = [:]
  private var entries: Set<InventoryEntry> = []

  package init(root: String, limits: FolderLimits = FolderLimits()) {
    folder = CertificateFolder(root: root, limits: limits)
  }

  /// Reads what has changed. It blocks on the disk: not for the threads of Swift's concurrency.
  package mutating func scan() -> Report {
    let listing = folder.list()
    var report = Report()
    (report.unlisted, report.isCutShort) = (listing.unlisted, listing.isCutShort)
    report.problems = listing.problems
    var now: [String: Known] = [:]
    for file in listing.files {
      if let old = known[file.path], old.stamp == file.stamp {
        now[file.path] = old
        continue
      }
      report.filesRead += 1
      now[file.path] = read(file)
    }
    for (path, file) in now {
      if let problem = file.problem { report.problems[path] = problem }
    }
    let groups = Dictionary(grouping: now.keys.sorted()) { String($0[..<($0.lastIndex(of: "/") ?? $0.startIndex)]) }
    for (_, paths) in groups.sorted(by: { $0.key < $1.key }) {
      let found = FoundCredentials(
        paths.compactMap { path in
          now[path].map { ($0.file, CertificateLayout(path: path).rawValue + ": " + path) }
        })
      report.entries.formUnion(found.entries)
      report.certificates += found.certificates
    }
    report.added = report.entries.subtracting(entries)
    report.removed = entries.subtracting(report.entries)
    (known, entries) = (now, report.entries)
    return report
  }

  private func read(_ file: CertificateFolder.File) -> Known {
    switch folder.read(file) {
    case .success(let bytes):
      let found = CertificateFile(bytes)
      return Known(stamp: file.stamp, file: found, problem: found.problem(isNamedCertificate: file.isNamedCertificate))
    case .failure(let fault):
      // Who keeps a key from Oriel does right; of files of other kinds nobody expects that they are read.
      let isKept = if case .unopened = fault { file.isNamedKey } else { false }
      let isFine = !file.isNamedCertificate || isKept
      return Known(stamp: file.stamp, file: CertificateFile([]), problem: isFine ? nil : fault.description)
    }
  }
}
