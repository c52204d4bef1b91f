/// The texts of reports. Whatever comes from a certificate is cleaned before it gets here.
enum Letters {
  /// To the CA, for a name of the reader's own (Baseline Requirements 4.9.1.1, 4.9.3, 4.9.5).
  static func problemReport(_ issuance: UnexplainedIssuance, name: String, caaLine: String?) -> String {
    let why = issuance.reasonLines + (caaLine.map { ["- " + $0] } ?? [])
    return text([
      ["This is a Certificate Problem Report."],
      [
        "I control the domain of \(name). I did not request the certificate below, and know of nobody entitled to "
          + "who did."
      ],
      issuance.description,
      why.isEmpty ? [] : ["Why it is believed to be mis-issued:"] + why,
      [
        "Please",
        "1. revoke the certificate within 24 hours, as section 4.9.1.1 of the Baseline Requirements demands where the "
          + "request was not authorised or the validation of control over the domain should not be relied upon,",
        "2. tell me how, when and from where control over each name was validated, and which account ordered it,",
        "3. look for other certificates from the same account or the same validation, and block further ones.",
      ],
      ["I expect your preliminary report within 24 hours (Baseline Requirements, section 4.9.5)."],
      signature,
    ])
  }

  /// To the CA, for a look-alike.
  static func misuseReport(_ issuance: UnexplainedIssuance, domain: String, imitating name: String) -> String {
    text([
      ["This is a Certificate Problem Report."],
      ["I control \(name). The certificate below is for \(domain), which imitates it and is not mine."],
      issuance.description,
      issuance.reasonLines.isEmpty ? [] : ["Why it looks like an imitation:"] + issuance.reasonLines,
      ["What it is used for: [describe the page or mail, with address, time, and a picture of it]"],
      [
        "Please find out whether the certificate is misused (Baseline Requirements, section 4.9.1.1), revoke it if so, "
          + "and send me your preliminary report within 24 hours (section 4.9.5)."
      ],
      signature,
    ])
  }

  /// To the registrar of a look-alike.
  static func abuseReport(_ issuance: UnexplainedIssuance, domain: String, imitating name: String) -> String {
    text([
      ["I control \(name). The domain \(domain), registered through you, imitates it."],
      issuance.reasonLines.isEmpty ? [] : ["Why it looks like an imitation:"] + issuance.reasonLines,
      ["It has been made ready for use: this certificate was issued for it and logged in public."],
      issuance.description,
      ["What it is used for: [describe the page or mail, with address, time, and a picture of it]"],
      [
        "Please look into it, suspend the domain if it is used to deceive, and tell me what you decide. Please keep the "
          + "records of who registered it."
      ],
      signature,
    ])
  }

  /// To root programmes.
  static func browserReport(_ issuance: UnexplainedIssuance, name: String, owner: String?) -> String {
    text([
      ["A certificate for \(name), which I control, was issued without authorisation" + by(owner) + "."],
      issuance.description,
      issuance.reasonLines.isEmpty ? [] : ["Why it is believed to be mis-issued:"] + issuance.reasonLines,
      ["Reported to the CA at: [time]", "Its answer: [none within 24 hours / the text]"],
      signature,
    ])
  }

  private static func by(_ owner: String?) -> String { owner.map { ", by a CA of \($0)" } ?? "" }

  private static let signature = ["[your name, organisation, and how to reach you]"]

  private static func text(_ paragraphs: [[String]]) -> String {
    paragraphs.filter { !$0.isEmpty }.map { $0.map { $0 + "\n" }.joined() }.joined(separator: "\n")
  }
}
