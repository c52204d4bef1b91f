/// Bytes that are not what a specification says they must be.
///
/// It names the structure that was being read, the offset within it where reading stopped, and what was expected there.
public struct FormatError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The structure, by the name its specification gives it (`SignedCertificateTimestamp`).
  public let structure: String
  /// Bytes from the start of the structure; for text, the line number.
  public let offset: Int
  /// What was expected, and what was found.
  public let reason: String

  public init(_ structure: String, at offset: Int, _ reason: String) {
    self.structure = structure
    self.offset = offset
    self.reason = reason
  }

  public var description: String { "\(structure), offset \(offset): \(reason)" }
}
