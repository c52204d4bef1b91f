import CertificateTransparency
import TestSupport
import TestWorld
import Testing

@testable import OrielProbe

@Suite("The messages of a server")
struct ServerFlightTests {
  private func vector(_ width: Int, _ content: [UInt8]) -> [UInt8] {
    (0..<width).reversed().map { UInt8(truncatingIfNeeded: content.count >> (8 * $0)) } + content
  }

  private func message(_ type: UInt8, _ body: [UInt8]) -> [UInt8] { [type] + vector(3, body) }

  private func field(_ type: UInt8, _ data: [UInt8]) -> [UInt8] { [0, type] + vector(2, data) }

  private var hello: [UInt8] {
    let start: [UInt8] = [3, 3] + [UInt8](repeating: 7, count: 32) + vector(1, [1, 2, 3]) + [0xc0, 0x2f, 0]
    return message(2, start + vector(2, field(18, [9, 8, 7]) + field(23, [])))
  }

  private var status: [UInt8] { message(22, [1] + vector(3, [0x30, 0])) }

  private var modern: [UInt8] {
    let extensions = field(5, [1] + vector(3, [0x30, 0x80])) + field(18, [])
    let entries = vector(3, [1]) + vector(2, extensions) + vector(3, [2, 2]) + vector(2, field(18, [1]))
    return message(11, vector(1, []) + vector(3, entries))
  }

  private var classic: [UInt8] { message(11, vector(3, vector(3, [1]) + vector(3, [2, 2]))) }

  private func flight(_ messages: [[UInt8]]) -> ServerFlight {
    var flight = ServerFlight()
    for message in messages { flight.receive(22, message) }
    return flight
  }

  @Test("are read in both forms, each byte as it came")
  func bothForms() throws {
    let old = try flight([hello, classic, status]).content(.tls12, maximum: 2)
    #expect(old.certificates == [[1], [2, 2]] && old.sctList == [9, 8, 7] && old.ocspResponse == [0x30, 0])
    let new = try flight([hello, modern]).content(.tls13, maximum: 2)
    #expect(new.certificates == [[1], [2, 2]] && new.sctList == [] && new.ocspResponse == [0x30, 0x80])
    #expect(try flight([]).content(.tls13, maximum: 2) == ServerFlight.Content())
  }

  @Test("are read only as far as one certificate too many")
  func tooMany() throws {
    #expect(try flight([classic]).content(.tls12, maximum: 0).certificates == [[1]])
    #expect(try flight([modern]).content(.tls13, maximum: 0).certificates == [[1]])
  }

  @Test("are refused when cut anywhere")
  func cut() {
    for count in 1..<modern.count {
      #expect(throws: FormatError.self) { try flight([Array(modern.prefix(count))]).content(.tls13, maximum: 9) }
    }
    for (whole, name) in [(hello, "hello"), (classic, "classic"), (status, "status")] {
      for count in 1..<whole.count {
        #expect(throws: FormatError.self, "\(name) \(count)") {
          try flight([Array(whole.prefix(count))]).content(.tls12, maximum: 9)
        }
      }
    }
  }

  @Test("never trap, whatever they hold")
  func hostile() {
    var chance = SeededGenerator(seed: 18)
    var refused = 0
    for round in 0..<20_000 {
      var message = [hello, classic, status, modern][round % 4]
      for _ in 0...Int.random(in: 0..<3, using: &chance) {
        message[Int.random(in: 0..<message.count, using: &chance)] = UInt8.random(in: 0...255, using: &chance)
      }
      for version in [TLSVersion.tls12, .tls13] {
        do { _ = try flight([message]).content(version, maximum: 32) } catch { refused += 1 }
      }
    }
    #expect(refused > 1000)
    var flight = ServerFlight()
    for type in Int32(-1)...300 {
      flight.receive(type, [])
      flight.receive(type, [2])
    }
    #expect(flight.alert == nil)
  }
}
