import Foundation
import OrielStore

/// Lists of texts as they stand in one column.
enum TextList {
  static func encode(_ texts: [String]) throws -> String {
    String(decoding: try JSONEncoder().encode(texts), as: UTF8.self)
  }

  static func decode(_ text: String) throws -> [String] {
    // Of most domains nobody says anything.
    if text == "[]" { return [] }
    return try JSONDecoder().decode([String].self, from: Data(text.utf8))
  }
}
