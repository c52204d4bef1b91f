import Foundation

/// The address of a webhook. Its path is often a secret, so that only ``host`` is ever shown.
package struct WebhookURL: Hashable, Sendable, CustomStringConvertible {
  /// Why a text is no address of a webhook.
  package struct Invalid: Error, Hashable, CustomStringConvertible {
    package let description: String
  }

  let text: String
  /// As the URL has it, without the brackets of an IPv6 address.
  package let host: String

  /// - Throws: ``Invalid`` unless the text is an http or https URL with a host in ASCII, and without a user's name.
  package init(_ text: String) throws(Invalid) {
    guard text.utf8.count <= 4096, let url = URL(string: text), let scheme = url.scheme?.lowercased() else {
      throw Invalid(description: "not a URL")
    }
    guard scheme == "https" || scheme == "http" else { throw Invalid(description: "only http and https URLs will do") }
    guard url.user(percentEncoded: true) == nil, url.password(percentEncoded: true) == nil else {
      throw Invalid(description: "a user's name has no place in the URL")
    }
    // The client reads the host in the same way; with such a one there is nothing to read differently.
    let host = (url.host ?? "").trimmingPrefix("[")
    let bare = String(host.hasSuffix("]") ? host.dropLast() : host)
    guard !bare.isEmpty, bare.utf8.count <= 255 else { throw Invalid(description: "the URL has no host") }
    guard TargetAddress.octets(bare) != nil || bare.utf8.allSatisfy(WebhookURL.isHostByte) else {
      throw Invalid(description: "the host must be in its ASCII form (xn--…)")
    }
    guard (1...65535).contains(url.port ?? 443) else { throw Invalid(description: "there is no such port") }
    self.text = text
    self.host = bare
  }

  private static func isHostByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
      true
    default: false
    }
  }

  package var description: String { host }

  /// Whether Slack itself takes what is sent there, and not somebody who takes messages of the same form.
  var isOfSlack: Bool {
    let host = host.lowercased()
    return ["slack.com", "slack-gov.com"].contains { host == $0 || host.hasSuffix("." + $0) }
  }
}
