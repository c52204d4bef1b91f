import CPSL

/// The Public Suffix List: below which names do people register theirs (`com`, `co.uk`).
public final class PublicSuffixes: Sendable {
  /// The newest list that this machine's libpsl knows of, which can be years old.
  public static let system = PublicSuffixes(taking: psl_latest(nil))

  /// A file that is not a public suffix list, or cannot be read.
  public struct UnusableFile: Error, Hashable, Sendable, CustomStringConvertible {
    public let path: String

    public var description: String {
      "\(path) is not a readable public suffix list; fetch one from https://publicsuffix.org/list/public_suffix_list.dat"
    }
  }

  /// Made in `init`, then only read (libpsl's look-ups change nothing), freed in `deinit`; nil where there is no list.
  nonisolated(unsafe) private let list: OpaquePointer?

  private init(taking list: OpaquePointer?) { self.list = list }

  /// Reads a list from a file in either of libpsl's forms: the text as published, or a DAFSA.
  ///
  /// - Throws: ``UnusableFile``, also for a file that does not have `com` as a suffix.
  public convenience init(file path: String) throws(UnusableFile) {
    self.init(taking: psl_load_file(path))
    guard isICANNSuffix("com") else { throw UnusableFile(path: path) }
  }

  deinit { psl_free(list) }

  /// Whether a rule of the ICANN section makes this name a public suffix.
  ///
  /// The private section (`github.io`) does not count, nor does the rule that any unknown top level is a suffix.
  public func isICANNSuffix(_ name: DomainName) -> Bool { isICANNSuffix(name.ascii) }

  /// Whether a name in lower case is a public suffix of either section, or an unknown top level.
  func isSuffix(_ name: String) -> Bool { list == nil || psl_is_public_suffix2(list, name, PSL_TYPE_ANY) == 1 }

  private func isICANNSuffix(_ name: String) -> Bool {
    // Without a list, libpsl calls every name a suffix.
    list != nil && psl_is_public_suffix2(list, name, PSL_TYPE_ICANN | PSL_TYPE_NO_STAR_RULE) == 1
  }
}
