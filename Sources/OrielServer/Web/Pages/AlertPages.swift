import CertificateTransparency
import OrielAccounts
import OrielAlerting
import OrielStore

extension Site {
  private static let alertsOnPage = 20

  func alertsPage(_ visit: Visit) async throws -> Page {
    let actor = try visit.someone()
    let found = try await deliveries(
      of: actor.account, before: visit.query["before"].flatMap { Int64($0) }, limit: Site.alertsOnPage + 1)
    let deliveries = found.prefix(Site.alertsOnPage)
    var judgements: [IssuanceID: [Judgement]] = [:]
    var rows: [Values] = []
    for delivery in deliveries {
      if let issuance = delivery.alert.issuance, judgements[issuance] == nil {
        judgements[issuance] = try await accounts.judgements(actor, of: issuance)
      }
      let judged = delivery.alert.issuance.flatMap { judgements[$0] } ?? []
      rows.append(await values(delivery, judged.first { $0.item == delivery.alert.item }))
    }
    return Page(
      "alerts", title: "Alerts",
      [
        "hasDeliveries": !rows.isEmpty, "deliveries": rows,
        "nextPage": found.count > deliveries.count ? deliveries.last.map { "/alerts?before=\($0.id)" } : nil,
      ])
  }

  /// What was sent for an account, newest first.
  func deliveries(of account: AccountID, before id: Int64? = nil, limit: Int) async throws -> [StoredDelivery] {
    try await AlertStore(parts.database).deliveries(
      ofAccount: account.value, isOperators: try await AccountService(parts.accounts).isOperators(account), before: id,
      limit: limit)
  }

  private func values(_ delivery: StoredDelivery, _ judgement: Judgement?) async -> Values {
    let alert = delivery.alert
    var values: Values = [
      "when": Phrase.minute(delivery.lastAttempt ?? alert.createdAt), "kindOf": alert.kind.words,
      "deliveredIssuance": alert.issuance.map { "\($0)" }, "about": alert.item,
      "target": DeliveryPlace(delivery.target).words,
      "stateWords": delivery.state.words,
      "tries": delivery.attempts > 1 ? Phrase.plural(delivery.attempts, "try", "tries") : nil,
      "said": delivery.words.map { String($0.prefix(300)) },
    ]
    if let judgement {
      values = row(judgement, showsItem: true).merging(values)
    } else {
      values["about"] = await subject(of: delivery) ?? alert.item
    }
    return values
  }

  /// What an alert is about that is about no certificate of one's own.
  private func subject(of delivery: StoredDelivery) async -> String? {
    if delivery.alert.kind == .digest { return await contents(ofDigest: delivery) }
    guard [.caaChange, .lookalike, .logHealth, .canary].contains(delivery.alert.kind),
      let alert = try? await AlertReader(AlertStore(parts.database)).alert(of: delivery)
    else { return nil }
    return switch alert.content {
    case .caaChange(let change): change.item
    case .lookalike(let alert): "\(alert.lookalike.registrable), which looks like \(alert.lookalike.item)"
    case .logHealth(let health): health.log
    case .canary(let canary): canary.name
    default: nil
    }
  }
}

extension Site {
  private func contents(ofDigest delivery: StoredDelivery) async -> String? {
    guard let members = try? await AlertStore(parts.database).members(of: delivery), !members.isEmpty else {
      return nil
    }
    let items = members.prefix(3).map { Phrase.name($0.item) }.joined(separator: ", ")
    let counts = [
      (members.reduce(0) { $0 + $1.certificates }, "certificate", "certificates"),
      (members.reduce(0) { $0 + $1.lookalikes }, "look-alike", "look-alikes"),
    ]
    let words = counts.filter { $0.0 > 0 }.map { Phrase.plural($0.0, $0.1, $0.2) }.joined(separator: " and ")
    return "\(words) for \(items)" + (members.count > 3 ? " and others" : "")
  }
}

extension StoredAlert.Kind {
  fileprivate var words: String {
    switch self {
    case .certificate: "Certificate"
    case .digest: "Digest"
    case .followUp: "Follow-up"
    case .explained: "Explained"
    case .logHealth: "Health of a log"
    case .deliveryHealth: "Failed alerts"
    case .inventoryHealth: "Inventory folder"
    case .canary: "Canary"
    case .sample: "Test"
    case .caaChange: "CAA records"
    case .lookalike: "Look-alike"
    case .heartbeat: "Heartbeat"
    }
  }
}

extension StoredDelivery.State {
  fileprivate var words: String {
    switch self {
    case .waiting: "Waiting"
    case .delivered: "Delivered"
    case .givenUp: "Given up"
    case .dropped: "Dropped"
    case .digested: "In a digest"
    }
  }
}
