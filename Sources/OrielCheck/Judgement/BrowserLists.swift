package import CTLogClient
package import CTPolicy
import CertificateTransparency

/// Whose list of logs.
package enum Browser: String, Hashable, Sendable, CaseIterable, Comparable {
  case chrome, apple, firefox, android

  package static func < (left: Browser, right: Browser) -> Bool {
    (allCases.firstIndex(of: left) ?? 0) < (allCases.firstIndex(of: right) ?? 0)
  }
}

extension Browser {
  var platform: PolicyPlatform {
    switch self {
    case .chrome: .chrome
    case .apple: .apple
    case .firefox: .firefox
    case .android: .android
    }
  }
}

extension BrowserPolicy {
  /// By whose list of logs the policy goes.
  package var browser: Browser {
    switch self {
    case .chrome, .chromiumEra: .chrome
    case .apple: .apple
    case .firefox: .firefox
    case .android: .android
    }
  }
}

/// The lists that policies go by, each with what is known of it.
package struct BrowserLists: Sendable {
  package struct List: Sendable {
    package let name: String
    package let version: String?
    package let view: LogView
    package let signature: LoadedLogList.Signature
    /// Set if the list is another browser's, for want of its own.
    package var standsInFor: Browser?

    package init(_ loaded: LoadedLogList) {
      name = loaded.source.name
      version = loaded.list.version
      // A list without a time of its own, such as Apple's, is as old as its copy.
      view = LogView(loaded.list, timestamp: loaded.list.timestamp ?? loaded.fetchedAt)
      signature = loaded.signature
    }
  }

  private let lists: [Browser: List]

  package init(_ lists: [Browser: List]) { self.lists = lists }

  package var isEmpty: Bool { lists.isEmpty }

  /// The list to judge a browser by: its own or, where there is none, Chrome's, from which others take theirs.
  package subscript(_ browser: Browser) -> List? {
    if let own = lists[browser] { return own }
    guard var other = lists[.chrome] ?? lists.min(by: { $0.key < $1.key })?.value else { return nil }
    other.standsInFor = browser
    return other
  }
}
