import OrielAccounts
import OrielAlerting
import OrielStore

extension Site {
  /// What became of an issuance, for the page on it.
  func values(_ happenings: [Happening]) -> [Values] {
    let items = Set(happenings.map(\.item)).count
    var judged: Set<String> = []
    var states: [String: Judgement.State] = [:]
    return happenings.map { happening in
      var values: Values = [
        "when": Phrase.minute(happening.at), "happenedFor": items > 1 ? Phrase.name(happening.item) : nil,
      ]
      switch happening.what {
      case .judged(let level):
        values["judgedAs"] = level.rawValue
        values["levelWords"] = level.words
        values["isAgain"] = !judged.insert(happening.item).inserted
      case .said(let state, let who, let note):
        values["saidBy"] = who
        let isNote = states.updateValue(state, forKey: happening.item) ?? .new == state
        values["said"] = isNote ? "Note" : state == .new ? "Opened again" : state.words
        values["saidNote"] = note
      case .told(let kind, let target, let state):
        values["toldTo"] = DeliveryPlace(target).words
        values["told"] =
          ([.followUp, .explained].contains(kind) ? "Told what came of it" : "Told") + ", " + state.happened
      }
      return values
    }
  }
}

extension StoredDelivery.State {
  fileprivate var happened: String {
    switch self {
    case .waiting: "not sent yet"
    case .delivered: "delivered"
    case .givenUp: "but it could not be delivered"
    case .dropped: "but it was dropped"
    case .digested: "in a digest"
    }
  }
}
