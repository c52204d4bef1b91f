import CertificateTransparency
package import NIOCore

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A file of a log, by its path below the log's monitoring prefix.
package struct Blob: Hashable, Sendable {
  package let path: String
  package let bytes: [UInt8]

  package init(_ path: String, _ bytes: [UInt8]) {
    self.path = path
    self.bytes = bytes
  }
}

/// Where a log keeps what it publishes, and what it is about to publish.
///
/// A blob is there whole or not at all. What a method did before it threw is unknown: nothing, some or all of it.
package protocol BlobStore: Sendable {
  /// The bytes at `path`; nil if there are none.
  func get(_ path: String) async throws -> [UInt8]?

  /// Opens the bytes at `path`, and reads the first of them in place of what is in `buffer`, if that takes no waiting.
  func openNow(_ path: String, _ buffer: inout ByteBuffer) -> OpenBlob?

  /// Puts bytes at a path, in place of what was there. They outlast a loss of power once this returns.
  ///
  /// - Throws: ``BlobError/smallerCheckpoint(size:present:)`` where a checkpoint of a larger tree is there; that stays.
  func put(_ blob: Blob) async throws

  /// Adds blobs that never change. They outlast a loss of power once this returns.
  ///
  /// The same bytes once more are no error.
  ///
  /// - Throws: ``BlobError/differs(path:)`` where other bytes are there already; those stay.
  func add(_ blobs: [Blob]) async throws

  /// Deletes what is there, if anything is. It may be there again after a loss of power.
  func delete(_ paths: [String]) async throws

  /// The paths that begin with `folder` (which ends with a slash), in any order.
  func list(_ folder: String) async throws -> [String]
}

extension Blob {
  static let checkpoint = "checkpoint"

  /// What ``BlobStore/put(_:)`` refuses.
  ///
  /// - Parameter present: what is at the path of a checkpoint now.
  func check(replacing present: [UInt8]?) throws(BlobError) {
    guard path == Blob.checkpoint, let present = present.flatMap(Blob.treeSize), let size = Blob.treeSize(bytes),
      size < present
    else { return }
    throw .smallerCheckpoint(size: size, present: present)
  }

  /// The size in a checkpoint, whoever signed it; nil for what is none.
  private static func treeSize(_ note: [UInt8]) -> UInt64? {
    guard let note = try? SignedNote(decoding: note.span) else { return nil }
    return try? Checkpoint(text: note.text).treeSize
  }
}

extension BlobStore {
  package func openNow(_ path: String, _ buffer: inout ByteBuffer) -> OpenBlob? { nil }
}

package enum BlobError: Error, Hashable, CustomStringConvertible {
  /// An immutable blob is there already, with other bytes.
  case differs(path: String)
  case badPath(String)
  case tooLarge(path: String, limit: Int)
  case smallerCheckpoint(size: UInt64, present: UInt64)
  /// The operating system refused.
  case system(operation: String, path: String, code: Int32, reason: String)

  /// What the operating system said last on this thread.
  static func refused(_ operation: String, _ path: String, code: Int32 = errno) -> BlobError {
    .system(operation: operation, path: path, code: code, reason: String(cString: strerror(code)))
  }

  package var description: String {
    switch self {
    case .differs(let path): "\(path) is there already with other bytes, and must never change"
    case .badPath(let path): "'\(path)' is no path of a log's file"
    case .tooLarge(let path, let limit): "\(path) is larger than \(limit) bytes"
    case .smallerCheckpoint(let size, let present):
      "the checkpoint that is there is of \(present) entries: one of \(size) must not take its place"
    case .system(let operation, let path, _, let reason): "can't \(operation) \(path): \(reason)"
    }
  }
}
