import Foundation
import TestSupport
import Testing

/// Chromium, driven by the WebDriver protocol.
final class WebDriver: Sendable {
  static let program = ["/usr/bin/chromedriver", "/usr/local/bin/chromedriver"].first {
    FileManager.default.isExecutableFile(atPath: $0)
  }

  private let process: RunningProgram
  private let client: RawClient
  private let session: String
  private let folder: TemporaryFolder

  struct Unexpected: Error { let reply: String }

  init() async throws {
    folder = try TemporaryFolder()
    let output = Pipe()
    process = try RunningProgram(
      try #require(WebDriver.program), ["--port=0"], output: output.fileHandleForWriting)
    try output.fileHandleForWriting.close()
    var (text, port) = ("", Int?.none)
    while port == nil {
      let data = output.fileHandleForReading.availableData
      if data.isEmpty { throw Unexpected(reply: text) }
      text += String(decoding: data, as: UTF8.self)
      port = text.firstMatch(of: #/successfully on port (\d+)/#).flatMap { Int($0.1) }
    }
    client = RawClient(port: port ?? 0)
    let options: [String: Any] = [
      "args": [
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
        "--user-data-dir=\(folder.path)",
      ]
    ]
    let capabilities = ["capabilities": ["alwaysMatch": ["goog:chromeOptions": options]]]
    let body = try JSONSerialization.data(withJSONObject: capabilities)
    let reply = try await client.request(
      "POST", "/session", headers: [("Content-Type", "application/json")], body: Array(body))
    let made = try JSONSerialization.jsonObject(with: Data(reply.body.utf8)) as? [String: Any]
    guard let id = (made?["value"] as? [String: Any])?["sessionId"] as? String else {
      process.send(SIGKILL)
      throw Unexpected(reply: reply.body)
    }
    session = id
  }

  func close() async {
    _ = try? await client.request("DELETE", "/session/\(session)")
    // The session is gone, with its browser; the driver itself may have been told to ignore milder signals.
    process.send(SIGKILL)
    process.wait()
  }

  @discardableResult
  private func call(_ method: String, _ path: String, _ fields: sending [String: Any]? = nil) async throws -> String {
    let body = try fields.map { Array(try JSONSerialization.data(withJSONObject: $0)) }
    let reply = try await client.request(
      method, "/session/\(session)/\(path)", headers: [("Content-Type", "application/json")], body: body)
    guard reply.status == 200 else { throw Unexpected(reply: reply.body) }
    return reply.body
  }

  private func value(_ reply: String) throws -> Any? {
    (try JSONSerialization.jsonObject(with: Data(reply.utf8), options: .fragmentsAllowed) as? [String: Any])?["value"]
  }

  func open(_ url: String) async throws { try await call("POST", "url", ["url": url]) }

  func script(_ text: String) async throws -> String {
    let reply = try await call("POST", "execute/sync", ["script": text, "args": [String]()])
    return try value(reply).map { "\($0)" } ?? ""
  }

  func command(_ name: String, _ parameters: sending [String: Any]) async throws -> [String: String] {
    let reply = try await call("POST", "goog/cdp/execute", ["cmd": name, "params": parameters])
    return (try value(reply) as? [String: Any])?.compactMapValues { $0 as? String } ?? [:]
  }

  private func element(_ selector: String) async throws -> String {
    let reply = try await call("POST", "element", ["using": "css selector", "value": selector])
    return (try value(reply) as? [String: String])?.values.first ?? ""
  }

  func click(_ selector: String) async throws {
    let id = try await element(selector)
    try await call("POST", "element/\(id)/click", [String: String]())
  }

  func type(_ text: String, into selector: String) async throws {
    let id = try await element(selector)
    try await call("POST", "element/\(id)/value", ["text": text])
  }

  /// What stands on the page, for people.
  func text() async throws -> String { try await script("return document.body.innerText") }

  /// Waits until the page says something.
  func wait(for words: String) async throws {
    while try await !text().contains(words) { try await Task.sleep(for: .milliseconds(50)) }
  }

  /// How wide and high the window is, and which colours it asks for.
  func look(width: Int, height: Int, isDark: Bool) async throws {
    _ = try await command(
      "Emulation.setDeviceMetricsOverride",
      ["width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600])
    _ = try await command(
      "Emulation.setEmulatedMedia",
      ["features": [["name": "prefers-color-scheme", "value": isDark ? "dark" : "light"]]])
  }

  /// The whole page, as PNG.
  func picture() async throws -> Data {
    let answer = try await command("Page.captureScreenshot", ["captureBeyondViewport": true])
    return answer["data"].flatMap { Data(base64Encoded: $0) } ?? Data()
  }
}
