import CertificateTransparency
import Foundation
import OrielVerdicts
import TestSupport
import TestWorld
import Testing

@Suite("What verdicts cost", .serialized)
struct CostTests {
  /// Each with names, or a history, that a verdict has to look through to the end.
  static let arrangements: [@Sendable (inout Situation, [String]) -> Void] = [
    { $0.issue($1) },
    { situation, names in
      situation.issue(names)
      situation.accepted = [Situation.accepted(names, from: 0), Situation.accepted(names.reversed(), from: 60)]
    },
    { $0.accepted = $1.enumerated().map { Situation.accepted([$1], from: Int64($0 % 150)) } },
    { situation, names in
      situation.issue(names.map { "*." + $0 })
      situation.tell(key: situation.issuance.publicKey, names: names)
    },
    { situation, names in
      for name in names { situation.tell(key: Situation.hash(name), names: names.suffix(2) + [name]) }
    },
  ]

  @Test("A verdict takes linear time in names and history", arguments: arrangements.indices)
  func verdicts(_ number: Int) {
    for piece in ["a", "-", "*.", "a.", "\u{0}", "xn--a"] {
      let ratio = growth(
        to: 4000,
        input: { count in
          var situation = Situation()
          CostTests.arrangements[number](&situation, (0..<count).map { "\(piece)\($0).example.com" })
          return situation
        }
      ) { situation in
        let verdict = situation.verdict
        _ = verdict.reasons.map { "\($0)" }
      }
      #expect(ratio < 3, "\(piece)")
    }
  }

  @Test(
    "Files are read in linear time",
    arguments: costlyPieces + [
      "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "AAAA\n", "PRIVATE KEY",
    ])
  func files(_ piece: String) {
    let ratio = growth(to: 1 << 15, input: { Array(String(repeating: piece, bytes: $0).utf8) }) { bytes in
      _ = CertificateFile.holdsSecret(bytes)
      _ = FoundCredentials(upload: bytes)
      _ = try? CrtShImport.read(bytes)
      let now = Timestamp(milliseconds: 0)
      _ = try? InventoryList(verifying: bytes, secret: Array(repeating: 1, count: 64), now: now)
    }
    #expect(ratio < 3)
  }

  @Test("Many certificates of one name, and many chains, are put together in linear time")
  func chains() throws {
    let certificates = try (0..<200).map { number in
      let authority = try TestAuthority()
      return try authority.issue(CertificateRequest(["a\(number).example"])).fullChain
    }
    let ratio = growth(to: certificates.count, input: { Array(certificates.prefix($0).joined().utf8) }) { bytes in
      _ = FoundCredentials(upload: bytes)
    }
    #expect(ratio < 3)
  }
}
