package import CertificateTransparency
import Foundation
import MerkleTree
import OrielFiles

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Where a web server finds the SCTs that it is to send in TLS extension 18.
///
/// Writing is atomic: after a crash either the old file is there or the new. A folder's files come and go one by one,
/// the new before the old. A file that holds anything else than SCTs is never replaced, nor removed.
package struct SCTFile: Hashable, Sendable {
  package enum Form: String, Hashable, Sendable, CaseIterable {
    /// A `SignedCertificateTimestampList` as it goes over the wire (HAProxy's `.sctl`).
    case list
    /// OpenSSL's serverinfo in PEM (`openssl s_server -serverinfo`, nginx's `ssl_conf_command ServerInfoFile`).
    case serverInfo = "serverinfo"
    /// A folder with one SCT in each `.sct` file (nginx-ct, Apache's mod_ssl_ct).
    case folder
  }

  package enum Failure: Error, Hashable, Sendable, CustomStringConvertible {
    case unreadable(path: String, reason: String)
    /// What is there is something else, and must not be written over.
    case notSCTs(path: String, reason: String)
    case unwritable(path: String, reason: String)

    package var description: String {
      switch self {
      case .unreadable(let path, let reason): "\(path) can't be read: \(reason)"
      case .notSCTs(let path, let reason): "\(path) holds something else than SCTs: \(reason)"
      case .unwritable(let path, let reason): "\(path) can't be written: \(reason)"
      }
    }
  }

  package static let maximumByteCount = 1 << 20
  private static let maximumFiles = 256

  /// Without a slash at the end; links are followed.
  package let path: String
  package let form: Form

  /// - Parameter form: by default a folder if there is one, or the path ends in a slash; a list for `.sctl` and `.sct`;
  ///   else serverinfo.
  package init(_ path: String, form: Form? = nil) {
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    self.path = URL(filePath: path).resolvingSymlinksInPath().path
    let guess: Form =
      path.hasSuffix("/") || (exists && isFolder.boolValue)
      ? .folder : path.hasSuffix(".sctl") || path.hasSuffix(".sct") ? .list : .serverInfo
    self.form = form ?? guess
  }

  // MARK: Reading

  /// The SCTs; none if there is no such file or folder.
  package func read() throws(Failure) -> [SCTList.Item] {
    guard FileManager.default.fileExists(atPath: path) else { return [] }
    switch form {
    case .folder:
      let names = try sctNames()
      var items: [SCTList.Item] = []
      for name in names {
        let bytes = try content(of: "\(path)/\(name)")
        guard !bytes.isEmpty, bytes.count <= 0xffff else {
          throw .notSCTs(path: "\(path)/\(name)", reason: "\(bytes.count) bytes are no SCT")
        }
        items.append(SCTList.Item(serialized: bytes))
      }
      return items
    case .list: return try items(content(of: path))
    case .serverInfo: return try items(extensionData(content(of: path)))
    }
  }

  private func items(_ list: [UInt8]) throws(Failure) -> [SCTList.Item] {
    do throws(FormatError) {
      return try SCTList(decoding: list).items
    } catch {
      throw .notSCTs(path: path, reason: "\(error)")
    }
  }

  private func content(of path: String) throws(Failure) -> [UInt8] {
    do {
      guard try SCTFile.size(of: path) ?? 0 <= SCTFile.maximumByteCount else {
        throw Failure.notSCTs(path: path, reason: "it has more than \(SCTFile.maximumByteCount) bytes")
      }
      return [UInt8](try Data(contentsOf: URL(filePath: path)))
    } catch let failure as Failure {
      throw failure
    } catch {
      throw .unreadable(path: path, reason: error.localizedDescription)
    }
  }

  private func sctNames() throws(Failure) -> [String] {
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: path).filter { $0.hasSuffix(".sct") }.sorted()
    } catch {
      throw .unreadable(path: path, reason: error.localizedDescription)
    }
    guard names.count <= SCTFile.maximumFiles else {
      throw .notSCTs(path: path, reason: "\(names.count) files end in .sct; expected \(SCTFile.maximumFiles) at most")
    }
    return names
  }

  /// The data of extension 18 in serverinfo of either version; any other extension would be lost in writing.
  private func extensionData(_ text: [UInt8]) throws(Failure) -> [UInt8] {
    var found: [UInt8]?
    for block in PEM.blocks(in: text) {
      let isSecond = block.label.hasPrefix("SERVERINFOV2 FOR ")
      guard isSecond || block.label.hasPrefix("SERVERINFO FOR "), let bytes = try? block.bytes() else {
        throw .notSCTs(path: path, reason: "line \(block.line) begins something else than serverinfo")
      }
      let span = bytes.span
      var cursor = ByteCursor("serverinfo", in: span)
      do throws(FormatError) {
        while cursor.remaining > 0 {
          if isSecond { _ = try cursor.take(4, "context") }
          let type = try cursor.uint16(span, "extension type")
          let data = try cursor.vector16(span, "extension data")
          guard type == SCTFile.extensionType, found == nil else {
            throw cursor.error(found == nil ? "extension \(type) is there too" : "extension \(type) is there twice")
          }
          found = span.copy(data)
        }
      } catch {
        throw .notSCTs(path: path, reason: "\(error)")
      }
    }
    guard let found else { throw .notSCTs(path: path, reason: "there is no block of serverinfo") }
    return found
  }

  // MARK: Writing

  /// Replaces the SCTs that are there, and nothing else; at least one SCT is needed.
  ///
  /// - Parameter names: what logs are called, for the files of a folder.
  /// - Throws: ``Failure/notSCTs(path:reason:)`` where a file of another kind is in the way.
  package func write(_ items: [SCTList.Item], names: [LogID: String] = [:]) throws(Failure) {
    guard !items.isEmpty else { throw .unwritable(path: path, reason: "an empty list of SCTs is not allowed in TLS") }
    try checkReplaceable()
    switch form {
    case .folder: try writeFolder(items, names)
    case .list: try SCTFile.write(encoded(items), to: path)
    case .serverInfo: try SCTFile.write(Array(serverInfo(encoded(items)).utf8), to: path)
    }
  }

  /// Whether ``write(_:names:)`` would replace what is there: SCTs, nothing, or an empty file.
  ///
  /// - Throws: ``Failure/notSCTs(path:reason:)`` where it would not.
  package func checkReplaceable() throws(Failure) {
    guard let size = try SCTFile.size(of: path), form == .folder || size > 0 else { return }
    let items = try read()
    guard form == .folder else { return }
    for (name, item) in zip(try sctNames(), items) {
      if case .failure(let error) = item.sct { throw .notSCTs(path: "\(path)/\(name)", reason: "\(error)") }
    }
  }

  /// Nil if there is no such file.
  private static func size(of path: String) throws(Failure) -> Int? {
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    do {
      return try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
    } catch {
      throw .unreadable(path: path, reason: error.localizedDescription)
    }
  }

  private func encoded(_ items: [SCTList.Item]) throws(Failure) -> [UInt8] {
    guard let list = try? SCTList(items: items).encoded(), list.count <= 0xffff else {
      throw .unwritable(path: path, reason: "\(items.count) SCTs are too long for one extension")
    }
    return list
  }

  private static let extensionType: UInt16 = 18
  /// ClientHello, ServerHello of TLS 1.2, Certificate of TLS 1.3, and not when a session is resumed (RFC 6962, 3.3.1).
  private static let context: [UInt8] = [0, 0, 0x11, 0xc0]

  private func serverInfo(_ list: [UInt8]) -> String {
    let bytes = SCTFile.context + [0, 18, UInt8(list.count >> 8), UInt8(list.count & 0xff)] + list
    return PEM.encode(bytes, label: "SERVERINFOV2 FOR EXTENSION \(SCTFile.extensionType)")
  }

  private func writeFolder(_ items: [SCTList.Item], _ names: [LogID: String]) throws(Failure) {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw .unwritable(path: path, reason: error.localizedDescription)
    }
    let old = try sctNames()
    var new: Set<String> = []
    for item in items {
      let name = SCTFile.fileName(item, names, besides: new)
      new.insert(name)
      try SCTFile.write(item.serialized, to: "\(path)/\(name)")
    }
    for name in old where !new.contains(name) {
      guard unlink("\(path)/\(name)") == 0 || errno == ENOENT else { throw .last(path) }
    }
    do throws(AtomicFile.Failure) { try AtomicFile.synchronize(path) } catch { throw Failure(error) }
  }

  private static func write(_ bytes: [UInt8], to path: String) throws(Failure) {
    // Web servers read it under another user.
    do throws(AtomicFile.Failure) {
      try AtomicFile.write(bytes, to: path, mode: 0o644)
    } catch {
      throw Failure(error)
    }
  }

  /// The log's name in letters, digits and hyphens; its id where it has none, or another has the same.
  private static func fileName(
    _ item: SCTList.Item, _ names: [LogID: String], besides taken: Set<String>
  ) -> String {
    let logID = try? item.sct.get().logID
    let name = logID.flatMap { names[$0] }?.lowercased().split { !$0.isASCII || !($0.isLetter || $0.isNumber) }
      .joined(separator: "-")
    let plain = String(name?.prefix(80) ?? "") + ".sct"
    if plain != ".sct", !taken.contains(plain) { return plain }
    let id = logID?.hash.hex ?? "unknown"
    return (0...).lazy.map { $0 == 0 ? "\(id).sct" : "\(id)-\($0).sct" }.first { !taken.contains($0) } ?? "\(id).sct"
  }
}

extension SCTFile.Failure {
  init(_ failure: AtomicFile.Failure) { self = .unwritable(path: failure.path, reason: failure.reason) }

  /// What the system said last.
  static func last(_ path: String) -> SCTFile.Failure {
    .unwritable(path: path, reason: String(cString: strerror(errno)))
  }
}
