import OrielAccounts
import OrielContacts

/// The names of CA owners that people write: those that CCADB has, where its data are at hand.
struct OwnerNames {
  private let known: [String]
  /// By their lower-case form.
  private let exact: [String: String]

  init(owners: CAOwners?) {
    known = owners?.ownerNames ?? []
    exact = Dictionary(known.map { ($0.lowercased(), $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// - Parameter kept: what was said before, and may stay.
  /// - Returns: the names as CCADB writes them.
  /// - Throws: ``AccountError/refused(field:reason:)`` for a name that CCADB does not have.
  func checked(_ names: [String], besides kept: [String] = []) throws -> [String] {
    guard !known.isEmpty else { return names }
    return try names.map { name in
      let words = String(name.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
      if let exact = exact[words.lowercased()] { return exact }
      guard kept.contains(words) else {
        let near = OwnerNames.nearest(to: words, known).map { "“\($0)”" }.joined(separator: " or ")
        let hint = near.isEmpty ? "" : "; do you mean \(near)?"
        throw AccountError.refused(
          field: .owners, reason: "CCADB has no CA owner “\(words.prefix(100))”\(hint)")
      }
      return words
    }
  }

  /// The three names that have most in common with what was written, if they have much.
  private static func nearest(to text: String, _ names: [String]) -> [String] {
    let wanted = pairs(text)
    guard !wanted.isEmpty else { return [] }
    let rated = names.compactMap { name -> (name: String, rating: Double)? in
      let own = pairs(name)
      let common = Double(wanted.intersection(own).count)
      // Part of a name is as good as most of it.
      let rating = max(2 * common / Double(wanted.count + own.count), common / Double(wanted.count) - 0.3)
      return rating >= 0.4 ? (name, rating) : nil
    }
    return rated.sorted { ($1.rating, $0.name) < ($0.rating, $1.name) }.prefix(3).map(\.name)
  }

  /// The pairs of letters that follow on each other.
  private static func pairs(_ text: String) -> Set<String> {
    let letters = Array(text.prefix(200).lowercased().filter { $0.isLetter || $0.isNumber })
    return Set(zip(letters, letters.dropFirst()).map { String([$0, $1]) })
  }
}
