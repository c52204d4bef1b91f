import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import MerkleTree
import NIOCore
import OrielAccounts
import OrielAlerting
import OrielStore
import OrielVerdicts

/// Tables for spreadsheets (RFC 4180), written as they are read: a page of the history at a time.
enum CSV {
  private static let pageSize = 200
  private static let ofIssuance = [
    "first_seen", "names", "issuer", "not_before", "not_after", "serial", "issuance", "issuer_key_sha256",
    "spki_sha256",
  ]
  private static let ofJudgement = [
    "item", "verdict", "is_proven", "state", "reasons", "note", "changed_by", "changed_at",
  ]

  static func history(_ site: Site, _ actor: Actor, of domain: Domain, _ filter: HistoryFilter) -> Response {
    response("oriel-\(domain.id).csv", ofIssuance + ofJudgement) { (cursor: HistoryCursor?) in
      let page = try await site.accounts.history(actor, of: domain.id, filter, after: cursor, limit: pageSize)
      return (page.results.map { cells($0.issuance) + cells($0) }, page.next)
    }
  }

  static func search(_ site: Site, _ actor: Actor, _ query: IssuanceQuery) -> Response {
    response("oriel-search.csv", ofIssuance) { (cursor: SearchCursor?) in
      let page = try await site.accounts.search(actor, query, after: cursor, limit: pageSize)
      return (page.results.map(cells), page.next)
    }
  }

  private static func response<Cursor: Sendable>(
    _ name: String, _ head: [String],
    _ page: @escaping @Sendable (Cursor?) async throws -> (rows: [[String]], next: Cursor?)
  ) -> Response {
    let body = ResponseBody { writer in
      try await writer.write(ByteBuffer(string: head.joined(separator: ",") + "\r\n"))
      var cursor: Cursor?
      repeat {
        // What goes wrong on the way breaks the transfer off, so that half a table is not taken for a whole one.
        let found = try await page(cursor)
        try await writer.write(ByteBuffer(string: found.rows.map(CSVRow.text).joined()))
        cursor = found.next
      } while cursor != nil
      try await writer.finish(nil)
    }
    return Response(
      status: .ok,
      headers: [
        .contentType: "text/csv; charset=utf-8; header=present",
        .contentDisposition: "attachment; filename=\"\(name)\"",
      ], body: body)
  }

  private static func cells(_ issuance: IssuanceSummary) -> [String] {
    [
      JSON.time(issuance.firstSeen).text ?? "", issuance.names.joined(separator: " "), issuance.issuer ?? "",
      JSON.time(seconds: issuance.notBefore)?.text ?? "", JSON.time(seconds: issuance.notAfter)?.text ?? "",
      issuance.serial ?? "", "\(issuance.id)", issuance.issuerKeyHash.hex, issuance.publicKeyHash?.hex ?? "",
    ]
  }

  private static func cells(_ judgement: Judgement) -> [String] {
    [
      judgement.item, judgement.standing.rawValue, judgement.isProven ? "true" : "false", judgement.state.rawValue,
      judgement.standingReasons.map(\.sentence).joined(separator: " "), judgement.note ?? "",
      judgement.changedBy ?? "", judgement.changedAt.flatMap { JSON.time($0).text } ?? "",
    ]
  }
}
