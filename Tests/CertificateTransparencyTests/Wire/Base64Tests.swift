import CertificateTransparency
import Foundation
import TestWorld
import Testing

@Suite struct Base64Tests {
  @Test(
    "RFC 4648's own examples",
    arguments: [
      ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
      ("foobar", "Zm9vYmFy"),
    ])
  func examples(plain: String, text: String) {
    #expect(Base64.encode(Array(plain.utf8)) == text)
    #expect(Base64.decode(text) == Array(plain.utf8))
  }

  @Test(
    "what is not exactly base64 is refused",
    arguments: [
      "Z", "Zg", "Zg=", "Zh==", "Zm9=", "Zm8", "Zm8=\n", " Zm8", "Zg==Zg==", "====", "=m9v", "Z=9v", "Zm=v", "Zm-_",
      "Zm9v\r\n", "Zm9vé===",
    ])
  func refusals(text: String) { #expect(Base64.decode(text) == nil) }

  @Test("agrees with Foundation on random bytes, and appends")
  func random() {
    var generator = SeededGenerator(seed: 1)
    for _ in 0..<500 {
      let bytes = generator.bytes(0..<100)
      let text = Data(bytes).base64EncodedString()
      #expect(Base64.encode(bytes) == text)
      var output: [UInt8] = [1, 2]
      #expect(Base64.decode(Array(text.utf8).span, into: &output))
      #expect(output == [1, 2] + bytes)
      #expect(!Base64.decode(Array((text + "!!!!").utf8).span, into: &output))
      #expect(output == [1, 2] + bytes)
    }
  }
}
