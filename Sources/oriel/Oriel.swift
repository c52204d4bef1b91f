import ArgumentParser
import OrielMonitor

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

@main
struct Oriel: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "oriel",
    abstract: "Certificate Transparency for people who answer for domain names.",
    discussion: """
      Begin with `oriel demo`, which needs nothing but this machine, or watch a name of yours:

        oriel watch example.com

      Exit codes: 0 as asked, 1 findings, 2 could not tell, 3 incomplete (a log unreachable or lying), 64 usage,
      65 bad data, 73 data directory or address in use or unwritable, 78 configuration.
      """,
    version: OrielVersion.text,
    subcommands: [
      ServeCommand.self, WatchCommand.self, CheckCommand.self, SCTCommand.self, PolicyCommand.self, SubmitCommand.self,
      SearchCommand.self, LogsCommand.self, LogCommand.self, AlertsCommand.self, AccountsCommand.self,
      CertificatesCommand.self, ConfigCommand.self, BackupCommand.self,
      RestoreCommand.self, DemoCommand.self,
    ])

  static func main() async {
    Signals.surviveHangup()
    // A reader that has gone is an error of the write, not the end of the process.
    signal(SIGPIPE, SIG_IGN)
    await main(nil)
  }
}
