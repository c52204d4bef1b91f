public import MerkleTree

/// The response to get-entries (RFC 6962, section 4.6).
public struct GetEntriesResponse: LogMessage {
  public struct Entry: LogMessage {
    /// The ``MerkleTreeLeaf``, encoded.
    public let leafInput: [UInt8]
    /// The ``ExtraData``, encoded.
    public let extraData: [UInt8]

    public init(leafInput: [UInt8], extraData: [UInt8]) {
      self.leafInput = leafInput
      self.extraData = extraData
    }

    private enum CodingKeys: String, CodingKey {
      case leafInput = "leaf_input"
      case extraData = "extra_data"
    }

    public init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      leafInput = try container.decodeBase64(forKey: .leafInput)
      extraData = try container.decodeBase64(forKey: .extraData)
    }

    public func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encodeBase64(leafInput, forKey: .leafInput)
      try container.encodeBase64(extraData, forKey: .extraData)
    }
  }

  public let entries: [Entry]

  public init(entries: [Entry]) { self.entries = entries }
}

/// The response to get-sth-consistency (RFC 6962, section 4.4).
public struct GetSTHConsistencyResponse: LogMessage {
  public let consistency: [SHA256Hash]

  public init(consistency: [SHA256Hash]) { self.consistency = consistency }

  private enum CodingKeys: String, CodingKey { case consistency }

  public init(from decoder: any Decoder) throws {
    consistency = try decoder.container(keyedBy: CodingKeys.self).decodeHashList(forKey: .consistency)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encodeBase64(consistency, forKey: .consistency)
  }
}

/// The response to get-proof-by-hash (RFC 6962, section 4.5).
public struct GetProofByHashResponse: LogMessage {
  public let leafIndex: UInt64
  public let auditPath: [SHA256Hash]

  public init(leafIndex: UInt64, auditPath: [SHA256Hash]) {
    self.leafIndex = leafIndex
    self.auditPath = auditPath
  }

  private enum CodingKeys: String, CodingKey {
    case leafIndex = "leaf_index"
    case auditPath = "audit_path"
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    leafIndex = try container.decodeNumber(forKey: .leafIndex)
    auditPath = try container.decodeHashList(forKey: .auditPath)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(leafIndex, forKey: .leafIndex)
    try container.encodeBase64(auditPath, forKey: .auditPath)
  }
}

/// The response to get-entry-and-proof (RFC 6962, section 4.8).
public struct GetEntryAndProofResponse: LogMessage {
  public let leafInput: [UInt8]
  public let extraData: [UInt8]
  public let auditPath: [SHA256Hash]

  public init(leafInput: [UInt8], extraData: [UInt8], auditPath: [SHA256Hash]) {
    self.leafInput = leafInput
    self.extraData = extraData
    self.auditPath = auditPath
  }

  private enum CodingKeys: String, CodingKey {
    case leafInput = "leaf_input"
    case extraData = "extra_data"
    case auditPath = "audit_path"
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    leafInput = try container.decodeBase64(forKey: .leafInput)
    extraData = try container.decodeBase64(forKey: .extraData)
    auditPath = try container.decodeHashList(forKey: .auditPath)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encodeBase64(leafInput, forKey: .leafInput)
    try container.encodeBase64(extraData, forKey: .extraData)
    try container.encodeBase64(auditPath, forKey: .auditPath)
  }
}

/// The response to get-roots (RFC 6962, section 4.7).
public struct GetRootsResponse: LogMessage {
  public let certificates: [[UInt8]]

  public init(certificates: [[UInt8]]) { self.certificates = certificates }

  private enum CodingKeys: String, CodingKey { case certificates }

  public init(from decoder: any Decoder) throws {
    certificates = try decoder.container(keyedBy: CodingKeys.self).decodeBase64List(forKey: .certificates)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encodeBase64(certificates, forKey: .certificates)
  }
}

/// The request of add-chain and add-pre-chain (RFC 6962, sections 4.1 and 4.2).
public struct AddChainRequest: LogMessage {
  /// The certificate or precertificate, then those that certify it, each the one before.
  public let chain: [[UInt8]]

  public init(chain: [[UInt8]]) { self.chain = chain }

  private enum CodingKeys: String, CodingKey { case chain }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    chain = try container.decode([String].self, forKey: .chain).map { text in
      guard let certificate = Base64.decode(wrapped: Array(text.utf8).span) else {
        throw container.corrupted(.chain, "not base64")
      }
      return certificate
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encodeBase64(chain, forKey: .chain)
  }
}

/// The response to add-chain and add-pre-chain (RFC 6962, sections 4.1 and 4.2): an SCT of version 1.
public struct AddChainResponse: LogMessage {
  public let sct: SignedCertificateTimestamp

  public init(sct: SignedCertificateTimestamp) { self.sct = sct }

  private enum CodingKeys: String, CodingKey {
    case version = "sct_version"
    case id, timestamp, extensions, signature
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let version: Int = try container.decodeNumber(forKey: .version)
    guard version == 0 else { throw container.corrupted(.version, "version \(version) is unknown, 0 (v1) expected") }
    sct = SignedCertificateTimestamp(
      logID: LogID(try container.decodeHash(forKey: .id)),
      timestamp: Timestamp(milliseconds: try container.decodeNumber(forKey: .timestamp)),
      extensions: try container.decodeBase64(forKey: .extensions),
      signature: try DigitallySigned(decoding: try container.decodeBase64(forKey: .signature)))
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(0, forKey: .version)
    try container.encodeBase64(sct.logID.bytes, forKey: .id)
    try container.encode(sct.timestamp.milliseconds, forKey: .timestamp)
    try container.encodeBase64(sct.extensions, forKey: .extensions)
    try container.encodeBase64(try sct.signature.encoded(), forKey: .signature)
  }
}
