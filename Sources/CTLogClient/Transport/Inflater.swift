import CDeflate

/// Why a gzip body was not inflated.
public enum InflateError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Not gzip, damaged, or cut off.
  case badData
  /// It would inflate to more bytes than the caller takes.
  case tooLarge(limit: Int)
  /// Bytes follow the one gzip member.
  case trailingBytes(Int)
  case outOfMemory

  public var description: String {
    switch self {
    case .badData: "damaged gzip data"
    case .tooLarge(let limit): "the gzip data inflates to more than \(limit) bytes"
    case .trailingBytes(let count): "\(count) bytes follow the gzip data"
    case .outOfMemory: "no memory for inflating"
    }
  }
}

/// Inflates gzip bodies of one member (RFC 1952), each in one call, into a buffer that is used again.
public struct Inflater: ~Copyable {
  /// Deflate can't make more of a byte than this (1032, and the ends of the format).
  private static let largestRatio = 1040

  private let decompressor: OpaquePointer?

  public init() { decompressor = libdeflate_alloc_decompressor() }

  deinit { libdeflate_free_decompressor(decompressor) }

  /// Whether `body` starts as gzip does.
  public static func isGzip(_ body: Span<UInt8>) -> Bool { body.count >= 2 && body[0] == 0x1f && body[1] == 0x8b }

  /// Replaces the content of `output`, keeping its storage, by what `body` inflates to.
  ///
  /// - Parameter limit: the most bytes that are ever written.
  public func inflate(_ body: Span<UInt8>, into output: inout [UInt8], limit: Int) throws(InflateError) {
    output.removeAll(keepingCapacity: true)
    guard let decompressor else { throw .outOfMemory }
    guard body.count >= 18, Inflater.isGzip(body) else { throw .badData }
    // The last four bytes say the length, modulo 2^32, if they are the end of the member. It is but a hint: where it is
    // wrong, as much as can be is tried.
    let hint = (1...4).reduce(0) { $0 << 8 | Int(body[body.count - $1]) }
    let most = max(0, min(limit, min(body.count, 1 << 40) * Inflater.largestRatio))
    var room = hint <= most ? hint : most
    while true {
      var (used, written) = (0, 0)
      var result = LIBDEFLATE_BAD_DATA
      output.append(addingCapacity: max(room, 1)) { span in
        span.withUnsafeMutableBufferPointer { buffer, initializedCount in
          result = body.withUnsafeBytes { input in
            libdeflate_gzip_decompress_ex(
              decompressor, input.baseAddress, input.count, buffer.baseAddress, room, &used, &written)
          }
          initializedCount = result == LIBDEFLATE_SUCCESS ? written : 0
        }
      }
      switch result {
      case LIBDEFLATE_SUCCESS where used < body.count:
        output.removeAll(keepingCapacity: true)
        throw .trailingBytes(body.count - used)
      case LIBDEFLATE_SUCCESS: return
      case LIBDEFLATE_INSUFFICIENT_SPACE where room < most: room = most
      case LIBDEFLATE_INSUFFICIENT_SPACE: throw .tooLarge(limit: limit)
      default: throw .badData
      }
    }
  }
}

@available(*, unavailable)
extension Inflater: Sendable {}
