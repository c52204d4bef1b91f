import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import MerkleTree
import NIOCore
import OrielAccounts
import OrielStore
import OrielVerdicts

/// The last certificates of a domain, for readers of feeds (Atom, RFC 4287).
enum Feed {
  private static let most = 50

  static func response(_ site: Site, _ actor: Actor, of domain: Domain, _ request: Request) async throws -> Response {
    let judgements = try await site.accounts.history(actor, of: domain.id, limit: most).results
    let text = site.templates.render("feed", values(site.address.text, domain, judgements))
    let mark = "\"" + SHA256Hash.hash(Array(text.utf8)).hex.prefix(32) + "\""
    var headers: HTTPFields = [.eTag: mark, .cacheControl: "private, no-cache"]
    let known = (request.headers[.ifNoneMatch] ?? "").split(separator: ",").map { $0.filter { $0 != " " } }
    if known.contains(where: { $0 == "*" || $0 == mark || $0 == "W/" + mark }) {
      return Response(status: .notModified, headers: headers)
    }
    headers[.contentType] = "application/atom+xml; charset=utf-8"
    return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
  }

  private static func values(_ url: String, _ domain: Domain, _ judgements: [Judgement]) -> Values {
    [
      "item": domain.item, "feedID": urn("domain \(domain.id) \(domain.createdAt)"),
      "url": "\(url)/domains/\(domain.id)",
      "updated": time(judgements.map(updated).max() ?? domain.createdAt),
      "entries": judgements.map { judgement -> Values in
        let issuance = judgement.issuance
        let names = issuance.names.prefix(4).map { String($0.prefix(253)) }.joined(separator: ", ")
        let more = issuance.nameCount > 4 ? " and \(Phrase.number(issuance.nameCount - 4)) more" : ""
        return [
          "entryID": urn("judgement \(issuance.id) \(judgement.item)"), "level": judgement.standing.rawValue,
          "words": judgement.standing.words, "names": names.isEmpty ? "names that can't be read" : names + more,
          "link": "\(url)/issuances/\(issuance.id)?domain=\(domain.id)", "published": time(issuance.firstSeen),
          "updated": time(updated(judgement)), "issuer": String(Phrase.issuer(issuance.issuer).prefix(200)),
          "from": Phrase.day(seconds: issuance.notBefore), "to": Phrase.day(seconds: issuance.notAfter),
          "state": judgement.state == .new ? nil : judgement.state.words,
          "reasons": judgement.standingReasons.prefix(50).map { String($0.sentence.prefix(2000)) },
        ]
      },
    ]
  }

  private static func updated(_ judgement: Judgement) -> Int64 { max(judgement.at, judgement.changedAt ?? 0) }

  private static func time(_ time: Int64) -> String { JSON.time(time).text ?? "" }

  /// A name that stays the same, wherever the pages are (RFC 9562, version 8).
  private static func urn(_ text: String) -> String {
    var bytes = Array(SHA256Hash.hash(Array(text.utf8)).bytes.prefix(16))
    bytes[6] = bytes[6] & 0x0f | 0x80
    bytes[8] = bytes[8] & 0x3f | 0x80
    let hex = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    let parts = [(0, 8), (8, 4), (12, 4), (16, 4), (20, 12)].map { hex.dropFirst($0.0).prefix($0.1) }
    return "urn:uuid:" + parts.joined(separator: "-")
  }
}

let feedTemplate = """
  <?xml version="1.0" encoding="utf-8"?>
  <feed xmlns="http://www.w3.org/2005/Atom">
  <id>{{feedID}}</id>
  <title>Certificates for {{item}}</title>
  <updated>{{updated}}</updated>
  <author><name>Oriel</name></author>
  <link rel="self" type="application/atom+xml" href="{{url}}/feed.atom"/>
  <link rel="alternate" type="text/html" href="{{url}}"/>
  {{#entries}}<entry>
  <id>{{entryID}}</id>
  <title>{{words}}: {{names}}</title>
  <link rel="alternate" type="text/html" href="{{link}}"/>
  <published>{{published}}</published>
  <updated>{{updated}}</updated>
  <category term="{{level}}" label="{{words}}"/>
  <summary>{{words}}{{#state}} ({{state}}){{/state}}. Issued by {{issuer}}, valid {{from}} to {{to}}.{{#reasons}}
  {{.}}{{/reasons}}</summary>
  </entry>
  {{/entries}}
  </feed>

  """
