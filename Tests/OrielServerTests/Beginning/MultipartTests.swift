import TestSupport
import TestWorld
import Testing

@testable import OrielServer

@Suite("Forms with files")
struct MultipartTests {
  private let type = "multipart/form-data; boundary=\(Visitor.boundary)"

  @Test("Fields and files come as they were sent, whatever bytes are in them")
  func whole() throws {
    let bytes: [UInt8] =
      [0, 0x0d, 0x0a] + Array("--\(Visitor.boundary.dropLast())".utf8) + [0xff, 0x0d, 0x0a, 0x0d, 0x0a]
    let body = Visitor.multipart(
      [("one", "a\r\nb"), ("many", "1"), ("many", "2"), ("empty", "")],
      files: [("file", SentFile("a; b.pem", bytes)), ("file", SentFile("", "")), ("file", SentFile("c", ""))])
    for type in [type, "Multipart/Form-Data ;charset=utf-8; boundary=\"\(Visitor.boundary)\""] {
      let form = try Form(body, contentType: type)
      #expect(form["one"] == "a\r\nb" && form.all("many") == ["1", "2"] && form["empty"] == nil)
      #expect(form.files("file").map(\.name) == ["a; b.pem", "c"] && form.files("file")[0].bytes == bytes)
      #expect(form.files("one").isEmpty && form.values["file"] == nil)
    }
    let late = try Form(Array("preamble\r\n".utf8) + body, contentType: type)
    #expect(late["one"] == "a\r\nb")
  }

  @Test("A form of another type is read as ever, and no private key is sent back in one")
  func other() throws {
    for type in [nil, "application/x-www-form-urlencoded", "text/plain"] {
      #expect(try Form(Array("a=b+c".utf8), contentType: type)["a"] == "b c")
    }
    let key = Form("pem=-----BEGIN+EC+PRIVATE+KEY-----&note=x".utf8)
    #expect(key.values["pem"] == nil && key.values["note"] as? String == "x")
  }

  @Test("No form that is cut off, at whatever byte, is read")
  func cut() throws {
    let body = Visitor.multipart([("one", "1")], files: [("file", SentFile("a", "bytes"))])
    // The last hyphens and line end may be missing and no more.
    for count in 0..<(body.count - 2) {
      #expect(throws: WebProblem.self, "\(count)") { try Form(Array(body.prefix(count)), contentType: type) }
    }
    #expect(try Form(Array(body.dropLast(2)), contentType: type)["one"] == "1")
  }

  static let damaged: [(type: String, body: String)] = [
    ("multipart/form-data", "--x\r\n"), ("multipart/form-data; boundary=", "--\r\n\r\n----"),
    ("multipart/form-data; boundary=" + String(repeating: "x", count: 71), ""),
    ("multipart/form-data; boundary=x", "--x\r\n\r\nno head\r\n--x--"),
    ("multipart/form-data; boundary=x", "--x\r\nContent-Type: text/plain\r\n\r\nno name\r\n--x--"),
    ("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\na\r\n--x--"),
    (
      "multipart/form-data; boundary=x",
      "--x\r\nX: \(String(repeating: "x", count: 9000))\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\na\r\n--x--"
    ),
    (
      "multipart/form-data; boundary=x",
      String(repeating: "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\na\r\n", count: 3000) + "--x--"
    ),
  ]

  @Test("What is no such form is refused", arguments: damaged)
  func refused(_ item: (type: String, body: String)) {
    #expect(throws: WebProblem.self) { try Form(Array(item.body.utf8), contentType: item.type) }
  }

  @Test("Any bytes are read or refused")
  func hostile() throws {
    var generator = SeededGenerator(seed: 7)
    let body = Visitor.multipart([("one", "1")], files: [("file", SentFile("a", "bytes"))])
    var read = 0
    for _ in 0..<2000 {
      var bytes = body
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
      }
      if (try? Form(bytes, contentType: type)) != nil { read += 1 }
    }
    #expect(read > 0 && read < 2000)
  }
}
