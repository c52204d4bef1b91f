import Mustache

/// What a template is filled with: texts, numbers, whether something is so, lists, and further values.
struct Values: MustacheParent, ExpressibleByDictionaryLiteral {
  private var fields: [String: Any]

  init(dictionaryLiteral elements: (String, Any?)...) { self.init(elements) }

  init(_ elements: [(String, Any?)]) {
    fields = Dictionary(elements.compactMap { key, value in value.map { (key, $0) } }, uniquingKeysWith: { $1 })
  }

  subscript(name: String) -> Any? {
    get { fields[name] }
    set { fields[name] = newValue }
  }

  func child(named name: String) -> Any? { fields[name] }

  func merging(_ other: Values) -> Values {
    var all = self
    all.fields.merge(other.fields) { $1 }
    return all
  }
}

/// One choice of a list in a form.
func choices<Choice: RawRepresentable<String>>(
  _ all: [Choice], chosen: String?, words: (Choice) -> String
) -> [Values] {
  all.map { ["value": $0.rawValue, "words": words($0), "isChosen": $0.rawValue == chosen] }
}
