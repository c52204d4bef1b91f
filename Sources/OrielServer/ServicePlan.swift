import CertificateTransparency
import Foundation
package import OrielAccounts
package import OrielAlerting
package import OrielContacts
import OrielMail
import OrielMonitor
package import OrielSettings
import OrielStore
package import OrielWatchlist

/// What a configuration comes to: what is watched, who is told, and how.
package struct ServicePlan: Sendable {
  package let items: [WatchedItem]
  package let routes: AlertRoutes
  package let alerts: AlertSettings
  package let health: HealthWatch.Settings
  /// What the file itself watches, for those whom it names; shown in the operator's account.
  package let mirrored: [ConfiguredDomain]
  package let lookalikes: LookalikeNames
  /// Who gets the operator's account, if it is nobody's.
  package let owner: String?
  package let verdicts: VerdictRouter.Settings
  package let inventory: [Configuration.InventoryFolder]
  /// How long after its expiry a certificate is kept; nil for ever.
  package let retention: Duration?
  /// Where CCADB's reports are; nil where they are not wanted.
  package let caSource: CADataSource?
  /// Nil where CAA records are not looked up.
  package let caaLookup: CAALookup.Settings?

  /// - Throws: what a watch list's reading throws.
  package init(_ configuration: Configuration) throws {
    items = try ServicePlan.items(configuration)
    let post = ServicePlan.post(configuration)
    let publicURL = configuration.publicURL ?? configuration.dashboard?.url
    routes = ServicePlan.routes(configuration, post, publicURL, Set(items.map(\.description)))
    mirrored = ServicePlan.mirrored(configuration, items)
    lookalikes = ServicePlan.lookalikes(configuration, items)
    retention = configuration.retention
    owner = configuration.dashboard?.owner
    inventory = configuration.inventory
    var verdicts = VerdictRouter.Settings()
    verdicts.mail = post
    verdicts.publicURL = publicURL
    verdicts.digestHour = configuration.digestHour
    verdicts.hold = configuration.holdUnexplained
    self.verdicts = verdicts
    caSource = ServicePlan.caSource(configuration)
    caaLookup = try ServicePlan.caaLookup(configuration)
    var alerts = AlertSettings()
    alerts.firstRetry = configuration.firstRetry
    alerts.longestRetry = configuration.longestRetry
    alerts.giveUpAfter = configuration.giveUpAfter
    alerts.burst = BurstLimit(
      first: configuration.digestFirst, window: configuration.digestWindow.components.seconds * 1000)
    self.alerts = alerts
    var health = HealthWatch.Settings()
    health.after = configuration.healthAfter
    health.heartbeat = configuration.heartbeatEvery
    health.canaries = configuration.canaries.map {
      HealthWatch.Canary(item: $0.item.description, every: $0.every)
    }
    self.health = health
  }

  /// - Parameter items: everything that the file watches.
  private static func mirrored(_ configuration: Configuration, _ items: [WatchedItem]) -> [ConfiguredDomain] {
    var seen: Set<WatchedItem> = []
    let own = configuration.watch.filter { seen.insert($0.item).inserted }.map { watch in
      var domain = ConfiguredDomain(watch.item)
      domain.delivery = DeliveryTimes(watch.times)
      domain.watchesLookalikes = watch.lookalikes
      domain.allowedOwners = watch.rules.owners
      domain.isBaselineConfirmed = watch.rules.confirmsHistory ? true : nil
      domain.isInventoryComplete = watch.rules.hasCompleteInventory ? true : nil
      domain.confirmedCAA = watch.rules.caa.map { CAAText.lines($0.map(CAAText.record)) }
      return domain
    }
    let times = DeliveryTimes(configuration.times)
    return own
      + listed(configuration, items).map { item in
        var domain = ConfiguredDomain(item)
        (domain.delivery, domain.watchesLookalikes) = (times, configuration.lookalikes && item.isName)
        return domain
      }
  }

  /// What is in watch lists alone.
  private static func listed(_ configuration: Configuration, _ items: [WatchedItem]) -> [WatchedItem] {
    let own = Set(configuration.watch.map(\.item) + configuration.canaries.map(\.item))
    return items.filter { !own.contains($0) }
  }

  private static func lookalikes(_ configuration: Configuration, _ items: [WatchedItem]) -> LookalikeNames {
    let lists = configuration.lookalikes ? listed(configuration, items) : []
    let wanted = configuration.watch.filter(\.lookalikes).map(\.item) + lists
    guard !wanted.isEmpty else { return LookalikeNames() }
    let isWanted = Set(wanted)
    func owned(_ item: WatchedItem) -> LookalikeIndex.OwnedDomain? {
      LookalikeIndex.OwnedDomain(item, owner: StoredLookalike.configuration)
    }
    return LookalikeNames(
      watched: wanted.compactMap(owned), own: items.filter { !isWanted.contains($0) }.compactMap(owned))
  }

  private static func items(_ configuration: Configuration) throws -> [WatchedItem] {
    let suffixes = try configuration.publicSuffixList.map { try PublicSuffixes(file: $0) } ?? PublicSuffixes.system
    var items = configuration.watch.map(\.item) + configuration.canaries.map(\.item)
    let lists = [
      (configuration.watchLists, Watchlist.Syntax.oriel), (configuration.certspotterWatchLists, .certspotter),
    ]
    for (files, syntax) in lists {
      for file in files {
        items += try Watchlist.read(
          [UInt8](Data(contentsOf: URL(filePath: file))), syntax: syntax,
          allowPublicSuffix: configuration.allowPublicSuffix, publicSuffixes: suffixes)
      }
    }
    return items.uniqued()
  }

  // MARK: Routes

  static func caaLookup(_ configuration: Configuration) throws -> CAALookup.Settings? {
    guard configuration.checksCAA else { return nil }
    return CAALookup.Settings(servers: try configuration.caaServers.map { try NameServer($0) })
  }

  static func post(_ configuration: Configuration) -> MailPost? {
    guard let sender = configuration.mailFrom else { return nil }
    return switch configuration.mailTransport {
    case .smtp(let settings): MailPost(transport: .smtp(SMTPClient(settings)), sender: sender)
    case .sendmail(let program): MailPost(transport: .sendmail(program), sender: sender)
    case nil: nil
    }
  }

  private static func caSource(_ configuration: Configuration) -> CADataSource? {
    guard configuration.usesPublishedCCADB || !configuration.ccadb.isEmpty else { return nil }
    var source = configuration.usesPublishedCCADB ? CADataSource.published : CADataSource()
    for report in configuration.ccadb {
      switch report.kind {
      case .records: source.records.append(report.place)
      case .certificates: source.certificates.append(report.place)
      case .caaIdentifiers: source.caaIdentifiers.append(report.place)
      case .mechanisms: source.mechanisms.append(report.place)
      }
    }
    return source
  }

  private static func routes(
    _ configuration: Configuration, _ post: MailPost?, _ publicURL: String?, _ items: Set<String>
  ) -> AlertRoutes {
    let renderer = AlertRenderer(publicURL: publicURL)
    var channels: [String: any Channel] = [:]
    var targets: [String: [AlertTarget]] = [:]
    let add = { (recipient: String, target: String, channel: any Channel) in
      channels[target] = channel
      targets[recipient, default: []].append(AlertTarget(recipient: recipient, target: target))
    }
    for recipient in configuration.recipients {
      for address in recipient.mail {
        guard let post else { continue }
        add(
          recipient.name, "mail:\(address.address)",
          MailChannel(
            post.transport, from: post.sender, to: address, renderer: renderer,
            unsubscribeURL: configuration.unsubscribeURL))
      }
      if var webhook = recipient.webhook {
        webhook.userAgent = "oriel/\(OrielVersion.text)"
        add(recipient.name, "webhook:\(recipient.name)", WebhookChannel(webhook))
      }
      if let command = recipient.command {
        add(recipient.name, "command:\(recipient.name)", CommandChannel(command))
      }
    }
    let targetsByName = targets
    func all(_ names: [String]) -> [AlertTarget] { names.flatMap { targetsByName[$0] ?? [] } }
    var routes = AlertRoutes(standard: all(configuration.defaultRecipients), channels: channels)
    // What accounts watch is none of the file's recipients' business.
    routes.standardItems = items
    for watch in configuration.watch {
      if let own = watch.recipients { routes.items[watch.item.description, default: []] += all(own) }
    }
    for canary in configuration.canaries {
      if let own = canary.recipients { routes.canaries[canary.item.description] = all(own) }
      // A canary that comes is as it should be: nobody is told, unless it is watched for itself.
      if !configuration.watch.contains(where: { $0.item == canary.item }) {
        routes.items[canary.item.description] = []
      }
    }
    routes.logHealth = configuration.healthRecipients.map(all) ?? routes.standard
    routes.heartbeat = all(configuration.heartbeatRecipients ?? [])
    if let url = configuration.heartbeatURL {
      // Whoever runs the service names this address; it often is on a network of their own.
      routes.channels["ping:heartbeat"] = WebhookChannel(
        WebhookChannel.Settings(url: url, allowPrivateTargets: true, userAgent: "oriel/\(OrielVersion.text)"))
      routes.heartbeat.append(AlertTarget(recipient: AlertRoutes.ping, target: "ping:heartbeat"))
    }
    return routes
  }
}

extension DeliveryTimes {
  fileprivate init(_ times: Configuration.VerdictTimes) {
    self.init()
    unexplained = DeliveryTime(times.unexplained)
    expected = DeliveryTime(times.expected)
    known = DeliveryTime(times.known)
    noHistory = DeliveryTime(times.noHistory)
  }
}

extension DeliveryTime {
  fileprivate init(_ time: Configuration.VerdictTimes.Time) {
    self =
      switch time {
      case .atOnce: .atOnce
      case .daily: .daily
      case .weekly: .weekly
      case .never: .never
      }
  }
}
