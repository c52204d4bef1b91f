public import CertificateTransparency

/// Where a log list comes from: a URL (`https:`, `http:` or `file:`), and who signs it.
public struct LogListSource: Sendable {
  /// A detached signature beside a list.
  public struct Signature: Sendable {
    public let url: String
    public let key: LogListKey

    public init(url: String, key: LogListKey) {
      self.url = url
      self.key = key
    }
  }

  /// What people call it.
  public let name: String
  public let url: String
  /// Nil where nobody signs the list.
  public let signature: Signature?

  public init(name: String, url: String, signature: Signature? = nil) {
    self.name = name
    self.url = url
    self.signature = signature
  }

  /// The logs that Chrome knows. Google asks not to build on it without coping with change.
  public static let chrome = LogListSource(
    name: "Chrome", url: "https://www.gstatic.com/ct/log_list/v3/log_list.json",
    signature: Signature(url: "https://www.gstatic.com/ct/log_list/v3/log_list.sig", key: .google))

  /// The logs that Apple's platforms know. It is not signed.
  public static let apple = LogListSource(
    name: "Apple", url: "https://valid.apple.com/ct/log_list/current_log_list.json")

  public static let defaults: [LogListSource] = [.chrome, .apple]
}
