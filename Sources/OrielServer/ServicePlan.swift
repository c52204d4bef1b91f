import Foundation
package import OrielAlerting
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

  /// - Throws: what a watch list's reading throws.
  package init(_ configuration: Configuration) throws {
    items = try ServicePlan.items(configuration)
    routes = ServicePlan.routes(configuration)
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
    var seen: Set<WatchedItem> = []
    return items.filter { seen.insert($0).inserted }
  }

  // MARK: Routes

  private static func routes(_ configuration: Configuration) -> AlertRoutes {
    let renderer = AlertRenderer(publicURL: configuration.publicURL)
    let transport: MailChannel.Transport? =
      switch configuration.mailTransport {
      case .smtp(let settings): .smtp(SMTPClient(settings))
      case .sendmail(let program): .sendmail(program)
      case nil: nil
      }
    var channels: [String: any Channel] = [:]
    var targets: [String: [AlertTarget]] = [:]
    let add = { (recipient: String, target: String, channel: any Channel) in
      channels[target] = channel
      targets[recipient, default: []].append(AlertTarget(recipient: recipient, target: target))
    }
    for recipient in configuration.recipients {
      for address in recipient.mail {
        guard let transport, let sender = configuration.mailFrom else { continue }
        add(
          recipient.name, "mail:\(address.address)",
          MailChannel(
            transport, from: sender, to: address, renderer: renderer, unsubscribeURL: configuration.unsubscribeURL))
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
      routes.heartbeat.append(AlertTarget(recipient: "heartbeat", target: "ping:heartbeat"))
    }
    return routes
  }
}
