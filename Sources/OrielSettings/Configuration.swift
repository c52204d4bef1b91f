package import Logging
package import OrielAlerting
package import OrielLogging
package import OrielMail
package import OrielWatchlist

/// All that `oriel serve` is told: docs/configuration.md has every setting.
package struct Configuration: Sendable {
  package struct Watch: Sendable, Equatable {
    package let item: WatchedItem
    /// Names of recipients; nil for the default ones.
    package let recipients: [String]?
    /// When each verdict is told.
    package var times = VerdictTimes()
    /// Whether names that imitate it are told of.
    package var lookalikes = false
    package var rules = Rules()

    package init(item: WatchedItem, recipients: [String]?) {
      self.item = item
      self.recipients = recipients
    }
  }

  /// What certificates for an item are judged by; what is not said is for its page to say.
  package struct Rules: Sendable, Equatable {
    /// CA owners that may issue.
    package var owners: [String]?
    /// Whether what a log has shown so far is the owner's.
    package var confirmsHistory = false
    /// Whether what is not in the inventory is unexplained.
    package var hasCompleteInventory = false
    /// The CAA records that are the owner's, as zone files have them.
    package var caa: [String]?

    package init() {}
  }

  /// When those concerned are told of a certificate, by what was made of it.
  package struct VerdictTimes: Sendable, Equatable {
    package enum Time: String, Sendable, CaseIterable {
      case atOnce = "at once"
      case daily, weekly, never
    }

    package var unexplained = Time.atOnce
    package var expected = Time.atOnce
    package var known = Time.atOnce
    package var noHistory = Time.atOnce

    package init() {}
  }

  /// Somebody to tell, in one or several ways.
  package struct Recipient: Sendable {
    package let name: String
    package var mail: [MailAddress] = []
    package var webhook: WebhookChannel.Settings?
    package var command: CommandChannel.Settings?
  }

  package enum MailTransport: Sendable {
    case smtp(SMTPSettings)
    case sendmail(SendmailProgram)
  }

  package struct Canary: Sendable, Equatable {
    package let item: WatchedItem
    package let every: Duration
    package let recipients: [String]?
  }

  package var dataDirectory: String?
  package var contact: String?
  /// URLs and files; none for the default lists.
  package var logLists: [String] = []
  package var from = "now"
  package var publicURL: String?
  package var unsubscribeURL: String?
  package var allowPublicSuffix = false
  package var publicSuffixList: String?
  package var watch: [Watch] = []
  package var watchLists: [String] = []
  package var certspotterWatchLists: [String] = []
  package var recipients: [Recipient] = []
  package var defaultRecipients: [String] = []
  /// When each verdict is told, of items that do not say.
  package var times = VerdictTimes()
  /// Whether look-alikes are sought of items that do not say.
  package var lookalikes = false
  package var mailTransport: MailTransport?
  package var mailFrom: MailAddress?
  package var digestFirst = 20
  package var digestWindow = Duration.seconds(3600)
  package var firstRetry = Duration.seconds(60)
  package var longestRetry = Duration.seconds(6 * 3600)
  package var giveUpAfter = Duration.seconds(5 * 86_400)
  package var healthRecipients: [String]?
  package var healthAfter = Duration.seconds(3600)
  package var heartbeatEvery: Duration?
  package var heartbeatRecipients: [String]?
  package var heartbeatURL: WebhookURL?
  package var canaries: [Canary] = []
  /// Nil where there is to be none.
  package var dashboard: Dashboard?
  /// CCADB's reports, beside those that it publishes if they are wanted.
  package var ccadb: [CCADBReport] = []
  package var usesPublishedCCADB = false
  package var rdapBootstrap: String?
  /// Whether registrars are looked up for what is told of look-alikes, and not only when somebody asks.
  package var looksUpRegistrars = false
  /// Those that the machine is set up with, if empty.
  package var caaServers: [String] = []
  package var checksCAA = false
  package var inventory: [InventoryFolder] = []
  /// In UTC.
  package var digestHour = 8
  /// How long an unexplained certificate waits for an inventory that changes by itself.
  package var holdUnexplained = Duration.seconds(120)
  /// How long after its expiry a certificate is kept; nil for ever.
  package var retention: Duration?
  /// The least severe log records that are written; nil where the file does not say.
  package var logLevel: Logger.Level?
  /// How log records are written; nil where the file does not say.
  package var logFormat: LogFormat?

  package init() {}
}

/// A configuration with what is odd about it, though usable.
package struct LoadedConfiguration: Sendable {
  package let configuration: Configuration
  package let warnings: [String]
  /// Every dotted key that there is.
  package let knownKeys: Set<String>
  /// The settings in force as YAML, secrets masked.
  package let masked: String
  /// The settings in force by dotted key, a list as one; and the texts of files that are settings, by their paths.
  let values: [String: String]
}
