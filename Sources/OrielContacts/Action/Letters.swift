import CertificateTransparency

/// The texts of reports. Whatever comes from a certificate is cleaned before it gets here.
enum Letters {
  /// To the CA, for a name of the owner's own (Baseline Requirements 4.9.1.1, 4.9.3, 4.9.5).
  static func problemReport(_ issuance: UnexplainedIssuance, name: String, caaLine: String?) -> [Report.Part] {
    [
      Report.Part(["This is a Certificate Problem Report."]),
      Report.Part([
        "We control the domain of \(name). We did not request the certificate below, and know of nobody entitled to who "
          + "did."
      ]),
    ] + issuance.evidence + [
      reasons(issuance, "Why we believe it to be mis-issued:", caaLine.map { ["- " + $0] } ?? []),
      Report.Part([
        "Please",
        "1. revoke it within 24 hours, as section 4.9.1.1 of the Baseline Requirements demands where the request was not "
          + "authorised or the validation of control over the domain should not be relied upon,",
        "2. tell us how, when and from where control over each name was validated, and which account ordered it,",
        "3. look for other certificates from the same account or the same validation, and block further ones.",
      ]),
      Report.Part(["We expect your preliminary report within 24 hours (Baseline Requirements, section 4.9.5)."]),
      signature,
    ]
  }

  /// To the CA, for a look-alike.
  static func misuseReport(_ issuance: UnexplainedIssuance, domain: String, imitating name: String) -> [Report.Part] {
    [
      Report.Part(["This is a Certificate Problem Report."]),
      Report.Part(["We control \(name). The certificate below is for \(domain), which imitates it and is not ours."]),
    ] + issuance.evidence + [
      reasons(issuance, "Why it looks like an imitation:"), use,
      Report.Part([
        "Please find out whether the certificate is misused (Baseline Requirements, section 4.9.1.1), revoke it if so, "
          + "and send us your preliminary report within 24 hours (section 4.9.5)."
      ]),
      signature,
    ]
  }

  /// To the registrar of a look-alike.
  static func abuseReport(_ issuance: UnexplainedIssuance, domain: String, imitating name: String) -> [Report.Part] {
    [
      Report.Part(["We control \(name). The domain \(domain), registered through you, imitates it."]),
      reasons(issuance, "Why it looks like an imitation:"),
      Report.Part(["It has been made ready for use: a certificate was issued for it and logged in public."]),
    ] + issuance.evidence + [
      use,
      Report.Part([
        "Please look into it, suspend the domain if it is used to deceive, and tell us what you decide. Please keep the "
          + "records of who registered it."
      ]),
      signature,
    ]
  }

  /// To root programmes.
  static func browserReport(_ issuance: UnexplainedIssuance, name: String, owner: String?) -> [Report.Part] {
    let by = owner.map { ", by a CA of \($0)" } ?? ""
    return [
      Report.Part(["A certificate for \(name), which we control, was issued without authorisation\(by)".withFullStop])
    ] + issuance.evidence + [
      reasons(issuance, "Why we believe it to be mis-issued:"),
      Report.Part(["Reported to the CA at: [time]"]),
      Report.Part(["Its answer: [none within 24 hours / the text]"]),
      signature,
    ]
  }

  private static func reasons(
    _ issuance: UnexplainedIssuance, _ heading: String, _ more: [String] = []
  ) -> Report.Part {
    Report.Part(issuance.reasonLines + more, heading: heading, rank: 2)
  }

  private static let use = Report.Part([
    "What it is used for: [describe the page or mail, with address, time, and a picture of it]"
  ])

  private static let signature = Report.Part(["[your name, organisation, and how to reach you]"])
}
