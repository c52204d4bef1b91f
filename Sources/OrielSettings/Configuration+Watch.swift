import OrielWatchlist
import Yams

extension Configuration {
  mutating func readWatch(_ root: Section, _ known: Set<String>) {
    var suffixes = PublicSuffixes.system
    if let publicSuffixList {
      do { suffixes = try PublicSuffixes(file: publicSuffixList) } catch {
        root.reader.fail(nil, "public_suffix_list", "\(error)")
      }
    }
    for node in root.items("watch") {
      switch node {
      case .mapping: readWatch(Section(root.reader, "watch", node), known, suffixes)
      case .scalar(let scalar):
        let text = Scalar(key: "watch", text: scalar.string, mark: node.mark, source: nil)
        guard let item = item(text, root.reader, suffixes) else { continue }
        var watch = Watch(item: item, recipients: nil)
        (watch.times, watch.lookalikes) = (times, lookalikes && item.isName)
        self.watch.append(watch)
      default:
        root.reader.fail(node.mark, "watch", "expected a name, or `item:` with settings; found \(node.kind)")
      }
    }
  }

  /// One item with settings. All of them are looked at, so that all mistakes are told.
  private mutating func readWatch(_ section: Section, _ known: Set<String>, _ suffixes: PublicSuffixes) {
    let (text, recipients) = (section.scalar("item"), names("recipients", in: section, known))
    let times = VerdictTimes(section.section("tell"), otherwise: times)
    let (isSought, rules) = (section.flag("lookalikes"), Rules(section))
    section.finish()
    guard let text else { return section.reader.fail(section.mark, "watch.item", "expected a name to watch") }
    guard let item = item(text, section.reader, suffixes) else { return }
    if isSought == true, !item.isName {
      section.reader.fail(text, "only a name can be imitated: take out `lookalikes`")
    }
    if rules.caa != nil, !item.isName {
      section.reader.fail(text, "only names have CAA records: take out `caa`")
    }
    var watch = Watch(item: item, recipients: recipients)
    (watch.times, watch.lookalikes, watch.rules) = (times, (isSought ?? lookalikes) && item.isName, rules)
    self.watch.append(watch)
  }

  private func item(_ text: Scalar, _ reader: SettingsReader, _ suffixes: PublicSuffixes) -> WatchedItem? {
    do {
      return try WatchedItem(parsing: text.text, allowPublicSuffix: allowPublicSuffix, publicSuffixes: suffixes)
    } catch {
      reader.fail(text, "\(error)")
      return nil
    }
  }

  /// CCADB alone says who runs a CA.
  func warnOfOwners(_ reader: SettingsReader) {
    guard ccadb.isEmpty, !usesPublishedCCADB else { return }
    for key in ["owners", "caa"] where watch.contains(where: { (key == "caa" ? $0.rules.caa : $0.rules.owners) != nil })
    {
      reader.warn("without `contacts.ccadb` nobody can tell who runs a CA, so that `watch[].\(key)` lets none pass")
    }
  }
}

extension Configuration.VerdictTimes {
  init(_ section: Section, otherwise times: Configuration.VerdictTimes) {
    self.init()
    unexplained = section.choice("unexplained", Time.self) ?? times.unexplained
    expected = section.choice("expected", Time.self) ?? times.expected
    known = section.choice("known", Time.self) ?? times.known
    noHistory = section.choice("no_history", Time.self) ?? times.noHistory
    section.finish()
  }
}

extension Configuration.Rules {
  private enum History: String, CaseIterable { case confirmed }
  private enum Inventory: String, CaseIterable { case complete }

  private static let mostOwners = 50
  private static let mostRecords = 100

  init(_ section: Section) {
    self.init()
    confirmsHistory = section.choice("history", History.self) != nil
    hasCompleteInventory = section.choice("inventory", Inventory.self) != nil
    owners = Configuration.Rules.texts("owners", in: section, most: Self.mostOwners) { text in
      let isWord = text.contains { !$0.isWhitespace } && text.count <= 200
      return isWord && !text.unicodeScalars.contains { $0.properties.generalCategory == .control }
        ? nil : "expected the name of a CA's owner, of at most 200 characters"
    }
    caa = Configuration.Rules.texts("caa", in: section, most: Self.mostRecords) { text in
      text.utf8.count <= 4096 && text.wholeMatch(of: /(25[0-5]|2[0-4]\d|1?\d?\d) [A-Za-z0-9]+ "(\\.|[^"\\])*"/) != nil
        ? nil : "expected a CAA record as in a zone file, such as 0 issue \"letsencrypt.org\""
    }
  }

  /// - Parameter problem: says what is wrong with a text.
  private static func texts(
    _ key: String, in section: Section, most: Int, _ problem: (String) -> String?
  ) -> [String]? {
    guard section.has(key) else { return nil }
    let all = section.list(key)
    if all.count > most { section.reader.fail(section.mark, "\(section.path).\(key)", "at most \(most), please") }
    for text in all { if let problem = problem(text.text) { section.reader.fail(text, problem) } }
    return all.map(\.text)
  }
}
