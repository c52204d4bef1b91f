import ArgumentParser
import CertificateTransparency
import Foundation
import OrielAlerting
import OrielServer
import OrielSettings

/// Where the configuration is, and what is laid over it.
struct ConfigOptions: ParsableArguments {
  @Option(name: .shortAndLong, help: ArgumentHelp("The configuration.", valueName: "FILE"))
  var config: String = ConfigOptions.standard

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp(
      "A setting that wins over the file's, such as smtp.port=465. Repeatable.", valueName: "KEY=VALUE"))
  var settings: [String] = []

  private static var standard: String {
    ProcessInfo.processInfo.environment["ORIEL_CONFIG"] ?? "/etc/oriel/oriel.yaml"
  }

  func validate() throws {
    for setting in settings where !setting.contains("=") {
      throw ValidationError("--set takes KEY=VALUE, such as --set smtp.port=465; not '\(setting)'.")
    }
  }

  func load() throws -> LoadedConfiguration {
    let pairs = settings.map { setting in
      let parts = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      return (String(parts[0]), String(parts[1]))
    }
    return try ConfigOptions.load(config, overrides: Dictionary(pairs) { $1 })
  }

  static func load(_ file: String, overrides: [String: String] = [:]) throws -> LoadedConfiguration {
    let loader = ConfigurationLoader(environment: ProcessInfo.processInfo.environment, overrides: overrides) { path in
      guard let data = FileManager.default.contents(atPath: path) else { throw Unreadable(path: path) }
      return String(decoding: data, as: UTF8.self)
    }
    return try loader.load(file)
  }

  private struct Unreadable: Error, CustomStringConvertible {
    let path: String

    var description: String {
      FileManager.default.fileExists(atPath: path)
        ? "it is there, but this user may not read it" : "there is no such file"
    }
  }
}

struct ConfigCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config",
    abstract: "Check and show the configuration of the service.",
    discussion: """
      Examples:
        oriel config check --config oriel.yaml    what is wrong, with line and key
        oriel config show --config oriel.yaml     the settings in force, secrets masked
      """,
    subcommands: [Check.self, Show.self], defaultSubcommand: Check.self)

  struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "check", abstract: "Say what is wrong with the configuration; exit 78 if anything is.",
      discussion: "Example:\n  oriel config check --config oriel.yaml")

    @OptionGroup var options: ConfigOptions

    func run() async throws {
      try await reportingFailures {
        let loaded = try options.load()
        let plan = try ServicePlan(loaded.configuration)
        for warning in loaded.warnings { Terminal.complain("warning: \(warning)") }
        let recipients = loaded.configuration.recipients.count
        try Terminal.write(
          "\(options.config) is in order: \(counted(plan.items.count, "watched item", "watched items")), "
            + "\(counted(recipients, "recipient", "recipients")), "
            + "\(counted(plan.routes.channels.count, "address", "addresses")).\n")
      }
    }
  }

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "show", abstract: "Print the settings in force, with environment and flags; secrets are masked.",
      discussion: "Example:\n  oriel config show --config oriel.yaml --set smtp.port=465")

    @OptionGroup var options: ConfigOptions

    func run() async throws {
      try await reportingFailures { try Terminal.write(try options.load().masked) }
    }
  }
}
