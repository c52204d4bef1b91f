import OrielAlerting
import OrielMail
import OrielWatchlist
import Yams

/// Makes a ``Configuration`` of a YAML file, the environment (`ORIEL_SMTP_HOST` for `smtp.host`) and flags.
package struct ConfigurationLoader {
  /// No configuration is larger.
  private static let largestFile = 1 << 20

  private let environment: [String: String]
  private let overrides: [String: String]
  private let readFile: (String) throws -> String

  /// - Parameters:
  ///   - overrides: values by dotted key, which win over everything.
  ///   - readFile: gives the text of a file.
  package init(
    environment: [String: String] = [:], overrides: [String: String] = [:],
    readFile: @escaping (String) throws -> String
  ) {
    self.environment = environment
    self.overrides = overrides
    self.readFile = readFile
  }

  /// - Throws: ``ConfigurationError`` with everything that is wrong.
  package func load(_ file: String) throws -> LoadedConfiguration {
    let text: String
    do { text = try readFile(file) } catch {
      throw whole(file, "the file can't be read: \(error)")
    }
    return try load(text, file: file)
  }

  private func whole(_ file: String, line: Int? = nil, column: Int? = nil, _ message: String) -> ConfigurationError {
    ConfigurationError(problems: [
      ConfigurationError.Problem(source: file, line: line, column: column, key: "", message: message)
    ])
  }

  package func load(_ text: String, file: String) throws -> LoadedConfiguration {
    guard text.utf8.count <= ConfigurationLoader.largestFile else {
      throw whole(file, "the file has more than \(ConfigurationLoader.largestFile) bytes")
    }
    // Anchors save nothing in a file like this, and a few dozen of them can stand for more than memory holds.
    if let anchor = text.firstMatch(of: /(?:^|[\s:,\[{-])&\w+\s*$/.anchorsMatchLineEndings()) {
      let line = text[..<anchor.range.lowerBound].count { $0.isNewline } + 1
      throw whole(file, line: line, column: 1, "anchors and aliases are not taken: write the value where it belongs")
    }
    let root: Node?
    do { root = try Parser(yaml: text).singleRoot() } catch let error as YamlError {
      throw describe(error, file)
    }
    var layered: [String: (value: String, source: String)] = [:]
    // Which variables are settings is known once all settings were asked for; a variable's name maps to a key one way.
    let names = Dictionary(
      ConfigurationLoader.scalarKeys.map { (ConfigurationLoader.variable($0), $0) },
      uniquingKeysWith: { first, _ in first })
    var mistyped: [(name: String, meant: String)] = []
    for (name, value) in environment where name.hasPrefix("ORIEL_") {
      if let key = names[name] {
        layered[key] = (value, "environment variable \(name)")
      } else if let meant = names.keys.sorted().first(where: { distance($0, name) <= 2 }) {
        mistyped.append((name, meant))
      }
    }
    for (key, value) in overrides { layered[key] = (value, "--set") }
    let reader = SettingsReader(file: file, overrides: layered, readFile: readFile)
    let section = Section(reader, "", root)
    let configuration = Configuration(section)
    section.finish()
    reader.checkOverrides()
    for (name, meant) in mistyped.sorted(by: { $0.name < $1.name }) {
      reader.warn("the environment variable \(name) is no setting; do you mean \(meant)?")
    }
    guard reader.problems.isEmpty else { throw ConfigurationError(problems: reader.problems) }
    let tree = ConfigurationLoader.tree(root, layered)
    return LoadedConfiguration(
      configuration: configuration, warnings: reader.warnings, knownKeys: reader.knownKeys,
      masked: try Yams.serialize(node: ConfigurationLoader.masking(tree), allowUnicode: true),
      values: try ConfigurationLoader.values(of: tree).merging(reader.texts) { first, _ in first })
  }

  /// The environment's name for a key.
  package static func variable(_ key: String) -> String {
    "ORIEL_" + key.uppercased().map { $0 == "." ? "_" : String($0) }.joined()
  }

  /// The keys of single values at fixed places, which the environment and flags can set.
  package static let scalarKeys = [
    "data_dir", "contact", "from", "public_url", "unsubscribe_url", "allow_public_suffix", "public_suffix_list",
    "smtp.host", "smtp.port", "smtp.security", "smtp.username", "smtp.password", "smtp.password_file", "smtp.from",
    "smtp.ca_file", "smtp.helo", "smtp.allow_plaintext_auth", "sendmail.program", "sendmail.from", "digest.first",
    "digest.window", "retry.first", "retry.longest", "retry.give_up_after", "health.after", "heartbeat.every",
    "heartbeat.ping_url", "digest.hour", "dashboard.listen", "dashboard.trust_forwarded", "dashboard.owner",
    "dashboard.probe_private",
    "contacts.rdap_bootstrap", "contacts.look_up", "caa.check", "verdicts.hold", "retention", "defaults.lookalikes",
    "log.level", "log.format",
    "defaults.tell.unexplained", "defaults.tell.expected", "defaults.tell.known", "defaults.tell.no_history",
  ]

  private func describe(_ error: YamlError, _ file: String) -> ConfigurationError {
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      return whole(file, line: mark.line, column: mark.column, "not YAML: \(problem)")
    case .duplicatedKeysInMapping(let duplicates, let context):
      let keys = duplicates.map { "`\($0)`" }.joined(separator: ", ")
      return whole(file, line: context.mark.line, column: context.mark.column, "\(keys) stands here twice")
    case .reader(let problem, _, _, _): return whole(file, "not YAML: \(problem)")
    default: return whole(file, "not YAML: \(error)")
    }
  }

  // MARK: Showing

  private static let secrets: Set<String> = ["password", "secret"]

  /// The file's settings with what is laid over them.
  private static func tree(_ root: Node?, _ layered: [String: (value: String, source: String)]) -> Node {
    let empty = Node([(Node, Node)]())
    var tree = root.flatMap { $0.isNothing ? nil : $0 } ?? empty
    for (key, override) in layered.sorted(by: { $0.key < $1.key }) {
      tree = setting(key.split(separator: ".").map(String.init)[...], to: override.value, in: tree)
    }
    return tree
  }

  private static func values(of node: Node, _ key: String = "") throws -> [String: String] {
    guard case .mapping(let mapping) = node, !mapping.isEmpty else { return [key: try Yams.serialize(node: node)] }
    var values: [String: String] = [:]
    for (name, value) in mapping {
      let inner = (key.isEmpty ? "" : key + ".") + (name.string ?? "")
      try values.merge(ConfigurationLoader.values(of: value, inner)) { first, _ in first }
    }
    return values
  }

  private static func setting(_ path: ArraySlice<String>, to value: String, in node: Node) -> Node {
    guard let first = path.first, case .mapping(var mapping) = node else { return Node(value) }
    let rest = path.dropFirst()
    mapping[Node(first)] =
      rest.isEmpty ? Node(value) : setting(rest, to: value, in: mapping[Node(first)] ?? Node([(Node, Node)]()))
    return .mapping(mapping)
  }

  /// A webhook's address is a secret too: whoever has it can post.
  private static func masking(_ node: Node) -> Node {
    switch node {
    case .mapping(let mapping):
      return Node(
        mapping.map { key, value in
          let name = key.string ?? ""
          if secrets.contains(name), !value.isNothing { return (key, Node("***")) }
          if ["url", "ping_url"].contains(name), let url = value.string.flatMap({ try? WebhookURL($0) }) {
            return (key, Node("https://\(url.host)/***"))
          }
          return (key, masking(value))
        })
    case .sequence(let sequence): return Node(sequence.map(masking))
    default: return node
    }
  }
}
