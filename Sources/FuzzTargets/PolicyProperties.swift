import CTPolicy
import CertificateTransparency
import TestWorld

/// What holds of every SCT list, OCSP response and policy file.
enum PolicyProperties {
  /// A certificate with SCTs of one log by all three ways.
  struct World: Sendable {
    let certificate: PresentedCertificate
    let verifier: SCTVerifier
    let time: Timestamp
    let genuine: Set<[UInt8]>
    let chain: VerifiedChain

    init() throws {
      let authority = try TestAuthority(seed: 5)
      let log = try TestLog(.rfc6962, name: "fuzz", seed: 5)
      let pending = try authority.begin(CertificateRequest(["www.example.com"]))
      let embedded = try log.sct(at: try log.append(pending.entry))
      let pair = try pending.finish([embedded])
      let delivered = try log.sct(at: try log.append(pair.certificateEntry))
      let list = try SCTList([delivered]).encoded()
      certificate = PresentedCertificate(
        leaf: pair.certificate, issuers: pair.chain,
        ocspResponse: OCSPResponse.build(pair.certificate, pending.issuer, list, .sha1), tlsSCTList: list)
      verifier = SCTVerifier(
        logs: LogView([log.description(url: "https://log.example/")], timestamp: HeldClock().start))
      time = Timestamp(milliseconds: HeldClock().start.milliseconds + 86_400_000)
      genuine = [try embedded.encoded(), try delivered.encoded()]
      chain = try VerifiedChain([pair.certificate] + pair.chain)
    }
  }

  static let world = Result { try World() }

  static func check(scts bytes: [UInt8]) throws(FuzzTarget.Failure) {
    guard let world = try? world.get() else { throw FuzzTarget.Failure(description: "there is no world") }
    var subjects = [world.certificate, world.certificate, world.certificate]
    subjects[0].tlsSCTList = bytes
    subjects[1].ocspResponse = bytes
    subjects[2].leaf = bytes
    for subject in subjects {
      let report = world.verifier.verify(subject, at: world.time)
      for sct in report.valid {
        let signed = Array(sct.serialized.dropLast(sct.trailingByteCount))
        try FuzzTarget.require(world.genuine.contains(signed), "an SCT that nobody issued is valid")
      }
      for policy in BrowserPolicy.current {
        let verdict = policy.judge(report, asOf: world.time)
        try FuzzTarget.require(
          verdict.evidence.counted.allSatisfy(report.scts.indices.contains), "\(policy) counts what is not there")
      }
      _ = Forecast(report, asOf: world.time)
    }
  }

  static func check(policies bytes: [UInt8]) throws(FuzzTarget.Failure) {
    guard let world = try? world.get() else { throw FuzzTarget.Failure(description: "there is no world") }
    if let policies = try? EnterprisePolicies(bytes, file: "policy") {
      for platform in PolicyPlatform.allCases {
        _ = policies.exemption(on: platform, host: "www.example.com", chain: world.chain)
      }
    }
    _ = try? RootStores(bytes, file: "roots")
    let text = String(decoding: bytes.prefix(4096), as: UTF8.self)
    _ = try? ExpectCTHeader(text)
    _ = try? ExpectCTHeader(text, reading: .lenient)
    _ = ObsoleteHeader(name: "Public-Key-Pins", value: text)
    for dialect in HostFilter.Dialect.allCases {
      let filter = HostFilter(text, dialect: dialect)
      _ = (filter.covers("www.example.com"), filter.covers("192.0.2.1"), filter.nearMiss("www.example.com"))
    }
  }

  static let policyFiles = [
    #"{"CertificateTransparencyEnforcementDisabledForUrls": [".example.com", "https://a.example:8443/x", "*"], "#
      + #""CertificateTransparencyEnforcementDisabledForCas": ["sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="]}"#,
    #"{"policies": {"Preferences": {"security.pki.certificate_transparency.mode": {"Value": 1}, "#
      + #""security.pki.certificate_transparency.disable_for_hosts": "example.com,.b.example"}}}"#,
    #"{"roots": [{"name": "R", "spki_sha256": "\#(String(repeating: "ab", count: 32))", "legacy": true}], "symantec": "#
      + #"{"roots": [], "effective": "2016-06-01"}}"#,
    """
    <?xml version="1.0" encoding="UTF-8"?><plist version="1.0"><dict><key>PayloadContent</key><array><dict>
    <key>PayloadType</key><string>com.apple.security.certificatetransparency</string>
    <key>DisabledForDomains</key><array><string>.example.com</string></array>
    <key>DisabledForCerts</key><array><dict><key>Algorithm</key><string>sha256</string><key>Hash</key><data>AAAA</data>
    </dict></array></dict></array></dict></plist>
    """,
    "max-age=86400, enforce, report-uri=\"https://r.example/\"", ".example.com", "https://192.0.2.1:443/",
  ].map { Array($0.utf8) }
}
