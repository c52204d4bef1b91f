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

/// Finds the files of a folder that may hold certificates.
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
  }

  struct Listing: Sendable {
    var files: [File] = []
    var problems: [String: String] = [:]
    var isCutShort = false
  }

  func list() -> Listing {
    var listing = Listing()
    guard let top = CertificateFolder.resolved(root) else {
      listing.problems[root] = "there is no such folder"
      return listing
    }
    let roots = [top] + CertificateFolder.archive(besides: top).compactMap(CertificateFolder.resolved)
    var seen: Set<String> = []
    var visits = 0
    var folders = [(path: top, depth: 0)]
    while let folder = folders.popLast() {
      let names: [String]
      do {
        names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
      } catch {
        listing.problems[folder.path] = "can't be listed"
        continue
      }
      for name in names {
        visits += 1
        guard visits <= limits.visits, listing.files.count < limits.files else {
          listing.isCutShort = true
          return listing
        }
        let path = folder.path + "/" + name
        switch CertificateFolder.kind(of: path) {
        case S_IFDIR where folder.depth < limits.depth: folders.append((path, folder.depth + 1))
        case S_IFDIR: listing.isCutShort = true
        case S_IFREG: add(path, to: &listing, &seen)
        case S_IFLNK:
          guard CertificateFolder.isCandidate(name), let target = CertificateFolder.resolved(path),
            roots.contains(where: { target.hasPrefix($0 == "/" ? $0 : $0 + "/") })
          else { break }
          add(target, to: &listing, &seen)
        default: break
        }
      }
    }
    listing.files.sort { $0.path < $1.path }
    var total = 0
    let fitting = listing.files.prefix { file in
      total += min(Int(file.stamp.size), limits.fileBytes)
      return total <= limits.totalBytes
    }
    listing.isCutShort = listing.isCutShort || fitting.count < listing.files.count
    listing.files = Array(fitting)
    return listing
  }

  private func add(_ path: String, to listing: inout Listing, _ seen: inout Set<String>) {
    guard let name = path.split(separator: "/").last, CertificateFolder.isCandidate(String(name)),
      seen.insert(path).inserted, let stamp = FileStamp(path: path)
    else { return }
    listing.files.append(File(path: path, stamp: stamp))
  }

  /// The bytes of a file as it was listed, or why there are none.
  func read(_ file: File) -> Result<[UInt8], FolderFault> {
    guard file.stamp.size <= limits.fileBytes else {
      return .failure(FolderFault("larger than \(limits.fileBytes) bytes"))
    }
    let descriptor = open(file.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { return .failure(FolderFault("can't be opened")) }
    let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    var facts = stat()
    // What was a file when it was listed may be something else by now.
    guard fstat(descriptor, &facts) == 0, FileStamp(facts) == file.stamp else {
      return .failure(FolderFault("it changed while it was read"))
    }
    guard let data = try? handle.read(upToCount: limits.fileBytes + 1) ?? Data(), data.count <= limits.fileBytes
    else { return .failure(FolderFault("can't be read")) }
    return .success([UInt8](data))
  }

  /// By name: certificates and requests, and never what is named as a private key.
  private static func isCandidate(_ name: String) -> Bool {
    let lower = name.lowercased()
    let isKey = ["privkey", "private", "key"].contains { lower.hasPrefix($0) } || lower.hasSuffix("key.pem")
    return !isKey && [".pem", ".crt", ".cer", ".cert", ".csr", ".der"].contains { lower.hasSuffix($0) }
  }

  private static func archive(besides path: String) -> [String] {
    let parts = path.split(separator: "/")
    return (parts.endIndex - 2..<parts.endIndex).filter { $0 >= 0 && parts[$0] == "live" }.map {
      "/" + (parts[..<$0] + ["archive"]).joined(separator: "/")
    }
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
struct FolderFault: Error, Hashable, Sendable {
  let reason: String

  init(_ reason: String) { self.reason = reason }
}
