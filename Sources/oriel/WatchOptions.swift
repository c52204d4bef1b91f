import ArgumentParser
import CTLogClient
import CertificateTransparency
import Foundation
import OrielMonitor
import OrielWatchlist

/// Where the log lists come from, and who is asking.
struct ListOptions: ParsableArguments {
  @Option(
    name: .customLong("log-list"),
    help: ArgumentHelp(
      "A log list (v3), by URL or file. Repeatable. Default: Chrome's and Apple's.", valueName: "URL|FILE"))
  var lists: [String] = []

  @Option(help: ArgumentHelp("How log operators can reach you; sent along with every request.", valueName: "ADDRESS"))
  var contact: String?

  func transport() -> HTTPTransport { HTTPTransport(HTTPTransport.Settings(contact: contact)) }

  /// The sources, in the order in which they count.
  var sources: [LogListSource] { ListOptions.sources(lists) }

  static func sources(_ lists: [String]) -> [LogListSource] {
    lists.isEmpty ? LogListSource.defaults : lists.map { LogListSource(name: $0, url: url($0)) }
  }

  /// A path is taken for a file.
  static func url(_ location: String) -> String {
    location.contains("://") ? location : URL(filePath: location).absoluteString
  }
}

/// Where the state is kept.
struct DataOptions: ParsableArguments {
  @Option(
    name: .customLong("data-dir"),
    help: ArgumentHelp("Where the state is kept. Default: \(DataOptions.standard).", valueName: "DIR"))
  var given: String?

  var dataDir: String { given ?? DataOptions.standard }

  static var standard: String {
    let environment = ProcessInfo.processInfo.environment
    if let own = environment["ORIEL_DATA_DIR"] { return own }
    if let state = environment["XDG_STATE_HOME"], !state.isEmpty { return state + "/oriel" }
    return (environment["HOME"] ?? ".") + "/.local/state/oriel"
  }

  var listCache: String { dataDir + "/lists" }
}

/// What is watched.
struct WatchOptions: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      """
      What to watch: example.com (it and all below), =www.example.com (only it), 192.0.2.0/24, 2001:db8::/32, \
      spki:SHA256, issuer:SHA256, or . (everything).
      """, valueName: "name"))
  var names: [String] = []

  @Option(help: ArgumentHelp("A file of names to watch, one a line.", valueName: "FILE"))
  var watchList: [String] = []

  @Option(help: ArgumentHelp("A watch list in certspotter's syntax.", valueName: "FILE"))
  var certspotterWatchList: [String] = []

  @Option(help: ArgumentHelp("A newer public suffix list than the system's.", valueName: "FILE"))
  var publicSuffixList: String?

  @Flag(help: "Allow a public suffix such as co.uk to be watched.")
  var allowPublicSuffix = false

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("A configuration of `oriel serve`: what it watches too, and whom it tells.", valueName: "FILE"))
  var config: String?

  var files: [String] { watchList + certspotterWatchList }

  func validate() throws {
    guard !names.isEmpty || !files.isEmpty || config != nil else {
      throw ValidationError("Nothing to watch: give a name, such as `oriel watch example.com`, or --watch-list FILE.")
    }
  }

  /// Everything that is watched, files read anew.
  func items() throws -> [WatchedItem] {
    let suffixes = try publicSuffixList.map { try PublicSuffixes(file: $0) } ?? PublicSuffixes.system
    var items: [WatchedItem] = []
    for name in names {
      do {
        items.append(try WatchedItem(parsing: name, allowPublicSuffix: allowPublicSuffix, publicSuffixes: suffixes))
      } catch {
        throw CommandFailure("cannot watch '\(name)': \(error)", ExitCode(64))
      }
    }
    for (files, syntax) in [(watchList, Watchlist.Syntax.oriel), (certspotterWatchList, .certspotter)] {
      for file in files {
        let more = try read(file, syntax, suffixes)
        if items.isEmpty { items = more } else { items += more }
      }
    }
    return items
  }

  private func read(_ file: String, _ syntax: Watchlist.Syntax, _ suffixes: PublicSuffixes) throws -> [WatchedItem] {
    guard let data = FileManager.default.contents(atPath: file) else {
      throw CommandFailure("the watch list \(file) can't be read", .badData)
    }
    do {
      return try Watchlist.read(
        [UInt8](data), syntax: syntax, allowPublicSuffix: allowPublicSuffix, publicSuffixes: suffixes)
    } catch {
      throw CommandFailure("the watch list \(file) has mistakes:\n\(error)", .badData)
    }
  }
}
