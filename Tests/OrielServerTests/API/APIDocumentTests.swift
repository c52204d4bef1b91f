import Foundation
import OrielAccounts
import TestSupport
import Testing

@testable import OrielServer

/// What can be sent to each operation that takes something.
let goodBodies: [String: String] = [
  "addDomain": #"{"item": "=www.beta-two.example"}"#,
  "changeDomain": """
  {"is_on": true, "delivery": {"known": "weekly"}, "watches_lookalikes": true, "lookalike_delivery": "weekly",
   "is_baseline_confirmed": false,
   "is_inventory_complete": false, "allowed_owners": ["Harbour Trust Services"]}
  """,
  "confirmCAA": #"{"records": ["0 issue \"ca.example\""]}"#,
  "addRecipient": #"{"address": "new@alpha.example"}"#,
  "addMute": #"{"rule": "name", "value": "dev.alpha.example", "until": "2026-12-24T00:00:00Z"}"#,
  "addInventory": """
  {"entries": [{"kind": "key", "hash": "\(String(repeating: "ab", count: 32))", "names": ["alpha.example"],
   "not_after": "2030-01-01T00:00:00Z"}], "source": "a script", "is_backup": true}
  """,
  "changeJudgement": #"{"state": "claimed", "note": "from the deploy script"}"#,
  "changeAccount": #"{"name": "Alpha and sons"}"#,
  "addMember": #"{"address": "third@alpha.example", "role": "viewer"}"#,
  "changeMember": #"{"role": "viewer", "is_locked": true}"#,
]

@Suite("The description of the API")
struct APIDocumentTests {
  @Test("Every operation answers as it is documented, with the fields that it says and no others")
  func answers() async throws {
    let dashboard = try await Dashboard()
    let all = try await Premises(dashboard)
    let operations = try dashboard.operations()
    // What removes something comes last, and the domain after what is in it.
    let inOrder = operations.sorted { left, right in
      let (first, second) = (left.verb == "DELETE", right.verb == "DELETE")
      return first != second ? second : first && left.path.count > right.path.count
    }
    try await dashboard.serve { port in
      let program = Program(port, all.token)
      for operation in inOrder {
        if case .events = operation.answer { continue }
        let body = goodBodies[operation.id]
        #expect((operation.body == nil) == (body == nil), "\(operation.id) needs an example")
        let reply = try await program.api(operation.verb, all.path(operation), body)
        switch operation.answer {
        case .json(let schema, let status):
          #expect(reply.status == status, "\(operation.id): \(reply.body)")
          #expect(reply.header("content-type") == "application/json")
          let document = try reply.json(schema)
          #expect(document.errors.isEmpty, "\(operation.id): \(document.errors) in \(reply.body)")
          if case .object(let fields) = schema, fields.contains(where: { $0.name == "items" }) {
            #expect(document.value?["items"]?.list?.isEmpty == false, "\(operation.id) shows nothing to look at")
          }
        case .nothing(let status):
          #expect(reply.status == status && reply.body.isEmpty, "\(operation.id): \(reply.body)")
        case .document: #expect(reply.status == 200)
        case .events: break
        }
      }
    }
  }

  @Test("The document has every route, everything that it refers to, and each name once")
  func document() async throws {
    let dashboard = try await Dashboard()
    let operations = try dashboard.operations()
    let text = try await dashboard.serve { port in try await Program(port, nil).api("GET", "/openapi.json").body }
    let document = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    #expect(document["openapi"] as? String == "3.1.0")
    let paths = try #require(document["paths"] as? [String: [String: [String: Any]]])
    let documented = Set(paths.flatMap { path, methods in methods.keys.map { "\($0) \(path)" } })
    #expect(documented == Set(operations.map { "\($0.verb.lowercased()) \($0.path)" }))
    let ids = operations.map(\.id)
    #expect(Set(ids).count == ids.count)
    let components = try #require(document["components"] as? [String: [String: Any]])
    for reference in text.matches(of: #/"\$ref":"#\/components\/([a-z]+)\/([A-Za-z]+)"/#) {
      #expect(components[String(reference.1)]?[String(reference.2)] != nil, "\(reference.2)")
    }
    for operation in operations {
      let parameters = paths[operation.path]?[operation.verb.lowercased()]?["parameters"]
      let names = (parameters as? [[String: Any]] ?? []).compactMap { $0["name"] as? String }
      #expect(names == operation.parameters + operation.query.map(\.name))
    }
  }

  @Test("Every answer that is a problem has the form that the document says")
  func problems() async throws {
    let dashboard = try await Dashboard()
    let all = try await Premises(dashboard)
    try await dashboard.serve { port in
      let program = Program(port, all.token)
      let replies = [
        (404, try await program.api("GET", "/domains/999999")), (404, try await program.api("GET", "/nothing")),
        (404, try await program.send("GET", "/api")), (404, try await program.send("GET", "/api/v2/account")),
        (405, try await program.api("DELETE", "/domains")), (405, try await program.api("OPTIONS", "/account")),
        (401, try await Program(port, nil).api("GET", "/account")),
        (415, try await program.send("POST", "/api/v1/domains", "item=x", type: "application/x-www-form-urlencoded")),
        (415, try await program.send("POST", "/api/v1/domains", "{}", type: nil)),
        (400, try await program.api("POST", "/domains", #"{"item": "#)),
        (413, try await program.api("POST", "/domains", "{\"item\": \"\(String(repeating: "x", count: 2 << 20))\"}")),
        (422, try await program.api("POST", "/domains", "[]")),
      ]
      for (status, reply) in replies {
        #expect(reply.status == status, "\(reply.body)")
        #expect(reply.header("content-type") == "application/problem+json")
        let document = try reply.json(APIProblem.schema)
        #expect(document.errors.isEmpty && document.value?["status"]?.integer == Int64(status))
        #expect(reply.header("x-content-type-options") == "nosniff" && reply.header("cache-control") == "no-store")
      }
      #expect(replies[4].1.header("allow") == "GET, HEAD, POST")
      #expect(replies[6].1.header("www-authenticate")?.hasPrefix("Bearer") == true)
      #expect(try await program.api("HEAD", "/account").status == 200)
    }
  }
}
