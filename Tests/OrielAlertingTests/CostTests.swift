import CertificateTransparency
import Foundation
import TestSupport
import Testing

@testable import OrielAlerting

@Suite("What alerts cost", .serialized)
struct CostTests {
  private static let size = 1 << 15

  @Test("Strangers' words are made fit to show in linear time", arguments: costlyPieces)
  func words(_ piece: String) {
    let ratio = growth(of: piece) { text in
      _ = text.oneLine(limit: .max / 2)
      _ = text.nameLine(limit: 200)
      _ = text.cut(toBytes: text.utf8.count - 1)
      _ = SlackMessage.code(text, .max / 2)
      _ = LetterPage.html(text)
    }
    #expect(ratio < 3)
  }

  @Test("An alert is written in linear time, be it of one long name or of many short ones", arguments: costlyPieces)
  func alerts(_ piece: String) throws {
    func write(_ certificate: CertificateAlert) {
      for content in [.certificate(certificate), .digest([certificate])] as [Alert.Content] {
        let delivery = Alerts.delivery(content)
        _ = AlertRenderer().render(delivery.alert)
        _ = try? AlertJSON(delivery.alert).encoded()
        _ = try? SlackMessage(delivery.alert).encoded()
        _ = HookEnvironment(delivery)
        (try? HookFiles(delivery.alert, in: FileManager.default.temporaryDirectory))?.remove()
      }
    }
    let long = try growth(
      to: CostTests.size, input: { try? Alerts.certificate([String(repeating: piece, bytes: $0)]) }
    ) { write(try #require($0)) }
    let many = try growth(
      to: CostTests.size, input: { size in try? Alerts.certificate((0..<(size / 16)).map { piece + "\($0)" }) }
    ) { write(try #require($0)) }
    #expect(long < 3 && many < 3)
  }
}
