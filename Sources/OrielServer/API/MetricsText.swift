/// Figures in the text format of Prometheus, version 0.0.4.
struct MetricsText {
  enum Kind: String {
    case gauge, counter
  }

  private(set) var text = ""

  /// Adds a figure with all its samples.
  mutating func add(
    _ name: String, kind: Kind = .gauge, _ help: String, _ samples: [(labels: [(String, String)], value: Double)]
  ) {
    guard !samples.isEmpty else { return }
    text += "# HELP \(name) \(MetricsText.escaped(help, quotes: false))\n# TYPE \(name) \(kind.rawValue)\n"
    for (labels, value) in samples {
      let list = labels.map { "\($0)=\"\(MetricsText.escaped($1, quotes: true))\"" }.joined(separator: ",")
      text += name + (list.isEmpty ? "" : "{\(list)}") + " \(MetricsText.number(value))\n"
    }
  }

  mutating func add(_ name: String, kind: Kind = .gauge, _ help: String, _ value: some BinaryInteger) {
    add(name, kind: kind, help, [([], Double(value))])
  }

  private static func escaped(_ text: String, quotes: Bool) -> String {
    var result = ""
    // By scalars: a quotation mark with an accent on it is one character, and would still end a value.
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\"" where quotes: result += "\\\""
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  private static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
    return abs(value) < 1e15 && value == value.rounded() ? String(Int64(value)) : String(value)
  }
}
