import CertificateTransparency
import TestSupport
import TestWorld
import Testing

@Suite("What certificates cost", .serialized)
struct CostTests {
  private static let size = 1 << 15
  /// UTF8String, TeletexString, BMPString.
  private static let tags: [UInt8] = [12, 20, 30]

  /// A Name with a common name for each of some texts.
  private static func name(_ texts: [String], tag: UInt8) -> [UInt8] {
    let sets = texts.map { text in
      let type = DEREncoder.element(tag: 6, [0x55, 4, 3])
      let pair = DEREncoder.element(tag: 0x30, type + DEREncoder.element(tag: tag, Array(text.utf8)))
      return DEREncoder.element(tag: 0x31, pair)
    }
    return DEREncoder.element(tag: 0x30, Array(sets.joined()))
  }

  private func growth(_ work: ([UInt8]) -> Void, of make: (Int) -> [UInt8]) -> Double {
    TestSupport.growth(to: CostTests.size, input: make, work)
  }

  @Test("A name is written in linear time, be it one long attribute or many short ones", arguments: costlyPieces)
  func names(_ piece: String) {
    let write = { (der: [UInt8]) in
      let bytes = der.span
      if let name = DistinguishedName(0..<bytes.count, in: bytes) { _ = "\(name) \(name.organisation ?? "")" }
    }
    for tag in CostTests.tags {
      let long = growth(write) { CostTests.name([String(repeating: piece, bytes: $0)], tag: tag) }
      let many = growth(write) { CostTests.name(Array(repeating: piece, count: $0 / 16), tag: tag) }
      #expect(long < 3 && many < 3)
    }
  }

  @Test("A certificate is read in linear time, be it one long name or many short ones", arguments: costlyPieces)
  func certificates(_ piece: String) throws {
    let authority = try TestAuthority()
    let read = { (certificate: [UInt8]) in
      let facts = CertificateFacts(certificate: certificate)
      for source in FoundName.Source.allCases { _ = facts.text(of: source).uniqued() }
    }
    func certificate(_ names: [String]) -> [UInt8] {
      (try? authority.issue(CertificateRequest(names)).certificate) ?? []
    }
    let long = growth(read) { certificate([String(repeating: piece, bytes: $0)]) }
    let many = growth(read) { size in certificate((0..<(size / 16)).map { piece + "\($0)" }) }
    #expect(long < 3 && many < 3)
  }

  @Test(
    "PEM, notes and base 64 are read in linear time",
    arguments: costlyPieces + ["-----BEGIN A-----\nAAAA\n", "-----BEGIN A-----\nAAAA\n-----END A-----\n", "— a AAAA\n"])
  func texts(_ piece: String) {
    let pem = growth {
      _ = PEM.blocks(in: $0)
    } of: {
      Array(String(repeating: piece, bytes: $0).utf8)
    }
    let note = growth { text in
      _ = try? SignedNote(decoding: text.span)
      _ = try? Checkpoint(decoding: text.span)
    } of: { size in
      Array(("a\n1\n" + String(repeating: piece, bytes: size) + "\n\n— a AAAAAAAA\n").utf8)
    }
    let base64 = growth {
      _ = Base64.decode($0.span)
    } of: {
      Array(String(repeating: piece, bytes: $0).utf8)
    }
    #expect(pem < 3 && note < 3 && base64 < 3)
  }
}
