import CTPolicy
import CertificateTransparency
import Crypto
import MerkleTree
import TestWorld

/// A certificate to be made. It is not signed: nothing here looks at signatures.
struct Draft: Sendable {
  /// A string of a subject: its type and its text (BMPString is converted).
  enum Text: Sendable {
    case utf8(String)
    case printable(String)
    case bmp(String)
    case teletex(String)
    case raw(UInt8, [UInt8])

    var element: (UInt8, [UInt8]) {
      switch self {
      case .utf8(let text): (12, Array(text.utf8))
      case .printable(let text): (19, Array(text.utf8))
      case .teletex(let text): (20, Array(text.utf8))
      case .bmp(let text): (30, text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] })
      case .raw(let tag, let bytes): (tag, bytes)
      }
    }
  }

  /// One GeneralSubtree.
  enum Subtree: Sendable {
    case organisation(Text)
    case commonName(String)
    case dns(String)
  }

  var key = "leaf"
  /// The O attributes, in sets.
  var organisations: [[Text]] = []
  var commonName: String? = "shop.example"
  var permitted: [Subtree] = []
  var excluded: [Subtree] = []
  var notBefore = "260101000000Z"
  var policies: [String] = []
  var isSelfIssued = false
  var extensions: [UInt8] = []

  init(_ key: String = "leaf", _ organisations: [[Text]] = [], _ change: (inout Draft) -> Void = { _ in }) {
    self.key = key
    self.organisations = organisations
    change(&self)
  }

  static let organisationName: [UInt8] = [0x55, 0x04, 0x0a]

  private static func attribute(_ type: [UInt8], _ text: Text, to set: inout DERWriter) {
    set.sequence { pair in
      pair.identifier(type)
      pair.element(text.element.0, text.element.1)
    }
  }

  private static func write(_ subtree: Subtree, to list: inout DERWriter) {
    list.sequence { item in
      switch subtree {
      case .dns(let name): item.context(2, name.utf8)
      case .organisation(let text):
        item.context(4) { $0.sequence { $0.set { attribute(organisationName, text, to: &$0) } } }
      case .commonName(let name):
        item.context(4) { $0.sequence { $0.set { attribute(OID.commonName, .utf8(name), to: &$0) } } }
      }
    }
  }

  private var subject: [UInt8] {
    DERWriter.build { der in
      der.sequence { name in
        for set in organisations {
          name.set { for text in set { Draft.attribute(Draft.organisationName, text, to: &$0) } }
        }
        if let commonName { name.set { Draft.attribute(OID.commonName, .utf8(commonName), to: &$0) } }
      }
    }
  }

  var publicKeyInfo: [UInt8] {
    [UInt8](P256.Signing.PrivateKey(seed: 11, label: key).publicKey.derRepresentation)
  }

  var hash: SHA256Hash { SHA256Hash.hash(publicKeyInfo) }
  var pin: String { KeyPin.text(hash) }
  var base64: String { String(pin.dropFirst("sha256/".count)) }

  var der: [UInt8] {
    let algorithm = DERWriter.build { der in der.sequence { $0.identifier("1.2.840.10045.4.3.2") } }
    let issuer = DERWriter.name(organisation: "Issuer", commonNames: ["Issuer"])
    return DERWriter.build { der in
      der.sequence { certificate in
        certificate.sequence { tbs in
          tbs.context(0) { $0.integer(2) }
          tbs.integer([1])
          tbs.raw(algorithm)
          tbs.raw(isSelfIssued ? subject : issuer)
          tbs.sequence {
            $0.utcTime(notBefore)
            $0.utcTime("290101000000Z")
          }
          tbs.raw(subject)
          tbs.raw(publicKeyInfo)
          tbs.context(3) { $0.sequence { writeExtensions(to: &$0) } }
        }
        certificate.raw(algorithm)
        certificate.bitString([0])
      }
    }
  }

  private func writeExtensions(to list: inout DERWriter) {
    list.raw(extensions)
    list.raw(CertificateExtension.build([0x55, 0x1d, 0x13]) { $0.sequence { _ in } })
    if !policies.isEmpty {
      list.raw(
        CertificateExtension.build([0x55, 0x1d, 0x20]) { value in
          value.sequence { for policy in policies { $0.sequence { $0.identifier(policy) } } }
        })
    }
    guard !permitted.isEmpty || !excluded.isEmpty else { return }
    list.raw(
      CertificateExtension.build([0x55, 0x1d, 0x1e], critical: true) { value in
        value.sequence { constraints in
          for (number, subtrees) in [(UInt8(0), permitted), (1, excluded)] where !subtrees.isEmpty {
            constraints.context(number) { for subtree in subtrees { Draft.write(subtree, to: &$0) } }
          }
        }
      })
  }
}

/// The chain of these certificates, leaf first.
func chain(_ drafts: Draft..., others: [Draft] = []) throws -> VerifiedChain {
  try VerifiedChain(drafts.map(\.der), others: others.map(\.der))
}

/// Policies of these entries.
func policies(_ entries: (PolicyEntry.List, String)...) throws -> EnterprisePolicies {
  var policies = EnterprisePolicies()
  for (list, text) in entries { try policies.add(PolicyEntry(text, in: list)) }
  return policies
}

extension Draft {
  static let root = Draft("root", [[.utf8("Root Trust")]]) {
    $0.commonName = "Root R1"
    $0.isSelfIssued = true
  }
}
