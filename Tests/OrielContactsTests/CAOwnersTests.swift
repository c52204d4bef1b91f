import CertificateTransparency
import Foundation
import MerkleTree
import TestSupport
import TestWorld
import Testing

@testable import OrielContacts

struct CAOwnersTests {
  private static let now = Timestamp(milliseconds: 1_780_000_000_000)

  private static func hash(_ hex: String) throws -> SHA256Hash { try #require(SHA256Hash(hex: hex)) }

  /// Everything that the sample has.
  static func sample() throws -> CAOwners { try loaded.get() }

  private static let loaded = Result { try load() }

  private static func load() throws -> CAOwners {
    var reader = CAOwnersReader()
    try reader.addRecords(csv(try sampleRecords(), columns: recordColumns, tail: ","))
    let enrolled =
      try JSONSerialization.jsonObject(with: TestData.data("ccadb/crlite_example_enrolled_200.json"))
      as? [[String: String]] ?? []
    let pems = try enrolled.map { row in
      let pem = row["pem"] ?? ""
      let fingerprint = SHA256Hash.hash(try PEM.first("CERTIFICATE", in: pem)).hex.uppercased()
      return ["SHA-256 Fingerprint": fingerprint, "X.509 Certificate (PEM)": "'" + pem + "'"]
    }
    try reader.addCertificates(csv(pems, columns: ["SHA-256 Fingerprint", "X.509 Certificate (PEM)"]))
    let mechanisms =
      try JSONSerialization.jsonObject(with: TestData.data("ccadb/problem_reporting_sample.json"))
      as? [[String: String]] ?? []
    let rows = mechanisms.map {
      ["CA Owner": $0["ca_owner"] ?? "", "Problem Reporting Mechanism": $0["mechanism"] ?? ""]
    }
    try reader.addMechanisms(csv(rows, columns: ["CA Owner", "Problem Reporting Mechanism"]))
    return reader.finish(asOf: now)
  }

  @Test(
    "real certificates have the owner that CCADB names", .needsTestData,
    arguments: [
      ("BDEE0D7C8F9C278F14EA9B6A4F90ED665A9F56DB0A56B1CDDA6765912F398A5E", ["Internet Security Research Group"]),
      ("96BCEC06264976F37460779ACF28C5A7CFE8A3C0AAE11A8FFCEE05C0BDDF08C6", ["Internet Security Research Group"]),
      ("205154B777EDC55A5146585A5E54E054A70BE4AAD3B85D02318DA27BF807ADF1", ["Amazon", "Amazon Trust Services"]),
      ("afe80a97ea11159190e927e08ec2e60c59a40559483a3fee838a85321b3aeaad", ["Actalis"]),
      ("E8C6AA6B5F58A8F2A6365CF98E65693563A38B7B2F32CF1BE06F2D2229D4BF59", ["D-Trust"]),
      ("8DA75F1327217C88060FD2529EFF2816E50B0C74541EA4EA3DFCEE66A71EFE09", ["D-Trust"]),
    ])
  func realOwners(fingerprint: String, names: [String]) throws {
    let owner = try #require(try Self.sample().owner(ofCertificate: Self.hash(fingerprint)))
    #expect(owner.names.map { $0.lowercased() } == names.map { $0.lowercased() })
    #expect(owner.name.lowercased() == names[0].lowercased())
  }

  @Test("every record of the sample is found, by whatever name it carries", .needsTestData)
  func all() throws {
    let owners = try Self.sample()
    let records = try sampleRecords()
    #expect(records.count == 672)
    #expect(owners.certificateCount == Set(records.compactMap { $0["SHA-256 Fingerprint"] }).count)
    for record in records {
      let fingerprint = try Self.hash(record["SHA-256 Fingerprint"] ?? "")
      let owner = try #require(owners.owner(ofCertificate: fingerprint))
      let operatorName = record["Subordinate CA Owner"].flatMap { $0.isEmpty ? nil : $0 } ?? record["CA Owner"]
      #expect(owner.name.lowercased() == operatorName?.lowercased())
      #expect(owner.names.contains { $0.lowercased() == record["CA Owner"]?.lowercased() })
    }
  }

  @Test("a key leads to the owner of its certificate, an unknown one to nobody", .needsTestData)
  func keys() throws {
    let owners = try Self.sample()
    // Amazon RSA 2048 M02; the hash is the one that Mozilla's list gives.
    let key = try #require(Data(base64Encoded: "18tkPyr2nckv4fgo0dhAkaUtJ2hu2831xlO2SKhq8dg="))
    let hash = try #require(SHA256Hash(key))
    // DigiCert runs it for Amazon.
    #expect(owners.owners(ofKey: hash).map(\.names) == [["DigiCert", "Amazon Trust Services"]])
    #expect(owners.owner(chain: [], keyHash: hash)?.name == "DigiCert")
    #expect(
      owners.owner(chain: [], keyHash: hash).map { owners.mechanisms(of: $0).map(\.owner) } == [
        "DigiCert", "Amazon Trust Services",
      ])
    #expect(owners.owners(ofKey: .zero).isEmpty)
    #expect(owners.owner(chain: [.zero], keyHash: .zero) == nil)
    let root = try Self.hash("96BCEC06264976F37460779ACF28C5A7CFE8A3C0AAE11A8FFCEE05C0BDDF08C6")
    #expect(owners.owner(chain: [.zero, root], keyHash: nil)?.name == "Internet Security Research Group")
  }

  @Test("who runs a CA need not take its reports: the next above who does, is named", .needsTestData)
  func mechanismAbove() throws {
    let owners = try Self.sample()
    let fingerprint = "205154B777EDC55A5146585A5E54E054A70BE4AAD3B85D02318DA27BF807ADF1"
    let owner = try #require(owners.owner(ofCertificate: Self.hash(fingerprint)))
    let (holder, mechanism) = try #require(owners.mechanisms(of: owner).first)
    #expect(holder == "Amazon Trust Services")
    #expect(mechanism.addresses.map(\.text) == ["ats-tsp-requests@amazon.com"])
    #expect(mechanism.pages.map(\.url) == ["https://www.amazontrust.com/repository/"])
  }

  @Test(
    "addresses and pages are found in free text, and the text is kept",
    arguments: [
      (
        "operaciones@camerfirma.com; gestion_soporte@camerfirma.com",
        ["operaciones@camerfirma.com", "gestion_soporte@camerfirma.com"], []
      ),
      (
        "https://www.actalis.it/products/ssl-certificate.aspx (section \"Problem reporting\")", [],
        ["https://www.actalis.it/products/ssl-certificate.aspx"]
      ),
      (
        "ats-tsp-requests[at]amazon.com ; https://www.amazontrust.com/repository/", ["ats-tsp-requests@amazon.com"],
        ["https://www.amazontrust.com/repository/"]
      ),
      (
        "https://www.certum.eu/certum/cert,contact_contact.xml", [],
        ["https://www.certum.eu/certum/cert,contact_contact.xml"]
      ),
      (
        "Write to mailto:a@b.example,c@d.example. Or see (www.b.example).", ["a@b.example", "c@d.example"],
        ["https://www.b.example"]
      ),
      ("revoke (at) ca (dot) example", ["revoke@ca.example"], []), ("call +47 12 34 56", [], []),
      ("javascript:alert(1) data:text/html,x https://user@ca.example/ https://127.0.0.1/ http://localhost", [], []),
      ("a@b.example?cc=all@c.example a@localhost @ a@@b.example -x@b.example", [], []),
    ])
  func freeText(text: String, addresses: [String], pages: [String]) {
    let mechanism = ReportingMechanism(text)
    #expect(mechanism.addresses.map(\.text) == addresses)
    #expect(mechanism.pages.map(\.url) == pages)
    #expect(mechanism.text == text)
  }

  @Test("CAA domains are told by owner in the first report, by key identifier in the second")
  func caaDomains() throws {
    let rows = [
      [
        "CA Owner": "Alpha", "SHA-256 Fingerprint": String(repeating: "1", count: 64), "Subject Key Identifier": "AQI=",
      ],
      // Alpha's CA, cross-signed by Beta, whose record does not say who runs it.
      [
        "CA Owner": "Beta", "SHA-256 Fingerprint": String(repeating: "2", count: 64), "Subject Key Identifier": "AQI=",
        "Parent SHA-256 Fingerprint": String(repeating: "3", count: 64),
      ],
      ["CA Owner": "Beta", "SHA-256 Fingerprint": String(repeating: "3", count: 64), "Subject Key Identifier": "AwM="],
    ]
    var reader = CAOwnersReader()
    try reader.addRecords(csv(rows, columns: recordColumns))
    try reader.addCAAIdentifiers(
      csv(
        [
          ["Subject Key Identifier (Hex)": "0102", "Recognized CAA Domains": "Alpha.example, pki.alpha.example"],
          ["Subject Key Identifier (Hex)": "03:03", "Recognized CAA Domains": "beta.example\nN/A; None"],
          ["Subject Key Identifier (Hex)": "zz", "Recognized CAA Domains": "lost.example"],
        ], columns: ["Subject", "Subject Key Identifier (Hex)", "Intermediate Certificate", "Recognized CAA Domains"]))
    let owners = reader.finish(asOf: Self.now)
    #expect(owners.caaDomains(of: "ALPHA") == ["alpha.example", "pki.alpha.example"])
    #expect(owners.caaDomains(of: "Beta") == ["beta.example"])
    #expect(owners.owners(ofCAADomain: "PKI.alpha.example") == ["Alpha"])
    #expect(owners.malformedCount == 1)

    var byOwner = CAOwnersReader()
    try byOwner.addCAAIdentifiers(Array("CA Owner,Recognized CAA Domains\nGamma,\"gamma.example,g.example\"\n".utf8))
    #expect(byOwner.finish(asOf: Self.now).caaDomains(of: "gamma") == ["g.example", "gamma.example"])
  }

  @Test("malformed fingerprints are counted, colons and blanks in them overlooked, circles of parents left")
  func malformed() throws {
    let one = String(repeating: "AB:", count: 31) + "AB"
    let two = String(repeating: "cd", count: 32)
    let text = """
      CA Owner,SHA-256 Fingerprint,Parent SHA-256 Fingerprint,
      ,\(one), \(two) ,
      Omega,\(two),\(one),
      Omega,12345,,
      Omega,,,
      Psi,\(two),,
      """
    var reader = CAOwnersReader()
    try reader.addRecords(Array(text.utf8))
    let owners = reader.finish(asOf: Self.now)
    #expect(owners.certificateCount == 2)
    #expect(owners.malformedCount == 3)
    #expect(try owners.owner(ofCertificate: Self.hash(String(repeating: "ab", count: 32)))?.name == "Omega")
  }

  @Test("a key that two owners have certificates for has both")
  func sharedKey() throws {
    var pairs: [(hash: SHA256Hash, number: UInt16)] = []
    var generator = SeededGenerator(seed: 3)
    for _ in 0..<2000 {
      let hash = SHA256Hash.hash([UInt8.random(in: 0...255, using: &generator)])
      pairs.append((hash, UInt16.random(in: 0..<4, using: &generator)))
    }
    let index = HashIndex(pairs)
    for value in UInt8.min...UInt8.max {
      let hash = SHA256Hash.hash([value])
      #expect(Array(index.values(of: hash)) == Set(pairs.filter { $0.hash == hash }.map(\.number)).sorted())
    }
  }

  @Test("ten thousand certificates take less than half a megabyte")
  func size() throws {
    var text = "CA Owner,SHA-256 Fingerprint,Parent SHA-256 Fingerprint\n"
    for number in 0..<10_000 {
      let bytes = withUnsafeBytes(of: number) { Array($0) }
      text += "Owner \(number % 180),\(SHA256Hash.hash(bytes).hex),\n"
    }
    var reader = CAOwnersReader()
    try reader.addRecords(Array(text.utf8))
    let owners = reader.finish(asOf: Self.now)
    #expect(owners.certificateCount == 10_000)
    #expect((340_000..<500_000).contains(owners.tableBytes))
  }
}

struct CADirectoryTests {
  private static let good = Array(
    "CA Owner,SHA-256 Fingerprint,Parent SHA-256 Fingerprint\nA,\(String(repeating: "1", count: 64)),\n".utf8)

  @Test("data are taken in from a URL, kept when the next attempt fails, and their age is told")
  func refresh() async throws {
    let answers = Answers([.success(Self.good), .failure(Answers.Broken()), .success(Array("a,b\n".utf8))])
    let directory = CADirectory(
      CADataSource(records: ["https://ccadb.example/records"]), fetch: { _ in try await answers.next() })
    let start = Timestamp(milliseconds: 1_780_000_000_000)
    #expect(directory.owners == nil)
    #expect(directory.summary(at: start) == "CA owners are not known: no CCADB data have been read.")
    #expect(await directory.refresh(now: start) == .loaded(certificates: 1, malformed: 0))
    let later = Timestamp(milliseconds: start.milliseconds + 5 * 3_600_000)
    for reason in ["https://ccadb.example/records: broken", "no column “CA Owner”"] {
      guard case .failed(let found) = await directory.refresh(now: later) else {
        Issue.record("loaded what can't be")
        continue
      }
      #expect(found.contains(reason))
      #expect(directory.owners?.certificateCount == 1)
      #expect(directory.summary(at: later).hasPrefix("1 CA certificate from CCADB, 5 hours old. The last attempt"))
    }
  }

  @Test("data with much fewer certificates than before are not taken in")
  func shrinking() async throws {
    var text = String(decoding: Self.good, as: UTF8.self)
    for digit in ["2", "3", "4"] { text += "A,\(String(repeating: digit, count: 64)),\n" }
    let answers = Answers([.success(Array(text.utf8)), .success(Self.good)])
    let directory = CADirectory(CADataSource(records: ["https://x.example/"]), fetch: { _ in try await answers.next() })
    _ = await directory.refresh(now: .init(milliseconds: 1))
    guard case .failed(let reason) = await directory.refresh(now: .init(milliseconds: 2)) else {
      Issue.record("took it in")
      return
    }
    #expect(reason.contains("1 CA certificates"))
    #expect(directory.owners?.certificateCount == 4)
  }

  @Test("a file is read without asking for anything, and is as old as it is")
  func file() async throws {
    let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString + ".csv")
    try Data(Self.good).write(to: path)
    defer { try? FileManager.default.removeItem(at: path) }
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: 1_700_000_000)], ofItemAtPath: path.path)
    let directory = CADirectory(
      CADataSource(records: [path.path]),
      fetch: { url in
        Issue.record("asked for \(url)")
        return []
      })
    let now = Timestamp(milliseconds: 1_700_000_000_000 + 3 * 86_400_000)
    #expect(await directory.refresh(now: now) == .loaded(certificates: 1, malformed: 0))
    #expect(directory.owners?.age(at: now) == .seconds(3 * 86_400))
    #expect(directory.summary(at: now) == "1 CA certificate from CCADB, 3 days old.")
    let absent = CADirectory(CADataSource(records: ["/nowhere/at-all"]), fetch: { _ in [] })
    guard case .failed = await absent.refresh(now: now) else {
      Issue.record("read a file that is not there")
      return
    }
  }
}

/// Answers of a made-up server, in their order.
actor Answers {
  struct Broken: Error, CustomStringConvertible { let description = "broken" }

  private var rest: [Result<[UInt8], Broken>]
  private(set) var count = 0
  init(_ answers: [Result<[UInt8], Broken>]) { rest = answers }

  func next() throws -> [UInt8] {
    count += 1
    return rest.isEmpty ? [] : try rest.removeFirst().get()
  }
}
