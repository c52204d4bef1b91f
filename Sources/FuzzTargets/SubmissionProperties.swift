import CertificateTransparency
import Crypto
import Foundation
import MerkleTree
import OrielLog
import TestWorld

/// What holds of every submission to a log.
enum SubmissionProperties {
  /// An authority whose root two logs accept, one that takes all of it and one that is choosy.
  struct World: Sendable {
    let issuers: [CertificateIssuer]
    let pairs: [IssuedPair]
    let open: Admission
    let strict: Admission
    let root: [UInt8]
    let now = HeldClock().start

    init() throws {
      let authority = try TestAuthority(seed: 9)
      issuers = [try authority.intermediate(), try authority.signingCertificate(), authority.root]
      root = authority.root.chain[0]
      var odd = CertificateRequest(["www.example.org", "*.example.com", "b\u{FC}cher.example"])
      odd.ipAddresses = [[192, 0, 2, 1]]
      odd.organisation = "\"Example\" & S\u{F6}hne"
      var delegated = CertificateRequest(["a.example.net"])
      delegated.usesSigningCertificate = true
      pairs = try [CertificateRequest(["example.com"]), odd, delegated].map { try authority.issue($0) }
      let roots = RootStore()
      roots.add([root])
      open = Admission(AdmissionRules(), roots: roots)
      let day: UInt64 = 86_400_000
      var rules = AdmissionRules(
        window: now..<Timestamp(milliseconds: now.milliseconds + 200 * day))
      rules.requiresServerAuth = true
      rules.maximumChainCount = 4
      rules.maximumCertificateByteCount = 2048
      strict = Admission(rules, roots: roots)
    }

    /// The submission of a TBSCertificate, signed by whomever it names as its issuer: what is wrong with it is not
    /// the signature.
    func chain(signing tbs: [UInt8]) throws -> [[UInt8]] {
      let fields = CertificateFields(tbsCertificate: 0..<tbs.count, in: tbs.span)
      let name = fields.map { Array(tbs[$0.issuer]) }
      let issuer = issuers.first { $0.name == name } ?? issuers[0]
      let signature = [UInt8](try issuer.key.signature(for: tbs).derRepresentation)
      let certificate = DERWriter.build { der in
        der.sequence {
          $0.raw(tbs)
          $0.sequence { $0.identifier("1.2.840.10045.4.3.2") }
          $0.bitString(signature)
        }
      }
      return [certificate] + issuer.chain
    }
  }

  static let world = Result { try World() }

  /// - Parameter bytes: a body, or a TBSCertificate that is to be signed.
  static func check(_ bytes: [UInt8]) throws(FuzzTarget.Failure) {
    guard let world = try? world.get() else { throw FuzzTarget.Failure(description: "there is no world") }
    try checkBody(bytes, world)
    guard bytes.first == 0x30, let chain = try? world.chain(signing: bytes),
      let body = try? AddChainRequest(chain: chain).json()
    else { return }
    try checkBody(body, world)
  }

  private static func checkBody(_ body: [UInt8], _ world: World) throws(FuzzTarget.Failure) {
    let chain = try? Rehearsal.chain(of: body)
    // Line breaks are taken inside of strings, too.
    let json = body.map { $0 == 0x09 || $0 == 0x0a || $0 == 0x0d ? 0x20 : $0 }
    try FuzzTarget.require(
      chain == (try? AddChainRequest(json: json).chain), "the scanner reads another chain than the JSON parser")
    for kind in LogEntryKind.allCases {
      let entry = try admit(body, kind, world.open, world.now)
      if let choice = try admit(body, kind, world.strict, world.now) {
        try FuzzTarget.require(choice.key == entry?.key, "the choosy log takes what the other does not")
      }
      guard let entry, let chain else { continue }
      try FuzzTarget.require(entry.kind == kind, "an entry of another kind than was submitted")
      try check(entry, of: chain, world)
    }
  }

  private static func admit(
    _ body: [UInt8], _ kind: LogEntryKind, _ admission: Admission, _ now: Timestamp
  ) throws(FuzzTarget.Failure) -> PendingEntry? {
    do throws(Rejection) {
      return try admission.admit(body, as: kind, at: now)
    } catch {
      try FuzzTarget.require(
        400..<500 ~= error.status && error.retryAfter == nil && !error.description.isEmpty,
        "rejected with \(error.status): \(error)")
      return nil
    }
  }

  private static func check(
    _ entry: PendingEntry, of chain: [[UInt8]], _ world: World
  ) throws(FuzzTarget.Failure) {
    try FuzzTarget.require(entry.issuers.last?.der == world.root, "the path does not end at an accepted root")
    try FuzzTarget.require(
      entry.issuers.allSatisfy { $0.fingerprint == SHA256Hash.hash($0.der) }, "a fingerprint of something else")
    let publication: Rehearsal.Publication
    do { publication = try Rehearsal.publish(entry, at: world.now) } catch {
      throw FuzzTarget.Failure(description: "admitted, but it can't be published: \(error)")
    }
    let tile = publication.dataTile
    guard let entries = try? DataTile.entries(in: tile.span), let read = entries.first, entries.count == 1,
      let leaf = try? MerkleTreeLeaf(decoding: publication.signatureInput)
    else { throw FuzzTarget.Failure(description: "what was published does not read back") }
    let hash = read.entry.leafHash(in: tile.span)
    let logged = [0, 0] + tile[read.entry.start..<read.entry.end]
    try FuzzTarget.require(
      publication.signatureInput == logged && (try? leaf.leafHash()) == hash, "the SCT does not sign the leaf")
    let submitted = read.precertificate ?? read.entry.certificate
    try FuzzTarget.require(Array(tile[submitted]) == chain.first, "another certificate was logged")
    try StoredProperties.check(names: publication.namesTile, count: 1)
    try FuzzTarget.require(
      (try? Rehearsal.staged(publication.staged)) == publication.staged, "what was staged does not read back")
  }
}
