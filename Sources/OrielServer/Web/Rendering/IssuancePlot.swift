import OrielAccounts

/// Issuances by month, as stacked bars.
struct IssuancePlot {
  struct Month {
    /// `2026-11`.
    let name: String
    let counts: [VerdictLevel: Int]

    var total: Int { counts.values.reduce(0, +) }
  }

  private static let order: [VerdictLevel] = [.known, .expected, .noHistory, .unexplained]
  private static let height = 120.0
  private static let step = 46.0

  let months: [Month]

  /// For the template: rectangles in a drawing of 12 months, and the same as a table.
  var values: Values? {
    let most = months.map(\.total).max() ?? 0
    guard most > 0 else { return nil }
    let scale = IssuancePlot.height / Double(most)
    let columns = months.enumerated().map { index, month -> Values in
      var top = IssuancePlot.height + 18
      let x = Double(index) * IssuancePlot.step + 6
      let bars = IssuancePlot.order.compactMap { level -> Values? in
        guard let count = month.counts[level], count > 0 else { return nil }
        let height = max(2, Double(count) * scale)
        top -= height
        return [
          "level": level.rawValue, "x": text(x), "y": text(max(0, top)), "height": text(height),
          "words": "\(month.name), \(level.words.lowercased()): \(count)",
        ]
      }
      return [
        "bars": bars, "middle": text(x + 17), "month": String(month.name.suffix(2)),
        "year": index == 0 || month.name.hasSuffix("-01")
          ? String(month.name.prefix(4)) : nil, "total": month.total > 0 ? Phrase.number(month.total) : nil,
        "totalY": text(max(12, top - 5)), "name": month.name,
        "cells": IssuancePlot.order.map { ["words": $0.words, "number": month.counts[$0] ?? 0] as Values },
      ]
    }
    return [
      "columns": columns, "heads": IssuancePlot.order.map(\.words),
      "legend": IssuancePlot.order.map { ["level": $0.rawValue, "words": $0.words] as Values },
      "summary":
        "Issuances by month: \(Phrase.plural(months.map(\.total).reduce(0, +), "certificate", "certificates")) "
        + "in \(months.count) months, at most \(most) in one",
    ]
  }

  private func text(_ value: Double) -> String { String(Double(Int(value * 10)) / 10) }

  /// The first milliseconds of the last `count` months, oldest first.
  static func starts(now: Int64, count: Int = 12) -> [(name: String, start: Int64)] {
    let day = Phrase.day(now)
    guard let year = Int(day.prefix(4)), let month = Int(day.dropFirst(5).prefix(2)) else { return [] }
    return (0..<count).reversed().compactMap { back in
      let index = year * 12 + month - 1 - back
      let name = "\(index / 12)-" + (index % 12 < 9 ? "0" : "") + "\(index % 12 + 1)"
      return Phrase.start(ofDay: name + "-01").map { (name, $0) }
    }
  }
}
