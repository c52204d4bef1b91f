import CertificateTransparency
import Foundation
import MerkleTree
import OrielAlerting
import Testing

@Suite("The payload")
struct AlertJSONTests {
  private static func json(_ content: Alert.Content) throws -> JSONObject {
    try JSONObject(AlertJSON(Alerts.delivery(content).alert).encoded())
  }

  @Test(
    "has the object of its kind, and no other",
    arguments: [
      ("certificate", "certificate"), ("digest", "digest"), ("follow-up", "follow_up"), ("log-health", "log_health"),
      ("canary", "canary"), ("sample", "certificate"), ("heartbeat", "heartbeat"),
    ])
  func kinds(_ kind: String, _ key: String) throws {
    let content = try #require(try Alerts.all().first { Alerts.delivery($0).alert.kind == kind })
    let json = try Self.json(content)
    #expect(json.number("version") == 1)
    #expect(json.text("id") == "a1-b2")
    #expect(json.text("kind") == kind)
    #expect(json.text("created_at") == "2026-02-02T02:40:00Z")
    #expect(Set(json.fields.keys) == ["version", "id", "kind", "created_at", key])
  }

  @Test("tells a certificate with the names of watch --json")
  func certificate() throws {
    let earlier = CertificateAlert.Earlier(
      issuer: "CN=Old", issuerKeyHash: .zero, notBefore: -1, firstSeen: Alerts.time)
    let alert = try Alerts.certificate(matched: ["www.shop.example"], earlier: [earlier])
    let json = try #require(try Self.json(.certificate(alert))["certificate"])
    #expect(json.text("item") == "shop.example")
    #expect(json.texts("matched_names") == ["www.shop.example"])
    #expect(json.texts("dns_names") == ["www.shop.example", "shop.example"])
    #expect(json.text("issuance") == alert.issuance.hash.hex)
    #expect(json.text("issuer") == alert.facts.issuer?.description)
    #expect(json.text("issuer_organisation") == "Oriel Test Trust Services")
    #expect(json.text("key_type") == "EC P-256")
    #expect(json.text("spki_sha256") == alert.facts.publicKeyHash?.hex)
    #expect(
      json.text("not_before").flatMap { Timestamp(rfc3339: $0) }.map { Int64($0.milliseconds / 1000) }
        == alert.facts.notBefore)
    #expect(json.objects("sightings")?.first?.text("log_id") == LogID(SHA256Hash.hash([1])).base64)
    #expect(json.objects("earlier")?.first?.text("not_before") == "1969-12-31T23:59:59Z")
    #expect(json.objects("earlier")?.first?.text("first_seen") == "2026-02-02T02:40:00Z")
    #expect(json.fields["omitted"] == nil)
  }

  @Test("carries the certificates as PEM that decodes to the same bytes")
  func pem() throws {
    let alert = try Alerts.certificate()
    let json = try #require(try Self.json(.certificate(alert))["certificate"])
    let certificates = try #require(json.objects("certificates"))
    #expect(certificates.map { $0.text("entry_type") } == ["x509", "precert"])
    for (told, original) in zip(certificates, alert.certificates) {
      let lines = try #require(told.text("pem")).split(separator: "\n")
      #expect(lines.first == "-----BEGIN CERTIFICATE-----" && lines.last == "-----END CERTIFICATE-----")
      #expect(lines.allSatisfy { $0.utf8.count <= 64 })
      #expect(Base64.decode(lines.dropFirst().dropLast().joined()) == original.der)
      #expect(told.text("sha256") == SHA256Hash.hash(original.der).hex)
    }
  }

  @Test("sends no PEM of a bare TBSCertificate")
  func bareTBS() throws {
    var alert = try Alerts.certificate()
    alert.certificates = [.init(entryType: "precert", sha256: .zero, der: [0x30, 0x00])]
    let json = try #require(try Self.json(.certificate(alert))["certificate"])
    let certificate = try #require(json.objects("certificates")?.first)
    #expect(certificate.text("pem") == nil)
  }

  @Test("stays small for a certificate of very many names, and says what it left out")
  func bounds() throws {
    let names = (0..<20_000).map { "n\($0).shop.example" }
    let alert = try Alerts.certificate(names, matched: names)
    let bytes = try AlertJSON(Alerts.delivery(.certificate(alert)).alert).encoded()
    #expect(bytes.count < 200_000)
    let json = try #require(try JSONObject(bytes)["certificate"])
    #expect(json.texts("dns_names")?.count == 500)
    #expect(json["omitted"]?.number("dns_names") == 19_500)
    #expect(json.objects("certificates")?.first?.text("pem") == nil)
    let digest = try #require(try Self.json(.digest(Array(repeating: alert, count: 120)))["digest"])
    #expect(digest.objects("certificates")?.count == 100)
    #expect(digest.number("omitted") == 20)
    #expect(digest.objects("certificates")?.last?["omitted"]?.number("matched_names") == 19_975)
  }

  @Test("is one line whose keys are sorted, the same each time")
  func stable() throws {
    let alert = Alerts.delivery(.certificate(try Alerts.certificate())).alert
    let bytes = try AlertJSON(alert).encoded()
    #expect(try AlertJSON(alert).encoded() == bytes)
    #expect(!bytes.contains(UInt8(ascii: "\n")))
    #expect(String(decoding: bytes, as: UTF8.self).hasPrefix(#"{"certificate":{"also_matches":[],"certificates":["#))
  }
}
