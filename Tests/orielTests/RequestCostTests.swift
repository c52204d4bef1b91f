import Foundation
import TestSupport
import TestWorld
import Testing

/// The service as its operator runs it, and a member of an account who wants it to be busy. What is measured is the
/// processor time of the whole service.
@Suite("What a request costs the service", .serialized)
struct RequestCostTests {
  /// Of what costs most to read, to check, to escape and to show, one of each kind.
  private static let pieces = [
    "a", "\"", "<", "%41", "%00", " ", "\r\n", ",", "a.", "*.", "@", "\\", "[", "{\"", "\u{301}", "\u{202e}", "xn--a.",
    "\u{1F468}\u{200D}", "-----BEGIN CERTIFICATE-----\n", "\n--b",
  ]

  /// How much larger inputs are in a campaign.
  private let scale = isCampaign ? 8 : 1

  private struct Premises: Sendable {
    let service: Command
    let visitor: Visitor
    let port: Int
    let token: String
    /// The id of the domain.
    let domain: String
    /// The id of a certificate for it.
    let issuance: String

    /// Fails where what is sent twice as large costs more than three times as much: by medians of nine, in each of three
    /// rounds, unless one of each is far from it.
    func check(_ what: String, to size: Int, _ send: (Int) async throws -> Void) async throws {
      func time(_ size: Int) async throws -> Double {
        let before = service.processorTime
        try await send(size)
        return service.processorTime - before
      }
      var (half, whole) = (0.0, try await time(size))
      guard whole > 0.1 else { return }
      half = try await time(size / 2)
      for _ in 0..<3 where whole >= 2.5 * half {
        var (halves, wholes) = ([Double](), [Double]())
        for _ in 0..<9 {
          halves.append(try await time(size / 2))
          wholes.append(try await time(size))
        }
        (half, whole) = (halves.sorted()[4], wholes.sorted()[4])
      }
      #expect(whole < 3 * half, "\(what): \(half) s for \(size / 2) bytes, \(whole) s for \(size)")
    }
  }

  private func run(_ body: (Premises) async throws -> Void) async throws {
    let folder = try TemporaryFolder()
    try await World.run { world in
      let file = try folder.write(
        """
        watch: [other.example]
        recipients: {me: {mail: [me@ours.example]}}
        defaults: {recipients: [me]}
        smtp: {host: 127.0.0.1, port: 1, security: none, from: oriel@ours.example}
        log_lists: ["\(world.logListURL)"]
        data_dir: \(folder.path)/data
        from: start
        caa: {check: no}
        contacts: {look_up: no}
        dashboard: {listen: "127.0.0.1:0"}
        """, to: "oriel.yaml")
      let service = try Command(["serve", "--config", file, "--poll-interval", "0.5"])
      defer { service.send(SIGKILL) }
      try await service.wait(for: "within the hour")
      let link = try #require(
        service.errors.firstMatch(of: #/http:\/\/[^\/ ]*:([0-9]+)(\/link\/\S+)/#), "\(service.errors)")
      let port = try #require(Int(link.1))
      let visitor = Visitor(port: port)
      let first = try await visitor.post(
        String(link.2), [("name", "Ours"), ("address", "me@ours.example")], of: String(link.2))
      try #require(first.status == 303, "\(first.body)")
      let added = try await visitor.post("/domains", [("item", "watched.example")])
      let domain = try #require(added.header("location")?.firstMatch(of: #/\/domains\/([0-9]+)/#)?.1, "\(added)")
      let made = try await visitor.post(
        "/settings/tokens", [("name", "script"), ("scopes", "write"), ("scopes", "admin")])
      let token = try #require(made.body.firstMatch(of: #/<pre tabindex="0">([^<]*)<\/pre>/#)?.1, "\(made.body)")
      let on = try await visitor.post(
        "/domains/\(domain)/on", [("on", "yes")], of: "/domains/\(domain)/settings")
      try #require(on.status == 303, "\(on.body)")
      var issuance: Substring?
      for turn in 0..<3000 where issuance == nil {
        // What is logged in the moment before the domain is watched is not found.
        if turn % 100 == 0 { try world.issue("www.watched.example") }
        issuance = try await visitor.get("/domains/\(domain)").body.firstMatch(of: #/\/issuances\/([0-9a-f]+)/#)?.1
        if issuance == nil { try await Task.sleep(for: .milliseconds(20)) }
      }
      try await body(
        Premises(
          service: service, visitor: visitor, port: port, token: String(token), domain: String(domain),
          issuance: String(try #require(issuance))))
      #expect(service.isRunning)
    }
  }

  // MARK: Pages

  private struct PageForm {
    let action: String
    let hasFiles: Bool
    /// The fields that somebody types into.
    var texts: [String] = []
    /// The others, as the page has them.
    var others: [(name: String, value: String)] = []

    init(_ action: Substring, _ attributes: Substring, _ content: Substring) {
      self.action = String(action)
      hasFiles = attributes.contains("multipart/form-data")
      for field in content.matches(of: #/<(input|textarea|select)\b([^>]*)>/#) {
        guard let name = field.2.firstMatch(of: #/name="([^"]*)"/#).map({ String($0.1) }) else { continue }
        let type = field.2.firstMatch(of: #/type="([^"]*)"/#).map { String($0.1) } ?? "text"
        let own = field.2.firstMatch(of: #/value="([^"]*)"/#).map { String($0.1) }
        switch (field.1, type) {
        case ("select", _):
          let option = content[field.range.upperBound...].firstMatch(of: #/<option value="([^"]*)"/#)
          others.append((name, option.map { String($0.1) } ?? ""))
        case ("input", "hidden"): others.append((name, own ?? ""))
        case ("input", "checkbox"), ("input", "radio"), ("input", "file"): break
        default: texts.append(name)
        }
      }
    }
  }

  /// The forms of all kinds of pages, each once.
  private func forms(_ visitor: Visitor, from start: [String]) async throws -> [PageForm] {
    func kind(_ path: String) -> String { path.replacing(#/[0-9a-f]{16,}|[0-9]+/#, with: "0") }
    var (open, seen, forms) = (start, Set(start.map(kind)), [String: PageForm]())
    while let path = open.popLast() {
      let page = try await visitor.get(path).body
      for link in page.matches(of: #/href="(\/[^"#]*)"/#) {
        let path = String(link.1.replacing("&amp;", with: "&"))
        if seen.insert(kind(path)).inserted { open.append(path) }
      }
      for form in page.matches(of: #/<form method="post" action="([^"]*)"([^>]*)>(.*?)<\/form>/#.dotMatchesNewlines()) {
        forms[kind(String(form.1))] = PageForm(form.1, form.2, form.3)
      }
    }
    return forms.values.sorted { $0.action < $1.action }
  }

  private func send(_ form: PageForm, _ piece: String, _ size: Int, by visitor: Visitor) async throws {
    let plain = { (text: String) in
      text.replacing("&", with: "%26").replacing("=", with: "%3D").replacing("+", with: "%2B")
    }
    // What is only pressed is not: it does not get the code.
    let others = form.others.map { form.texts.isEmpty && $0.name == "code" ? ($0.name, "x") : ($0.name, $0.value) }
    let names = form.texts.isEmpty ? ["other"] : form.texts
    let fields =
      others.map { "\(Visitor.encode($0.0))=\(Visitor.encode($0.1))" }
      + names.map { "\(Visitor.encode($0))=\(plain(String(repeating: piece, bytes: size / names.count)))" }
    _ = try await visitor.request(
      "POST", form.action, [("Content-Type", "application/x-www-form-urlencoded")],
      Array(fields.joined(separator: "&").utf8))
  }

  @Test("Forms cost no more than in proportion to what is in them, whoever sends them")
  func pages() async throws {
    try await run { premises in
      let forms = try await forms(premises.visitor, from: ["/"])
      #expect(forms.count >= 20 && forms.count { !$0.texts.isEmpty } >= 10, "\(forms.map(\.action))")
      for form in forms where !form.hasFiles {
        for piece in RequestCostTests.pieces {
          try await premises.check("\(form.action) full of \(piece.debugDescription)", to: scale << 15) {
            try await send(form, piece, $0, by: premises.visitor)
          }
        }
      }
      let stranger = Visitor(port: premises.port)
      let open = try await self.forms(stranger, from: ["/sign-in", "/certificate"])
      #expect(!open.isEmpty)
      for form in open {
        for piece in RequestCostTests.pieces {
          try await premises.check("\(form.action) full of \(piece.debugDescription)", to: 1 << 14) {
            try await send(form, piece, $0, by: stranger)
          }
        }
      }
    }
  }

  @Test("Files cost no more than in proportion to their size, whatever is in them")
  func uploads() async throws {
    try await run { premises in
      let uploads = try await forms(premises.visitor, from: ["/"]).filter(\.hasFiles)
      #expect(uploads.count == 3, "\(uploads.map(\.action))")
      let pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
      let row = #"{"issuer_name":"C=US","name_value":"a.watched.example\nb","not_before":"2026-10-01T00:00:00"},"#
      let largest = isCampaign ? 1 << 20 : 1 << 16
      for form in uploads {
        for piece in RequestCostTests.pieces + [pem, row] {
          for start in ["", "["] {
            try await premises.check("\(form.action) with a file of \(piece.debugDescription)", to: largest) { size in
              var body: [UInt8] = []
              func part(_ head: String, _ content: String) {
                body += Array("--b\r\nContent-Disposition: form-data; \(head)\r\n\r\n\(content)\r\n".utf8)
              }
              for (name, value) in form.others { part("name=\"\(name)\"", value) }
              part("name=\"file\"; filename=\"a\"", start + String(repeating: piece, bytes: size))
              _ = try await premises.visitor.request(
                "POST", form.action, [("Content-Type", "multipart/form-data; boundary=b")],
                body + Array("--b--\r\n".utf8))
            }
          }
        }
      }
    }
  }

  // MARK: The API

  private struct Document: Decodable {
    struct Operation: Decodable {
      struct Parameter: Decodable {
        let name: String
        let `in`: String
      }
      struct Body: Decodable {
        struct Content: Decodable {
          struct Schema: Decodable { let properties: [String: Kind]? }
          let schema: Schema
        }
        let content: [String: Content]
      }
      let parameters: [Parameter]?
      let requestBody: Body?
      let responses: [String: Answer]
    }
    struct Kind: Decodable {}
    struct Answer: Decodable { let content: [String: Kind]? }
    let paths: [String: [String: Operation]]
  }

  /// A body full of a piece: as text, as a list, and with nothing else before it.
  private func bodies(_ names: [String], _ piece: String, _ size: Int) throws -> [String] {
    let each = size / max(names.count, 1)
    func json(_ value: some Encodable) throws -> String {
      String(decoding: try JSONEncoder().encode(value), as: UTF8.self)
    }
    let texts = try names.map { "\(try json($0)): \(try json(String(repeating: piece, bytes: each)))" }
    let list = try json(Array(repeating: piece, count: each / (piece.utf8.count + 3)))
    return [
      "{\(texts.joined(separator: ", "))}",
      "{\(try names.map { "\(try json($0)): \(list)" }.joined(separator: ", "))}",
      String(repeating: piece, bytes: size),
    ]
  }

  @Test("No operation of the API costs more than in proportion to what it is given")
  func api() async throws {
    try await run { premises in
      let headers = [("Authorization", "Bearer \(premises.token)")]
      let text = try await premises.visitor.get("/api/v1/openapi.json").body
      let document = try JSONDecoder().decode(Document.self, from: Data(text.utf8))
      #expect(document.paths.count > 15)
      for (path, operations) in document.paths.sorted(by: { $0.key < $1.key }) {
        let own = path.replacing("{domain}", with: premises.domain).replacing("{issuance}", with: premises.issuance)
          .replacing(#/\{[a-z]+\}/#, with: "1")
        for (verb, operation) in operations.sorted(by: { $0.key < $1.key }) {
          guard operation.responses["200"]?.content?["text/event-stream"] == nil else { continue }
          let query = operation.parameters?.filter { $0.in == "query" }.map(\.name) ?? []
          let names = (operation.requestBody?.content["application/json"]?.schema.properties ?? [:]).keys.sorted()
          for piece in RequestCostTests.pieces {
            let what = "\(verb) \(path) full of \(piece.debugDescription)"
            // What is removed is not, as it has another name.
            let junk = { (size: Int) in Visitor.encode(String(repeating: piece, bytes: size / 3)) }
            try await premises.check(what, to: 12 << 10) { size in
              let target =
                query.isEmpty
                ? path.replacing(#/\{[a-z]+\}/#, with: junk(size))
                : own + "?" + query.map { "\($0)=\(junk(size / query.count))" }.joined(separator: "&")
              guard target != own else { return }
              _ = try await premises.visitor.client.request(
                verb.uppercased(), "/api/v1" + target, headers: headers + [("Content-Type", "application/json")])
            }
            guard operation.requestBody != nil else { continue }
            for number in 0..<3 {
              try await premises.check(what, to: scale << 15) { size in
                _ = try await premises.visitor.client.request(
                  verb.uppercased(), "/api/v1" + own, headers: headers + [("Content-Type", "application/json")],
                  body: Array(try bodies(names, piece, size)[number].utf8))
              }
            }
          }
        }
      }
    }
  }
}
