import CertificateTransparency
import Crypto
import Foundation
import OrielAccounts
import OrielStore
import TestSupport
import TestWorld
import Testing

@testable import OrielServer

@Suite("What can't be taken is refused beside its field, and nothing of it is kept")
struct UploadTests {
  /// A member of an account with one domain that is on and unconfirmed.
  static func run(_ body: @escaping @Sendable (Dashboard, Actor, DomainID, Visitor) async throws -> Void) async throws {
    let dashboard = try await Dashboard()
    let (owner, session) = try await dashboard.account("Alpha")
    let domain = try await dashboard.domain(owner, "alpha.example", isConfirmed: false)
    try await dashboard.serve { port in
      let member = Visitor(port: port)
      await member.signIn(session.text)
      try await body(dashboard, owner, domain, member)
    }
  }

  private func list(_ dashboard: Dashboard, _ domain: DomainID) async throws -> [BaselineRecord] {
    try await AlertStore(dashboard.database).baseline(of: domain.value).map(\.record)
  }

  @Test("Private keys of every form are refused, as files and as text, and their bytes come back to nobody")
  func privateKeys() async throws {
    try await UploadTests.run { dashboard, owner, domain, member in
      let pair = try dashboard.authority.issue(CertificateRequest(["www.alpha.example"]))
      for path in ["/domains/\(domain)/inventory", "/domains/\(domain)/first-day/upload"] {
        for (name, bytes) in PrivateKeys.all {
          let reply = try await member.upload(path, files: [("file", SentFile(name, bytes))])
          #expect(reply.status == 422 && reply.body.contains("there is a private key in “\(name)”"), "\(path) \(name)")
          #expect(reply.body.contains(#"id="e-file""#) && !reply.body.contains("AQID"))
        }
        let text = pair.bundle + PrivateKeys.key.pemRepresentation
        let mixed = try await member.post(path, [("pem", text)])
        #expect(mixed.status == 422 && mixed.body.contains(#"id="e-pem""#))
        #expect(mixed.body.contains("there is a private key in what you pasted"))
        let secret = PrivateKeys.key.pemRepresentation.split(separator: "\n")[1]
        #expect(!mixed.body.contains(secret) && !mixed.body.contains("BEGIN PRIVATE KEY"))
      }
      #expect(try await dashboard.accounts.inventory(owner, of: domain).isEmpty)
      #expect(try await list(dashboard, domain).isEmpty)
      let words = try await dashboard.accounts.audit(owner, limit: 100).map(\.what).joined()
      #expect(!words.contains("private"))
    }
  }

  @Test("Bad files are named with what is wrong with them")
  func badFiles() async throws {
    try await UploadTests.run { dashboard, owner, domain, member in
      let pair = try dashboard.authority.issue(CertificateRequest(["www.alpha.example"]))
      let strange = try dashboard.authority.issue(CertificateRequest(["www.beta.example"]))
      let damaged = PEM.encode(Array(pair.certificate.prefix(200)))
      let many = String(repeating: PEM.encode([0x30, 0x00]), count: 10_001)
      let files: [(file: SentFile, words: String)] = [
        (SentFile("empty.pem", ""), "no certificate and no certificate request in “empty.pem”"),
        (SentFile("picture.png", [0x89, 0x50, 0x4e, 0x47]), "no certificate and no certificate request"),
        (SentFile("damaged.pem", damaged), "“damaged.pem”: line 1: no certificate that can be read"),
        (SentFile("cut.pem", String(pair.bundle.prefix(300))), "has no end"),
        (SentFile("cut.der", Array(pair.certificate.prefix(300))), "“cut.der”: DER that is cut short"),
        (SentFile("other.pem", strange.bundle), "none of that is for this domain: it is for www.beta.example"),
        (SentFile("ca.pem", pair.chain.map { PEM.encode($0) }.joined()), "only certificates of CAs are in there"),
        (SentFile("many.pem", many), "more than 1000 blocks"),
        (SentFile("<b>\u{202e}\"\u{301}.pem", ""), "no certificate and no certificate request"),
      ]
      for path in ["/domains/\(domain)/inventory", "/domains/\(domain)/first-day/upload"] {
        for (file, words) in files {
          let reply = try await member.upload(path, [("note", "kept")], files: [("file", file)])
          #expect(reply.status == 422 && reply.body.contains(words), "\(path) \(file.name)")
          #expect(reply.body.contains(#"aria-invalid="true""#) && reply.body.contains(#"id="e-file""#))
          HostileTextTests.check(reply.body, path)
        }
        let none = try await member.upload(path, files: [("file", SentFile("", ""))])
        #expect(none.status == 422 && none.body.contains("choose a file, or paste"))
        let crowd = Array(repeating: (field: "file", file: SentFile("a.pem", pair.bundle)), count: 21)
        #expect(try await member.upload(path, files: crowd).body.contains("these are 21 files; send at most 20"))
        let big = SentFile("big.pem", [UInt8](repeating: 0x61, count: (8 << 20) + 1))
        let tooMuch = try await member.upload(path, files: [("file", big)])
        #expect(tooMuch.status == 413 && tooMuch.body.contains("more than 8 MiB") && tooMuch.body.contains("e-file"))
        let type = "multipart/form-data; boundary=\(Visitor.boundary)"
        let cut = Array(Visitor.multipart([("code", "x")], files: [("file", files[0].file)]).dropLast(10))
        #expect(try await member.request("POST", path, [("Content-Type", type)], cut).status == 400)
      }
      #expect(try await dashboard.accounts.inventory(owner, of: domain).isEmpty)
      #expect(try await list(dashboard, domain).isEmpty)
    }
  }

  @Test("Who may not send files, or not there, hears so however much they send")
  func refusedBefore() async throws {
    let dashboard = try await Dashboard()
    let (owner, _) = try await dashboard.account("Alpha")
    let (stranger, session) = try await dashboard.account("Beta")
    let domain = try await dashboard.domain(owner, "alpha.example", isConfirmed: false)
    let own = try await dashboard.domain(stranger, "beta.example", isConfirmed: false)
    _ = try await dashboard.accounts.addMember(owner, address: "look@alpha.example", role: .viewer)
    let viewer = try await dashboard.member("look@alpha.example").session
    try await dashboard.serve { port in
      let files = [1, (8 << 20) + 1].map { [("file", SentFile("a.pem", [UInt8](repeating: 0x61, count: $0)))] }
      for (session, status, domain) in [
        (viewer, 403, "\(domain)"), (session, 404, "\(domain)"), (session, 404, "x"), (session, 404, "999"),
      ] {
        let visitor = Visitor(port: port)
        await visitor.signIn(session.text)
        for path in ["/inventory", "/first-day/upload", "/first-day/crtsh"] {
          for files in files {
            let reply = try await visitor.upload("/domains/\(domain)\(path)", files: files)
            #expect(reply.status == status, "\(domain)\(path) \(files[0].1.bytes.count)")
          }
        }
      }
      // Nor is anything taken from another page, at whatever length.
      let visitor = Visitor(port: port)
      await visitor.signIn(session.text)
      let body = Visitor.multipart([], files: files[1])
      let reply = try await visitor.request(
        "POST", "/domains/\(own)/inventory",
        [
          ("Content-Type", "multipart/form-data; boundary=\(Visitor.boundary)"), ("Origin", "https://evil.example"),
        ], body)
      #expect(reply.status == 403 && reply.body.contains("out of date"))
    }
  }

  @Test("Of a list from crt.sh that is longer than there is room for, it is told how much was left out")
  func longList() async throws {
    try await UploadTests.run { dashboard, _, domain, member in
      func rows(_ numbers: Range<Int>) -> String {
        let rows = numbers.map {
          """
          {"issuer_name":"O=A","name_value":"h\($0).alpha.example","serial_number":"\($0)",
          "not_before":"2026-01-01T00:00:00","not_after":"2026-04-01T00:00:00"}
          """
        }
        return "[\(rows.joined(separator: ","))]"
      }
      let before = (0..<1999).map { number in
        BaselineRecord(
          names: ["b\(number).alpha.example"], issuerKeyHash: nil, owner: nil, publicKey: nil, notBefore: 0,
          notAfter: 1,
          source: "test", issuerName: nil, serial: nil)
      }
      #expect(try await AlertStore(dashboard.database).addBaseline(before, to: domain.value) == (1999, 0))
      let path = "/domains/\(domain)/first-day"
      // The last: what is there already needs no room.
      for (rows, counts) in [
        (rows(0..<4), "listed=1&left=3"), (rows(5..<7), "listed=0&left=2"), (rows(0..<1), "listed=0"),
      ] {
        let reply = try await member.upload(path + "/crtsh", files: [("file", SentFile("crtsh.json", rows))])
        #expect(reply.header("location") == path + "?" + counts)
      }
      #expect(try await list(dashboard, domain).count == 2000)
    }
    let most = Phrase.number(2000)
    for (query, words) in [
      (
        "listed=2000&left=300",
        "\(most) certificates are listed below. There was no room for 300 more: a list holds at most \(most)."
      ),
      ("listed=0&left=2", "Nothing of it was listed. There was no room for 2 more: a list holds at most \(most)."),
      ("listed=0&seen=2", "Nothing new was found in it. 2 more were known already."),
    ] { #expect(FirstDay.notice(Form(query.utf8)) == words) }
  }

  @Test("What is no answer of crt.sh is refused")
  func badJSON() async throws {
    try await UploadTests.run { dashboard, _, domain, member in
      let row =
        #"{"issuer_name":"O=A","name_value":"x.beta.example","not_before":"2026-01-01T00:00:00","not_after":"2026-04-01T00:00:00"}"#
      let texts = [
        ("", "that is not what crt.sh gives"), ("<html>502 Bad Gateway</html>", "that is not what crt.sh gives"),
        ("{}", "that is not what crt.sh gives"), ("[", "that is not what crt.sh gives"),
        (String(repeating: "[", count: 100_000), "that is not what crt.sh gives"),
        ("[]", "there is no certificate in it"), ("[1, {}]", "there is no certificate in it (row 1:"),
        ("[\(row)]", "nothing in it is for alpha.example, it is for x.beta.example"),
      ]
      for (text, words) in texts {
        let reply = try await member.upload(
          "/domains/\(domain)/first-day/crtsh", files: [("file", SentFile("crtsh.json", text))])
        #expect(reply.status == 422 && reply.body.contains(words), "\(text.prefix(40))")
        #expect(reply.body.contains(#"id="e-json""#))
      }
      let none = try await member.post("/domains/\(domain)/first-day/crtsh")
      #expect(none.status == 422 && none.body.contains("choose the file that you saved"))
      #expect(try await list(dashboard, domain).isEmpty)
    }
  }

  @Test("Files of every good form are taken: bundles, DER, requests, several at once; backups are marked as such")
  func goodFiles() async throws {
    try await UploadTests.run { dashboard, owner, domain, member in
      let names = (0..<4).map { "h\($0).alpha.example" }
      let pairs = try names.map { try dashboard.authority.issue(CertificateRequest([$0])) }
      let others = try dashboard.authority.issue(CertificateRequest(["www.beta.example"]))
      let path = "/domains/\(domain)/inventory"
      let files: [(String, SentFile)] = [
        ("file", SentFile("bundle.pem", pairs[0].bundle + PEM.encode(pairs[1].certificate))),
        ("file", SentFile("one.der", pairs[2].certificate)), ("file", SentFile("other.pem", others.bundle)),
      ]
      let reply = try await member.upload(
        path, [("note", "the safe"), ("backup", "yes"), ("pem", PEM.encode(pairs[3].certificate))], files: files)
      #expect(reply.header("location") == path + "?told=8&others=1")
      let entries = try await dashboard.accounts.inventory(owner, of: domain)
      // Of all of them the issuer is in the bundle.
      #expect(entries.count { $0.kind == .certificate } == 4 && entries.count { $0.kind == .key } == 4)
      #expect(Set(entries.flatMap(\.names)) == Set(names))
      #expect(entries.allSatisfy { $0.isBackup && $0.source == "the safe" })
      let page = try await member.get(path + "?told=8&others=1").body
      #expect(page.contains("8 entries were taken.") && page.contains("1 for other names were left out."))
      #expect(page.contains("backup</span>") && page.contains(">never</span></td>"))
    }
  }
}
