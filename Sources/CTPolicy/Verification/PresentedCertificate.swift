/// A certificate as a server presented it, with everything that may carry SCTs. Nothing of it is trusted.
public struct PresentedCertificate: Hashable, Sendable {
  /// DER of the certificate itself.
  public var leaf: [UInt8]
  /// DER of the certificates above it: its issuer first, as in a verified chain.
  public var issuers: [[UInt8]]
  /// The stapled OCSP response (RFC 6960), if there was one.
  public var ocspResponse: [UInt8]?
  /// The content of TLS extension 18, `SignedCertificateTimestampList` (RFC 6962, section 3.3.1), if it was there.
  public var tlsSCTList: [UInt8]?
  /// Other certificates of the same server, such as the one before this. They only help to explain a bad signature.
  public var related: [[UInt8]]

  public init(
    leaf: [UInt8], issuers: [[UInt8]] = [], ocspResponse: [UInt8]? = nil, tlsSCTList: [UInt8]? = nil,
    related: [[UInt8]] = []
  ) {
    self.leaf = leaf
    self.issuers = issuers
    self.ocspResponse = ocspResponse
    self.tlsSCTList = tlsSCTList
    self.related = related
  }

  /// The longest certificate and the longest OCSP response that are looked into.
  public static let maximumByteCount = 1 << 18
}

/// How an SCT came with its certificate (RFC 6962, section 3.3).
public enum SCTSource: String, Hashable, Sendable, Codable, CaseIterable {
  /// Embedded in the certificate, issued for its precertificate.
  case x509
  /// In a stapled OCSP response.
  case ocsp
  /// In TLS extension 18.
  case tls
}

/// Why a whole list of SCTs was not read, or not to its end.
public struct SCTListProblem: Hashable, Sendable, CustomStringConvertible {
  public let source: SCTSource
  /// Bytes from the start of what holds the list: the certificate, the OCSP response, or the TLS extension.
  public let offset: Int
  public let reason: String

  public init(source: SCTSource, offset: Int, reason: String) {
    self.source = source
    self.offset = offset
    self.reason = reason
  }

  public var description: String { "\(source.rawValue), offset \(offset): \(reason)" }
}

/// The SCT list of one source: its bytes and where they stand, or why there is none.
enum FoundList {
  case absent
  case list(Range<Int>)
  case malformed(offset: Int, reason: String)
}
