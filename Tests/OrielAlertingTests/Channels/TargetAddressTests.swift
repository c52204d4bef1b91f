import Testing

@testable import OrielAlerting

@Suite("A webhook's address")
struct TargetAddressTests {
  @Test(
    "is refused where it is not of the public Internet",
    arguments: [
      "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1",
      "127.255.255.254", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1",
      "192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255",
      "240.0.0.1", "255.255.255.255", "::", "::1", "::7f00:1", "::808:808", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
      "::ffff:169.254.169.254", "64:ff9b::127.0.0.1", "64:ff9b::192.168.1.1", "64:ff9b:1::1", "100::1", "2001::1",
      "2001:10::1", "2001:1ff::1", "2001:db8::1", "3fff::1", "3fff:fff::1", "2002:7f00:1::1", "2002:c0a8:101::1",
      "4000::1", "5f00::1", "fc00::1", "fd12:3456::1", "fe80::1", "fe80::1%lo", "febf::1", "fec0::1", "ff02::1",
      "", "localhost", "1.2.3", "0x7f000001", "127.1", "1.2.3.4\0",
    ])
  func refused(_ address: String) {
    #expect(TargetAddress.objection(to: address) != nil)
  }

  @Test(
    "is taken where it is of the public Internet",
    arguments: [
      "1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.0.0.1", "128.0.0.1",
      "169.253.0.1", "172.15.255.255", "172.32.0.0", "192.0.1.1", "192.167.0.1", "192.169.0.1", "198.17.0.1",
      "198.20.0.1", "223.255.255.255", "2606:4700::1111", "2001:200::1", "2a00::1", "3ffe::1", "::ffff:1.1.1.1",
      "64:ff9b::1.1.1.1", "2002:101:101::1",
    ])
  func taken(_ address: String) {
    #expect(TargetAddress.objection(to: address) == nil)
  }

  @Test(
    "must be an http or https URL with a plain host",
    arguments: [
      "", "hooks.example", "ftp://hooks.example/", "file:///etc/passwd", "unix:///run/x", "http+unix://%2Frun%2Fx/",
      "https://", "https:///path", "https://me@hooks.example/", "https://me:secret@hooks.example/",
      "https://@hooks.example/", "https://hooks.example:99999/", "https://1.1.1.1:99999/", "https://hooks.example:0/",
      "https://hooks%2fexample/", "https://hooks%00example/", "https://[fe80::1%25lo]/", "https://[::1/",
      "https://hooks.example\r\n/", "https://a b/",
    ])
  func badURLs(_ text: String) {
    #expect(throws: WebhookURL.Invalid.self) { try WebhookURL(text) }
  }

  @Test(
    "is shown as its host alone",
    arguments: [
      ("https://hooks.example/services/T0/B0/secret", "hooks.example"), ("HTTP://Hooks.Example:8080", "Hooks.Example"),
      ("https://[2606:4700::1111]:8443/x?y", "2606:4700::1111"), ("http://1.1.1.1/", "1.1.1.1"),
      ("https://bücher.example/", "xn--bcher-kva.example"), ("https://hooks%2eexample/", "hooks.example"),
    ])
  func goodURLs(_ text: String, _ host: String) throws {
    #expect(try WebhookURL(text).description == host)
  }
}
