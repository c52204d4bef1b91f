import ArgumentParser
import CTPolicy
import Foundation
import MerkleTree
import OrielCheck

struct PolicyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "policy",
    abstract: "Enterprise policies that spare certificates Certificate Transparency.",
    discussion: "Example:\n  oriel policy suggest chain.pem",
    subcommands: [Suggest.self])

  struct Suggest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "suggest",
      abstract: "The policy that would exempt a certificate or what a CA issues, ready to be deployed.",
      discussion: """
        Examples:
          oriel policy suggest chain.pem                   each key, and which of Chrome's conditions it would meet
          oriel policy suggest 'pin-sha256="…"'            for a pin of an HPKP header
          oriel policy suggest --for firefox chain.pem     only the file for Firefox's policies.json
        """)

    enum Target: String, ExpressibleByArgument, CaseIterable {
      case chrome, firefox, apple
    }

    @Argument(help: ArgumentHelp("A certificate or chain (PEM, DER, - for stdin), or a pin.", valueName: "FILE|PIN"))
    var source: String
    @Option(name: .customLong("for"), help: "Print only the file for chrome, firefox or apple.")
    var target: Target?
    @Flag(help: "List every key of the chain, not only that of the leaf.") var all = false
    @Flag(help: "Print a JSON object.") var json = false

    func run() async throws {
      try await reportingFailures {
        let suggestion = try suggestion()
        let keys = all ? suggestion.keys : suggestion.recommended
        if let target { return try Terminal.write(text(suggestion, keys, target) + "\n") }
        if json { return try printJSON(suggestion, keys) }
        for key in suggestion.keys {
          try Terminal.write("\(key.pin)  \(key.subject?.safeLine ?? "")\n    \(Suggest.describe(key.condition))\n")
        }
        for target in Target.allCases {
          try Terminal.write("\n# \(Suggest.places[target] ?? "")\n\(text(suggestion, keys, target))\n")
        }
      }
    }

    private static let places: [Target: String] = [
      .chrome: "Chrome: a managed policy, e.g. /etc/opt/chrome/policies/managed/ct.json",
      .firefox: "Firefox: policies.json", .apple: "Apple: a configuration profile (.mobileconfig)",
    ]

    private func suggestion() throws -> PolicySuggestion {
      if let pin = PolicySuggestion(pin: source) { return pin }
      guard let bytes = try CheckLooking.file(source) else {
        throw CommandFailure(
          "'\(source.safeLine)' is neither a file nor a pin such as sha256/… or pin-sha256=\"…\"", .badData)
      }
      do {
        return PolicySuggestion(try VerifiedChain(try CertificateFile(bytes, name: source).certificates))
      } catch {
        throw CommandFailure("\(error)", .badData)
      }
    }

    private func text(_ suggestion: PolicySuggestion, _ keys: [PolicySuggestion.Key], _ target: Target) -> String {
      switch target {
      case .chrome: suggestion.chromePolicy(keys)
      case .firefox: suggestion.firefoxPolicy(keys)
      case .apple: suggestion.appleProfile(keys)
      }
    }

    private static func describe(_ condition: PolicySuggestion.Condition) -> String {
      switch condition {
      case .leaf: "the certificate's own key: condition 1 of Chrome's CertificateTransparencyEnforcementDisabledForCas"
      case .constrainedAuthority: "condition 2: its name constraints permit named organisations only"
      case .sameOrganisation: "condition 3: it names the same organisation as the certificate"
      case .none(let reason): "changes nothing in Chrome: \(reason.safeLine)"
      case .unknown: "only the hash is known: which condition it would meet can't be told"
      }
    }

    private func printJSON(_ suggestion: PolicySuggestion, _ keys: [PolicySuggestion.Key]) throws {
      struct Key: Encodable {
        let pin, condition: String
        let subject: String?
      }
      struct Output: Encodable {
        let keys: [Key]
        let chrome, firefox, apple: String
      }
      let output = Output(
        keys: suggestion.keys.map {
          Key(pin: $0.pin, condition: Suggest.describe($0.condition), subject: $0.subject)
        },
        chrome: suggestion.chromePolicy(keys), firefox: suggestion.firefoxPolicy(keys),
        apple: suggestion.appleProfile(keys))
      try Terminal.write(json: output)
    }
  }
}
