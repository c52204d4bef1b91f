import OrielAccounts
import OrielStore

extension Site {
  private static let soon: Int64 = 14 * 86_400

  /// What is valid now of a domain's, what ends first at the top.
  func currentPage(_ visit: Visit) async throws -> Page {
    let actor = try visit.someone()
    let domain = try await accounts.domain(actor, visit.domain)
    let page = try await accounts.current(
      actor, of: domain.id, after: visit.query["after"].flatMap { ExpiryCursor($0) }, limit: 50)
    let count = try await accounts.currentCount(actor, of: domain.id)
    let seconds = now / 1000
    let due = try await accounts.dueCount(actor, of: domain.id, upTo: seconds + Site.soon)
    let renewed = try await accounts.renewed(actor, of: domain.id, page.results.map(\.issuance))
    let own: Values = [
      "countWords": page.results.isEmpty
        ? "No certificate that Oriel has seen is valid now."
        : Phrase.capitalised("\(Phrase.plural(count, "certificate", "certificates")), what ends first at the top."),
      "soonWords": due.value > 0
        ? Phrase.capitalised(
          "\(Phrase.plural(due, "ends", "end")) within 14 days and \(due.value == 1 ? "is" : "are") not renewed") : nil,
      "judgements": page.results.map { judgement -> Values in
        var values = row(judgement, showsItem: false)
        guard let end = judgement.issuance.notAfter else { return values }
        let (left, isRenewed) = (end - seconds, renewed.contains(judgement.issuance.number))
        let words = left < 86_400 ? "ends within a day" : "ends in \(Phrase.plural(Int(left / 86_400), "day", "days"))"
        values["ends"] = isRenewed ? words + ", renewed" : words
        values["endsLevel"] = left <= Site.soon && !isRenewed ? "expected" : "plain"
        return values
      },
      "nextPage": page.next.map { "/domains/\(domain.id)/current?after=\($0)" },
    ]
    return Page("current", title: "\(domain.item) now", head(domain, tab: "/current").merging(own))
  }
}
