/// One thing that was compared, and what came out of it.
package enum Reason: Hashable, Sendable {
  package enum Direction: String, Hashable, Sendable, Codable {
    case `for`
    case against
  }

  // What the owner told Oriel.
  case claimed
  case toldCertificate(source: String)
  case keyBoundToNames([String], source: String)

  // What goes on from before.
  case caAllowed(ca: String)
  case caaAllows(ca: String, domain: String, parameters: [String])
  case sameCA(ca: String)
  case sameNames(since: Int64?)
  case sameKeyRenewal(since: Int64?, isTold: Bool)
  case usualRhythm(previousEnds: Int64, daysLeft: Int)
  case caChangeAnnounced(ca: String, confirmedAt: Int64)

  // What the owner ruled out.
  case denied
  case keyDenied
  case caNotAllowed(ca: String, allowed: [String])
  case caaForbids(ca: String, allowed: [String])
  case notInInventory(certificates: Int, keys: Int)
  case keyForOtherNames([String])

  // What was never there before.
  case unreadable(problems: [String])
  /// Names with bytes in them that no host name has.
  case impossibleName([String])
  case unknownIssuer(name: String?)
  case unresolvedCA(name: String?)
  case otherCA(ca: String, before: [String])
  case newName([String])
  case wildcardWhereNone([String])

  // What is not quite as before.
  case newIssuer(ca: String)
  case newKey
  case otherSetOfNames(isOne: Bool)
  case otherCAForNames(before: [String])
  case unusualTime(latestEnds: Int64?)
  case alreadyRenewed(at: Int64)
  case longerLifetime(days: Int, before: Int)
  case oddDates
  case caaUnconfirmed(ca: String)
  case caaChanged(ca: String)
  case noBaseline

  /// Never changes, once published.
  package var code: String {
    switch self {
    case .claimed: "claimed"
    case .toldCertificate: "told-certificate"
    case .keyBoundToNames: "key-bound-to-names"
    case .caAllowed: "CA-allowed"
    case .caaAllows: "caa-allows"
    case .sameCA: "same-CA"
    case .sameNames: "same-names"
    case .sameKeyRenewal: "same-key-renewal"
    case .usualRhythm: "usual-rhythm"
    case .caChangeAnnounced: "CA-change-announced"
    case .denied: "denied"
    case .keyDenied: "key-denied"
    case .caNotAllowed: "CA-not-allowed"
    case .caaForbids: "caa-forbids"
    case .notInInventory: "not-in-inventory"
    case .keyForOtherNames: "key-for-other-names"
    case .unreadable: "unreadable"
    case .impossibleName: "impossible-name"
    case .unknownIssuer: "unknown-issuer"
    case .unresolvedCA: "CA-unresolved"
    case .otherCA: "other-CA"
    case .newName: "new-name"
    case .wildcardWhereNone: "wildcard-where-none"
    case .newIssuer: "new-issuer"
    case .newKey: "new-key"
    case .otherSetOfNames: "other-set-of-names"
    case .otherCAForNames: "other-CA-for-names"
    case .unusualTime: "unusual-time"
    case .alreadyRenewed: "already-renewed"
    case .longerLifetime: "longer-lifetime"
    case .oddDates: "odd-dates"
    case .caaUnconfirmed: "caa-unconfirmed"
    case .caaChanged: "caa-changed"
    case .noBaseline: "no-baseline"
    }
  }

  /// Whether it speaks for the certificate being the owner's, or against it.
  package var speaks: Direction {
    switch self {
    case .claimed, .toldCertificate, .keyBoundToNames, .caAllowed, .caaAllows, .sameCA, .sameNames, .sameKeyRenewal,
      .usualRhythm, .caChangeAnnounced:
      .for
    default: .against
    }
  }
}
