/// How one label comes of another by one slip.
enum Typo: Hashable {
  case swapped
  case missing
  case doubled
  /// One letter of two that are side by side on a keyboard, or look alike, stands for the other.
  case near
  case added
  case replaced

  /// The slip that makes `label` of `original`; nil if they are equal, or further apart.
  init?(from original: [UInt8], to label: [UInt8]) {
    guard abs(original.count - label.count) <= 1 else { return nil }
    guard let first = zip(original, label).enumerated().first(where: { $0.element.0 != $0.element.1 })?.offset else {
      if original.count == label.count { return nil }
      let hasMore = label.count > original.count
      self = !hasMore ? .missing : label.last == original.last ? .doubled : .added
      return
    }
    let (rest, own) = (original[first...], label[first...])
    if label.count > original.count {
      guard own.dropFirst().elementsEqual(rest) else { return nil }
      // Where a run of equal letters gets longer, the first difference is behind it.
      self = first > 0 && label[first] == label[first - 1] ? .doubled : .added
    } else if label.count < original.count {
      guard rest.dropFirst().elementsEqual(own) else { return nil }
      self = .missing
    } else if rest.dropFirst().elementsEqual(own.dropFirst()) {
      self = Typo.areNear(original[first], label[first]) ? .near : .replaced
    } else {
      guard rest.count > 1, original[first] == label[first + 1], original[first + 1] == label[first],
        rest.dropFirst(2).elementsEqual(own.dropFirst(2))
      else { return nil }
      self = .swapped
    }
  }

  private static let alike: Set<[UInt8]> = Set(
    "il lt ij uv vy ce gq nm nh sz bh".split(separator: " ").map { Array($0.utf8).sorted() })
  private static let rows = ["qwertyuiop", "asdfghjkl", "zxcvbnm"].map { Array($0.utf8) }

  private static func areNear(_ first: UInt8, _ second: UInt8) -> Bool {
    if alike.contains([first, second].sorted()) { return true }
    guard let one = place(first), let other = place(second) else { return false }
    let (upper, lower) = one.row <= other.row ? (one, other) : (other, one)
    let step = upper.column - lower.column
    // A key has two above it, and those are in its own column and the next.
    return upper.row == lower.row ? abs(step) == 1 : lower.row - upper.row == 1 && 0...1 ~= step
  }

  private static func place(_ letter: UInt8) -> (row: Int, column: Int)? {
    for (row, letters) in rows.enumerated() {
      if let column = letters.firstIndex(of: letter) { return (row, column) }
    }
    return nil
  }
}
