import CertificateTransparency
import Crypto
import CryptoExtras
import Foundation
import MerkleTree
import TestWorld

/// Distinct certificates of a realistic mix of issuers, ready to be submitted: three in five signed with RSA-2048, three
/// in ten with P-384, one in ten with P-256; chains of three; three of four are precertificates.
///
/// The file has, for each: the kind, the issuer, the length, and the certificate in base64.
struct SubmissionCorpus {
  struct Body {
    let kind: LogEntryKind
    let issuer: Int
    /// Of the certificate in base64, in `content`.
    let range: Range<Int>
  }

  let folder: URL
  let issuers: [BenchIssuer]
  let content: Data
  let bodies: [Body]

  private static let path = "submissions"
  /// A precertificate that is older than two days is of low priority.
  static let now: @Sendable () -> Timestamp = {
    Timestamp(milliseconds: UInt64(max(0, Date().timeIntervalSince1970 * 1000)))
  }
  private static let headerLength = 6

  /// Who signs number `number`.
  static func issuer(of number: Int) -> Int {
    switch number % 10 {
    case 0..<6: 0
    case 6..<9: 1
    default: 2
    }
  }

  /// Makes the corpus of a folder.
  static func write(_ count: Int, to folder: URL) throws {
    let issuers = try BenchIssuer.all()
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try BenchIssuer.write(issuers, to: folder)
    let lots = 64
    let file = folder.appending(path: path)
    try Data().write(to: file)
    let handle = try FileHandle(forWritingTo: file)
    let width = ProcessInfo.processInfo.activeProcessorCount
    for first in stride(from: 0, to: lots, by: width) {
      var parts = [[UInt8]](repeating: [], count: min(width, lots - first))
      parts.withUnsafeMutableBufferPointer { buffer in
        nonisolated(unsafe) let buffer = buffer
        DispatchQueue.concurrentPerform(iterations: buffer.count) { place in
          let lot = first + place
          buffer[place] = (try? SubmissionCorpus.lot(lot, count * lot / lots..<count * (lot + 1) / lots, issuers)) ?? []
        }
      }
      for part in parts { try handle.write(contentsOf: part) }
      FileHandle.standardError.write(Data("\r\(first + parts.count) of \(lots) lots".utf8))
    }
    try handle.close()
    print("\n\(count) submissions in \(folder.path)")
  }

  private static func lot(_ lot: Int, _ numbers: Range<Int>, _ issuers: [BenchIssuer]) throws -> [UInt8] {
    let authority = try TestAuthority(seed: UInt64(1000 + lot), signatureMode: .filler, now: SubmissionCorpus.now)
    var bytes: [UInt8] = []
    for number in numbers {
      let request = CertificateRequest((0...(number % 3)).map { "h\($0).site\(number).example" })
      let issuer = SubmissionCorpus.issuer(of: number)
      let pending = try authority.begin(request)
      let isPrecertificate = number % 4 != 3
      let template = isPrecertificate ? pending.precertificate : try pending.finish(sctList: []).certificate
      let text = Base64.encode(try issuers[issuer].sign(template)).utf8
      bytes += [isPrecertificate ? 1 : 0, UInt8(issuer)]
      bytes += withUnsafeBytes(of: UInt32(text.count).bigEndian) { Array($0) }
      bytes += text
    }
    return bytes
  }

  /// Reads the corpus of a folder.
  init(_ folder: URL) throws {
    self.folder = folder
    issuers = try BenchIssuer.read(folder)
    content = try Data(contentsOf: folder.appending(path: SubmissionCorpus.path), options: .alwaysMapped)
    var bodies: [Body] = []
    var offset = 0
    while offset + SubmissionCorpus.headerLength <= content.count {
      let length = content[(offset + 2)..<(offset + 6)].reduce(0) { $0 << 8 | Int($1) }
      let start = offset + SubmissionCorpus.headerLength
      bodies.append(
        Body(
          kind: content[offset] == 1 ? .precertificate : .x509, issuer: Int(content[offset + 1]),
          range: start..<(start + length)))
      offset = start + length
    }
    self.bodies = bodies
  }

  /// The certificate of a body.
  func certificate(_ number: Int) -> [UInt8] {
    Base64.decode(String(decoding: content[bodies[number].range], as: UTF8.self)) ?? []
  }
}

/// An intermediate authority under a root of its own, with a key of one kind.
struct BenchIssuer {
  enum Key {
    case rsa(_RSA.Signing.PrivateKey)
    case p384(P384.Signing.PrivateKey)
    case p256(P256.Signing.PrivateKey)
  }

  private let key: Key?
  let algorithm: [UInt8]
  let name: [UInt8]
  let publicKey: [UInt8]
  /// The intermediate, then the root.
  let chain: [[UInt8]]

  static func all() throws -> [BenchIssuer] {
    try [.rsa(_RSA.Signing.PrivateKey(keySize: .bits2048)), .p384(.init()), .p256(.init())].map { try BenchIssuer($0) }
  }

  private init(_ key: Key) throws {
    let (algorithm, publicKey) = BenchIssuer.description(of: key)
    let root = P256.Signing.PrivateKey()
    let title = SHA256Hash.hash(publicKey).hex.prefix(8)
    let rootName = DERWriter.name(country: "CH", organisation: "Bench Trust", commonNames: ["Bench Root \(title)"])
    name = DERWriter.name(country: "CH", organisation: "Bench Trust", commonNames: ["Bench Issuing CA \(title)"])
    let (rootAlgorithm, rootKey) = BenchIssuer.description(of: .p256(root))
    let make = { (subject: [UInt8], key: [UInt8]) throws in
      let tbs = BenchIssuer.authority(subject, key, issuer: rootName, rootAlgorithm)
      return BenchIssuer.certificate(tbs, rootAlgorithm, Array(try root.signature(for: tbs).derRepresentation))
    }
    chain = [try make(name, publicKey), try make(rootName, rootKey)]
    (self.key, self.algorithm, self.publicKey) = (key, algorithm, publicKey)
  }

  private init(chain: [[UInt8]]) {
    let first = chain.first ?? []
    let fields = CertificateFields(certificate: 0..<first.count, in: first.span)
    (key, algorithm, self.chain) = (nil, [], chain)
    (name, publicKey) = (
      fields.map { Array(first[$0.subject]) } ?? [], fields.map { Array(first[$0.publicKeyInfo]) } ?? []
    )
  }

  private static func description(of key: Key) -> (algorithm: [UInt8], publicKey: [UInt8]) {
    switch key {
    case .rsa(let key):
      (
        DERWriter.build { der in
          der.sequence {
            $0.identifier("1.2.840.113549.1.1.11")
            $0.null()
          }
        }, [UInt8](key.publicKey.derRepresentation)
      )
    case .p384(let key):
      (
        DERWriter.build { der in der.sequence { $0.identifier("1.2.840.10045.4.3.3") } },
        [UInt8](key.publicKey.derRepresentation)
      )
    case .p256(let key):
      (
        DERWriter.build { der in der.sequence { $0.identifier("1.2.840.10045.4.3.2") } },
        [UInt8](key.publicKey.derRepresentation)
      )
    }
  }

  private static func authority(_ subject: [UInt8], _ key: [UInt8], issuer: [UInt8], _ algorithm: [UInt8]) -> [UInt8] {
    let year: UInt64 = 365 * 86_400_000
    let now = SubmissionCorpus.now().milliseconds
    return DERWriter.build { der in
      der.sequence { tbs in
        tbs.context(0) { $0.integer(2) }
        tbs.integer(Array(SHA256Hash.hash(key).bytes.prefix(16)))
        tbs.raw(algorithm)
        tbs.raw(issuer)
        tbs.sequence {
          $0.time(Timestamp(milliseconds: now - year))
          $0.time(Timestamp(milliseconds: now + 10 * year))
        }
        tbs.raw(subject)
        tbs.raw(key)
        tbs.context(3) { extensions in
          extensions.sequence { list in
            list.raw(
              CertificateExtension.build(OID.basicConstraints, critical: true) { value in
                value.sequence { $0.boolean(true) }
              })
          }
        }
      }
    }
  }

  private static func certificate(_ tbs: [UInt8], _ algorithm: [UInt8], _ signature: [UInt8]) -> [UInt8] {
    DERWriter.build { der in
      der.sequence {
        $0.raw(tbs)
        $0.raw(algorithm)
        $0.bitString(signature)
      }
    }
  }

  /// The certificate, signed by this authority in place of the one that it says.
  func sign(_ template: [UInt8]) throws -> [UInt8] {
    guard let fields = CertificateFields(certificate: 0..<template.count, in: template.span) else { return [] }
    let tbs = DERWriter.build { der in
      der.sequence {
        $0.context(0) { $0.integer(2) }
        $0.integer(Array(template[fields.serialNumber]))
        $0.raw(algorithm)
        $0.raw(name)
        $0.sequence { $0.raw(template[fields.validity]) }
        $0.raw(template[fields.subject.lowerBound..<fields.tbs.upperBound])
      }
    }
    let signature: [UInt8] =
      switch key {
      case .rsa(let key):
        [UInt8](try key.signature(for: SHA256.hash(data: tbs), padding: .insecurePKCS1v1_5).rawRepresentation)
      case .p384(let key): [UInt8](try key.signature(for: SHA384.hash(data: tbs)).derRepresentation)
      case .p256(let key): [UInt8](try key.signature(for: SHA256.hash(data: tbs)).derRepresentation)
      case nil: []
      }
    return BenchIssuer.certificate(tbs, algorithm, signature)
  }

  private static func file(_ folder: URL) -> URL { folder.appending(path: "issuers") }

  static func write(_ issuers: [BenchIssuer], to folder: URL) throws {
    let lines = issuers.map { $0.chain.map(Base64.encode).joined(separator: " ") }
    try Data(lines.joined(separator: "\n").utf8).write(to: file(folder))
    let pem = issuers.map { issuer in
      "-----BEGIN CERTIFICATE-----\n\(Base64.encode(issuer.chain[1]))\n-----END CERTIFICATE-----\n"
    }
    try Data(pem.joined().utf8).write(to: folder.appending(path: "roots.pem"))
  }

  static func read(_ folder: URL) throws -> [BenchIssuer] {
    try String(contentsOf: file(folder), encoding: .utf8).split(separator: "\n").map { line in
      BenchIssuer(chain: line.split(separator: " ").map { Base64.decode(String($0)) ?? [] })
    }
  }
}
