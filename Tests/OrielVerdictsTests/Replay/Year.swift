import CertificateTransparency
import MerkleTree
import OrielVerdicts
import TestWorld

/// A year in the life of a domain, made up from a seed: what its hosts did, and what others tried.
struct Year {
  enum Hostility: String, CaseIterable {
    case otherCA = "another CA"
    case newName = "same CA, another name"
    case wildcard = "a wildcard"
    case inRhythm = "same CA, same names, when a renewal is due, another key"
    case outOfRhythm = "same CA, same names, at another time, another key"
    case unknownIssuer = "an unknown issuer"
    case unreadable = "unreadable"
    case takeover = "a forgotten host taken over"
    case oldCA = "the old CA, after the change"
    case secondCA = "the domain's other CA, for names it never had"
    case addedName = "a renewal with one more name"
  }

  /// One issuance.
  struct Event {
    var issuance: JudgedIssuance
    /// Nil where it is the owner's own.
    var hostility: Hostility?
    /// How the host tells of it, if the owner keeps an inventory.
    var telling = Telling.nothing
  }

  enum Telling { case nothing, keyBefore, certificateAfter, lost }

  struct Authority {
    let owner: CAOwner
    let keys: [SHA256Hash]

    init(_ name: String, _ domain: String) {
      owner = CAOwner(name, caaDomains: [domain])
      keys = (1...4).map { SHA256Hash.hash(Array("\(name) \($0)".utf8)) }
    }
  }

  private struct Host {
    let names: [String]
    var authority: Authority
    var lifetime: Int64
    /// What part of the lifetime is over when it renews.
    let renewsAt: Double
    let keepsKey: Bool
    let telling: Telling
    var key: SHA256Hash
    /// When its newest certificate began.
    var start: Int64
  }

  static let day: Int64 = 86_400
  static let first: Int64 = 1_780_272_000
  static let alpha = Authority("Alpha Trust", "alpha.example")
  static let beta = Authority("Beta Certificates", "beta.example")
  /// Where the domain goes in the course of the year.
  static let gamma = Authority("Gamma Signing", "gamma.example")
  static let stranger = Authority("Delta Roots", "delta.example")

  private(set) var baseline: [Event] = []
  /// In the order of time.
  private(set) var events: [Event] = []
  /// When the owner confirms the CAA records that name gamma in place of alpha.
  let announcement: Int64
  private var generator: SeededGenerator

  init(seed: UInt64) {
    generator = SeededGenerator(seed: seed)
    announcement = Year.first + Int64(150 + generator.next() % 80) * Year.day
    for host in hosts() { run(host) }
    for hostility in Hostility.allCases {
      for _ in 0..<2 { attack(hostility) }
    }
    events.sort {
      ($0.issuance.firstSeen, $0.issuance.id.description) < ($1.issuance.firstSeen, $1.issuance.id.description)
    }
  }

  private mutating func hosts() -> [Host] {
    let front = ["example.com", "www.example.com"]
    let mail = ["mail.example.com", "imap.example.com"]
    return [
      host(front, Year.alpha, 90, at: 2 / 3, .keyBefore), host(front, Year.alpha, 90, at: 2 / 3, .certificateAfter),
      host(["api.example.com"], Year.alpha, 45, at: 2 / 3, keepsKey: true, .keyBefore),
      host(mail, Year.alpha, 90, at: 2 / 3, keepsKey: true, .keyBefore),
      host(["shop.example.com"], Year.alpha, 90, at: 2 / 3, .certificateAfter),
      // The backup certificate of another CA.
      host(["shop.example.com"], Year.beta, 90, at: 0.7, .certificateAfter),
      host(["apps.example.com", "*.apps.example.com"], Year.beta, 90, at: 2 / 3, .certificateAfter),
      host(["intra.example.com"], Year.beta, 199, at: 0.85, .keyBefore),
    ]
  }

  private mutating func host(
    _ names: [String], _ authority: Authority, _ days: Int64, at part: Double, keepsKey: Bool = false,
    _ telling: Telling
  ) -> Host {
    let lifetime = days * Year.day
    let age = between(0...Int64(Double(lifetime) * part) - 1)
    return Host(
      names: names, authority: authority, lifetime: lifetime, renewsAt: part, keepsKey: keepsKey, telling: telling,
      key: hash(), start: Year.first - age)
  }

  /// A number of the range. The same on every machine and with every toolchain, as the standard library's is not.
  private mutating func between(_ range: ClosedRange<Int64>) -> Int64 {
    range.lowerBound + Int64(generator.next() % UInt64(range.upperBound - range.lowerBound + 1))
  }

  private mutating func hash() -> SHA256Hash { SHA256Hash(generator.bytes(32)) ?? .zero }

  private mutating func issue(
    _ names: [String], by authority: Authority, key: SHA256Hash, at start: Int64, lifetime: Int64
  ) -> JudgedIssuance {
    let issuerKey = authority.keys[Int(between(0...3))]
    return JudgedIssuance(
      id: IssuanceID(hash()), names: names, matchedNames: names, issuerKeyHash: issuerKey,
      issuerName: "CN=Issuing,O=\(authority.owner.name)", owner: authority.owner, publicKey: key,
      notBefore: start - 3600,
      notAfter: start - 3601 + lifetime, firstSeen: start)
  }

  /// The host's certificates through the year: renewals with some jitter, now and then one out of turn, and the change
  /// of CA, by some hosts at once and by others when they renew.
  private mutating func run(_ first: Host) {
    var host = first
    let changesAtOnce = between(0...1) == 1
    var hasChanged = host.authority.owner != Year.alpha.owner
    baseline.append(
      Event(
        issuance: issue(host.names, by: host.authority, key: host.key, at: host.start, lifetime: host.lifetime)))
    while true {
      let planned = host.start + Int64(Double(host.lifetime) * host.renewsAt)
      var next = planned + between(0...(2 * Year.day))
      if between(0...99) < 2 {
        // Reissued by hand, for whatever reason.
        next = host.start + between(Year.day...max(Year.day, planned - host.start))
      }
      if !hasChanged, changesAtOnce ? next > announcement : planned > announcement {
        if changesAtOnce {
          next = max(announcement, host.start) + between(3600...(10 * Year.day))
        }
        next = max(next, announcement + 3600)
        host.authority = Year.gamma
        hasChanged = true
      }
      guard next < Year.first + 365 * Year.day else { return }
      // Not even an announced CA lets a host renew with the old one.
      if !hasChanged && next > announcement { next = announcement - 60 }
      if !host.keepsKey { host.key = hash() }
      host.start = next
      var event = Event(
        issuance: issue(host.names, by: host.authority, key: host.key, at: next, lifetime: host.lifetime),
        telling: host.telling)
      if between(0...99) < 1 { event.telling = .lost }
      events.append(event)
    }
  }

  private mutating func attack(_ hostility: Hostility) {
    let front = ["example.com", "www.example.com"]
    let time = Year.first + between((10 * Year.day)...(355 * Year.day))
    let current = time > announcement ? Year.gamma : Year.alpha
    let lifetime = 90 * Year.day
    var names = front
    var (authority, start) = (current, time)
    switch hostility {
    case .otherCA: authority = Year.stranger
    case .newName: names = ["login.example.com"]
    case .wildcard: names = ["*.example.com"]
    case .takeover: (names, authority) = (["old-campaign.example.com"], Year.beta)
    case .secondCA: authority = Year.beta
    case .addedName: names = front + ["vpn.example.com"]
    case .oldCA:
      authority = Year.alpha
      start = announcement + between(Year.day...(100 * Year.day))
    case .inRhythm, .outOfRhythm:
      guard let target = target(inRhythm: hostility == .inRhythm) else { return }
      names = target.issuance.names
      authority = [Year.alpha, Year.beta, Year.gamma].first { $0.owner == target.issuance.owner } ?? current
      start =
        target.issuance.firstSeen + (hostility == .inRhythm ? -1 : 5)
        * between(3600...(5 * Year.day))
    case .unknownIssuer, .unreadable: break
    }
    var issuance = issue(names, by: authority, key: hash(), at: start, lifetime: lifetime)
    if hostility == .unknownIssuer {
      issuance.owner = nil
      issuance.issuerKeyHash = hash()
    }
    if hostility == .unreadable { issuance.isReadable = false }
    events.append(Event(issuance: issuance, hostility: hostility))
  }

  /// A renewal of the owner's to come shortly before, or some time after.
  private mutating func target(inRhythm: Bool) -> Event? {
    let candidates = events.filter {
      $0.hostility == nil && $0.issuance.owner != Year.gamma.owner
        && $0.issuance.firstSeen > Year.first + 20 * Year.day && $0.issuance.names.count == 2
    }
    return candidates.isEmpty ? nil : candidates[Int(between(0...Int64(candidates.count - 1)))]
  }
}
