import HTTPTypes
import Hummingbird
import OrielAccounts

extension Routes {
  /// All addresses.
  func addAll() {
    for asset in [site.assets.style, site.assets.script] {
      router.on(RouterPath(asset.path), method: .get) { _, _ in asset.response }
    }
    addSignIn()
    show("/", site.overview)
    show("/history", site.historyPage)
    show("/search", site.searchPage)
    show("/logs", site.logsPage)
    show("/logs/:log", site.logPage)
    show("/alerts", site.alertsPage)
    show("/certificate", site.viewerPage)
    act("/certificate", site.view)
    addDomains()
    addFirstDay()
    addDomainSettings()
    show("/issuances/:issuance", site.issuancePage)
    act("/issuances/:issuance/state", form: "state", page: site.issuancePage, site.setState)
    show("/issuances/:issuance/action", site.actionPage)
    act("/issuances/:issuance/action", site.lookUp)
    act("/issuances/:issuance/inclusion", site.proveInclusion)
    addSettings()
    addMachines()
    router.on("/events", method: .get) { [site] request, context in
      let visit = try await Routes.visit(request, context, site)
      do {
        return try site.events(visit, lastSeen: HTTPField.Name("Last-Event-ID").flatMap { request.headers[$0] })
      } catch {
        return try await Routes.problem(error, site, visit, isMember: true)
      }
    }
  }

  private func addSignIn() {
    show("/sign-in", isMember: false, site.signInPage)
    act("/sign-in", form: "sign-in", isMember: false, page: site.signInPage, site.requestLink)
    show("/link/:link", isMember: false, site.linkPage)
    act("/link/:link", form: "link", isMember: false, page: site.linkPage, site.useLink)
    show("/unsubscribe/:leave", isMember: false, site.leavePage)
    act("/unsubscribe/:leave", isMember: false, isOpen: true, site.leave)
    act("/sign-out", site.signOut)
    act("/account", site.chooseAccount)
  }

  private func addDomains() {
    show("/domains", site.domainsPage)
    act("/domains", form: "domain", page: site.domainsPage, site.addDomain)
    show("/domains/:domain", site.domainPage)
    show("/domains/:domain/current", site.currentPage)
    show("/domains/:domain/public", site.publicPage)
    show("/domains/:domain/settings", site.domainSettingsPage)
    show("/domains/:domain/inventory", site.inventoryPage)
    act(
      "/domains/:domain/inventory", form: "inventory", takesFiles: true, page: site.inventoryPage, site.addInventory)
    act("/domains/:domain/inventory/complete", page: site.inventoryPage, site.setInventoryComplete)
    act("/domains/:domain/inventory/:entry/remove") { [site] visit in
      let domain = try visit.domain
      try await site.accounts.removeInventory(try visit.someone(), try visit.id("entry"), of: domain)
      return .redirect("/domains/\(domain)/inventory?done=removed")
    }
    act("/domains/:domain/remove", page: site.domainSettingsPage) { [site] visit in
      guard visit.form["sure"] == "yes" else {
        throw AccountError.refused(field: .domain, reason: "say that you are sure")
      }
      try await site.accounts.removeDomain(try visit.someone(), try visit.domain)
      return .redirect("/domains?done=removed")
    }
  }

  private func addFirstDay() {
    let (path, page) = ("/domains/:domain/first-day", site.firstDayPage)
    show(path, page)
    act(path + "/probe", form: "probe", page: page, site.probe)
    act(path + "/upload", form: "upload", takesFiles: true, page: page, site.uploadBaseline)
    act(path + "/crtsh", form: "crtsh", takesFiles: true, page: page, site.importCrtSh)
    act(path + "/confirm", form: "confirm", page: page, site.confirmBaseline)
  }

  private func addDomainSettings() {
    let page = site.domainSettingsPage
    act("/domains/:domain/on", page: page) { [site] visit in
      let isOn = visit.form["on"] == "yes"
      let settings = try await site.change(visit) { $0.isOn = isOn }
      let domain = try await site.accounts.domain(try visit.someone(), visit.domain)
      // The first thing to do then.
      return isOn && domain.baselineConfirmedAt == nil ? .redirect("/domains/\(domain.id)/first-day?done=on") : settings
    }
    act("/domains/:domain/delivery", page: page) { [site] visit in
      try await site.change(visit) { change in
        for level in VerdictLevel.allCases {
          guard let time = visit.form[level.rawValue].flatMap(DeliveryTime.init(rawValue:)) else {
            throw AccountError.refused(field: .domain, reason: "choose when to tell of \(level.words.lowercased())")
          }
          change.delivery[level] = time
        }
      }
    }
    act("/domains/:domain/baseline", page: page) { [site] visit in
      _ = try await site.change(visit) { $0.isBaselineConfirmed = false }
      try await site.judge.judgeAgain(try await site.accounts.domain(try visit.someone(), visit.domain))
      return .redirect("/domains/\(try visit.domain)/first-day?done=saved")
    }
    act("/domains/:domain/owners", form: "owners", page: page) { [site] visit in
      let before = try await site.accounts.domain(try visit.someone(), visit.domain).allowedOwners
      let lines = (visit.form["owners"] ?? "").split(whereSeparator: \.isNewline).map(String.init)
      return try await site.change(visit) { change in
        change.allowedOwners = try OwnerNames(owners: site.parts.owners()).checked(
          lines.filter { !$0.allSatisfy(\.isWhitespace) }, besides: before)
      }
    }
    act("/domains/:domain/caa", form: "caa", page: page, site.confirmCAA)
    show("/domains/:domain/lookalikes", site.lookalikesPage)
    act("/domains/:domain/lookalikes", page: page, site.setLookalikes)
    act("/domains/:domain/mutes", form: "mute", page: page, site.mute)
    act("/domains/:domain/mutes/:mute/end") { [site] visit in
      try await site.accounts.unmute(try visit.someone(), try visit.id("mute"), of: try visit.domain)
      return .redirect("/domains/\(try visit.domain)/settings?done=ended")
    }
    act("/domains/:domain/recipients", form: "recipient", page: page) { [site] visit in
      let added = try await site.accounts.addRecipient(
        try visit.someone(), to: try visit.domain, address: visit.form["address"] ?? "")
      site.send(added.letter)
      return .redirect("/domains/\(try visit.domain)/settings?done=added")
    }
    act("/domains/:domain/recipients/:recipient/again") { [site] visit in
      let domain = try visit.domain
      site.send(
        try await site.accounts.confirmAgain(try visit.someone(), recipient: try visit.id("recipient"), of: domain))
      return .redirect("/domains/\(domain)/settings?done=sent")
    }
    act("/domains/:domain/recipients/:recipient/remove") { [site] visit in
      let domain = try visit.domain
      try await site.accounts.removeRecipient(try visit.someone(), try visit.id("recipient"), of: domain)
      return .redirect("/domains/\(domain)/settings?done=removed")
    }
  }

  private func addSettings() {
    let page = site.settingsPage
    show("/settings", page)
    act("/settings/name", form: "name", page: page) { [site] visit in
      try await site.accounts.rename(try visit.someone(), to: visit.form["name"] ?? "")
      return .redirect("/settings?done=saved")
    }
    act("/settings/members", form: "member", page: page, site.addMember)
    act("/settings/members/:member/role", page: page, site.setRole)
    act("/settings/members/:member/lock", page: page) { [site] visit in
      _ = try await site.accounts.change(
        try visit.someone(), member: try visit.id("member"), isLocked: visit.form["locked"] == "yes")
      return .redirect("/settings?done=saved")
    }
    act("/settings/members/:member/again", page: page) { [site] visit in
      site.send(try await site.accounts.confirmAgain(try visit.someone(), member: try visit.id("member")))
      return .redirect("/settings?done=sent")
    }
    act("/settings/members/:member/remove", page: page) { [site] visit in
      try await site.accounts.removeMember(try visit.someone(), try visit.id("member"))
      return .redirect("/settings?done=removed")
    }
    act("/settings/tokens", form: "token", page: page, site.addToken)
    act("/settings/tokens/:token/revoke", page: page) { [site] visit in
      try await site.accounts.revokeToken(try visit.someone(), try visit.id("token"))
      return .redirect("/settings?done=ended")
    }
    act("/settings/sessions/:session/end", page: page, site.endSession)
  }
}
