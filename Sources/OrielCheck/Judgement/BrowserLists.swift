package import CTLogClient
package import CTPolicy
package import CertificateTransparency

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
    /// When it was made, or else fetched.
    package let timestamp: Timestamp?
    package fileprivate(set) var view: LogView
    package let signature: LoadedLogList.Signature
    /// Set if the list is another browser's, for want of its own.
    package var standsInFor: Browser?

    package init(_ loaded: LoadedLogList) {
      self.init(name: loaded.source.name, loaded.list, fetchedAt: loaded.fetchedAt, signature: loaded.signature)
    }

    package init(name: String, _ list: LogList, fetchedAt: Timestamp, signature: LoadedLogList.Signature) {
      self.name = name
      version = list.version
      // A list without a time of its own, such as Apple's, is as old as its copy.
      timestamp = list.timestamp ?? fetchedAt
      view = LogView(list, timestamp: timestamp)
      self.signature = signature
    }
  }

  private let lists: [Browser: List]

  package init(_ lists: [Browser: List]) { self.lists = lists }

  package var isEmpty: Bool { lists.isEmpty }

  /// The lists as they were at an earlier time, as far as they tell.
  package func asOf(_ time: Timestamp) -> BrowserLists {
    BrowserLists(
      lists.mapValues { list in
        var list = list
        list.view = list.view.asOf(time)
        return list
      })
  }

  /// Whose list a browser is judged by: its own or, where there is none, Chrome's, from which others take theirs.
  func source(for browser: Browser) -> Browser? {
    lists[browser] != nil ? browser : lists[.chrome] != nil ? .chrome : lists.keys.min()
  }

  /// The list to judge a browser by.
  package subscript(_ browser: Browser) -> List? {
    guard let source = source(for: browser), var list = lists[source] else { return nil }
    if source != browser { list.standsInFor = browser }
    return list
  }
}
