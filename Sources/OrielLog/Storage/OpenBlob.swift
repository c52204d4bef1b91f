import NIOCore

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A blob in a file that is open, and in memory as far as can be told.
package final class OpenBlob {
  /// So many bytes of it are read when it is opened: all of what is small, and a page of what is not.
  static func startByteCount(of byteCount: Int) -> Int { byteCount <= 1 << 14 ? byteCount : 4096 }

  package let byteCount: Int
  private let descriptor: Int32
  private let handle: NIOFileHandle

  /// - Parameter descriptor: is closed with the last reference to this.
  init(taking descriptor: Int32, byteCount: Int) {
    (self.descriptor, self.byteCount) = (descriptor, byteCount)
    handle = NIOFileHandle(_deprecatedTakingOwnershipOfDescriptor: descriptor)
  }

  deinit { try? handle.close() }

  /// A part of it, for the system to send. Keep the blob until it is sent.
  func region(_ range: Range<Int>) -> FileRegion {
    FileRegion(fileHandle: handle, readerIndex: range.lowerBound, endIndex: range.upperBound)
  }

  /// Reads bytes in place of what is in `buffer`.
  ///
  /// - Returns: whether they could all be read.
  func read(_ range: Range<Int>, into buffer: inout ByteBuffer) -> Bool {
    buffer.clear(minimumCapacity: range.count)
    return range.count
      == buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: range.count) { bytes in
        max(0, pread(descriptor, bytes.baseAddress, range.count, off_t(range.lowerBound)))
      }
  }
}
