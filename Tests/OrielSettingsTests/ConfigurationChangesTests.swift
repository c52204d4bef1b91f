import OrielSettings
import Testing

@Suite("What a reload changes")
struct ConfigurationChangesTests {
  private static let base = [
    "watch: [example.com]", "recipients: {owner: {mail: [owner@example.com]}}", "defaults: {recipients: [owner]}",
    "smtp: {host: smtp.example.com, from: oriel@example.com}", "data_dir: /var/lib/oriel",
  ]

  private func load(
    _ changed: String..., environment: [String: String] = [:], overrides: [String: String] = [:], password: String = "a"
  ) throws -> LoadedConfiguration {
    func key(_ line: String) -> Substring { line.prefix { $0 != ":" } }
    let kept = ConfigurationChangesTests.base.filter { line in !changed.contains { key($0) == key(line) } }
    let loader = ConfigurationLoader(environment: environment, overrides: overrides) { _ in password }
    return try loader.load((kept + changed).joined(separator: "\n") + "\n", file: "/etc/oriel/oriel.yaml")
  }

  @Test("A setting is in force at once or after a restart, and pages that show it are told apart from what uses it")
  func kinds() throws {
    let first = try load()
    for (line, inForce, afterRestart) in [
      ("watch: [example.com, example.org]", ["watch"], []), ("data_dir: /srv/oriel", [], ["data_dir"]),
      ("defaults: {recipients: []}", ["defaults.recipients"], []),
      ("smtp: {host: other.example.com, from: oriel@example.com}", ["smtp.host"], []),
      ("digest: {window: 2h}", [], ["digest.window"]),
      ("public_url: https://oriel.example.com", ["public_url"], ["public_url"]),
    ] as [(String, [String], [String])] {
      let changes = ConfigurationChanges(to: try load(line), from: first, startedWith: first)
      #expect(changes.inForce == inForce && changes.afterRestart == afterRestart, "\(line)")
    }
  }

  @Test("What waits for a restart is said again with every reload, until it is as it was at the start")
  func twice() throws {
    let (first, second) = (try load(), try load("data_dir: /srv/oriel"))
    let third = try load("data_dir: /srv/oriel", "watch: [example.org]")
    #expect(
      ConfigurationChanges(to: third, from: second, startedWith: first).summary
        == "the configuration was read again; in force: watch. Restart the service to put in force: data_dir")
    #expect(
      ConfigurationChanges(to: first, from: third, startedWith: first).summary
        == "the configuration was read again; in force: watch")
    #expect(
      ConfigurationChanges(to: second, from: second, startedWith: first).summary
        == "the configuration was read again. Restart the service to put in force: data_dir")
    #expect(
      ConfigurationChanges(to: first, from: first, startedWith: first).summary
        == "the configuration was read again; no setting has changed")
  }

  @Test("A changed secret is named and not shown; lists in files of their own are read again")
  func secrets() throws {
    let smtp = "smtp: {host: smtp.example.com, from: oriel@example.com, username: oriel, "
    let first = try load(smtp + "password: one}")
    #expect(
      ConfigurationChanges(to: try load(smtp + "password: two}"), from: first, startedWith: first).summary
        == "the configuration was read again; in force: smtp.password")
    let second = try load(smtp + "password_file: password}", password: "one")
    let third = try load(smtp + "password_file: password}", "watch_lists: [names.txt]", password: "two")
    #expect(
      ConfigurationChanges(to: third, from: second, startedWith: second).summary
        == "the configuration and its watch lists were read again; in force: the file /etc/oriel/password, watch_lists")
  }

  @Test("A list can't be set as one value, and what says so says where it can")
  func lists() throws {
    let error = #expect(throws: ConfigurationError.self) { try load(overrides: ["watch": "example.com", "wach": "a"]) }
    let problems = try #require(error).problems.map(\.description)
    #expect(problems.contains { $0.contains("watch: it is no single value; set it in the file") })
    #expect(problems.contains { $0.contains("wach: there is no such setting") })
  }

  @Test("A variable that is nearly a setting is warned of, and one that is far from all is not ours")
  func variables() throws {
    let warnings = try load(environment: ["ORIEL_SMPT_HOST": "a", "ORIEL_HOME": "b", "SMTP_HOST": "c"]).warnings
    #expect(warnings == ["the environment variable ORIEL_SMPT_HOST is no setting; do you mean ORIEL_SMTP_HOST?"])
  }
}
