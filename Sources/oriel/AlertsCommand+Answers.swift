import ArgumentParser
import CertificateTransparency
import MerkleTree
import OrielAccounts
import OrielMonitor
import OrielStore

extension AlertsCommand {
  struct Claim: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "claim", abstract: "“This was me”: the certificate of an alert, and its key, are known from now on.",
      discussion: Answer.discussion("oriel alerts claim 17 --note 'the new load balancer'"))

    @OptionGroup var answer: Answer

    func run() async throws { try await reportingFailures { try await answer.give(.claimed) } }
  }

  struct Deny: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "deny",
      abstract: "“This was not me”: the certificate of an alert is unexplained, and what has its key from now on.",
      discussion: Answer.discussion("oriel alerts deny 17")
        + "\n\n`oriel alerts show` has whom to write to, and what else to do.")

    @OptionGroup var answer: Answer

    func run() async throws { try await reportingFailures { try await answer.give(.denied) } }
  }

  struct Acknowledge: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "acknowledge", abstract: "Somebody has looked at the certificate of an alert; its verdict stays.",
      discussion: Answer.discussion("oriel alerts acknowledge 17"))

    @OptionGroup var answer: Answer

    func run() async throws { try await reportingFailures { try await answer.give(.acknowledged) } }
  }

  /// What somebody says of the certificate of an alert.
  struct Answer: ParsableArguments {
    static func discussion(_ example: String) -> String {
      """
      Example:
        \(example)

      The service may run meanwhile; it takes this up within a second. Exit status: 0 done, 64 wrong usage, 65 no such
      alert, or one that is about no certificate or about one that nobody judged.
      """
    }

    @OptionGroup var place: Place
    @Argument(
      help: ArgumentHelp(
        "The number that `oriel alerts list` gives, or the issuance that the mail names.", valueName: "number"))
    var alert: String
    @Option(help: ArgumentHelp("Why, for those who look at it later.", valueName: "TEXT")) var note: String?
    @Flag(help: "Print a JSON array of what was changed.") var json = false

    func give(_ state: Judgement.State) async throws {
      let database = try place.database()
      let store = AccountStore(database, now: Timekeeper.system.now)
      let (issuance, domains) = try await subject(database, store)
      var lines: [AnswerLine] = []
      for domain in domains {
        do {
          let judgement = try await Accounts(store).setState(
            .machine(domain.account), of: domain.id, issuance, to: state, note: note)
          lines.append(AnswerLine(judgement))
        } catch AccountError.notFound {
          // It was not judged for this one.
        }
      }
      guard !lines.isEmpty else {
        throw CommandFailure("nobody has judged the certificate of \(alert); has `oriel serve` run since?", .badData)
      }
      if json { return try Terminal.write(json: lines) }
      for line in lines { try Terminal.write(line.text + "\n") }
      if state == .denied { Terminal.note("oriel: `oriel alerts show` has whom to write to, and what else to do") }
    }

    /// The issuance, and the domains for which somebody was told of it.
    private func subject(
      _ database: SQLiteDatabase, _ store: AccountStore
    ) async throws -> (IssuanceID, [Domain]) {
      if let hash = SHA256Hash(hex: alert) {
        let issuance = IssuanceID(hash)
        guard let record = try await IssuanceSearch(database).record(issuance) else {
          throw CommandFailure("there is no issuance \(alert)", .badData)
        }
        return (issuance, try await Answer.domains(for: Set(record.matches.map(\.item)), told: nil, store))
      }
      guard let number = Int64(alert) else {
        throw CommandFailure("'\(alert)' is neither a number of `oriel alerts list` nor an issuance", ExitCode(64))
      }
      guard let delivery = try await AlertStore(database).delivery(number) else {
        throw CommandFailure("there is no alert \(number)", .badData)
      }
      guard let issuance = delivery.alert.issuance, let item = delivery.alert.item, delivery.alert.kind != .lookalike
      else {
        let hint =
          delivery.alert.kind == .digest
          ? ": what is in it has numbers of its own, see `oriel alerts list --state digested`" : ""
        throw CommandFailure("the alert \(number) is not about one certificate\(hint)", .badData)
      }
      return (issuance, try await Answer.domains(for: [item], told: delivery.recipient, store))
    }

    /// - Parameter recipient: who was told; nil for those whom the configuration names.
    private static func domains(
      for items: Set<String>, told recipient: String?, _ store: AccountStore
    ) async throws -> [Domain] {
      let told = recipient.flatMap { $0.hasPrefix("domain:") ? DomainID(String($0.dropFirst(7))) : nil }
      var domains: [Domain] = []
      for item in items.sorted() {
        domains += try await AccountService(store).routes(for: item).map(\.domain).filter {
          told == nil ? $0.source == .config : $0.id == told
        }
      }
      return domains
    }
  }
}

/// What is thought of a certificate now.
private struct AnswerLine: Encodable {
  let issuance, item, state, verdict: String
  let names: [String]
  let note: String?

  init(_ judgement: Judgement) {
    issuance = "\(judgement.issuance.id)"
    item = judgement.item
    state = judgement.state.rawValue
    verdict = judgement.standing.rawValue
    names = judgement.issuance.names
    note = judgement.note
  }

  var text: String {
    let words = state == "claimed" ? "yours" : state == "denied" ? "not yours" : "acknowledged"
    let subject = names.prefix(5).joined(separator: ", ")
    return "\(item): the certificate for \(subject) is \(words); its verdict is \(verdict)"
  }
}
