import CDeflate

/// Why bytes were not inflated or deflated.
package enum GzipError: Error, Hashable, CustomStringConvertible {
  case outOfMemory
  /// Not one gzip member, damaged, cut off, or larger than allowed when inflated.
  case badData

  package var description: String {
    switch self {
    case .outOfMemory: "no memory for gzip"
    case .badData: "damaged gzip data"
    }
  }
}

/// Makes gzip members, one after the other with the same tables.
struct Gzip: ~Copyable {
  private let compressor: OpaquePointer

  init() throws(GzipError) {
    // 6: a seventh smaller than 1, at a cost per entry far below that of one signature.
    guard let compressor = libdeflate_alloc_compressor(6) else { throw .outOfMemory }
    self.compressor = compressor
  }

  deinit { libdeflate_free_compressor(compressor) }

  func deflate(_ bytes: [UInt8]) throws(GzipError) -> [UInt8] {
    let bound = libdeflate_gzip_compress_bound(compressor, bytes.count)
    let deflated = [UInt8](unsafeUninitializedCapacity: bound) { output, count in
      count = libdeflate_gzip_compress(compressor, bytes, bytes.count, output.baseAddress, output.count)
    }
    guard !deflated.isEmpty else { throw .outOfMemory }
    return deflated
  }
}

/// Inflates gzip members that this log made.
struct Gunzip: ~Copyable {
  /// More than any tile: 256 entries of the longest chain that is admitted.
  static let maximumByteCount = 1 << 28

  private let decompressor: OpaquePointer

  init() throws(GzipError) {
    guard let decompressor = libdeflate_alloc_decompressor() else { throw .outOfMemory }
    self.decompressor = decompressor
  }

  deinit { libdeflate_free_decompressor(decompressor) }

  func inflate(_ bytes: [UInt8]) throws(GzipError) -> [UInt8] {
    guard bytes.count >= 18 else { throw .badData }
    // A member ends with its length, modulo 2^32.
    let length = (1...4).reduce(0) { $0 << 8 | Int(bytes[bytes.count - $1]) }
    guard length <= Gunzip.maximumByteCount, length / 1040 <= bytes.count else { throw .badData }
    var (used, written) = (0, 0)
    var result = LIBDEFLATE_BAD_DATA
    let inflated = [UInt8](unsafeUninitializedCapacity: max(length, 1)) { output, count in
      result = libdeflate_gzip_decompress_ex(
        decompressor, bytes, bytes.count, output.baseAddress, length, &used, &written)
      count = result == LIBDEFLATE_SUCCESS ? written : 0
    }
    guard result == LIBDEFLATE_SUCCESS, used == bytes.count, written == length else { throw .badData }
    return inflated
  }
}
