import CertificateTransparency
import Testing

@Suite("Times of certificates")
struct CertificateTimeTests {
  @Test(
    "are written as RFC 3339 has them, from the year 0 to 9999",
    arguments: [
      (0, "1970-01-01T00:00:00Z"), (1_772_600_767, "2026-03-04T05:06:07Z"), (-1, "1969-12-31T23:59:59Z"),
      (-2_208_988_800, "1900-01-01T00:00:00Z"), (-11_644_473_600, "1601-01-01T00:00:00Z"),
      (-62_135_596_800, "0001-01-01T00:00:00Z"), (-62_167_219_200, "0000-01-01T00:00:00Z"),
      (-62_162_121_600, "0000-02-29T00:00:00Z"), (253_402_300_799, "9999-12-31T23:59:59Z"),
      (Int64.min, "0000-01-01T00:00:00Z"), (Int64.max, "9999-12-31T23:59:59Z"),
    ])
  func text(seconds: Int64, text: String) { #expect(CertificateTime.text(seconds) == text) }
}
