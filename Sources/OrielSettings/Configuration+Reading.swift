import Foundation
import Logging
import OrielAlerting
import OrielLogging
import OrielMail
import OrielWatchlist
import Yams

extension Configuration {
  /// Reads what a file says; mistakes go to the section's reader.
  init(_ root: Section) {
    self.init()
    dataDirectory = root.string("data_dir").map(root.reader.path)
    contact = root.string("contact")
    logLists = root.list("log_lists").map { $0.text.contains("://") ? $0.text : root.reader.path($0.text) }
    from = root.string("from") ?? from
    publicURL = root.parse("public_url", "expected an address that starts with https:// or http://", webAddress)
    unsubscribeURL = root.parse("unsubscribe_url", "expected an address that starts with https://", webAddress)
    allowPublicSuffix = root.flag("allow_public_suffix") ?? false
    publicSuffixList = root.string("public_suffix_list").map(root.reader.path)
    watchLists = root.list("watch_lists").map { root.reader.path($0.text) }
    certspotterWatchLists = root.list("certspotter_watch_lists").map { root.reader.path($0.text) }
    readMail(root)
    readRecipients(root)
    let known = Set(recipients.map(\.name))
    let defaults = root.section("defaults")
    defaultRecipients = names("recipients", in: defaults, known) ?? []
    lookalikes = defaults.flag("lookalikes") ?? lookalikes
    times = VerdictTimes(defaults.section("tell"), otherwise: times)
    defaults.finish()
    readWatch(root, known)
    retention = root.duration("retention", .seconds(86_400)...(.seconds(36_500 * 86_400)))
    let log = root.section("log")
    logLevel = log.choice("level", Logger.Level.self)
    logFormat = log.choice("format", LogFormat.self)
    log.finish()
    readTimes(root)
    readHealth(root, known)
    readService(root)
    warnOfOwners(root.reader)
    warnOfLacks(root.reader)
    // What is watched, and who is told, can come from the dashboard as well.
    guard dashboard == nil else { return }
    if watch.isEmpty, watchLists.isEmpty, certspotterWatchLists.isEmpty {
      root.reader.fail(nil, "watch", "nothing is watched: list a name, such as `watch: [example.com]`")
    }
    if watchLists.isEmpty, certspotterWatchLists.isEmpty {
      for item in inventory.map(\.item) where !watch.contains(where: { $0.item == item }) {
        root.reader.warn("`inventory` has a folder for \(item), which `watch` does not list: it tells of nothing")
      }
    }
    let isAnybodyTold = !defaultRecipients.isEmpty || watch.contains { $0.recipients?.isEmpty == false }
    if !isAnybodyTold { root.reader.warn("nobody is told of certificates: set `defaults.recipients`") }
  }

  /// What is missing, and would be missed later only.
  private func warnOfLacks(_ reader: SettingsReader) {
    if dashboard != nil, mailFrom == nil {
      reader.warn("without `smtp` or `sendmail` nobody can sign in at the `dashboard`: links are sent by mail")
    }
    let files =
      ccadb.map { ("contacts.ccadb", $0.place) }
      + [rdapBootstrap].compactMap { $0 }.map {
        ("contacts.rdap_bootstrap", $0)
      }
    for (key, file) in files + inventory.map({ ("inventory[].folder", $0.folder) })
    where !file.contains("://") && !FileManager.default.fileExists(atPath: file) {
      reader.warn("`\(key)`: there is no \(file)")
    }
  }

  /// Names of recipients, each of which there must be; nil where none are given.
  func names(_ key: String, in section: Section, _ known: Set<String>) -> [String]? {
    guard section.has(key) else { return nil }
    return section.list(key).compactMap { name in
      guard known.contains(name.text) else {
        section.reader.fail(name, "there is no recipient `\(name.text)`; see `recipients`")
        return nil
      }
      return name.text
    }
  }

  private mutating func readRecipients(_ root: Section) {
    let all = root.section("recipients")
    for name in all.keys {
      let section = all.section(name)
      var recipient = Recipient(name: name)
      for address in section.list("mail") {
        do { recipient.mail.append(try MailAddress(address.text)) } catch { root.reader.fail(address, "\(error)") }
      }
      if !recipient.mail.isEmpty, mailTransport == nil {
        root.reader.fail(section.mark, "recipients.\(name).mail", "mail needs `smtp` or `sendmail`")
      }
      if section.has("webhook") { recipient.webhook = webhook(section.section("webhook")) }
      if section.has("command") { recipient.command = command(section.section("command")) }
      if !["mail", "webhook", "command"].contains(where: section.has) {
        root.reader.fail(section.mark, "recipients.\(name)", "expected `mail`, `webhook` or `command`")
      }
      section.finish()
      recipients.append(recipient)
    }
  }

  private enum PayloadFormat: String, CaseIterable { case json, slack }

  private func webhook(_ section: Section) -> WebhookChannel.Settings? {
    defer { section.finish() }
    let url = section.parse("url", "expected an address that starts with https://") { try WebhookURL($0) }
    let format = section.choice("format", PayloadFormat.self) ?? .json
    let secret = section.secret("secret")
    let timeout = section.duration("timeout", .seconds(1)...(.seconds(120)))
    let allowPrivate = section.flag("allow_private_targets") ?? false
    let combines = section.flag("digest")
    guard let url else {
      if !section.has("url") { section.reader.fail(section.mark, section.path + ".url", "expected an address") }
      return nil
    }
    var settings = WebhookChannel.Settings(
      url: url, payload: format == .slack ? .slack : .json, secret: secret, timeout: timeout ?? .seconds(10),
      allowPrivateTargets: allowPrivate)
    if let combines { settings.combinesBursts = combines }
    return settings
  }

  private func command(_ section: Section) -> CommandChannel.Settings? {
    defer { section.finish() }
    let arguments = section.list("arguments").map(\.text)
    let timeout = section.duration("timeout", .seconds(1)...(.seconds(3600)))
    let combines = section.flag("digest") ?? false
    guard let program = section.string("program") else {
      section.reader.fail(section.mark, section.path + ".program", "expected the path of a program")
      return nil
    }
    var settings = CommandChannel.Settings(program: program, arguments: arguments, timeLimit: timeout ?? .seconds(30))
    settings.combinesBursts = combines
    return settings
  }

  private enum Security: String, CaseIterable { case starttls, tls, none }

  private mutating func readMail(_ root: Section) {
    if root.has("smtp") || root.reader.override("smtp.host") != nil {
      readSMTP(root.section("smtp"))
      if root.has("sendmail") {
        root.reader.fail(root.section("sendmail").mark, "sendmail", "give `smtp` or this, not both")
      }
      return
    }
    _ = root.has("smtp")
    guard root.has("sendmail") else { return }
    let section = root.section("sendmail")
    let program = section.string("program") ?? "/usr/sbin/sendmail"
    let arguments = section.has("arguments") ? section.list("arguments").map(\.text) : ["-i"]
    readSender(section)
    requireSender(section)
    section.finish()
    mailTransport = .sendmail(SendmailProgram(path: program, arguments: arguments))
  }

  private mutating func readSMTP(_ section: Section) {
    let security = section.choice("security", Security.self) ?? .starttls
    let ports: [Security: Int] = [.starttls: 587, .tls: 465, .none: 25]
    var settings = SMTPSettings(
      host: section.string("host") ?? "", port: section.integer("port", 1...65535) ?? ports[security] ?? 587,
      security: security == .tls ? .implicit : security == .none ? .none : .startTLS,
      heloName: section.string("helo"))
    if settings.host.isEmpty {
      section.reader.fail(section.mark, "smtp.host", "expected the name of your mail server, such as smtp.example.com")
    }
    let (username, password) = (section.string("username"), section.secret("password"))
    if let username, let password {
      settings.credentials = SMTPCredentials(username: username, password: password)
    } else if username != nil || password != nil {
      section.reader.fail(section.mark, "smtp", "give both `username` and `password` (or `password_file`), or neither")
    }
    settings.allowPlaintextAuth = section.flag("allow_plaintext_auth") ?? false
    settings.caCertificateFile = section.string("ca_file").map(section.reader.path)
    if settings.credentials != nil, security == .none, !settings.allowPlaintextAuth {
      section.reader.fail(
        section.mark, "smtp.security", "the password would go over the network in clear: use starttls or tls")
    }
    readSender(section)
    if mailFrom == nil, section.string("from") == nil { mailFrom = username.flatMap { try? MailAddress($0) } }
    requireSender(section)
    section.finish()
    mailTransport = .smtp(settings)
  }

  private mutating func readSender(_ section: Section) {
    mailFrom = section.parse("from", "expected a mail address") { try MailAddress($0) }
  }

  private func requireSender(_ section: Section) {
    if mailFrom == nil, section.string("from") == nil {
      section.reader.fail(section.mark, "\(section.path).from", "expected the address that mails come from")
    }
  }

  private mutating func readTimes(_ root: Section) {
    let digest = root.section("digest")
    digestFirst = digest.integer("first", 0...100_000) ?? digestFirst
    digestWindow = digest.duration("window", .seconds(1)...(.seconds(7 * 86_400))) ?? digestWindow
    digestHour = digest.integer("hour", 0...23) ?? digestHour
    digest.finish()
    let retry = root.section("retry")
    firstRetry = retry.duration("first", .seconds(1)...(.seconds(86_400))) ?? firstRetry
    longestRetry = retry.duration("longest", .seconds(1)...(.seconds(86_400))) ?? longestRetry
    giveUpAfter = retry.duration("give_up_after", .seconds(60)...(.seconds(60 * 86_400))) ?? giveUpAfter
    retry.finish()
  }

  private mutating func readHealth(_ root: Section, _ known: Set<String>) {
    let health = root.section("health")
    healthAfter = health.duration("after", .seconds(60)...(.seconds(30 * 86_400))) ?? healthAfter
    healthRecipients = names("recipients", in: health, known)
    health.finish()
    let heartbeat = root.section("heartbeat")
    heartbeatRecipients = names("recipients", in: heartbeat, known)
    heartbeatURL = heartbeat.parse("ping_url", "expected an address that starts with https://") { try WebhookURL($0) }
    let every = heartbeat.duration("every", .seconds(60)...(.seconds(30 * 86_400)))
    if heartbeatURL != nil || heartbeatRecipients?.isEmpty == false { heartbeatEvery = every ?? .seconds(86_400) }
    heartbeat.finish()
    for node in root.items("canaries") {
      let section = Section(root.reader, "canaries", node)
      let item = section.parse("name", "expected a host name") { try WatchedItem(parsing: "=" + $0) }
      let every = section.duration("every", .seconds(60)...(.seconds(366 * 86_400))) ?? .seconds(36 * 3600)
      let own = names("recipients", in: section, known)
      if let item { canaries.append(Canary(item: item, every: every, recipients: own)) }
      if !section.has("name") { root.reader.fail(section.mark, "canaries.name", "expected a host name") }
      section.finish()
    }
  }
}

private func webAddress(_ text: String) -> String? {
  let isWeb = text.hasPrefix("https://") || text.hasPrefix("http://")
  guard isWeb, !text.utf8.contains(where: { $0 <= 0x20 || $0 >= 0x7F || $0 == 0x3E || $0 == 0x22 }) else { return nil }
  return text.hasSuffix("/") ? String(text.dropLast()) : text
}
