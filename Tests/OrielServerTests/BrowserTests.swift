import CertificateTransparency
import Foundation
import OrielAccounts
import OrielVerdicts
import Testing

@testable import OrielServer

@Suite("In a browser", .serialized, .enabled(if: WebDriver.program != nil, "needs chromedriver (apt: chromium-driver)"))
struct BrowserTests {
  @Test("Signing in, opting in, an alert arriving live, acknowledging, and unsubscribing")
  func wayThrough() async throws {
    let dashboard = try await Dashboard()
    let owner = try await dashboard.account("Alpha").actor
    try await dashboard.serve { port in
      let browser = try await WebDriver()
      do {
        try await walk(dashboard, owner, browser, "http://127.0.0.1:\(port)")
        await browser.close()
      } catch {
        await browser.close()
        throw error
      }
    }
  }

  private func walk(_ dashboard: Dashboard, _ owner: Actor, _ browser: WebDriver, _ base: String) async throws {
    try await browser.open(base)
    try await browser.type("owner@alpha.example", into: "#address")
    try await browser.click("main button")
    try await browser.wait(for: "Look at your mail")
    try await browser.open(base + (try await dashboard.letters.path(to: "owner@alpha.example")))
    try await browser.click("main button")
    try await browser.wait(for: "Begin with a domain")

    try await browser.open(base + "/domains")
    try await browser.type("alpha.example", into: "#item")
    try await browser.click("main form[action='/domains'][method=post] button")
    try await browser.wait(for: "Nobody: alerts for this domain go nowhere")
    try await browser.click("form[action$='/on'] button")
    try await browser.wait(for: "Nothing found yet")
    let path = try #require(try await dashboard.accounts.domains(owner).first).id
    try await dashboard.sight(["alpha.example"], for: path, item: "alpha.example", .noHistory, [.noBaseline])
    try await browser.open(base + "/domains/\(path)/first-day")
    try await browser.click("form[action$='/first-day/confirm'] button:not([disabled])")
    try await browser.wait(for: "New certificates are compared with what is yours")
    try await browser.open(base + "/domains/\(path)/settings")
    try await browser.wait(for: "Turning it off stops that at once")
    try await browser.type("hear@alpha.example", into: "#address")
    try await browser.click("form[action$='/recipients'] button")
    try await browser.wait(for: "waiting for confirmation")
    let domain = try #require(try await dashboard.accounts.domains(owner).first).id
    try await browser.open(base + (try await dashboard.letters.path(to: "hear@alpha.example")))
    try await browser.click("main button")
    try await browser.wait(for: "gets alerts from now on")

    try await browser.open(base)
    try await browser.wait(for: "Nothing. Every certificate")
    try await dashboard.sight(
      ["login.alpha.example"], for: domain, item: "alpha.example", .unexplained, [.newName(["login.alpha.example"])])
    try await browser.wait(for: "login.alpha.example")
    #expect(try await browser.script("return document.title") == "(1) Overview · Oriel")
    #expect(try await browser.script("return document.getElementById('said').textContent") == "1 need you now")
    #expect(try await browser.script("return document.getElementById('open').textContent") == "1")
    try await browser.click("#needs a.names")
    try await browser.wait(for: "What speaks against it")
    try await browser.click("button[value=acknowledged]")
    try await browser.wait(for: "Acknowledged by")

    let code = try #require(try await dashboard.service.addressees(of: domain).first).unsubscribeCode
    try await browser.open(base + "/unsubscribe/" + code)
    try await browser.click("main button")
    try await browser.wait(for: "No more mail")
    #expect(try await dashboard.service.addressees(of: domain).isEmpty)
  }

  @Test("No page is wider than a phone, and each has what screen readers need")
  func pages() async throws {
    let dashboard = try await Dashboard()
    let story = try await Story(dashboard)
    try await dashboard.serve { port in
      let browser = try await WebDriver()
      do {
        try await look(story, browser, "http://127.0.0.1:\(port)")
        await browser.close()
      } catch {
        await browser.close()
        throw error
      }
    }
  }

  private func look(_ story: Story, _ browser: WebDriver, _ base: String) async throws {
    let (d, i) = ("/domains/\(story.domain)", "/issuances/\(story.open)?domain=\(story.domain)")
    let pages = [
      ("overview", "/"), ("domains", "/domains"), ("domain", d), ("current", d + "/current"), ("public", d + "/public"),
      ("domain-settings", d + "/settings"), ("inventory", d + "/inventory"), ("first-day", d + "/first-day"),
      ("issuance", i),
      ("beginning", "/domains/\(story.second)/first-day"),
      ("action", "/issuances/\(story.open)/action?domain=\(story.domain)"), ("settings", "/settings"),
      ("logs", "/logs"), ("alerts", "/alerts"), ("search", "/search?name=harbour-books.example"),
      ("certificate", "/certificate"), ("nothing", "/nothing-here"), ("sign-in", "/sign-in"),
    ]
    try await browser.open(base + "/sign-in")
    let cookie = ["url": base, "name": "oriel-\(base.split(separator: ":").last ?? "")", "value": story.session.text]
    _ = try await browser.command("Network.setCookie", cookie)
    let folder = ProcessInfo.processInfo.environment["ORIEL_SCREENSHOTS"]
    for (width, height, isDark) in [(390, 844, false), (1280, 900, false), (390, 844, true), (1280, 900, true)] {
      try await browser.look(width: width, height: height, isDark: isDark)
      for (name, path) in pages {
        try await browser.open(base + path)
        let overflow = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
        #expect(try await browser.script(overflow) == "0", "\(name) at \(width)")
        let unlabelled = """
          return [...document.querySelectorAll('input:not([type=hidden]), select, textarea:not([aria-hidden])')]
            .filter((field) => !field.labels.length).map((field) => field.name).join()
          """
        #expect(try await browser.script(unlabelled) == "", "\(name)")
        let marks = """
          const ids = [...document.querySelectorAll('[id]')].map((element) => element.id);
          return [document.querySelectorAll('h1').length, document.querySelectorAll('main').length,
            document.documentElement.lang, ids.length - new Set(ids).size].join()
          """
        #expect(try await browser.script(marks) == "1,1,en,0", "\(name)")
        if let folder {
          let file = "\(folder)/\(name)-\(width)\(isDark ? "-dark" : "").png"
          try await browser.picture().write(to: URL(filePath: file))
        }
      }
    }
  }
}
