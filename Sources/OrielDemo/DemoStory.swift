import CertificateTransparency
import TestWorld

/// What happens in the demonstration, one step after the other: routine and suspicious certificates for invented names.
enum DemoStory {
  static let watched = ["shop.example", "bücher.example", "=portal.clinic.example"]

  struct Step: Sendable {
    let told: String
    let request: CertificateRequest
    /// Whether a watched item is covered.
    let isMatch: Bool
    /// Whether the shop's own machine tells Oriel of its key beforehand.
    let isTold: Bool
    /// Which of the two logs it goes to.
    let goesTo: [Destination]
  }

  enum Destination: Sendable {
    case staticLog
    case rfc6962Log
  }

  static let steps: [Step] = [
    step(
      "A routine renewal of www.shop.example: the shop's machine has told Oriel of the key",
      ["www.shop.example", "shop.example"], isTold: true),
    step("Strangers get certificates too; nothing to see", ["blog.stranger.example"], isMatch: false),
    step("A wildcard: *.clinic.example covers portal.clinic.example", ["*.clinic.example"], to: [.staticLog]),
    step(
      "Suspicious: login.shop.example, from a CA that nobody at the shop has heard of", ["login.shop.example"],
      issuer: "Bargain Certificates", to: [.rfc6962Log]),
    step(
      "An internationalised name, as certificates spell it", ["xn--bcher-kva.example"], isTold: true,
      to: [.staticLog]),
    step("Close, but not below it: shop.example.attacker.example", ["shop.example.attacker.example"], isMatch: false),
    step(
      "Suspicious: a wildcard for the whole shop, where there never was one", ["*.shop.example"],
      issuer: "Bargain Certificates"),
    step(
      "Odd: a name with a zero byte in it, which some software reads as shop.example",
      ["shop.example\0.attacker.example"], to: [.rfc6962Log]),
  ]

  private static func step(
    _ told: String, _ names: [String], issuer: String? = nil, isMatch: Bool = true, isTold: Bool = false,
    to destinations: [Destination] = [.staticLog, .rfc6962Log]
  ) -> Step {
    var request = CertificateRequest(names)
    request.issuerOrganisation = issuer
    return Step(told: told, request: request, isMatch: isMatch, isTold: isTold, goesTo: destinations)
  }
}
