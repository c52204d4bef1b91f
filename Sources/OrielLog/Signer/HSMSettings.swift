/// Where a log's key is in a security module: `hsm` in `log.json`.
package struct HSMSettings: Codable, Sendable, Equatable {
  /// The shared library through which the module is spoken to (PKCS #11).
  package var module: String
  /// The label of the token.
  package var token: String
  /// The label of both halves of the key.
  package var key: String
  /// A file with the user's PIN, in the folder of the log unless the path says otherwise.
  package var pinFile: String

  enum CodingKeys: String, CodingKey, CaseIterable {
    case module, token, key
    case pinFile = "pin_file"
  }

  package init(module: String, token: String, key: String, pinFile: String) {
    (self.module, self.token, self.key, self.pinFile) = (module, token, key, pinFile)
  }
}

/// Why a security module is of no use now.
package enum HSMError: Error, Hashable, CustomStringConvertible {
  case module(String)
  case token(label: String, count: Int)
  case key(label: String, String)
  /// A call that the module answered with an error (PKCS #11, "CKR" values).
  case call(String, code: UInt)
  /// The token refused the PIN: it is not asked again, since a few wrong ones lock it.
  case pin
  case badSignature

  package var description: String {
    switch self {
    case .module(let reason): "the security module can't be loaded: \(reason)"
    case .token(let label, let count): "\(count) tokens are labelled '\(label)' where there must be one"
    case .key(let label, let reason): "the key '\(label)' on the token: \(reason)"
    case .call(let name, let code): "the security module failed in \(name), with 0x\(String(code, radix: 16))"
    case .pin: "the token refuses the PIN, and is not asked again before the log is restarted"
    case .badSignature: "the security module made a signature that is not by the log's key"
    }
  }
}
