import Testing

@testable import CTLogClient

@Suite("Retry-After")
struct ResponseHeadTests {
  @Test(
    "is read as seconds or as a date",
    arguments: [
      ("0", nil, .zero), ("120", nil, .seconds(120)), (" 7 ", nil, .seconds(7)),
      ("99999999999999999999", nil, .seconds(366 * 86_400)),
      ("Sun, 06 Nov 1994 08:49:37 GMT", nil, .seconds(37)),
      ("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:07 GMT", .seconds(30)),
      ("Sun, 06 Nov 1994 08:48:00 GMT", nil, .zero),
      ("-5", nil, nil), ("soon", nil, nil), ("", nil, nil), ("Sun, 06 Nov 1994 24:49:37 GMT", nil, nil),
    ] as [(String, String?, Duration?)])
  func table(value: String, date: String?, expected: Duration?) {
    // 1994-11-06T08:49:00Z
    #expect(ResponseHead.retryAfter(value, date: date, now: 784_111_740) == expected)
  }

  @Test(
    "dates are counted in seconds from 1970",
    arguments: [
      ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
      ("Thu, 29 Feb 2024 23:59:59 GMT", 1_709_251_199), ("Fri, 01 Mar 2024 00:00:00 GMT", 1_709_251_200),
      ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799), ("Sunday, 06-Nov-94 08:49:37 GMT", nil),
      ("Sun, 06 Nov 1994 08:49 GMT", nil), ("Sun, 32 Nov 1994 08:49:37 GMT", nil),
    ] as [(String, Int64?)])
  func dates(text: String, expected: Int64?) { #expect(HTTPDate.seconds(text) == expected) }
}
