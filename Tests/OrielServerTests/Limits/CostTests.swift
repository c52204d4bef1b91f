import CertificateTransparency
import Foundation
import OrielAlerting
import OrielVerdicts
import TestSupport
import Testing

@testable import OrielServer

@Suite("What requests cost", .serialized)
struct CostTests {
  @Test("Text is escaped for pages, tables and figures in linear time", arguments: costlyPieces)
  func escaping(_ piece: String) {
    #expect(growth(of: piece) { _ = SafeHTML().escapeText($0) } < 3)
    #expect(growth(of: piece) { _ = CSVRow.text([$0]) } < 3)
    let metrics = growth(of: piece) { text in
      var figures = MetricsText()
      figures.add("a", "b", [([("log", text)], 1)])
    }
    #expect(metrics < 3)
    #expect(growth(of: piece) { _ = Phrase.issuer("O=" + $0) } < 3)
  }

  @Test("Forms are read in linear time, and what was typed is shown again", arguments: costlyPieces)
  func forms(_ piece: String) throws {
    #expect(growth(of: piece) { _ = Form(Array($0.utf8)) } < 3)
    #expect(growth(of: piece) { _ = Form(Array("a=\($0)".utf8)).query(without: []) } < 3)
    let templates = try Templates()
    let shown = growth(of: piece) { text in
      let form = Form(Array(("address=" + text).utf8))
      _ = templates.render("sign-in", ["typed": form.values, "next": text])
    }
    #expect(shown < 3)
  }

  @Test(
    "Forms with files are read in linear time, whatever is in them", arguments: costlyPieces + ["\r\n--b", "--b\r\n"])
  func multipart(_ piece: String) {
    let ratio = growth(
      to: 1 << 15,
      input: { size in
        Array("--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n".utf8)
          + Array(String(repeating: piece, bytes: size).utf8) + Array("\r\n--b--\r\n".utf8)
      }
    ) { _ = try? Multipart($0, boundary: "b", most: 2500) }
    #expect(ratio < 3)
    let head = growth(of: piece) { text in
      let body = "--b\r\nContent-Disposition: form-data; name=\"a\(text)\"\r\n\r\nx\r\n--b--\r\n"
      _ = try? Multipart(Array(body.utf8), boundary: "b", most: 2500)
    }
    #expect(head < 3)
  }

  @Test("JSON is read by its schema in linear time", arguments: costlyPieces)
  func json(_ piece: String) throws {
    let schema = Schema.object([Field("a", .list(.text), ""), Field("b", .text, "")])
    let quoted = { (text: String) in String(decoding: (try? JSONEncoder().encode(text)) ?? Data(), as: UTF8.self) }
    let one = growth(of: piece) { _ = try? Document.read(Array("{\"b\": \(quoted($0))}".utf8), by: schema) }
    let many = growth(of: piece) { text in
      let list = Array(repeating: quoted(piece), count: text.utf8.count / 40).joined(separator: ",")
      _ = try? Document.read(Array("{\"a\": [\(list)]}".utf8), by: schema)
    }
    let names = growth(of: piece) { text in
      let fields = (0..<(text.utf8.count / 40)).map { "\(quoted(piece + "\($0)")): 1" }.joined(separator: ",")
      _ = try? Document.read(Array("{\(fields)}".utf8), by: schema)
    }
    let raw = growth(of: piece) { _ = try? Document.read(Array("{\"b\": \($0)".utf8), by: schema) }
    #expect(one < 3 && many < 3 && names < 3 && raw < 3)
  }

  @Test("What is uploaded is looked through in linear time", arguments: costlyPieces)
  func uploads(_ piece: String) {
    let upload = growth(of: piece) { text in
      let file = FormFile(name: text, bytes: Array(text.utf8))
      _ = try? CertificateUpload(files: [file], text: nil, source: "test", where: { _ in true })
      _ = try? CertificateUpload(files: [], text: text, source: "test", where: { _ in true })
    }
    let rows = growth(of: piece) { _ = try? CrtShImport.read(Array($0.utf8)) }
    let row = growth(of: piece) { text in
      let json = String(decoding: (try? JSONEncoder().encode(text)) ?? Data(), as: UTF8.self)
      let row = """
        [{"issuer_name": \(json), "name_value": \(json), "not_before": "2026-10-01T00:00:00",
          "not_after": "2026-12-30T00:00:00"}]
        """
      _ = try? CrtShImport.read(Array(row.utf8))
    }
    #expect(upload < 3 && rows < 3 && row < 3)
  }
}
