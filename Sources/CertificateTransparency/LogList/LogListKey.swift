import Crypto
import CryptoExtras

/// The key that a program signs its log list with: RSA.
public struct LogListKey: Sendable {
  /// DER SubjectPublicKeyInfo.
  public let derRepresentation: [UInt8]

  /// Reads a SubjectPublicKeyInfo.
  ///
  /// - Throws: a `FormatError` if it is none of an RSA key of 2048 bits or more.
  public init(derRepresentation der: [UInt8]) throws(FormatError) {
    guard (try? _RSA.Signing.PublicKey(derRepresentation: der)) != nil else {
      throw FormatError("SubjectPublicKeyInfo", at: 0, "not of an RSA key of 2048 bits or more")
    }
    derRepresentation = der
  }

  /// Reads a `PUBLIC KEY` block of PEM.
  public init(pemRepresentation text: String) throws(FormatError) {
    try self.init(derRepresentation: try PEM.first("PUBLIC KEY", in: text))
  }

  private init(unchecked der: [UInt8]) { derRepresentation = der }

  /// Whether `signature` is this key's over exactly these bytes of a list: PKCS #1 version 1.5 over SHA-256.
  public func verify(_ signature: [UInt8], over list: [UInt8]) -> Bool {
    // Lists come once a day: reading the key anew keeps the pinned one below a plain constant.
    guard let key = try? _RSA.Signing.PublicKey(derRepresentation: derRepresentation) else { return false }
    let value = _RSA.Signing.RSASignature(rawRepresentation: signature)
    return key.isValidSignature(value, for: SHA256.hash(data: list), padding: .insecurePKCS1v1_5)
  }

  /// The key of the list that Google publishes for Chrome.
  public static let google = LogListKey(unchecked: Base64.decode(googleText.joined()) ?? [])

  private static let googleText = [
    "MIICIjANBgkqhkiG9w0BAQEFAAOCAg8AMIICCgKCAgEAsu0BHGnQ++W2CTdyZyxvHHRALOZPlnu/VMVgo2m+JZ8MNbAOH2cgXb8m",
    "vOj8flsX/qPMuKIaauO+PwROMjiqfUpcFm80Kl7i97ZQyBDYKm3MkEYYpGN+skAR2OebX9G2DfDqFY8+jUpOOWtBNr3LrmVcwx+F",
    "cFdMjGDlrZ5JRmoJ/SeGKiORkbbu9eY1Wd0uVhz/xI5bQb0OgII7hEj+i/IPbJqOHgB8xQ5zWAJJ0DmG+FM6o7gk403v6W3S8qRY",
    "iR84c50KppGwe4YqSMkFbLDleGQWLoaDSpEWtESisb4JiLaY4H+Kk0EyAhPSb+49JfUozYl+lf7iFN3qRq/SIXXTh6z0S7Qa8EYD",
    "hKGCrpI03/+qprwy+my6fpWHi6aUIk4holUCmWvFxZDfixoxK0RlqbFDl2JXMBquwlQpm8u5wrsic1ksIv9z8x9zh4PJqNpCah0c",
    "iemI3YGRQqSe/mRRXBiSn9YQBUPcaeqCYan+snGADFwHuXCd9xIAdFBolw9R9HTedHGUfVXPJDiF4VusfX6BRR/qaadB+bqEArF/",
    "TzuDUr6FvOR4o8lUUxgLuZ/7HO+bHnaPFKYHHSm++z1lVDhhYuSZ8ax3T0C3FZpb7HMjZtpEorSV5ElKJEJwrhrBCMOD8L01EoSP",
    "rGlS1w22i9uGHMn/uGQKo28u7AsCAwEAAQ==",
  ]
}
