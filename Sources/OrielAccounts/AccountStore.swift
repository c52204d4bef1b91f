import Crypto
package import OrielStore
package import OrielWatchlist

/// Bounds that a service sets.
package struct AccountLimits: Sendable {
  package var recipients = 10
  package var members = 1_000
  package var domains = 100_000
  package var tokens = 100
  package var inventory = 100_000
  package var mutes = 1_000
  /// Whether accounts may watch everything, or all that an issuer issues.
  package var allowsBroadItems = false
  package var allowsPublicSuffixes = false
  /// Links to sign in: how many for one address, and from one client, in a quarter of an hour.
  package var linksPerAddress = 5
  package var linksPerClient = 20
  /// Mails that ask to confirm: how many to one address in a day, and from one account in an hour.
  package var confirmationsPerAddress = 5
  package var confirmationsPerAccount = 100

  package init() {}
}

/// Where accounts are kept, with the clock and the randomness that they use.
package struct AccountStore: Sendable {
  let database: any SQLDatabase
  let limits: AccountLimits
  let publicSuffixes: PublicSuffixes
  /// Milliseconds since 1970.
  package let now: @Sendable () -> Int64
  /// So many bytes that nobody can guess.
  let random: @Sendable (Int) -> [UInt8]
  package let signal = SettingsSignal()

  package init(
    _ database: any SQLDatabase, limits: AccountLimits = AccountLimits(), publicSuffixes: PublicSuffixes = .system,
    now: @escaping @Sendable () -> Int64,
    random: @escaping @Sendable (Int) -> [UInt8] = AccountStore.systemRandom
  ) {
    self.database = database
    self.limits = limits
    self.publicSuffixes = publicSuffixes
    self.now = now
    self.random = random
  }

  package static let systemRandom: @Sendable (Int) -> [UInt8] = { count in
    var generator = SystemRandomNumberGenerator()
    return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
  }

  /// 32 random bytes, for a person or a browser to carry.
  func secret() -> Secret { Secret(Base32.encode(random(32))) }

  /// SQL for the number of a new row: one that none has had before, as what was said of those that are gone is kept.
  static func next(_ kind: String, in table: String) -> String {
    """
    (SELECT 1 + max(coalesce(max(id), 0), (SELECT value FROM generations WHERE name = '\(kind)')) FROM \(table))
    """
  }

  /// What is committed now; nothing can be changed.
  func read<Value: Sendable>(
    _ body: @escaping @Sendable (any SQLConnection) throws -> Value
  ) async throws -> Value {
    try await database.read(body)
  }

  /// One transaction; listeners hear of changed settings after it.
  func transaction<Value: Sendable>(
    changing change: SettingsChange = .nothing, _ body: @escaping @Sendable (any SQLConnection) throws -> Value
  ) async throws -> Value {
    let value = try await database.transaction { connection in
      let value = try body(connection)
      for name in change.names {
        try connection.execute("UPDATE generations SET value = value + 1 WHERE name = ?", [.text(name)])
      }
      return value
    }
    if change != .nothing { signal.raise() }
    return value
  }

  /// A transaction that may as well be made another time: nobody waits for it while other processes write.
  func noting(_ body: @escaping @Sendable (any SQLConnection) throws -> Void) async throws {
    do { try await SQLiteDatabase.$patience.withValue(.zero) { try await transaction(body) } } catch StoreError.busy {}
  }
}

/// What a transaction changes for those who follow the logs and send alerts.
enum SettingsChange {
  case nothing
  /// Who is told, and how.
  case settings
  /// What is watched.
  case watch

  var names: [String] {
    switch self {
    case .nothing: []
    case .settings: ["settings"]
    case .watch: ["settings", "watch"]
    }
  }
}

/// Text for secrets: lower-case letters and digits (RFC 4648, section 6, without padding).
enum Base32 {
  private static let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)

  static func encode(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    var (bits, count) = (UInt32(0), 0)
    for byte in bytes {
      bits = bits << 8 | UInt32(byte)
      count += 8
      while count >= 5 {
        count -= 5
        text.append(alphabet[Int(bits >> UInt32(count)) & 31])
      }
      bits &= (1 << UInt32(count)) - 1
    }
    if count > 0 { text.append(alphabet[Int(bits << UInt32(5 - count)) & 31]) }
    return String(decoding: text, as: UTF8.self)
  }
}
