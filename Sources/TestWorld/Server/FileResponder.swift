package import Foundation
import NIOCore

/// Answers with the files below a directory, each read anew; a file's name is its target, with its query.
package struct FileResponder: Sendable {
  private let directory: String

  package init(_ directory: URL) { self.directory = directory.path }

  package func respond(to request: TestRequest) -> TestResponse {
    let target = request.target.drop { $0 == "/" }
    guard !target.split(separator: "/").contains(".."), let body = read("\(directory)/\(target)") else {
      return .notFound
    }
    var response = TestResponse(type: "application/octet-stream", body)
    // Tiles are stored as they are sent.
    if body.getInteger(at: body.readerIndex, as: UInt16.self) == 0x1f8b {
      response.headers.append(("content-encoding", "gzip"))
    }
    return response
  }

  /// The content of a regular file, copied once.
  private func read(_ path: String) -> ByteBuffer? {
    let descriptor = open(path, O_RDONLY)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var facts = stat()
    guard fstat(descriptor, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else { return nil }
    let size = Int(facts.st_size)
    var buffer = ByteBufferAllocator().buffer(capacity: size)
    buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: size) { space in
      var count = 0
      while count < size {
        let done = pread(descriptor, space.baseAddress?.advanced(by: count), size - count, off_t(count))
        if done <= 0 { break }
        count += done
      }
      return count
    }
    return buffer.readableBytes == size ? buffer : nil
  }
}
