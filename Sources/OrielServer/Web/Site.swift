import HTTPTypes
import OrielAccounts
import OrielStore

/// Everything that makes pages.
struct Site: Sendable {
  let parts: WebServer.Parts
  let settings: WebServer.Settings
  let accounts: Accounts
  let signIn: SignIn
  let following: FollowingStore
  let templates: Templates
  let assets = Assets()
  let address: PublicAddress
  let streams: LiveStreams
  let bodies: Occupancy
  let uploads: Occupancy
  let heavyWork: HeavyWork
  let judge: Judge
  /// Letters that were handed over.
  let letterCount = EventCount()
  let probes: ProbeRuns
  private let letters = AsyncStream.makeStream(
    of: (@Sendable () async -> Void).self, bufferingPolicy: .bufferingOldest(1000))

  init(_ parts: WebServer.Parts, _ settings: WebServer.Settings) throws {
    self.parts = parts
    self.settings = settings
    accounts = Accounts(parts.accounts)
    signIn = SignIn(parts.accounts)
    following = FollowingStore(parts.database)
    templates = try Templates()
    address = PublicAddress(settings.publicURL)
    streams = LiveStreams(pages: settings.livePages, certificates: settings.streams)
    bodies = Occupancy(settings.bodies)
    uploads = Occupancy(settings.uploads)
    heavyWork = HeavyWork()
    probes = ProbeRuns(heavyWork)
    judge = Judge(parts.accounts, parts.database, owners: parts.owners)
  }

  var now: Int64 { parts.now() }

  /// - Parameter next: the page to show once the letter's reader is signed in.
  func url(of letter: LinkLetter, next: ReturnPath? = nil) -> String {
    "\(address.text)/link/\(letter.secret.text)" + (next.map { "?next=" + $0.encoded } ?? "")
  }

  /// Has a letter sent, and keeps nobody waiting.
  func send(_ letter: LinkLetter?) {
    guard let letter else { return }
    letterCount.add()
    letters.continuation.yield { await parts.sendLetter(letter, url(of: letter)) }
  }

  /// Has a link to sign in sent, if somebody has the address.
  ///
  /// Nothing tells the one who asked which it was: this is for when the answer is out, and the work comes at a moment
  /// that nobody can foresee, or it would show in the time that the next answer takes.
  func sendLink(to address: String, next: ReturnPath?) {
    letters.continuation.yield {
      let delay = settings.linkDelay * Double.random(in: 0...1)
      guard (try? await Task.sleep(for: delay)) != nil, let letter = try? await signIn.link(for: address) else {
        return
      }
      letterCount.add()
      await parts.sendLetter(letter, url(of: letter, next: next))
    }
  }

  /// Sends letters until ``endLetters()``; what is on its way then is given up.
  func sendLetters() async {
    await withDiscardingTaskGroup { group in
      for await letter in letters.stream { group.addTask { await letter() } }
      group.cancelAll()
    }
  }

  func endLetters() { letters.continuation.finish() }

  // MARK: Pages

  private static let sections: [(path: String, words: String)] = [
    ("/", "Overview"), ("/domains", "Domains"), ("/search", "Search"), ("/certificate", "Certificate"),
    ("/alerts", "Alerts"), ("/logs", "Logs"), ("/settings", "Settings"),
  ]

  private static let done: [String: String] = [
    "saved": "Saved.", "added": "Added.", "removed": "Removed.", "sent": "A letter is on its way.",
    "ended": "Ended.", "found": "Looked up.", "on": "On: Oriel looks out for new certificates from now on.",
    "confirmed": "Confirmed. New certificates are compared with what is yours from now on.",
  ]

  /// How many certificates need somebody.
  func openCount(_ visit: Visit, _ actor: Actor) async throws -> SearchCount {
    if let news = visit.news { news.open } else { try await accounts.news(actor).open }
  }

  /// The whole page, as HTML.
  func html(_ page: Page, _ visit: Visit) async throws -> String {
    var frame: Values = [
      "title": page.title, "style": assets.style.path, "script": assets.script.path,
      "mark": visit.news?.mark, "formCode": SignIn.formCode(visit.formSecret), "typed": visit.form.values,
      "done": visit.query["done"].flatMap { Site.done[$0] },
    ]
    if let refusal = visit.refusal {
      frame["refusal"] = refusal.reason
      frame["refusedAt"] = templates.place(of: refusal, in: page.template)
      frame["refused"] = [refusal.form: [refusal.field: refusal.reason] as Values] as Values
    }
    if let actor = visit.actor {
      let open = try await openCount(visit, actor)
      frame["openTotal"] = "\(open.value)"
      frame["member"] =
        [
          "address": visit.address, "mayWrite": actor.may(.write), "mayManage": actor.may(.manage),
          "accountName": visit.memberships.first { $0.account.id == actor.account }?.account.name,
          "sections": Site.sections.map { path, words -> Values in
            [
              "path": path, "words": words,
              "isCurrent": path == "/" ? visit.path == "/" : visit.path == path || visit.path.hasPrefix(path + "/"),
              "counts": path == "/",
              "openInSection": path == "/" && open.value > 0
                ? Phrase.number(open.value) + (open.isExact ? "" : "+") : nil,
            ]
          },
          "isInSeveral": visit.memberships.count > 1,
          "others": visit.memberships.count > 1
            ? visit.memberships.map {
              [
                "accountID": "\($0.account.id)", "accountName": $0.account.name,
                "isChosen": $0.account.id == actor.account,
              ] as Values
            } : nil,
        ] as Values
    }
    return templates.render(page.template, frame.merging(page.values))
  }

  /// A page that says what is wrong, in words for people.
  static func problem(_ status: Int, _ title: String, _ words: String) -> Page {
    Page("problem", title: title, ["words": words], status: status)
  }

  static func problem(_ error: any Error) -> Page {
    switch error {
    case AccountError.notFound:
      problem(404, "There is nothing here", "Perhaps it was removed, or the address is wrong.")
    case let error as AccountError:
      switch error {
      case .forbidden:
        problem(403, "You may not do that", "\(Phrase.sentence("\(error)")) An owner of the account can.")
      case .limited: problem(429, "Too often", Phrase.sentence("\(error)"))
      case .signedOut: problem(410, "This link works no longer", "It was used, or it is too old. Ask for another one.")
      default: problem(422, "That can't be taken", Phrase.sentence(String("\(error)".prefix(1000))))
      }
    case StoreError.busy:
      problem(503, "Not just now", "Something else is being written for long. Nothing was changed; try again soon.")
    case let problem as WebProblem: Site.problem(problem.status.code, problem.title, problem.words)
    default:
      problem(
        500, "That did not work", "The reason is not known here. Try again; if it stays, tell who runs this service.")
    }
  }
}

/// Why a request gets no page of its own.
struct WebProblem: Error {
  let status: HTTPResponse.Status
  let title: String
  let words: String
  /// In seconds, where it is worth trying again.
  var retryAfter: Int?

  static let foreignForm = WebProblem(
    status: .forbidden, title: "This form is out of date",
    words: "It did not come from this page as you see it now. Go back, load the page again, and send it once more.")
  static let tooLarge = WebProblem(
    status: .contentTooLarge, title: "That is too much", words: "More was sent than a form here can hold.")
  static let damagedForm = WebProblem(
    status: .badRequest, title: "The form can’t be read",
    words: "It did not arrive as a whole. Go back, and send it once more.")
  static let badLeave = WebProblem(
    status: .gone, title: "This link stops nothing",
    words: "Perhaps it was cut off: copy the whole of it. Or the address was taken out since, and gets no more alerts.")
  static let tooSlow = WebProblem(
    status: .requestTimeout, title: "That took too long", words: "The form did not arrive in time.")
  static let busy = WebProblem(
    status: .tooManyRequests, title: "Too much at once",
    words: "Too many requests of this kind are being worked on. Try again in a few seconds.", retryAfter: 5)
}
