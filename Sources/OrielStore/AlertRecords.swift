package import CertificateTransparency
package import MerkleTree

/// Something to be told, as the outbox keeps it: what happened, and not yet to whom it is told.
package struct StoredAlert: Hashable, Sendable {
  package enum Kind: String, Sendable, CaseIterable {
    case certificate
    case digest
    case followUp = "follow-up"
    /// What was reported as unexplained is known now.
    case explained
    case logHealth = "log-health"
    case deliveryHealth = "delivery-health"
    case inventoryHealth = "inventory-health"
    case canary
    case caaChange = "caa-change"
    case lookalike = "look-alike"
    case sample
    case heartbeat
  }

  /// Ascending in the order in which things were seen.
  package let id: Int64
  /// Stable: the same event always has the same one.
  package let key: String
  package let kind: Kind
  package let issuance: IssuanceID?
  package let item: String?
  /// What else there is to say, in a form that the outbox does not read.
  package let content: [UInt8]?
  package let createdAt: Int64

  /// The issuance that it reports, as the database has it.
  var reported: [UInt8]? { kind == .certificate ? issuance?.hash.bytes : nil }
}

/// Where an alert goes: a recipient's name in the configuration, and one address of theirs.
package struct AlertTarget: Hashable, Sendable {
  package let recipient: String
  /// `mail:ADDRESS`, `webhook:RECIPIENT` or `command:RECIPIENT`.
  package let target: String

  package init(recipient: String, target: String) {
    self.recipient = recipient
    self.target = target
  }

  package init(_ delivery: StoredDelivery) { self.init(recipient: delivery.recipient, target: delivery.target) }

}

/// A target as people see it: that an address is a domain's own, and not of the configuration, is nothing to them.
package struct DeliveryPlace: Hashable, Sendable, CustomStringConvertible {
  /// `mail`, `webhook` or `command`.
  package let way: String
  /// The mail address, or whose webhook or command it is.
  package let name: String

  package init(_ target: String) {
    let parts = target.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    way = parts.count < 2 ? "" : parts[0] == "domain-mail" ? "mail" : parts[0]
    name = parts.last ?? target
  }

  package var description: String { way.isEmpty ? name : "\(way):\(name)" }
}

/// An alert on its way to one target.
package struct StoredDelivery: Hashable, Sendable {
  package enum State: String, Sendable, CaseIterable {
    /// To be sent at its time.
    case waiting
    case delivered
    /// Refused for good, or tried for as long as the settings say. A person may retry it.
    case givenUp = "given-up"
    /// A person, or a change of the configuration, took it out.
    case dropped
    /// Told as part of a digest.
    case digested
  }

  package let id: Int64
  package let alert: StoredAlert
  package let recipient: String
  package let target: String
  /// What was made of the certificate for the target when it was routed, as in the table of judgements.
  package let verdict: String?
  package let state: State
  package let attempts: Int
  /// How often it was refused by itself, and how often for what it says.
  package let refusals: Int
  package let messageRefusals: Int
  /// Since when it has been refused. Milliseconds since 1970, as all times here.
  package let failingSince: Int64?
  /// Whether its target ever took an alert.
  package let isTargetProven: Bool
  /// When it is tried next, while it waits.
  package let nextAttempt: Int64
  package let lastAttempt: Int64?
  /// What the receiver said last.
  package let words: String?
}

/// An earlier issuance under a watched item.
package struct EarlierIssuance: Hashable, Sendable {
  package let issuer: String
  package let issuerKeyHash: SHA256Hash
  /// Seconds since 1970.
  package let notBefore: Int64?
  package let firstSeen: Int64
}
