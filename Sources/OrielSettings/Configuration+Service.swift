import OrielMail
package import OrielWatchlist

extension Configuration {
  /// The pages for people.
  package struct Dashboard: Sendable, Equatable {
    /// An address of this machine.
    package var host = "127.0.0.1"
    package var port = 8641
    /// Whether a proxy in front says who the client is.
    package var trustsForwarded = false
    /// Owns the account that is made for what this file watches, if there is no account yet.
    package var owner: String?
    /// Whether hosts that people have looked at may be on private networks.
    package var probesPrivate = false

    package init() {}

    /// Where the pages are, for browsers on this machine.
    package var url: String { "http://" + (host.contains(":") ? "[\(host)]" : host) + ":\(port)" }
  }

  /// One of the reports that CCADB publishes, from a file or URL.
  package struct CCADBReport: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
      case records = "AllCertificateRecords"
      case certificates = "AllCertificatePEMs"
      case caaIdentifiers = "AllCAAIdentifiers"
      case mechanisms = "AllProblemReportingMechanisms"
    }

    package let kind: Kind
    package let place: String
  }

  /// A folder with certificates of the owner's.
  package struct InventoryFolder: Sendable, Equatable {
    package let item: WatchedItem
    package let folder: String
    /// Whether everything that is issued for the item is to be found in it.
    package let isComplete: Bool

    package init(item: WatchedItem, folder: String, isComplete: Bool) {
      self.item = item
      self.folder = folder
      self.isComplete = isComplete
    }
  }

  mutating func readService(_ root: Section) {
    readDashboard(root)
    readContacts(root)
    let caa = root.section("caa")
    // Who has pages looks at what comes of it; without them, nobody is asked unless the file says so.
    checksCAA = caa.flag("check") ?? (dashboard != nil || caa.has("servers"))
    for server in caa.list("servers") {
      if Configuration.isNameServer(server.text) {
        caaServers.append(server.text)
      } else {
        root.reader.fail(server, "expected an IP address, or one with a port, such as 192.0.2.53:53")
      }
    }
    caa.finish()
    let verdicts = root.section("verdicts")
    holdUnexplained = verdicts.duration("hold", .zero...(.seconds(3600))) ?? holdUnexplained
    verdicts.finish()
    for node in root.items("inventory") { readInventory(Section(root.reader, "inventory", node)) }
  }

  private mutating func readDashboard(_ root: Section) {
    let isAsked = root.has("dashboard") || root.reader.override("dashboard.listen") != nil
    let section = root.section("dashboard")
    var dashboard = Dashboard()
    let place = section.parse("listen", "expected an address of this machine and a port, such as 127.0.0.1:8641") {
      Configuration.listenAddress($0)
    }
    if let place { (dashboard.host, dashboard.port) = place }
    dashboard.trustsForwarded = section.flag("trust_forwarded") ?? false
    dashboard.owner = section.parse("owner", "expected a mail address") { try MailAddress($0).address }
    dashboard.probesPrivate = section.flag("probe_private") ?? false
    section.finish()
    if isAsked { self.dashboard = dashboard }
  }

  private mutating func readContacts(_ root: Section) {
    let section = root.section("contacts")
    for place in section.list("ccadb") {
      if place.text == "published" {
        usesPublishedCCADB = true
      } else if let kind = CCADBReport.Kind.allCases.first(where: { place.text.contains($0.rawValue) }) {
        ccadb.append(CCADBReport(kind: kind, place: Configuration.place(place.text, root)))
      } else {
        let names = CCADBReport.Kind.allCases.map(\.rawValue).joined(separator: ", ")
        root.reader.fail(place, "expected `published`, or files or URLs that have one of \(names) in their names")
      }
    }
    rdapBootstrap = section.string("rdap_bootstrap").map { Configuration.place($0, root) }
    looksUpRegistrars = section.flag("look_up") ?? false
    if looksUpRegistrars, rdapBootstrap == nil {
      section.reader.fail(section.mark, "contacts.look_up", "expected `contacts.rdap_bootstrap` as well: whom to ask")
    }
    section.finish()
  }

  private mutating func readInventory(_ section: Section) {
    let item = section.parse("item", "expected a watched item") {
      try WatchedItem(parsing: $0, allowPublicSuffix: true)
    }
    let folder = section.string("folder").map(section.reader.path)
    let isComplete = section.flag("complete") ?? false
    if !section.has("item") { section.reader.fail(section.mark, "inventory.item", "expected a watched item") }
    if folder == nil { section.reader.fail(section.mark, "inventory.folder", "expected the path of a folder") }
    if let item, let folder {
      inventory.append(InventoryFolder(item: item, folder: folder, isComplete: isComplete))
    }
    section.finish()
  }

  private static func place(_ text: String, _ root: Section) -> String {
    text.hasPrefix("https://") || text.hasPrefix("http://") ? text : root.reader.path(text)
  }

  /// `127.0.0.1:8641`, `[::1]:8641`, `localhost:8641`.
  private static func listenAddress(_ text: String) -> (host: String, port: Int)? {
    guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
      (0...65535).contains(port)
    else { return nil }
    var host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = host.dropFirst().dropLast()
    } else if host.contains(":") {
      return nil
    }
    guard host == "localhost" || isAddress(host) else { return nil }
    return (String(host), port)
  }

  private static func isNameServer(_ text: String) -> Bool {
    isAddress(text) || listenAddress(text).map { $0.host != "localhost" && $0.port > 0 } ?? false
  }

  private static func isAddress(_ text: some StringProtocol) -> Bool {
    !text.contains("/") && (try? AddressRange(text)) != nil
  }
}
