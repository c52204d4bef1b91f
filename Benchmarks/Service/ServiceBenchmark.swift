import CertificateTransparency
import Foundation
import OrielAccounts
import OrielStore
import TestWorld

/// `oriel serve` over the state of many accounts: how long each page takes, how soon a change of settings is in force in
/// following, and the memory that all of it takes.
struct ServiceBenchmark {
  let corpus: ServiceCorpus
  let oriel: String
  private static let port = 18997

  func run(rounds: Int = 300) async throws {
    let visitors = try await visitors()
    let now = Int64(Date().timeIntervalSince1970 * 1000)
    // Other logs each time, as the state knows those of before; and in the present, that they don't seem frozen.
    try await World.run(
      seed: .random(in: 1...1 << 40), now: { .init(milliseconds: UInt64(Date().timeIntervalSince1970 * 1000)) }
    ) { world in
      try world.issue("www.stranger.example")
      let service = try await start(world)
      defer {
        service.terminate()
        service.waitUntilExit()
      }
      var (first, figures) = (Figures(), Figures())
      // What the system has not read from the disk yet, or not lately, is a matter of the disk.
      let logs = try visitors[0].client.get("/logs", cookie: visitors[0].cookie).body
      let log = logs.firstMatch(of: #/"(\/logs\/[^"]+)"/#).map { String($0.1) }
      for (round, visitor) in visitors.enumerated() { try ask(visitor, round, log, &first) }
      first.show("page for the first time")
      for round in 0..<rounds {
        // Two of five are one of the large ones.
        let visitor = round % 5 < 2 ? visitors[round % 3] : visitors[3 + round % (visitors.count - 3)]
        try ask(visitor, round, log, &figures)
      }
      figures.show("page")
      try await changes(world, visitors[1], rounds: 10)
      print("peak memory: \(text(ProcessBenchmark.peak(of: service.processIdentifier), 0)) MiB")
      print("everything took \(text(Double(Int64(Date().timeIntervalSince1970 * 1000) - now) / 1000, 0)) s")
    }
  }

  private func ask(_ visitor: Visitor, _ round: Int, _ log: String?, _ figures: inout Figures) throws {
    for (name, path) in visitor.pages(round, log: log) {
      let answer = try visitor.client.get(path, cookie: visitor.cookie)
      guard answer.status == 200 else {
        throw PageClient.Failed(description: "\(path): \(answer.status) \(answer.body.suffix(2000))")
      }
      figures.add(name, answer.time)
    }
  }

  private func start(_ world: World) async throws -> Process {
    let file = corpus.directory.appending(path: "oriel.yaml")
    let settings = """
      data_dir: \(corpus.directory.path)
      log_lists: ["\(world.logListURL)"]
      dashboard: {listen: "127.0.0.1:\(ServiceBenchmark.port)"}
      caa: {check: false}
      """
    try Data(settings.utf8).write(to: file)
    let process = Process()
    process.executableURL = URL(filePath: oriel)
    process.arguments = ["serve", "--config", file.path, "--poll-interval", "0.1"]
    process.standardError = FileHandle.nullDevice
    let start = ContinuousClock.now
    try process.run()
    while start.duration(to: .now) < .seconds(300) {
      if (try? PageClient(port: ServiceBenchmark.port).get("/sign-in"))?.status == 200 {
        defer { fflush(nil) }
        print("ready after \(text(start.duration(to: .now) / .seconds(1), 1)) s")
        return process
      }
      try await Task.sleep(for: .milliseconds(50))
    }
    process.terminate()
    throw PageClient.Failed(description: "the service did not start")
  }

  // MARK: Visitors

  /// Somebody who is signed in, with what there is for them to look at.
  private struct Visitor {
    let cookie: String
    let client = PageClient(port: ServiceBenchmark.port)
    let domain: Int
    let issuance: String?
    let next: String?
    let nextOfAll: String?

    /// - Parameter log: the page of a log.
    func pages(_ round: Int, log: String?) -> [(name: String, path: String)] {
      let (own, name) = ("/domains/\(domain)", "d\(domain).example")
      var pages = [
        ("overview", "/"), ("domains", "/domains"), ("domains by name", "/domains?q=d\(round % 10)"),
        ("domain", own), ("domain, unexplained", own + "?level=unexplained"),
        ("domain, by name", own + "?name=h7.\(name)"), ("domain, a month", own + "?from=2026-03-01&to=2026-03-31"),
        ("domain in public", own + "/public"), ("domain's inventory", own + "/inventory"),
        ("domain's settings", own + "/settings"), ("history", "/history"),
        ("history, expected and new", "/history?level=expected&state=new"),
        ("history, by name", "/history?name=\(name)"), ("search by name", "/search?name=\(name)"),
        ("search by top-level name", "/search?name=example"),
        ("search by name and issuer", "/search?name=example&issuer=\(ServiceBenchmark.hash(7))"),
        ("search by key", "/search?key=\(ServiceBenchmark.hash(round * 7 + domain % 7))"),
        ("search of a day", "/search?from=2026-05-0\(1 + round % 9)&to=2026-05-0\(1 + round % 9)"),
        ("domain's current ones", own + "/current"), ("first day", own + "/first-day"),
        ("look-alikes", own + "/lookalikes"), ("sign-in", "/sign-in"),
        ("alerts", "/alerts"), ("logs", "/logs"), ("settings", "/settings"), ("certificate", "/certificate"),
        ("feed", own + "/feed.atom"), ("API: domains", "/api/v1/domains"), ("API: domain", "/api/v1" + own),
        ("API: issuances, counted", "/api/v1/issuances?count=true"),
        ("API: new unexplained, counted", "/api/v1/issuances?level=unexplained&state=new&count=true"),
        ("API: domain's issuances", "/api/v1/issuances?domain=\(domain)&limit=200"),
        ("API: search, counted", "/api/v1/search?name=\(name)&count=true"),
      ]
      if let log { pages.append(("log", log)) }
      if let issuance {
        pages.append(("issuance", "/issuances/\(issuance)?domain=\(domain)"))
        pages.append(("what to do", "/issuances/\(issuance)/action?domain=\(domain)"))
        pages.append(("API: issuance", "/api/v1/issuances/\(issuance)"))
      }
      if let next { pages.append(("domain, next page", own + "?after=\(next)")) }
      if let nextOfAll { pages.append(("history, next page", "/history?after=\(nextOfAll)")) }
      return pages
    }
  }

  private static func hash(_ number: Int) -> String {
    Array(String(format: "%032d", number).utf8).map { String(format: "%02x", $0) }.joined()
  }

  /// The largest domain's owner, that of the account with most domains, that of the neglected one, and any others.
  private func visitors() async throws -> [Visitor] {
    let database = try SQLiteDatabase(path: corpus.path, isChecked: false)
    var limits = AccountLimits()
    limits.linksPerAddress = 1000
    let store = AccountStore(database, limits: limits, now: { Int64(Date().timeIntervalSince1970 * 1000) })
    let others = (0..<60).map { 5 + $0 * 7919 % (corpus.domains - 5) }
    var visitors: [Visitor] = []
    for domain in [1, ServiceCorpus.widest, ServiceCorpus.neglected] + others {
      let account = AccountID(Int64(corpus.account(of: domain)))
      let address = "m\(account)@people.example"
      guard let letter = try await SignIn(store).requestLink(address: address, client: "\(visitors.count)") else {
        throw PageClient.Failed(description: "nobody is \(address)")
      }
      let session = try await SignIn(store).signIn(letter.secret, client: "bench")
      let (actor, id) = (Actor.machine(account), DomainID(Int64(domain)))
      let history = try await Accounts(store).history(actor, of: id)
      visitors.append(
        Visitor(
          cookie: "oriel-\(ServiceBenchmark.port)=\(session.secret.text)", domain: domain,
          issuance: history.results.first.map { "\($0.issuance.id)" },
          next: history.next.map { "\($0)" }, nextOfAll: try await Accounts(store).history(actor).next.map { "\($0)" }))
    }
    return visitors
  }

  // MARK: Changes

  /// Adds a domain and turns it on, by the pages, and logs certificates for it until one is judged.
  private func changes(_ world: World, _ visitor: Visitor, rounds: Int) async throws {
    let database = try SQLiteDatabase(path: corpus.path, isChecked: false)
    var times: [Double] = []
    for round in 0..<rounds {
      let item = "new\(round)-\(Int.random(in: 0..<1_000_000)).example"
      let added = try send("/domains", "item=\(item)", of: "/domains", visitor)
      guard
        let id = added.location?.split(separator: "/").dropFirst().first.flatMap({ Int64($0.prefix(while: \.isNumber)) }
        )
      else {
        throw PageClient.Failed(description: "not added: \(added.status)")
      }
      _ = try send("/domains/\(id)/on", "on=yes", of: "/domains/\(id)/settings", visitor)
      let start = ContinuousClock.now
      var logged: [String: Duration] = [:]
      var first: Double?
      while first == nil, start.duration(to: .now) < .seconds(60) {
        let name = "n\(logged.count).\(item)"
        logged[name] = start.duration(to: .now)
        try world.issue(name, certificateToo: false)
        try await Task.sleep(for: .milliseconds(50))
        let seen = try await database.read { [names = Array(logged.keys)] connection in
          try names.filter {
            try !connection.query("SELECT 1 FROM issuance_names WHERE key = ?", [.text("=" + $0)]).isEmpty
          }
        }
        first = seen.compactMap { logged[$0] }.min().map { $0 / .seconds(1) }
      }
      guard let first else { throw PageClient.Failed(description: "the change never was in force") }
      times.append(first)
    }
    // What was logged up to then may have been read after it, so this is if anything too much or one reading too little.
    times.sort()
    print("settings in force in following, s: median \(text(times[times.count / 2])), longest \(text(times.last ?? 0))")
  }

  private func send(_ path: String, _ form: String, of page: String, _ visitor: Visitor) throws -> PageClient.Answer {
    let shown = try visitor.client.get(page, cookie: visitor.cookie).body
    let code = shown.firstMatch(of: #/name="code" value="([a-z2-7]*)"/#)?.1 ?? ""
    let answer = try visitor.client.post(path, cookie: visitor.cookie, "\(form)&code=\(code)")
    guard answer.status == 303 else { throw PageClient.Failed(description: "\(path): \(answer.status)") }
    return answer
  }

  /// Times by page.
  private struct Figures {
    private var order: [String] = []
    private var times: [String: [Double]] = [:]

    mutating func add(_ page: String, _ time: Double) {
      if times[page] == nil { order.append(page) }
      times[page, default: []].append(time)
    }

    func show(_ title: String) {
      print("\(title), ms: median, 99 %, longest")
      for page in order {
        let sorted = (times[page] ?? []).sorted()
        guard let last = sorted.last else { continue }
        let most = sorted[min(sorted.count - 1, sorted.count * 99 / 100)]
        print("  \(page): \(text(sorted[sorted.count / 2], 1)), \(text(most, 1)), \(text(last, 1))")
      }
      fflush(nil)
    }
  }
}
