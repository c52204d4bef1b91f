/// A name as it stands in a certificate: where it was found, and its bytes untouched.
///
/// Certificates hold names in every state. This type keeps the bytes, so that what is shown, what is matched and what
/// is stored each read them in their own way.
public struct FoundName: Hashable, Sendable {
  /// Where in the certificate the name stands.
  public enum Source: UInt8, Sendable, CaseIterable {
    /// A subjectAltName `dNSName` (RFC 5280, 4.2.1.6).
    case dnsName
    /// A subjectAltName `iPAddress`; the bytes are the address (4 or 16 of them, if it is well formed).
    case ipAddress
    /// A subjectAltName `rfc822Name`, or an `emailAddress` attribute of the subject.
    case email
    /// A subjectAltName `uniformResourceIdentifier`.
    case uri
    /// A `commonName` attribute of the subject.
    case commonName
    /// An `otherName` of type id-on-SmtpUTF8Mailbox (RFC 9598).
    case smtpUTF8Mailbox
    /// An `otherName` of type id-on-dnsSRV (RFC 4985).
    case srvName
  }

  public let source: Source
  /// The DER tag of the string type (12 UTF8String, 19 PrintableString, 20 TeletexString, 22 IA5String,
  /// 28 UniversalString, 30 BMPString, …); 0 where the type is fixed by the source.
  public let stringTag: UInt8
  /// The content octets, as they stand.
  public let bytes: [UInt8]

  public init(source: Source, stringTag: UInt8 = 0, bytes: [UInt8]) {
    self.source = source
    self.stringTag = stringTag
    self.bytes = bytes
  }
}
