package import CertificateTransparency
import Foundation
package import OrielWatchlist

/// Finds out registrars by IANA's list of RDAP services, which is read when it is first needed, and kept for a day.
///
/// What registries answer is kept for an hour, so that nobody asks the same of them again and again.
package actor RegistrarDirectory {
  private static let day: UInt64 = 86_400_000
  private static let hour: UInt64 = 3_600_000
  private static let mostAnswers = 1000

  private let place: String
  private let suffixes: PublicSuffixes
  private let fetch: Fetch
  private let now: @Sendable () -> Timestamp
  private var list: (bootstrap: RDAPBootstrap, readAt: Timestamp)?
  private var answers: [String: (answer: RegistrarLookup.Answer, at: Timestamp)] = [:]

  /// - Parameter place: the path or URL of IANA's list.
  package init(
    _ place: String, suffixes: PublicSuffixes, now: @escaping @Sendable () -> Timestamp, fetch: @escaping Fetch
  ) {
    self.place = place
    self.suffixes = suffixes
    self.fetch = fetch
    self.now = now
  }

  package func registrar(of name: DomainName) async -> RegistrarLookup.Answer {
    let time = now().milliseconds
    let domain = suffixes.registrableName(of: name)?.ascii ?? name.ascii
    if let known = answers[domain], isFresh(known.at, RegistrarDirectory.hour, time) { return known.answer }
    let bootstrap: RDAPBootstrap
    do { bootstrap = try await readList(time) } catch {
      return .failed(
        domain: domain, reason: "IANA's list of registries (\(place)) can't be had: \(error)".cleaned(limit: 300))
    }
    let answer = await RegistrarLookup(bootstrap: bootstrap, suffixes: suffixes, fetch: fetch).registrar(of: name)
    // What failed may work when it is asked for again.
    if case .failed = answer { return answer }
    if answers.count >= RegistrarDirectory.mostAnswers { answers.removeAll() }
    answers[domain] = (answer, now())
    return answer
  }

  private func readList(_ time: UInt64) async throws -> RDAPBootstrap {
    if let list, isFresh(list.readAt, RegistrarDirectory.day, time) { return list.bootstrap }
    let isURL = place.hasPrefix("https://") || place.hasPrefix("http://")
    do {
      let bytes = try await isURL ? fetch(place) : [UInt8](Data(contentsOf: URL(filePath: place)))
      let read = try RDAPBootstrap(json: bytes)
      list = (read, now())
      return read
    } catch {
      // An old list will do: registries seldom move.
      guard let list else { throw error }
      return list.bootstrap
    }
  }

  private func isFresh(_ then: Timestamp, _ age: UInt64, _ time: UInt64) -> Bool {
    then.milliseconds <= time && time - then.milliseconds < age
  }
}
