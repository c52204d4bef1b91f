import ArgumentParser
import CertificateTransparency
import Foundation
import MerkleTree
import OrielAccounts
import OrielServer
import OrielStore
import OrielVerdicts
import OrielWatchlist

struct CertificatesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "certificates",
    abstract: "Your own certificates, so that Oriel knows them.",
    discussion: """
      Example:
        oriel certificates add /etc/letsencrypt/live/example.com/fullchain.pem
      """,
    subcommands: [Add.self])

  struct Add: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "add",
      abstract: "Put certificates, with their keys, into the inventory: also as a deploy hook.",
      discussion: """
        Examples:
          oriel certificates add fullchain.pem request.csr
          certbot renew --deploy-hook 'oriel certificates add "$RENEWED_LINEAGE/fullchain.pem"'

        Files are PEM of any number of certificates and requests, or the DER of one certificate; give chains whole, as
        the issuer is needed too. Private keys in them are not looked at. Each goes to the domains of the account that
        have one of its names. The service may run meanwhile (docs/inventory.md).
        """)

    @OptionGroup var data: DataOptions
    @Argument(help: "Files with certificates.") var files: [String]
    @Option(help: ArgumentHelp("The account, by its number. Default: the first one.", valueName: "NUMBER"))
    var account: Int64?
    @Flag(help: "Print a JSON array of what was added.") var json = false

    func run() async throws { try await reportingFailures(work) }

    private func work() async throws {
      let found = try files.map { file in (file, try Add.read(file)) }
      let store = try data.accounts()
      let service = AccountService(store)
      let chosen: Account?
      if let account {
        chosen = try await store.find(account)
      } else {
        chosen = try await service.accounts(limit: 1).first
      }
      guard let chosen else {
        throw CommandFailure("there is no account yet; run `oriel serve` first, or `oriel accounts add`", .badData)
      }
      let watched = try await store.watched(of: chosen.id)
      var lines: [Line] = []
      for (file, credentials) in found {
        for entry in credentials.entries {
          let domains = watched.filter { $0.isHit(by: entry.names) }.map(\.domain)
          for domain in domains {
            try await service.found(
              [NewInventoryEntry(entry)], for: domain.id, source: "oriel certificates: \(file)", isByProgram: true)
          }
          lines.append(Line(entry, domains: domains.map(\.item)))
        }
      }
      if json { try Terminal.write(json: lines) } else { for line in lines { try Terminal.write(line.text + "\n") } }
      guard lines.contains(where: { !$0.domains.isEmpty }) else {
        throw CommandFailure("the account \(chosen.id) has no domain for any of these names", .findings)
      }
    }

    private static func read(_ file: String) throws -> FoundCredentials {
      guard let bytes = FileManager.default.contents(atPath: file) else {
        throw CommandFailure("\(file) can't be read", .badData)
      }
      let found = FoundCredentials(upload: [UInt8](bytes), source: file)
      guard found.problems.isEmpty, !found.entries.isEmpty else {
        let problem = found.problems.first ?? "only CA certificates are in there"
        throw CommandFailure("\(file): \(problem)", .badData)
      }
      return found
    }
  }

  /// What was added, and to which domains.
  private struct Line: Encodable {
    let kind, sha256: String
    let names, domains: [String]

    init(_ entry: OrielVerdicts.InventoryEntry, domains: [String]) {
      kind = entry.kind.rawValue
      sha256 = entry.hash.hex
      names = entry.names
      self.domains = domains
    }

    var text: String {
      let place = domains.isEmpty ? "no domain of the account" : domains.joined(separator: ", ")
      return "\(kind) \(sha256) for \(names.prefix(5).joined(separator: ", ")): \(place)"
    }
  }
}

/// A domain of the account, and what is watched for it.
private struct WatchedDomain {
  let domain: Domain
  let item: WatchedItem

  func isHit(by names: [String]) -> Bool {
    names.contains(domain.item) || item.isName && names.contains(where: item.isHit)
  }
}

extension AccountStore {
  fileprivate func watched(of account: AccountID) async throws -> [WatchedDomain] {
    var domains: [WatchedDomain] = []
    var last: String?
    repeat {
      let page = try await Accounts(self).domains(.machine(account), after: last, limit: 1000)
      domains += page.compactMap { domain in
        (try? domain.watched).map { WatchedDomain(domain: domain, item: $0) }
      }
      last = page.last?.item
    } while last != nil
    return domains
  }
}
