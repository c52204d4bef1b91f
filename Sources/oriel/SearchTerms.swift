import ArgumentParser
import CertificateTransparency
import MerkleTree
import OrielAccounts
import OrielStore

/// What somebody looks for, as they write it.
struct SearchTerms: Hashable, Sendable {
  var query = IssuanceQuery()
  /// A certificate's hash, or an issuance's.
  private var hash: SHA256Hash?

  init() {}

  /// - Throws: `ValidationError`, with the word that can't be read.
  init(_ words: [String]) throws {
    var kinds: Set<String> = []
    for word in words {
      let kind = try add(word)
      guard kinds.insert(kind).inserted else { throw ValidationError("One \(kind) at a time, please: '\(word)'.") }
    }
  }

  /// The query, once it is known what the hash is of.
  func query(_ connection: any SQLConnection) throws -> IssuanceQuery {
    guard let hash else { return query }
    var query = query
    if try IssuanceSearch.number(connection, of: IssuanceID(hash)) != nil {
      query.issuance = IssuanceID(hash)
    } else {
      query.certificate = hash
    }
    return query
  }

  /// - Returns: what kind of thing the word says.
  private mutating func add(_ word: String) throws -> String {
    if let colon = word.firstIndex(of: ":") {
      let value = word[word.index(after: colon)...]
      switch word[..<colon].lowercased() {
      case "spki":
        query.publicKey = try SearchTerms.hash(value, in: word)
        return "key"
      case "issuer":
        query.issuerKey = try SearchTerms.hash(value, in: word)
        return "issuer"
      case "serial":
        query.serial = try SearchTerms.serial(value, in: word)
        return "serial number"
      default: break
      }
    }
    if let hash = SHA256Hash(hex: SearchTerms.withoutColons(word)) {
      self.hash = hash
      return "hash"
    }
    do {
      query.name = try SearchName(parsing: word)
    } catch AccountError.refused(_, let reason) {
      throw ValidationError(
        "'\(word)' can't be searched for: \(reason). Keys, issuers and serial numbers begin with spki:, issuer:, serial:."
      )
    }
    return "name"
  }

  private static func hash(_ text: some StringProtocol, in word: String) throws -> SHA256Hash {
    guard let hash = SHA256Hash(hex: withoutColons(text)) else {
      throw ValidationError("'\(word)': a SHA-256 has 64 hexadecimal digits.")
    }
    return hash
  }

  private static func serial(_ text: some StringProtocol, in word: String) throws -> String {
    guard let serial = IssuanceQuery.serial(parsing: text) else {
      throw ValidationError(
        "'\(word)': a serial number has hexadecimal digits, and a - before it where it is negative.")
    }
    return serial
  }

  /// Programs print hashes and serial numbers as `04:A1:…`.
  private static func withoutColons(_ text: some StringProtocol) -> String { String(text.filter { $0 != ":" }) }

  /// Milliseconds since 1970.
  static func time(_ text: String, of option: String) throws -> Int64 {
    guard let time = Timestamp(rfc3339: text.utf8.count == 10 ? text + "T00:00:00Z" : text) else {
      throw ValidationError("\(option) takes a date such as 2026-01-31, or 2026-01-31T12:00:00Z; not '\(text)'.")
    }
    return Int64(clamping: time.milliseconds)
  }
}
