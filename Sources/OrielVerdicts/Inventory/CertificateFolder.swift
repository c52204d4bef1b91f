import Foundation

#if canImport(Glibc)
  import Glibc
#endif

/// How a program lays out the certificates that it fetches.
package enum CertificateLayout: String, Hashable, Sendable {
  case certbot
  case acmeSh = "acme.sh"
  case lego
  case caddy = "Caddy"
  case other = "file"

  /// By the place of a file alone; it tells people where something is from, and decides nothing.
  init(path: String) {
    let parts = path.split(separator: "/").map(String.init)
    let (name, above) = (parts.last ?? "", parts.dropLast())
    let numbered = ["cert", "chain", "fullchain"].contains { name.hasPrefix($0) } && name.hasSuffix(".pem")
    let isCA = { (part: String) in part.contains("acme") && part.contains("-directory") || part == "local" }
    if numbered && (above.contains("live") || above.contains("archive")) || name.hasSuffix("_csr-certbot.pem") {
      self = .certbot
    } else if above.contains(".acme.sh") || name == "fullchain.cer" || above.last.map({ $0 + ".cer" == name }) ?? false
      || above.last?.hasSuffix("_ecc") ?? false
    {
      self = .acmeSh
    } else if name.hasSuffix(".crt"), above.count >= 3, above.dropLast(2).last == "certificates",
      above.dropLast().last.map(isCA) ?? false
    {
      self = .caddy
    } else if name.hasSuffix(".crt"), above.last == "certificates" {
      self = .lego
    } else {
      self = .other
    }
  }
}

/// How much of a folder is looked at.
package struct FolderLimits: Hashable, Sendable {
  package var files: Int
  /// Files and folders of any kind.
  package var visits: Int
  package var depth: Int
  package var fileBytes: Int
  /// Of all files together, since what is read of them is kept for the next look.
  package var totalBytes: Int

  package init(
    files: Int = 20_000, visits: Int = 200_000, depth: Int = 8, fileBytes: Int = 1 << 20, totalBytes: Int = 128 << 20
  ) {
    self.files = files
    self.visits = visits
    self.depth = depth
    self.fileBytes = fileBytes
    self.totalBytes = totalBytes
  }
}

/// What tells that a file has changed.
struct FileStamp: Hashable, Sendable {
  let device: UInt64
  let inode: UInt64
  let size: Int64
  let modified: [Int]

  init?(path: String) {
    var facts = stat()
    guard lstat(path, &facts) == 0 else { return nil }
    self.init(facts)
  }

  /// Nil if it is no regular file.
  init?(_ facts: stat) {
    guard facts.st_mode & S_IFMT == S_IFREG else { return nil }
    device = UInt64(truncatingIfNeeded: facts.st_dev)
    inode = UInt64(truncatingIfNeeded: facts.st_ino)
    size = Int64(facts.st_size)
    #if canImport(Darwin)
      let times = [facts.st_mtimespec, facts.st_ctimespec]
    #else
      let times = [facts.st_mtim, facts.st_ctim]
    #endif
    modified = times.flatMap { [Int($0.tv_sec), Int($0.tv_nsec)] }
  }
}

/// Finds the files of a folder, those first that by their names hold certificates; what is in them decides.
///
/// Links to folders are not followed. Links to files are, where they stay in the folder; and where certbot's `live` was
/// given, or something in it, also into the `archive` beside it, which is all that `live` consists of.
struct CertificateFolder: Sendable {
  let root: String
  let limits: FolderLimits

  /// A file, by its own path, whatever links lead to it.
  struct File: Hashable, Sendable {
    let path: String
    let stamp: FileStamp

    private static let extensions = [".pem", ".crt", ".cer", ".cert", ".csr", ".der"]

    private var name: String { path.split(separator: "/").last?.lowercased() ?? "" }

    var isNamedCertificate: Bool { File.extensions.contains { name.hasSuffix($0) } }

    /// `privkey1.pem`, `example.com-key.pem`: not `keycloak.example.com.pem`, nor any `.crt`.
    var isNamedKey: Bool {
      guard name.hasSuffix(".pem") || name.hasSuffix(".der") else { return false }
      let words = name.dropLast(4).split { !$0.isLetter }
      return words.last.map { ["key", "privkey", "private", "privatekey"].contains($0) } ?? false
    }
  }

  struct Listing: Sendable {
    var files: [File] = []
    /// Folders whose files are not known, with the reason.
    var unlisted: [String: String] = [:]
    /// What can't be told by its name, with the reason.
    var problems: [String: String] = [:]
    var isCutShort = false
  }

  func list() -> Listing {
    var listing = Listing()
    guard let top = CertificateFolder.resolved(root) else {
      listing.unlisted[root] = String(cString: strerror(errno))
      return listing
    }
    let roots = [top] + CertificateFolder.archive(besides: top).compactMap(CertificateFolder.resolved)
    var (named, others): ([File], [File]) = ([], [])
    var seen: Set<String> = []
    func add(_ path: String) {
      guard seen.insert(path).inserted, let stamp = FileStamp(path: path) else { return }
      let file = File(path: path, stamp: stamp)
      if file.isNamedCertificate {
        if named.count < limits.files { named.append(file) } else { listing.isCutShort = true }
      } else if stamp.size <= limits.fileBytes {
        if others.count < limits.files { others.append(file) } else { listing.isCutShort = true }
      }
    }
    var visits = 0
    var folders = [(path: top, depth: 0)]
    walk: while let folder = folders.popLast() {
      guard let names = CertificateFolder.names(in: folder.path) else {
        let code = errno
        let isBelow = folder.depth > 0
        // It is gone since, or kept from Oriel as it should be.
        if isBelow, code == ENOENT || [EACCES, EPERM].contains(code) && CertificateFolder.isOfSecrets(folder.path) {
          continue
        }
        listing.unlisted[folder.path] = String(cString: strerror(code))
        continue
      }
      for name in names {
        visits += 1
        guard visits <= limits.visits else {
          listing.isCutShort = true
          break walk
        }
        let path = folder.path + "/" + name.text
        guard name.isUTF8 else {
          listing.problems[path] = "its name is not UTF-8: rename it"
          continue
        }
        switch CertificateFolder.kind(of: path) {
        case S_IFDIR where folder.depth < limits.depth: folders.append((path, folder.depth + 1))
        case S_IFDIR: listing.isCutShort = true
        case S_IFREG: add(path)
        case S_IFLNK:
          guard let target = CertificateFolder.resolved(path),
            roots.contains(where: { target.hasPrefix($0 == "/" ? $0 : $0 + "/") })
          else { break }
          add(target)
        default: break
        }
      }
    }
    let files = named.sorted { $0.path < $1.path } + others.sorted { $0.path < $1.path }
    var total = 0
    let fitting = files.prefix { file in
      total += min(Int(file.stamp.size), limits.fileBytes)
      return total <= limits.totalBytes
    }
    listing.isCutShort = listing.isCutShort || fitting.count < files.count
    listing.files = Array(fitting)
    return listing
  }

  /// The bytes of a file as it was listed, or why there are none.
  func read(_ file: File) -> Result<[UInt8], FolderFault> {
    guard file.stamp.size <= limits.fileBytes else { return .failure(.tooLarge(limit: limits.fileBytes)) }
    let descriptor = open(file.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { return .failure(.unopened(reason: String(cString: strerror(errno)))) }
    let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    var facts = stat()
    // What was a file when it was listed may be something else by now.
    guard fstat(descriptor, &facts) == 0, FileStamp(facts) == file.stamp else { return .failure(.changed) }
    guard let data = try? handle.read(upToCount: limits.fileBytes + 1) ?? Data(), data.count <= limits.fileBytes
    else { return .failure(.unreadable) }
    return .success([UInt8](data))
  }

  private static func archive(besides path: String) -> [String] {
    let parts = path.split(separator: "/")
    return (parts.endIndex - 2..<parts.endIndex).filter { $0 >= 0 && parts[$0] == "live" }.map {
      "/" + (parts[..<$0] + ["archive"]).joined(separator: "/")
    }
  }

  /// Whether a folder by its name holds keys, certbot's account or what a file system lost: nobody's certificates.
  private static func isOfSecrets(_ path: String) -> Bool {
    ["accounts", "keys", "private", "lost+found"].contains(path.split(separator: "/").last ?? "")
  }

  /// Sorted; nil, with the reason in `errno`, if the folder can't be listed.
  private static func names(in path: String) -> [(text: String, isUTF8: Bool)]? {
    guard let folder = opendir(path) else { return nil }
    defer { closedir(folder) }
    var names: [(text: String, isUTF8: Bool)] = []
    while let entry = readdir(folder) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
        tuple.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: tuple.pointee)) {
          (text: String(cString: $0), isUTF8: String(validatingCString: $0) != nil)
        }
      }
      if name.text != ".", name.text != ".." { names.append(name) }
    }
    return names.sorted { $0.text < $1.text }
  }

  private static func kind(of path: String) -> mode_t {
    var facts = stat()
    return lstat(path, &facts) == 0 ? facts.st_mode & S_IFMT : 0
  }

  private static func resolved(_ path: String) -> String? {
    guard let pointer = realpath(path, nil) else { return nil }
    defer { free(pointer) }
    return String(cString: pointer)
  }
}

/// Why a file could not be read.
enum FolderFault: Error, Hashable, Sendable, CustomStringConvertible {
  case tooLarge(limit: Int)
  case unopened(reason: String)
  case changed
  case unreadable

  var description: String {
    switch self {
    case .tooLarge(let limit): "larger than \(limit) bytes"
    case .unopened(let reason): "can't be opened: \(reason)"
    case .changed: "it changed while it was read"
    case .unreadable: "can't be read"
    }
  }
}
