import CertificateTransparency
import Crypto
import MerkleTree

/// How an OCSP response is built.
package enum OCSPShape: String, Sendable, CaseIterable {
  case sha1, sha256, sha384, otherName, otherKey, secondOfTwo, critical, noAnswer, noList
}

/// OCSP responses (RFC 6960) that carry SCTs; their signatures are no good, as nobody looks at them.
package enum OCSPResponse {
  package static func build(_ leaf: [UInt8], _ issuer: CertificateIssuer, _ list: [UInt8], _ shape: OCSPShape)
    -> [UInt8]
  {
    let bytes = leaf.span
    let fields = CertificateFields(certificate: 0..<bytes.count, in: bytes)
    let serial = fields.map { Array(leaf[$0.serialNumber]) } ?? []
    // P-256: the last 65 bytes of the SubjectPublicKeyInfo are the key.
    let key = Array(issuer.subjectPublicKeyInfo.suffix(65))
    return DERWriter.build { der in
      der.sequence { response in
        response.element(0x0a, [shape == .noAnswer ? 6 : 0])
        guard shape != .noAnswer else { return }
        response.context(0) { wrapper in
          wrapper.sequence { typed in
            typed.identifier("1.3.6.1.5.5.7.48.1.1")
            typed.octetString { content in
              content.sequence { basic in
                basic.sequence { data in
                  data.context(1) { $0.raw(issuer.name) }
                  data.generalizedTime("20260601000000Z")
                  data.sequence { responses in
                    if shape == .secondOfTwo { single(&responses, [0x01], key, nil, shape) }
                    single(&responses, serial, key, shape == .noList ? nil : list, shape)
                  }
                }
                basic.sequence { $0.identifier("1.2.840.10045.4.3.2") }
                basic.bitString([0x30, 0])
              }
            }
          }
        }
      }
    }
  }

  private static func single(
    _ der: inout DERWriter, _ serial: [UInt8], _ key: [UInt8], _ list: [UInt8]?, _ shape: OCSPShape
  ) {
    let hash: (String, [UInt8]) =
      switch shape {
      case .sha256: ("2.16.840.1.101.3.4.2.1", Array(SHA256.hash(data: key)))
      case .sha384: ("2.16.840.1.101.3.4.2.2", Array(SHA384.hash(data: key)))
      case .otherKey: ("1.3.14.3.2.26", Array(Insecure.SHA1.hash(data: key + [0])))
      default: ("1.3.14.3.2.26", Array(Insecure.SHA1.hash(data: key)))
      }
    der.sequence { single in
      single.sequence { id in
        id.sequence {
          $0.identifier(hash.0)
          $0.null()
        }
        id.octetString(Array(repeating: shape == .otherName ? 1 : 0, count: hash.1.count))
        id.octetString(hash.1)
        id.element(0x02, serial)
      }
      single.context(0, [])
      single.generalizedTime("20260601000000Z")
      single.context(0) { $0.generalizedTime("20260608000000Z") }
      guard let list, shape != .otherKey, shape != .sha384 else { return }
      single.context(1) { extensions in
        extensions.sequence { items in
          items.sequence {
            $0.identifier("1.3.6.1.4.1.11129.2.4.5")
            if shape == .critical { $0.boolean(true) }
            $0.octetString { $0.octetString(list) }
          }
        }
      }
    }
  }
}
