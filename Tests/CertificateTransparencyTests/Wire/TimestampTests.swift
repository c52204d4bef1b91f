import CertificateTransparency
import Foundation
import TestWorld
import Testing

@Suite struct TimestampTests {
  @Test(
    "text of known moments",
    arguments: [
      (0, "1970-01-01T00:00:00Z"), (1, "1970-01-01T00:00:00.001Z"), (1_700_000_000_000, "2023-11-14T22:13:20Z"),
      (1_768_225_600_256, "2026-01-12T13:46:40.256Z"), (951_782_400_000, "2000-02-29T00:00:00Z"),
      (253_402_300_799_999, "9999-12-31T23:59:59.999Z"), (253_402_300_800_000, "10000-01-01T00:00:00Z"),
      (UInt64.max, "584556019-04-03T14:25:51.615Z"),
    ])
  func known(milliseconds: UInt64, text: String) {
    #expect(Timestamp(milliseconds: milliseconds).description == text)
    if !text.hasPrefix("10000") && !text.hasPrefix("584") {
      #expect(Timestamp(rfc3339: text) == Timestamp(milliseconds: milliseconds))
    }
  }

  @Test(
    "other RFC 3339 forms",
    arguments: [
      ("2020-01-01t00:00:00z", 1_577_836_800_000), ("2020-01-01T02:30:00+02:30", 1_577_836_800_000),
      ("2019-12-31T19:00:00-05:00", 1_577_836_800_000), ("2020-01-01T00:00:00.5Z", 1_577_836_800_500),
      ("2020-01-01T00:00:00.123999999999999999999999Z", 1_577_836_800_123),
    ])
  func forms(text: String, milliseconds: UInt64) {
    #expect(Timestamp(rfc3339: text) == Timestamp(milliseconds: milliseconds))
  }

  @Test(
    "what is no date is refused",
    arguments: [
      "", "2020-01-01", "2020-01-01T00:00:00", "2020-13-01T00:00:00Z", "2020-00-01T00:00:00Z", "2021-02-29T00:00:00Z",
      "2100-02-29T00:00:00Z", "2020-04-31T00:00:00Z", "2020-01-01T24:00:00Z", "2020-01-01T00:60:00Z",
      "2020-01-01T00:00:61Z", "2020-01-01T00:00:00.Z", "2020-01-01T00:00:00Zjunk", "1969-12-31T23:59:59Z",
      "2020-01-01T00:00:00+2:00", "2020-01-01 00:00:00Z", "+020-01-01T00:00:00Z", "0000-01-01T00:00:00Z",
      "99999999999999999999-01-01T00:00:00Z", "２020-01-01T00:00:00Z",
    ])
  func refusals(text: String) { #expect(Timestamp(rfc3339: text) == nil) }

  @Test("agrees with Foundation on random moments up to the year 9999, and reads its own text")
  func random() {
    var generator = SeededGenerator(seed: 2)
    for _ in 0..<2000 {
      let seconds = UInt64.random(in: 0..<253_402_300_800, using: &generator)
      let timestamp = Timestamp(milliseconds: seconds * 1000)
      #expect(timestamp.description == Date(timeIntervalSince1970: Double(seconds)).ISO8601Format())
      #expect(Timestamp(rfc3339: timestamp.description) == timestamp)
      #expect(!Timestamp(milliseconds: generator.next()).description.isEmpty)
    }
  }
}
