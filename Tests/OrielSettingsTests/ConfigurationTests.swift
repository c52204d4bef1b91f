import Foundation
import OrielAlerting
import OrielMail
import OrielSettings
import OrielWatchlist
import TestSupport
import Testing

@Suite("The configuration")
struct ConfigurationTests {
  private static let docs = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "docs")

  private func load(
    _ text: String, environment: [String: String] = [:], overrides: [String: String] = [:],
    files: [String: String] = [:]
  ) throws -> LoadedConfiguration {
    struct Absent: Error {}
    return try ConfigurationLoader(environment: environment, overrides: overrides) { path in
      guard let text = files[path] else { throw Absent() }
      return text
    }.load(text, file: "/etc/oriel/oriel.yaml")
  }

  private func problems(_ text: String) -> [String] {
    do {
      _ = try load(text)
      return []
    } catch let error as ConfigurationError {
      return error.problems.map(\.description)
    } catch {
      return ["\(error)"]
    }
  }

  @Test("The example is accepted as it stands")
  func example() throws {
    let text = try String(contentsOf: Self.docs.appending(path: "oriel.example.yaml"), encoding: .utf8)
    let loaded = try load(text)
    #expect(loaded.warnings.isEmpty)
    #expect(loaded.configuration.watch.map(\.item.description) == ["example.com"])
    #expect(loaded.configuration.mailFrom?.address == "you@example.com")
    guard case .smtp(let smtp) = loaded.configuration.mailTransport else {
      Issue.record("no SMTP")
      return
    }
    #expect(smtp.host == "smtp.example.com" && smtp.port == 587 && smtp.security == .startTLS)
  }

  @Test("What the example shows behind # is accepted too")
  func uncommented() throws {
    let text = try String(contentsOf: Self.docs.appending(path: "oriel.example.yaml"), encoding: .utf8)
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    lines = lines.map {
      $0.hasPrefix("#") && ($0.hasPrefix("#  ") || !$0.hasPrefix("# ")) ? String($0.dropFirst()) : $0
    }
    // Of two ways to the same end, one.
    let password = lines.joined(separator: "\n").replacing("  password: change-me", with: "  #")
      .replacing("sendmail:\n", with: "#\n").replacing("  program: /usr/sbin/sendmail\n", with: "#\n")
    let loaded = try load(password, files: ["/etc/oriel/smtp-password": "secret\n"])
    #expect(loaded.configuration.recipients.count == 3 && loaded.configuration.canaries.count == 1)
    #expect(loaded.configuration.watchLists == ["/etc/oriel/names.txt"])
  }

  @Test("Every key of the documentation is a setting, with the variable that is said")
  func documentation() throws {
    let text = try String(contentsOf: Self.docs.appending(path: "configuration.md"), encoding: .utf8)
    let rows = text.matches(of: /\| `([a-zA-Z_.\[\]]+)` \|.*\| (`ORIEL_[A-Z_]+`|–) \|/)
    #expect(rows.count > 50)
    let documented = Set(rows.filter { $0.2 != "–" }.map { String($0.1) })
    #expect(documented == Set(ConfigurationLoader.scalarKeys))
    for row in rows where row.2 != "–" { #expect("`\(ConfigurationLoader.variable(String(row.1)))`" == row.2) }
  }

  @Test(
    "Look-alikes are looked for where an item says so, or nothing else and the defaults do",
    arguments: [("", [true, false, false]), ("defaults: {lookalikes: yes}", [true, false, true])])
  func lookalikes(_ defaults: String, _ expected: [Bool]) throws {
    let loaded = try load(
      """
      watch:
        - {item: a.example, lookalikes: yes}
        - {item: =b.example, lookalikes: no}
        - c.example
        - 192.0.2.0/24
      \(defaults)
      """)
    #expect(loaded.configuration.watch.map(\.lookalikes) == expected + [false])
    #expect(loaded.configuration.lookalikes == expected[2])
  }

  @Test("Items that do not say when each verdict is told have the defaults' times, or the variables'")
  func times() throws {
    let text = """
      watch:
        - {item: a.example, tell: {known: weekly}}
        - b.example
      defaults: {tell: {expected: daily, known: never}}
      """
    let configuration = try load(text, environment: ["ORIEL_DEFAULTS_TELL_EXPECTED": "weekly"]).configuration
    #expect(configuration.watch.map(\.times.known) == [.weekly, .never])
    #expect(configuration.watch.map(\.times.expected) == [.weekly, .weekly])
    #expect(configuration.watch.map(\.times.unexplained) == [.atOnce, .atOnce])
    #expect(configuration.times == configuration.watch[1].times)
  }

  @Test("What certificates are judged by can stand in the file; what does not is nobody's word")
  func rules() throws {
    let loaded = try load(
      """
      watch:
        - item: a.example
          history: confirmed
          inventory: complete
          owners: [Internet Security Research Group, Let's Encrypt]
          caa: ['0 issue "letsencrypt.org"', '128 issuewild ";"', '0 iodef "mailto:\\"x\\"@a.example"']
        - {item: b.example, caa: [], owners: One Trust}
        - c.example
      contacts: {ccadb: published}
      defaults: {recipients: []}
      """)
    let rules = loaded.configuration.watch.map(\.rules)
    #expect(rules[0].confirmsHistory && rules[0].hasCompleteInventory)
    #expect(rules[0].owners == ["Internet Security Research Group", "Let's Encrypt"] && rules[0].caa?.count == 3)
    #expect(rules[1].caa == [] && rules[1].owners == ["One Trust"] && !rules[1].confirmsHistory)
    #expect(rules[2] == Configuration.Rules())
    #expect(!loaded.warnings.contains { $0.contains("ccadb") })
  }

  @Test("Who lists CA owners without CCADB's data is told that nobody can tell who they are")
  func ownersWithoutData() throws {
    let loaded = try load("watch: [{item: a.example, owners: [One Trust]}]\n")
    #expect(loaded.warnings.contains { $0.contains("contacts.ccadb") && $0.contains("watch[].owners") })
  }

  @Test("A folder for what is not watched is told of")
  func folderForNothing() throws {
    let text = "watch: [a.example]\ninventory: [{item: a.example, folder: /}, {item: =a.example, folder: /}]\n"
    let warnings = try load(text).warnings.filter { $0.contains("inventory") }
    #expect(warnings.count == 1 && warnings.allSatisfy { $0.contains("folder for =a.example") })
    #expect(try !load(text + "dashboard: {}\n").warnings.contains { $0.contains("inventory") })
  }

  @Test("Registrars are looked up for alerts where the file says whom to ask, and wants it")
  func registrars() throws {
    let text = "watch: [a.example]\ncontacts: "
    #expect(try !load(text + "{rdap_bootstrap: /nowhere/dns.json}\n").configuration.looksUpRegistrars)
    #expect(try load(text + "{rdap_bootstrap: /nowhere/dns.json, look_up: true}\n").configuration.looksUpRegistrars)
    #expect { try load(text + "{look_up: true}\n") } throws: { "\($0)".contains("contacts.look_up") }
  }

  @Test("What is missing, and would be missed later only, is told of")
  func lacks() throws {
    let text = """
      watch: [{item: a.example, recipients: []}]
      dashboard: {}
      inventory: [{item: a.example, folder: /nowhere/at-all}]
      contacts: {ccadb: [/nowhere/AllCertificateRecords.csv], rdap_bootstrap: /nowhere/dns.json}
      """
    let warnings = try load(text).warnings
    for part in ["nobody can sign in", "/nowhere/at-all", "/nowhere/AllCert", "/nowhere/dns.json"] {
      #expect(warnings.count { $0.contains(part) } == 1, "\(part)")
    }
  }

  @Test(
    "Nobody is asked about CAA records without a dashboard, unless the file says so",
    arguments: [
      ("", false), ("caa: {check: yes}", true), ("caa: {servers: [192.0.2.53]}", true), ("dashboard: {}", true),
      ("dashboard: {}\ncaa: {check: no}", false), ("caa: {check: no, servers: [192.0.2.53]}", false),
    ])
  func caaChecks(_ settings: String, _ isChecked: Bool) throws {
    #expect(try load("watch: [a.example]\n" + settings).configuration.checksCAA == isChecked)
  }

  static let mistakes: [(text: String, problem: String)] = [
    (
      "watch: [a.example]\nsmpt: {}\n",
      "/etc/oriel/oriel.yaml:2:1: smpt: there is no such setting; did you mean `smtp`?"
    ),
    (
      "watch: [a.example]\ndigest:\n  first: many\n",
      "3:10: digest.first: expected a number from 0 to 100000; found \"many\""
    ),
    (
      "watch:\n  - {item: 192.0.2.1, lookalikes: yes}\n",
      "watch.item: only a name can be imitated: take out `lookalikes`"
    ),
    ("watch:\n  - a.example\n  - co.uk\n", "3:5: watch: \"co.uk\" is a public suffix"),
    ("watch: [a.example]\nwatch: [b.example]\n", "`watch` stands here twice"),
    (
      "watch: [a.example]\ndefaults:\n  recipients: [nobody]\n",
      "3:16: defaults.recipients: there is no recipient `nobody`"
    ),
    (
      "watch: [a.example]\nrecipients:\n  me:\n    mail: [a@b.example]\n",
      "recipients.me.mail: mail needs `smtp` or `sendmail`"
    ),
    (
      "watch: [a.example]\nrecipients:\n  me:\n    mail: [nonsense]\nsendmail: {from: a@b.example}\n",
      "4:12: recipients.me.mail: “nonsense”"
    ),
    ("watch: [a.example]\nretry: {first: 5 minutes}\n", "2:16: retry.first: expected a time from 1s to 1d"),
    (
      "watch: [a.example]\nsmtp: {host: h.example, security: ssl, from: a@b.example}\n",
      "expected one of `starttls`, `tls`, `none`"
    ),
    (
      "watch: [a.example]\nsmtp: {host: h.example, from: a@b.example, username: u}\n",
      "give both `username` and `password`"
    ),
    (
      "watch: [a.example]\nsmtp: {host: h.example, from: a@b.example, username: u, password: p, security: none}\n",
      "in clear"
    ),
    (
      "watch: [a.example]\nsmtp: {host: h.example, from: a@b.example, username: u, password_file: /no}\n",
      "/no can't be read"
    ),
    ("watch: [a.example]\nrecipients: {r: {webhook: {url: ftp://x.example}}}\n", "only http and https"),
    (
      "watch:\n  - {item: a.example, history: known}\n", "watch.history: expected one of `confirmed`; found \"known\""
    ),
    ("watch:\n  - {item: a.example, inventory: yes}\n", "watch.inventory: expected one of `complete`"),
    ("watch:\n  - {item: a.example, owners: ['']}\n", "watch.owners: expected the name of a CA's owner"),
    ("watch:\n  - {item: a.example, owners: [\"a\\u0007\"]}\n", "watch.owners: expected the name of a CA's owner"),
    ("watch:\n  - {item: a.example, caa: [letsencrypt.org]}\n", "2:29: watch.caa: expected a CAA record"),
    ("watch:\n  - {item: a.example, caa: ['256 issue \"a\"']}\n", "watch.caa: expected a CAA record"),
    ("watch:\n  - {item: 192.0.2.1, caa: []}\n", "watch.item: only names have CAA records: take out `caa`"),
    (
      "watch: [a.example]\ndefaults: {tell: {known: sometimes}}\n",
      "2:26: defaults.tell.known: expected one of `at once`, `daily`, `weekly`, `never`"
    ),
    (
      "watch:\n  - item: a.example\n    tell: {known: sometimes}\n",
      "3:19: watch.tell.known: expected one of `at once`, `daily`, `weekly`, `never`"
    ),
    ("watch: [a.example]\nretention: 12h\n", "2:12: retention: expected a time from 1d to 36500d"),
    ("data_dir: /x\n", "nothing is watched"),
    ("watch: [a.example\n", "not YAML"),
    ("watch: [a.example]\npublic_url: oriel.example\n", "expected an address that starts with https://"),
    ("a: &x\n  b: 1\nwatch: [a.example]\n", "anchors and aliases are not taken"),
    ("watch: a.example: b\n", "not YAML"),
    ("- a\n- b\n", "expected settings (`key: value`), found a list"),
  ]

  @Test("Each mistake is told with its line, column and key", arguments: mistakes)
  func mistake(_ mistake: (text: String, problem: String)) {
    let told = problems(mistake.text)
    #expect(told.contains { $0.contains(mistake.problem) }, "\(told)")
  }

  @Test("All mistakes are told at once")
  func allAtOnce() {
    #expect(problems("watch: [co.uk, '-']\nfoo: 1\ndigest: {window: x}\n").count >= 3)
  }

  @Test("Flags win over the environment, and the environment over the file")
  func precedence() throws {
    let text = "watch: [a.example]\nsmtp: {host: file.example, port: 25, from: a@b.example}\n"
    let loaded = try load(
      text,
      environment: ["ORIEL_SMTP_HOST": "environment.example", "ORIEL_SMTP_PORT": "26", "ORIEL_DATA_DIR": "/data"],
      overrides: ["smtp.port": "27"])
    guard case .smtp(let smtp) = loaded.configuration.mailTransport else { return }
    #expect(smtp.host == "environment.example" && smtp.port == 27)
    #expect(loaded.configuration.dataDirectory == "/data")
    #expect(loaded.masked.contains("27") && loaded.masked.contains("environment.example"))
    #expect(throws: ConfigurationError.self) { try load(text, overrides: ["smtp.prot": "27"]) }
    #expect(throws: ConfigurationError.self) { try load(text, environment: ["ORIEL_SMTP_PORT": "x"]) }
  }

  @Test("What is shown holds no secret, and is itself a configuration")
  func masking() throws {
    let text = """
      watch: [a.example]
      recipients:
        hook: {webhook: {url: "https://hooks.example/services/T0/SECRET", secret: hunter2}}
      smtp: {host: h.example, from: a@b.example, username: u, password: hunter2}
      """
    let masked = try load(text, environment: ["ORIEL_SMTP_PASSWORD": "hunter3"]).masked
    for secret in ["hunter", "SECRET"] { #expect(!masked.contains(secret)) }
    #expect(masked.contains("hooks.example"))
    #expect(try load(masked).configuration.watch.count == 1)
  }

  @Test("A secret can stand in a file of its own")
  func secretFile() throws {
    let loaded = try load(
      "watch: [a.example]\nsmtp: {host: h.example, from: a@b.example, username: u, password_file: secret}\n",
      files: ["/etc/oriel/secret": "hunter2\n"])
    guard case .smtp(let smtp) = loaded.configuration.mailTransport else { return }
    #expect(smtp.credentials?.password == "hunter2")
  }
}
