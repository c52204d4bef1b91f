import Yams

/// Reads a tree of settings: from the file, with the environment laid over its scalars, and flags over both.
///
/// It goes on after a mistake, so that all of them are told at once.
final class SettingsReader {
  static let mostProblems = 50

  let file: String
  /// Values by dotted key, which win over the file's, with where they come from.
  private let overrides: [String: (value: String, source: String)]
  let readFile: (String) throws -> String
  private(set) var problems: [ConfigurationError.Problem] = []
  private(set) var warnings: [String] = []
  /// Every key that was asked for, for documentation to be checked against.
  private(set) var knownKeys: Set<String> = []
  /// The same with lists and sections.
  fileprivate(set) var asked: Set<String> = []
  /// The texts of files that are settings, by `the file` and their path.
  fileprivate(set) var texts: [String: String] = [:]

  init(
    file: String, overrides: [String: (value: String, source: String)], readFile: @escaping (String) throws -> String
  ) {
    self.file = file
    self.overrides = overrides
    self.readFile = readFile
  }

  /// A relative path is meant from the folder of the file.
  func path(_ text: String) -> String {
    guard !text.hasPrefix("/"), let slash = file.lastIndex(of: "/") else { return text }
    return file[...slash] + text
  }

  func fail(_ mark: Mark?, _ key: String, _ message: String) {
    guard problems.count < SettingsReader.mostProblems else { return }
    problems.append(
      ConfigurationError.Problem(source: file, line: mark?.line, column: mark?.column, key: key, message: message))
  }

  func fail(_ scalar: Scalar, _ message: String) {
    guard problems.count < SettingsReader.mostProblems else { return }
    problems.append(
      ConfigurationError.Problem(
        source: scalar.source ?? file, line: scalar.mark?.line, column: scalar.mark?.column, key: scalar.key,
        message: message))
  }

  func warn(_ message: String) { warnings.append(message) }

  func override(_ key: String) -> Scalar? {
    knownKeys.insert(key)
    return overrides[key].map { Scalar(key: key, text: $0.value, mark: nil, source: $0.source) }
  }

  /// Flags that set what there is not.
  func checkOverrides() {
    for (key, override) in overrides.sorted(by: { $0.key < $1.key })
    where override.source == "--set" && !knownKeys.contains(key) {
      fail(
        Scalar(key: key, text: override.value, mark: nil, source: override.source),
        asked.contains(key) ? "it is no single value; set it in the file" : "there is no such setting")
    }
  }
}

/// One value, and where it stands.
struct Scalar {
  let key: String
  let text: String
  let mark: Mark?
  /// Nil where it is from the file.
  let source: String?
}

/// One mapping of the file, with the keys that were asked for.
final class Section {
  let reader: SettingsReader
  let path: String
  let mark: Mark?
  private var entries: [String: (key: Node, value: Node)] = [:]
  private var asked: Set<String> = []

  /// - Parameter node: nil for a section that the file does not have.
  init(_ reader: SettingsReader, _ path: String, _ node: Node?) {
    self.reader = reader
    self.path = path
    mark = node?.mark
    guard let node, !node.isNothing else { return }
    guard case .mapping(let mapping) = node else {
      reader.fail(node.mark, path, "expected settings (`key: value`), found \(node.kind)")
      return
    }
    for (key, value) in mapping {
      guard case .scalar(let scalar) = key else {
        reader.fail(key.mark, path, "a key must be a word")
        continue
      }
      entries[scalar.string] = (key, value)
    }
  }

  private func full(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

  var keys: [String] { entries.keys.sorted() }
  var isEmpty: Bool { entries.isEmpty }

  /// Complains of all keys that nobody asked for.
  func finish() {
    for (key, entry) in entries.sorted(by: { ($0.value.key.mark?.line ?? 0) < ($1.value.key.mark?.line ?? 0) })
    where !asked.contains(key) {
      let near = asked.sorted().min { distance($0, key) < distance($1, key) }
      let hint = near.flatMap { distance($0, key) <= 2 ? "; did you mean `\($0)`?" : nil } ?? ""
      reader.fail(entry.key.mark, full(key), "there is no such setting\(hint)")
    }
  }

  func node(_ key: String) -> Node? {
    asked.insert(key)
    reader.asked.insert(full(key))
    return entries[key].flatMap { $0.value.isNothing ? nil : $0.value }
  }

  func section(_ key: String) -> Section { Section(reader, full(key), node(key)) }

  /// Whether the key stands in the file with a value.
  func has(_ key: String) -> Bool { node(key) != nil }

  // MARK: Values

  func scalar(_ key: String) -> Scalar? {
    let inFile = node(key)
    if let override = reader.override(full(key)) { return override }
    guard let inFile else { return nil }
    guard case .scalar(let scalar) = inFile else {
      reader.fail(inFile.mark, full(key), "expected one value, found \(inFile.kind)")
      return nil
    }
    return Scalar(key: full(key), text: scalar.string, mark: inFile.mark, source: nil)
  }

  func string(_ key: String) -> String? { scalar(key)?.text }

  func flag(_ key: String) -> Bool? {
    parse(key, "expected true or false") { text in
      switch text.lowercased() {
      case "true", "yes", "on": true
      case "false", "no", "off": false
      default: nil
      }
    }
  }

  func integer(_ key: String, _ range: ClosedRange<Int>) -> Int? {
    parse(key, "expected a number from \(range.lowerBound) to \(range.upperBound)") { text in
      Int(text).flatMap { range.contains($0) ? $0 : nil }
    }
  }

  func duration(_ key: String, _ range: ClosedRange<Duration>) -> Duration? {
    parse(key, "expected a time from \(range.lowerBound.setting) to \(range.upperBound.setting), such as 90s or 6h") {
      Duration(setting: $0).flatMap { range.contains($0) ? $0 : nil }
    }
  }

  func choice<Choice: RawRepresentable & CaseIterable>(_ key: String, _ type: Choice.Type) -> Choice?
  where Choice.RawValue == String {
    parse(key, "expected one of " + Choice.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", ")) {
      Choice(rawValue: $0)
    }
  }

  /// A value that `read` makes of the text; its nil or its error is a problem with what was expected.
  func parse<Value>(_ key: String, _ expected: String, _ read: (String) throws -> Value?) -> Value? {
    guard let scalar = scalar(key) else { return nil }
    do {
      if let value = try read(scalar.text) { return value }
      reader.fail(scalar, "\(expected); found \"\(scalar.text.prefix(60))\"")
    } catch {
      reader.fail(scalar, "\(error)")
    }
    return nil
  }

  /// A list of values; a single one will do for a list.
  func list(_ key: String) -> [Scalar] { items(key).compactMap { scalar($0, key) } }

  /// The nodes of a list.
  func items(_ key: String) -> [Node] {
    guard let node = node(key) else { return [] }
    guard case .sequence(let sequence) = node else { return [node] }
    return Array(sequence)
  }

  private func scalar(_ node: Node, _ key: String) -> Scalar? {
    guard case .scalar(let scalar) = node else {
      reader.fail(node.mark, full(key), "expected a value, found \(node.kind)")
      return nil
    }
    return Scalar(key: full(key), text: scalar.string, mark: node.mark, source: nil)
  }

  /// A secret: given here, or in a file that `KEY_file` names.
  func secret(_ key: String) -> String? {
    let (direct, file) = (scalar(key), scalar(key + "_file"))
    guard let file else { return direct?.text }
    guard direct == nil else {
      reader.fail(file, "given twice: here and as `\(key)`")
      return nil
    }
    do {
      let path = reader.path(file.text)
      var text = try reader.readFile(path)
      reader.texts["the file " + path] = text
      if text.hasSuffix("\n") { text.removeLast() }
      if text.isEmpty { reader.fail(file, "the file \(file.text) is empty") }
      return text
    } catch {
      reader.fail(file, "the file \(file.text) can't be read")
      return nil
    }
  }
}

extension Node {
  /// A key without a value.
  var isNothing: Bool {
    if case .scalar(let scalar) = self { return scalar.string.isEmpty && scalar.style == .plain }
    return false
  }

  var kind: String {
    switch self {
    case .scalar: "one value"
    case .mapping: "settings"
    case .sequence: "a list"
    case .alias: "an alias"
    }
  }
}

/// How many letters one word is from another; letters in the wrong order are one.
func distance(_ left: String, _ right: String) -> Int {
  if left != right, left.sorted() == right.sorted() { return 1 }
  let (left, right) = (Array(left.utf8.prefix(40)), Array(right.utf8.prefix(40)))
  var row = Array(0...right.count)
  for (position, letter) in left.enumerated() {
    var diagonal = row[0]
    row[0] = position + 1
    for (column, other) in right.enumerated() {
      let changed = diagonal + (letter == other ? 0 : 1)
      diagonal = row[column + 1]
      row[column + 1] = min(changed, row[column] + 1, row[column + 1] + 1)
    }
  }
  return row[right.count]
}

extension Duration {
  private static let units: [(suffix: Character, seconds: Int64)] = [("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)]

  /// Reads `90s`, `15m`, `6h`, `5d`.
  init?(setting text: String) {
    guard let unit = Duration.units.first(where: { $0.suffix == text.last }),
      let count = Int64(text.dropLast()), (0...1_000_000_000).contains(count)
    else { return nil }
    self = .seconds(count * unit.seconds)
  }

  /// As it is written in settings.
  var setting: String {
    let seconds = components.seconds
    let unit = Duration.units.first { seconds % $0.seconds == 0 && seconds >= $0.seconds } ?? ("s", 1)
    return "\(seconds / unit.seconds)\(unit.suffix)"
  }
}
