import CertificateTransparency
import MerkleTree
import OrielAccounts
import OrielStore
import TestSupport
import TestWorld
import Testing

@testable import OrielServer

@Suite("What the API takes")
struct APIInputTests {
  static let hash = String(repeating: "ab", count: 32)

  /// What is sent, where, and the fields that are refused. `D` stands for the domain, `I` for the issuance.
  static let bad: [(method: String, path: String, body: String?, fields: [String])] = [
    ("POST", "/domains", #"{}"#, ["item"]), ("POST", "/domains", #"{"item": 5}"#, ["item"]),
    ("POST", "/domains", #"{"item": null}"#, ["item"]), ("POST", "/domains", #"{"item": ""}"#, ["item"]),
    ("POST", "/domains", #"{"item": "com"}"#, ["item"]), ("POST", "/domains", #"{"item": "."}"#, ["item"]),
    ("POST", "/domains", #"{"item": "alpha.example"}"#, ["item"]),
    ("POST", "/domains", #"{"item": "a.example", "account": 2, "is_on": true}"#, ["account", "is_on"]),
    ("PATCH", "/domains/D", #"{"is_on": "yes"}"#, ["is_on"]),
    ("PATCH", "/domains/D", #"{"delivery": {"known": "hourly"}}"#, ["delivery.known"]),
    ("PATCH", "/domains/D", #"{"delivery": {"unknown": "daily"}}"#, ["delivery.unknown"]),
    ("PATCH", "/domains/D", #"{"delivery": []}"#, ["delivery"]),
    ("PATCH", "/domains/D", #"{"watches_lookalikes": 1}"#, ["watches_lookalikes"]),
    ("PATCH", "/domains/D", #"{"lookalike_delivery": "never"}"#, ["lookalike_delivery"]),
    ("PATCH", "/domains/D", #"{"is_baseline_confirmed": []}"#, ["is_baseline_confirmed"]),
    ("PATCH", "/domains/D", #"{"is_inventory_complete": "x"}"#, ["is_inventory_complete"]),
    ("PATCH", "/domains/D", #"{"allowed_owners": "CA"}"#, ["allowed_owners"]),
    ("PATCH", "/domains/D", #"{"allowed_owners": ["CA", 5]}"#, ["allowed_owners[1]"]),
    ("PATCH", "/domains/D", #"{"allowed_owners": [""]}"#, ["allowed_owners"]),
    (
      "PATCH", "/domains/D", "{\"allowed_owners\": [\(Array(repeating: #""x""#, count: 51).joined(separator: ","))]}",
      ["allowed_owners"]
    ),
    ("PATCH", "/domains/D", #"{"item": "other.example", "source": "config"}"#, ["item", "source"]),
    ("PUT", "/domains/D/caa", #"{"records": ["0 issue \"other.example\""]}"#, ["records"]),
    ("POST", "/domains/D/recipients", #"{"address": "no address"}"#, ["address"]),
    ("POST", "/domains/D/recipients", #"{"address": "hear@alpha.example"}"#, ["address"]),
    ("POST", "/domains/D/mutes", #"{"rule": "all", "until": "2026-12-01T00:00:00Z"}"#, ["rule"]),
    ("POST", "/domains/D/mutes", #"{"rule": "domain", "until": "tomorrow"}"#, ["until"]),
    ("POST", "/domains/D/mutes", #"{"rule": "domain", "until": "2020-01-01T00:00:00Z"}"#, ["until"]),
    ("POST", "/domains/D/mutes", #"{"rule": "domain", "until": "9999-01-01T00:00:00Z"}"#, ["until"]),
    ("POST", "/domains/D/mutes", #"{"rule": "domain", "value": "x", "until": "2026-12-01T00:00:00Z"}"#, ["value"]),
    ("POST", "/domains/D/mutes", #"{"rule": "issuer", "value": "x", "until": "2026-12-01T00:00:00Z"}"#, ["value"]),
    ("POST", "/domains/D/mutes", #"{"rule": "name", "until": "2026-12-01T00:00:00Z"}"#, ["value"]),
    ("POST", "/domains/D/mutes", #"{"rule": "name", "value": "a b", "until": "2026-12-01T00:00:00Z"}"#, ["value"]),
    ("POST", "/domains/D/inventory", #"{}"#, ["pem"]),
    ("POST", "/domains/D/inventory", #"{"pem": "x", "entries": []}"#, ["pem"]),
    ("POST", "/domains/D/inventory", #"{"pem": "no PEM at all"}"#, ["pem"]),
    (
      "POST", "/domains/D/inventory", #"{"pem": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"}"#,
      ["pem"]
    ),
    ("POST", "/domains/D/inventory", #"{"entries": []}"#, ["entries"]),
    ("POST", "/domains/D/inventory", #"{"entries": [], "is_backup": "yes"}"#, ["is_backup"]),
    ("POST", "/domains/D/inventory", #"{"entries": [{"kind": "key"}]}"#, ["entries[0].hash"]),
    (
      "POST", "/domains/D/inventory", #"{"entries": [{"kind": "x", "hash": "00"}]}"#,
      ["entries[0].kind", "entries[0].hash"]
    ),
    ("POST", "/domains/D/inventory", "{\"entries\": [{\"kind\": \"key\", \"hash\": \"\(hash)\"}]}", ["entries"]),
    (
      "POST", "/domains/D/inventory",
      "{\"entries\": [{\"kind\": \"certificate\", \"hash\": \"\(hash)\"}], \"source\": \"a\\u0007b\"}", ["source"]
    ),
    ("PATCH", "/domains/D/issuances/I", #"{"state": "mine"}"#, ["state"]),
    ("PATCH", "/domains/D/issuances/I", #"{"state": "denied", "note": "a\u0000b"}"#, ["note"]),
    ("PATCH", "/account", #"{"name": " "}"#, ["name"]), ("PATCH", "/account", #"{"plan": "free"}"#, ["plan", "name"]),
    ("POST", "/members", #"{"address": "x", "role": "viewer"}"#, ["address"]),
    ("POST", "/members", #"{"address": "x@alpha.example", "role": "king"}"#, ["role"]),
    ("POST", "/members", #"{"address": "second@alpha.example", "role": "viewer"}"#, ["address"]),
    ("PATCH", "/members/M", #"{"role": "king"}"#, ["role"]),
    ("PATCH", "/members/M", #"{"is_locked": "x"}"#, ["is_locked"]),
    ("GET", "/domains?limit=0", nil, ["limit"]), ("GET", "/domains?limit=201", nil, ["limit"]),
    ("GET", "/domains?limit=x", nil, ["limit"]), ("GET", "/domains?limit=1&limit=2", nil, ["limit"]),
    ("GET", "/domains?page=2", nil, ["page"]), ("GET", "/issuances?level=bad", nil, ["level"]),
    ("GET", "/issuances?state=bad&level=known&level=expected", nil, ["state"]),
    ("GET", "/issuances?name=a%20b", nil, ["name"]), ("GET", "/issuances?from=yesterday", nil, ["from"]),
    ("GET", "/issuances?before=2026-13-01T00:00:00Z", nil, ["before"]), ("GET", "/issuances?after=x", nil, ["after"]),
    ("GET", "/issuances?domain=-1", nil, ["domain"]), ("GET", "/issuances?count=2", nil, ["count"]),
    ("GET", "/search?serial=xyz", nil, ["serial"]), ("GET", "/search?spki_sha256=12", nil, ["spki_sha256"]),
    ("GET", "/search?certificate=12&issuance=%00", nil, ["certificate", "issuance"]),
    ("GET", "/search?issuer_key_sha256=zz&after=1", nil, ["issuer_key_sha256"]),
    ("GET", "/audit?after=x", nil, ["after"]), ("GET", "/deliveries?after=%E2%80%AE", nil, ["after"]),
    ("GET", "/account?x=1", nil, ["x"]),
  ]

  @Test("What can't be taken is refused beside its field, and changes nothing")
  func refusals() async throws {
    let dashboard = try await Dashboard()
    let all = try await Premises(dashboard)
    let before = try await dashboard.accounts.audit(all.owner).count
    try await dashboard.serve { port in
      let program = Program(port, all.token)
      for (method, template, body, fields) in APIInputTests.bad {
        let path = template.replacing("/D", with: "/\(all.domain)").replacing("/I", with: "/\(all.issuance)")
          .replacing("/M", with: "/\(all.ids["member"] ?? "")")
        let reply = try await program.api(method, path, body)
        #expect(reply.status == 422, "\(method) \(template) \(body ?? "") gave \(reply.status): \(reply.body)")
        #expect(reply.refusedFields.sorted() == fields.sorted(), "\(template) \(body ?? ""): \(reply.body)")
      }
    }
    #expect(try await dashboard.accounts.audit(all.owner).count == before)
  }

  @Test("Each field that can be sent has a refusal in the table above")
  func isComplete() async throws {
    let operations = try await Dashboard().operations()
    for operation in operations {
      for field in (operation.body ?? []) + operation.query where field.name != "q" {
        let isBody = operation.body != nil
        let isThere = APIInputTests.bad.contains { entry in
          let path = entry.path.replacing("/D", with: "/{domain}").replacing("/I", with: "/{issuance}")
            .replacing("/M", with: "/{member}")
          // What several queries have in common is refused by the same code.
          return (!isBody || entry.method == operation.verb && path == operation.path)
            && entry.fields.contains { $0.prefix { $0 != "." && $0 != "[" } == field.name }
        }
        #expect(isThere, "\(operation.id): \(field.name)")
      }
    }
  }

  @Test("A body that is deep, long or strange is refused, and soon")
  func strangeBodies() async throws {
    let dashboard = try await Dashboard()
    let all = try await Premises(dashboard)
    let bodies = [
      String(repeating: "[", count: 100_000), String(repeating: #"{"delivery":"#, count: 10_000),
      "{\"allowed_owners\": [\(Array(repeating: "1", count: 400_000).joined(separator: ","))]}",
      "{" + (0..<30_000).map { "\"f\($0)\": 1" }.joined(separator: ",") + "}",
      "\"text\"", "5", "", "null", "\u{feff}{}", #"{"is_on": true, "is_on": "x"}"#, "{\"item\": \"\u{0}\"}",
    ]
    try await dashboard.serve { port in
      let program = Program(port, all.token)
      for body in bodies {
        let reply = try await program.api("PATCH", "/domains/\(all.domain)", body)
        #expect([200, 400, 422].contains(reply.status), "\(body.prefix(20)): \(reply.status)")
        #expect(reply.refusedFields.count <= 20)
      }
      #expect(try await program.api("GET", "/account").status == 200)
    }
  }

  @Test("Certificates can be told as PEM")
  func pem() async throws {
    let dashboard = try await Dashboard()
    let all = try await Premises(dashboard)
    let pair = try dashboard.authority.issue(CertificateRequest(["new.alpha.example"]))
    let chain = ([pair.certificate] + pair.chain).map { PEM.encode($0) }.joined(separator: "\n")
    try await dashboard.serve { port in
      let program = Program(port, all.token)
      let body = String(decoding: try JSON.object(["pem": .text(chain)]).encoded(), as: UTF8.self)
      let reply = try await program.api("POST", "/domains/\(all.domain)/inventory", body)
      #expect(reply.status == 201 && reply.object["added"] as? Int == 2, "\(reply.body)")
    }
    let kinds = try await dashboard.accounts.inventory(all.owner, of: all.domain).map(\.hash)
    #expect(kinds.contains(pair.issuanceID.hash))
  }

  @Test("What is set in the configuration file can't be changed here")
  func configured() async throws {
    let dashboard = try await Dashboard()
    let all = try await Premises(dashboard)
    try await dashboard.database.transaction { try $0.execute("UPDATE domains SET source = 'config'") }
    try await dashboard.serve { port in
      let program = Program(port, all.token)
      let reply = try await program.api("PATCH", "/domains/\(all.domain)", #"{"is_on": false}"#)
      #expect(reply.status == 422 && reply.refusedFields == ["domain"])
      #expect(try await program.api("DELETE", "/domains/\(all.domain)").status == 422)
    }
  }

  @Test("Pages of a list have everything once, in the same order, while more comes in")
  func paging() async throws {
    let dashboard = try await Dashboard()
    let all = try await Premises(dashboard)
    for index in 0..<12 {
      dashboard.pass(1000)
      try await dashboard.sight(
        ["h\(index).alpha.example"], for: all.domain, item: "alpha.example", index % 3 == 0 ? .known : .unexplained)
      _ = try await dashboard.accounts.addDomain(all.owner, item: "d\(index).example")
    }
    try await dashboard.serve { port in
      let program = Program(port, all.token)
      for (path, key) in [
        ("/issuances?limit=5", "issuance"), ("/issuances?limit=5&level=unexplained", "issuance"),
        ("/search?limit=5&name=alpha.example", "issuance"), ("/domains?limit=5", "id"), ("/audit?limit=5", "id"),
      ] {
        let whole = try await program.api("GET", path.replacing("limit=5", with: "limit=200")).items
        var (found, next): ([String], String?) = ([], nil)
        repeat {
          let page = try await program.api("GET", path + (next.map { "&after=\($0)" } ?? ""))
          #expect(page.status == 200 && page.items.count <= 5)
          found += page.items.compactMap { identity($0, key) }
          next = page.object["next"] as? String
          dashboard.pass(1000)
          try await dashboard.sight(["late.alpha.example"], for: all.domain, item: "alpha.example")
        } while next != nil
        #expect(found == whole.compactMap { identity($0, key) } && found.count > 5, "\(path)")
      }
      let counted = try await program.api("GET", "/issuances?count=true&limit=1&name=%3Dh3.alpha.example")
      #expect((counted.object["count"] as? [String: Any])?["value"] as? Int == 1)
    }
  }

  @Test("The longest items there can be are listed page by page")
  func longItems() async throws {
    let dashboard = try await Dashboard()
    let all = try await Premises(dashboard)
    let label = String(repeating: "x", count: 63)
    let name = [label, label, label, String(repeating: "y", count: 53), "example"].joined(separator: ".")
    try #require(name.utf8.count == 253)
    for item in [name, "=" + name, "=" + name.replacing("y", with: "z")] {
      _ = try await dashboard.accounts.addDomain(all.owner, item: item)
    }
    try await dashboard.serve { port in
      let program = Program(port, all.token)
      var (found, next): ([String], String?) = ([], nil)
      repeat {
        let after = next.map { "&after=" + $0.replacing("=", with: "%3D") } ?? ""
        let page = try await program.api("GET", "/domains?limit=1" + after)
        #expect(page.status == 200, "\(page.body)")
        found += page.items.compactMap { $0["item"] as? String }
        next = page.object["next"] as? String
      } while next != nil
      #expect(found == found.sorted() && found.count == 4)
      let asked = try await program.api("GET", "/domains?q=%3D" + name)
      #expect(asked.items.count == 1, "\(asked.body)")
    }
  }

  private func identity(_ item: [String: Any], _ key: String) -> String? {
    item[key] as? String ?? (item[key] as? [String: Any])?[key] as? String
  }
}
