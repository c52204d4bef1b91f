import CTPolicy
import CTPolicyNIO
import CTPolicyX509
import CertificateTransparency
import Crypto
import TestWorld
import Testing
import X509

@Suite("CTServerVerifier")
struct CTServerVerifierTests {
  private let world: ServerWorld

  init() throws { world = try ServerWorld() }

  private func addressed(_ names: [String], _ addresses: [[UInt8]]) -> CertificateRequest {
    var request = CertificateRequest(names)
    request.ipAddresses = addresses
    return request
  }

  @Test(
    "A host is compared with the names and addresses of the certificate",
    arguments: [
      ("www.example.com", true), ("WWW.Example.COM", true), ("www.example.com.", true), ("a.wild.example.com", true),
      ("wild.example.com", false), ("a.b.wild.example.com", false), ("example.com", false), ("xwww.example.com", false),
      ("www.example.com.evil.example", false), ("", false), (".", false), ("www.example.com\0", false),
      ("192.0.2.7", true), ("192.0.2.8", false), ("192.0.2.7.", false), ("2001:db8::7", true),
      ("2001:db8:0:0:0:0:0:7", true), ("2001:db8::8", false), ("::ffff:192.0.2.7", false), ("[2001:db8::7]", false),
      // Written as a name, and covered by a wildcard.
      ("198.51.100.1", false), ("198.51.100.1.", false), ("münchen.example", false),
    ])
  func hosts(_ host: String, _ isAccepted: Bool) async throws {
    let request = addressed(
      ["www.example.com", "*.wild.example.com", "*.51.100.1", "198.51.100.1"],
      [[192, 0, 2, 7], [0x20, 0x01, 0x0d, 0xb8] + Array(repeating: 0, count: 11) + [7]])
    let judgement = try await world.verifier().verify(world.present(request).certificates, host: host)
    #expect(judgement.isAccepted == isAccepted)
    #expect(judgement.failure == (isAccepted ? nil : .wrongHost))
    #expect(judgement.host == host)
    #expect(judgement.chain.count == 3)
    #expect((judgement.transparency != nil) == isAccepted)
  }

  @Test("SCTs that are not enough are refused below a public root only, and told as verdicts")
  func transparency() async throws {
    for scts in ServerWorld.SCTs.allCases {
      let presented = try world.present("www.example.com", scts: scts)
      for publicity in RootPublicity.allCases {
        let told = JudgementRecorder()
        let verifier = try world.verifier(publicity, handler: { told.record($0) })
        let judgement = await verifier.verify(presented.certificates, host: "www.example.com")
        let transparency = try #require(judgement.transparency)
        #expect(judgement.failure == (scts == .enough || publicity == .local ? nil : .transparency))
        #expect(transparency.publicity == publicity)
        #expect(transparency.verdicts.map(\.passes) == (scts == .enough ? [true, true] : [false, false]))
        if scts == .sameOperator { #expect(transparency.verdicts.map(\.code) == [.oneOperator, .oneOperator]) }
        #expect(told.judgements.map(\.chain) == [judgement.chain])
      }
    }
  }

  @Test(
    "Every certificate of the chain has to be valid at the time of check",
    arguments: [
      (0, nil), (89, nil), (-1, .notYetValid(position: 0)), (91, .expired(position: 0)),
      (-400, .notYetValid(position: 0)), (3700, .expired(position: 0)),
    ] as [(Int64, ServerJudgement.Failure?)])
  func dates(_ days: Int64, _ failure: ServerJudgement.Failure?) async throws {
    let presented = try world.present("www.example.com")
    let verifier = try world.verifier(.local, at: world.time(days: days))
    #expect(await verifier.verify(presented.certificates, host: "www.example.com").failure == failure)
  }

  @Test("An issuer that has expired is named by its position")
  func expiredIssuer() async throws {
    var request = CertificateRequest(["www.example.com"])
    request.notAfter = world.time(days: 4000)
    let verifier = try world.verifier(.local, at: world.time(days: 3700))
    let judgement = try await verifier.verify(world.present(request).certificates, host: "www.example.com")
    #expect(judgement.failure == .expired(position: 1))
    #expect(judgement.transparency == nil)
  }

  @Test("A clock beyond all dates does not trap")
  func clock() async throws {
    let presented = try world.present("www.example.com")
    let verifier = try world.verifier(at: Timestamp(milliseconds: .max))
    #expect(await verifier.verify(presented.certificates, host: "www.example.com").failure == .expired(position: 0))
  }

  @Test("A root that is not trusted is refused, also if it has the name of one that is")
  func unknownRoot() async throws {
    let verifier = try world.verifier(.local)
    for other in [try ServerWorld(organisation: "Another"), try ServerWorld(seed: 2)] {
      let presented = try other.present("www.example.com")
      let whole = presented.certificates + other.authority.root.chain
      for certificates in [presented.certificates, whole] {
        let judgement = await verifier.verify(certificates, host: "www.example.com")
        #expect(judgement.failure == .noChain)
        #expect(judgement.chain.count == 1)
      }
    }
  }

  @Test("Intermediates may stand in any order among others, but have to be there")
  func intermediates() async throws {
    let presented = try world.present("www.example.com")
    let (leaf, issuer) = (presented.certificates[0], presented.certificates[1])
    let root = world.authority.root.chain[0]
    let verifier = try world.verifier()
    let junk: [[UInt8]] = [[], [0x30, 0x00], Array(leaf.prefix(500))]
    for others in [[issuer], [root, issuer], junk + [issuer, issuer], [leaf, root, issuer]] {
      #expect(await verifier.verify([leaf] + others, host: "www.example.com").isAccepted)
    }
    let filler = Array(repeating: root, count: CTServerVerifier.maximumIntermediates)
    for others in [[], [root], junk, filler + [issuer]] {
      #expect(await verifier.verify([leaf] + others, host: "www.example.com").failure == .noChain)
    }
    #expect(await verifier.verify([issuer, leaf], host: "www.example.com").failure == .wrongHost)
    #expect(await verifier.verify([], host: "www.example.com").failure == .noCertificate)
    for leaf in junk {
      #expect(await verifier.verify([leaf, issuer], host: "www.example.com").failure == .unreadableCertificate)
    }
  }

  @Test("A precertificate and a certificate with a broken signature have no chain")
  func noChain() async throws {
    let presented = try world.present("www.example.com")
    let pending = try world.authority.begin(CertificateRequest(["www.example.com"]))
    var broken = presented.certificates[0]
    broken[broken.count - 1] ^= 1
    let verifier = try world.verifier(.local)
    for leaf in [pending.precertificate, broken] {
      #expect(await verifier.verify([leaf, presented.certificates[1]], host: "www.example.com").failure == .noChain)
    }
  }

  // MARK: Chains as swift-certificates makes them

  private func extensions(
    usages: [ExtendedKeyUsage.Usage]?, names: [GeneralName]? = [.dnsName("www.example.com")]
  ) throws -> Certificate.Extensions {
    var result = Certificate.Extensions()
    if let usages { try result.append(Certificate.Extension(ExtendedKeyUsage(usages), critical: true)) }
    if let names { try result.append(Certificate.Extension(SubjectAlternativeNames(names), critical: false)) }
    return result
  }

  private func authorityExtensions(
    _ usage: KeyUsage? = nil, usages: [ExtendedKeyUsage.Usage]? = nil, permitting name: String? = nil
  ) throws -> Certificate.Extensions {
    try Certificate.Extensions {
      Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
      if let usage { Critical(usage) }
      if let usages { try ExtendedKeyUsage(usages) }
      if let name { Critical(NameConstraints(permittedDNSDomains: [name], excludedDNSDomains: [])) }
    }
  }

  private func verify(_ certificates: [Certificate], root: Certificate) async throws -> ServerJudgement {
    let verifier = CTServerVerifier(roots: CertificateStore([root]), policy: try world.verifier(.local).policy)
    return await verifier.verify(try certificates.map { try $0.der }, host: "www.example.com")
  }

  @Test(
    "A certificate that is for other uses than TLS servers is refused",
    arguments: [
      (nil, true), ([.serverAuth], true), ([.clientAuth, .serverAuth], true), ([.clientAuth], false),
      ([.codeSigning, .emailProtection], false), ([.any], false),
    ] as [([ExtendedKeyUsage.Usage]?, Bool)])
  func leafUsage(_ usages: [ExtendedKeyUsage.Usage]?, _ isAccepted: Bool) async throws {
    let root = try OddAuthority("Root", at: world.now)
    let leaf = try root.leaf(extensions(usages: usages))
    let judgement = try await verify([leaf], root: root.root())
    #expect(judgement.failure == (isAccepted ? nil : .wrongUsage(position: 0)))
  }

  @Test("An issuer that must not issue for TLS servers is refused, but a root may say of itself what it likes")
  func issuerUsage() async throws {
    let (root, issuer) = (try OddAuthority("Root", at: world.now), try OddAuthority("Issuer", at: world.now))
    let leaf = try issuer.leaf(extensions(usages: [.serverAuth]))
    for (usage, usages, failure) in [
      (nil, nil, nil), (KeyUsage(keyCertSign: true), [.serverAuth], nil), (nil, [.any], nil),
      (KeyUsage(cRLSign: true), nil, .wrongUsage(position: 1)), (nil, [.clientAuth], .wrongUsage(position: 1)),
    ] as [(KeyUsage?, [ExtendedKeyUsage.Usage]?, ServerJudgement.Failure?)] {
      let certificate = try root.certify(
        issuer.name, issuer.key, authorityExtensions(usage, usages: usages))
      #expect(try await verify([leaf, certificate], root: root.root()).failure == failure)
      // The same as a root.
      let trusted = try issuer.certify(issuer.name, issuer.key, authorityExtensions(usage, usages: usages))
      #expect(try await verify([leaf], root: trusted).isAccepted)
    }
  }

  @Test("Only alternative names name a host; the subject does not")
  func commonName() async throws {
    let root = try OddAuthority("Root", at: world.now)
    for names: [GeneralName]? in [nil, [], [.dnsName("other.example.com")], [.rfc822Name("www.example.com")]] {
      let leaf = try root.leaf(extensions(usages: nil, names: names))
      #expect(try await verify([leaf], root: root.root()).failure == .wrongHost)
    }
  }

  @Test("Name constraints hold, and an issuer that is no authority is none")
  func path() async throws {
    let (root, issuer) = (try OddAuthority("Root", at: world.now), try OddAuthority("Issuer", at: world.now))
    let leaf = try issuer.leaf(extensions(usages: nil))
    for (extensions, isAccepted) in [
      (try authorityExtensions(permitting: "example.com"), true),
      (try authorityExtensions(permitting: "example.org"), false),
      (try extensions(usages: nil), false),
    ] {
      let judgement = try await verify([leaf, root.certify(issuer.name, issuer.key, extensions)], root: root.root())
      #expect(judgement.isAccepted == isAccepted)
      if !isAccepted, case .invalidChain = judgement.failure {} else { #expect(isAccepted) }
    }
  }

  @Test("Of several chains that are refused, the one that came furthest is told")
  func nearest() async throws {
    let (root, issuer) = (try OddAuthority("Root", at: world.now), try OddAuthority("Issuer", at: world.now))
    let leaf = try issuer.leaf(extensions(usages: nil, names: [.dnsName("other.example.com")]))
    let constrained = try root.certify(issuer.name, issuer.key, authorityExtensions(permitting: "example.org"))
    let free = try root.certify(issuer.name, issuer.key, authorityExtensions())
    for issuers in [[constrained, free], [free, constrained]] {
      let judgement = try await verify([leaf] + issuers, root: root.root())
      #expect(judgement.failure == ServerJudgement.Failure.wrongHost)
      #expect(judgement.chain == [leaf, free, try #require(judgement.chain.last)])
    }
  }

  @Test("Certificates that all certify each other do not keep the verifier busy")
  func mazes() async throws {
    let (root, maze) = (try OddAuthority("Root", at: world.now), try OddAuthority("Maze", at: world.now))
    let leaf = try maze.leaf(extensions(usages: nil))
    // Other names make other certificates of them in the eyes of loop detection: there are 10! paths.
    let walls = try (0..<CTServerVerifier.maximumIntermediates).map { number in
      try maze.certify(
        maze.name, maze.key,
        Certificate.Extensions {
          Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
          SubjectAlternativeNames([.dnsName("\(number).example.com")])
        })
    }
    #expect(try await verify([leaf] + walls, root: root.root()).failure == .noChain)
  }
}
