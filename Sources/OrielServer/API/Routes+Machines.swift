import HTTPTypes
import Hummingbird
import HummingbirdCore
import OrielAccounts
import OrielStore

extension Routes {
  /// What programs fetch beside the API: feeds, tables and figures.
  func addMachines() {
    fetch("/domains/:domain/feed.atom", Caller.findReader) { [site] request, caller, domain in
      let actor = try caller.someone(who: .read)
      return try await Feed.response(site, actor, of: try await site.accounts.domain(actor, domain()), request)
    }
    fetch("/domains/:domain/export.csv", Caller.find) { [site] request, caller, domain in
      let actor = try caller.someone(who: .read)
      let domain = try await site.accounts.domain(actor, domain())
      var (wrong, query): ([String: String], Form) = ([:], Form((request.uri.query ?? "").utf8))
      let filter = site.historyFilter(query, &wrong)
      try Routes.require(wrong)
      return CSV.history(site, actor, of: domain, filter)
    }
    fetch("/search.csv", Caller.find) { [site] request, caller, _ in
      let actor = try caller.someone(who: .read)
      var (wrong, form): ([String: String], Form) = ([:], Form((request.uri.query ?? "").utf8))
      let query = try await site.searchQuery(actor, form, &wrong)
      try Routes.require(wrong)
      return CSV.search(site, actor, query)
    }
    let metrics = ServiceMetrics(site)
    router.on("/metrics", method: .get) { request, context in
      do { return try await metrics.respond(request, context) } catch { return APIProblem(error).response }
    }
  }

  private func fetch(
    _ path: String, _ find: @escaping @Sendable (Request, WebContext, Site) async throws -> Caller,
    _ answer: @escaping @Sendable (Request, Caller, () throws -> DomainID) async throws -> Response
  ) {
    router.on(RouterPath(path), method: .get) { [site] request, context in
      do {
        let caller = try await find(request, context, site)
        return try await answer(request, caller) {
          guard let id = context.parameters.get("domain").flatMap({ DomainID($0) }) else { throw AccountError.notFound }
          return id
        }
      } catch {
        return APIProblem(error).response
      }
    }
  }

  private static func require(_ wrong: [String: String]) throws {
    guard wrong.isEmpty else {
      throw APIProblem.fields(wrong.sorted { $0.key < $1.key }.map { FieldError(field: $0.key, reason: $0.value) })
    }
  }
}
