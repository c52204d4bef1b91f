/// Something in a log's directory that is not as it must be.
package struct Finding: Hashable, Sendable, CustomStringConvertible {
  package let path: String
  /// The first byte that is wrong, of the content (inflated, where the file is gzipped); nil where it can't be told.
  package let offset: Int?
  /// The entry concerned, by its index in the log.
  package let entry: UInt64?
  package let reason: String

  package init(_ path: String, offset: Int? = nil, entry: UInt64? = nil, _ reason: String) {
    self.path = path
    self.offset = offset
    self.entry = entry
    self.reason = reason
  }

  package var description: String {
    path + (entry.map { ", entry \($0)" } ?? "") + (offset.map { ", offset \($0)" } ?? "") + ": " + reason
  }
}
