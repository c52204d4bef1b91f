import CertificateTransparency

/// The DER of certificate extensions, with values as public authorities write them.
package enum CertificateExtension {
  package static func build(
    _ identifier: [UInt8], critical: Bool = false, _ value: (inout DERWriter) -> Void
  ) -> [UInt8] {
    DERWriter.build { $0.certificateExtension(identifier, critical: critical, value) }
  }

  static let poison = build(OID.poison, critical: true) { $0.null() }

  /// What all end-entity certificates have in common.
  static let leafUsage: [UInt8] =
    build([0x55, 0x1d, 0x0f], critical: true) { $0.bitString([0x80], unusedBits: 7) }
    + build(OID.extendedKeyUsage) { value in
      value.sequence {
        $0.identifier("1.3.6.1.5.5.7.3.1")
        $0.identifier("1.3.6.1.5.5.7.3.2")
      }
    }
    + build(OID.basicConstraints, critical: true) { $0.sequence { _ in } }

  static let authorityUsage: [UInt8] =
    build([0x55, 0x1d, 0x0f], critical: true) { $0.bitString([0x06], unusedBits: 1) }
    + build(OID.basicConstraints, critical: true) { value in value.sequence { $0.boolean(true) } }

  static let precertificateSigning = build(OID.extendedKeyUsage) { value in
    value.sequence { $0.identifier(OID.precertificateSigning) }
  }

  static func subjectKeyIdentifier(_ identifier: [UInt8]) -> [UInt8] {
    build([0x55, 0x1d, 0x0e]) { $0.octetString(identifier) }
  }

  static func authorityKeyIdentifier(_ identifier: [UInt8]) -> [UInt8] {
    build(OID.authorityKeyIdentifier) { value in value.sequence { $0.context(0, identifier) } }
  }

  /// Domain-validated by the CA/Browser Forum's word, with the practice statement of `host`.
  static func policies(_ host: String) -> [UInt8] {
    build([0x55, 0x1d, 0x20]) { value in
      value.sequence { policies in
        policies.sequence { $0.identifier("2.23.140.1.2.1") }
        policies.sequence { policy in
          policy.identifier("1.3.6.1.4.1.44947.1.1.1")
          policy.sequence { qualifiers in
            qualifiers.sequence {
              $0.identifier("1.3.6.1.5.5.7.2.1")
              $0.ia5("http://cps.\(host)/repository/practices.html")
            }
            qualifiers.sequence { notice in
              notice.identifier("1.3.6.1.5.5.7.2.2")
              notice.sequence {
                $0.utf8(
                  "Relying parties may rely on this certificate only as the certificate policy found at "
                    + "https://www.\(host)/repository/ says, and at no time after it was revoked.")
              }
            }
          }
        }
      }
    }
  }

  /// Where the issuer's certificate, its revocation lists and its OCSP responder are.
  static func issuerLocations(_ host: String) -> [UInt8] {
    build([0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x01]) { value in
      value.sequence { access in
        for (method, url) in [
          ("1.3.6.1.5.5.7.48.1", "http://ocsp.\(host)"), ("1.3.6.1.5.5.7.48.2", "http://aia.\(host)/intermediate.crt"),
        ] {
          access.sequence {
            $0.identifier(method)
            $0.context(6, url.utf8)
          }
        }
      }
    }
      + build([0x55, 0x1d, 0x1f]) { value in
        value.sequence { points in
          points.sequence { point in
            point.context(0) { name in name.context(0) { $0.context(6, "http://crl.\(host)/intermediate.crl".utf8) } }
          }
        }
      }
  }
}

extension DERWriter {
  mutating func certificateExtension(
    _ identifier: [UInt8], critical: Bool = false, _ value: (inout DERWriter) -> Void
  ) {
    sequence {
      $0.identifier(identifier)
      if critical { $0.boolean(true) }
      $0.octetString(value)
    }
  }
}
