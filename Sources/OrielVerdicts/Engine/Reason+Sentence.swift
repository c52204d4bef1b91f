import CertificateTransparency

extension Reason {
  /// The reason for a person to read. What comes from certificates is shown so that it can't pose as something else.
  package var sentence: String { finished(words) }

  /// The reason as the owner tells it to a CA: a fact about the certificate. What the owner or Oriel knows, or does not
  /// know, proves nothing to a CA; CAA records may be others by now, and names can have their own.
  package var statement: String? {
    switch self {
    case .impossibleName: sentence
    default: nil
    }
  }

  private static func named(_ allowed: [String]) -> String {
    allowed.isEmpty ? "." : "; they name \(list(allowed))."
  }

  private var words: String {
    switch self {
    case .claimed: "You said of this very certificate that it is yours."
    case .toldCertificate(let source): "This very certificate is in your inventory, from \(shown(source))."
    case .keyBoundToNames(let names, let source):
      "Its key is in your inventory, from \(shown(source)), for \(list(names))."
    case .caAllowed(let ca): "\(shown(ca)) is on your list of allowed certificate authorities."
    case .caaAllows(let ca, let domain, let parameters):
      "The CAA records that you confirmed allow \(shown(ca)), as \(shown(domain))."
        + (parameters.isEmpty
          ? "" : " They also set \(list(parameters)); whether that was kept to does not show in a certificate.")
    case .sameCA(let ca):
      "Earlier certificates that you accepted for this domain came from \(shown(ca)) as well."
    case .sameNames(let since):
      "A certificate\(since.map { " of \(day($0))" } ?? "") that you accepted is for the same names."
    case .sameKeyRenewal(let since, let isTold):
      "Its key is the one of a certificate\(since.map { " of \(day($0))" } ?? "") "
        + (isTold
          ? "that you told Oriel is yours."
          : "that was expected, but that you never said is yours.")
    case .usualRhythm(let end, let days):
      days >= 0
        ? "It renews the certificate that ends on \(day(end)), \(counted(days, "day", "days")) before that; this is when "
          + "renewals come here."
        : "It renews the certificate that ended on \(day(end))."
    case .caChangeAnnounced(let ca, let time):
      "You announced \(shown(ca)) by the CAA records that you confirmed on \(day(time)), and this is "
        + "the first certificate from there in place of one for the same names."
    default: warning
    }
  }

  private var warning: String {
    switch self {
    case .denied: "You said of this very certificate that it is not yours."
    case .keyDenied: "Its key is that of a certificate of which you said that it is not yours."
    case .caNotAllowed(let ca, let allowed):
      "It comes from \(shown(ca)), which you do not allow; you allow \(list(allowed))."
    case .caaForbids(let ca, let allowed):
      "The CAA records that you confirmed do not allow \(shown(ca)) to issue for these names" + Reason.named(allowed)
    case .notInInventory(let certificates, let keys):
      "Neither it nor its key for these names is in the inventory that you gave, which holds "
        + "\(counted(certificates, "certificate", "certificates")) and \(counted(keys, "key", "keys"))."
    case .keyForOtherNames(let names): "Its key is in your inventory, but not for \(list(names))."
    case .unreadable(let problems):
      "It can't be read in full, so it may be good for names that do not show"
        + (problems.isEmpty ? "." : ": \(problems.prefix(3).map(shown).joined(separator: "; ")).")
    case .impossibleName(let names):
      "It has what can't be the name of a host: \(list(names.map(escaped)))".withFullStop
        + (names.contains { $0.utf8.contains(0) }
          ? " A program that stops reading at the zero byte takes that for another name." : "")
    case .unknownIssuer(let name):
      "Who answers for its issuer could not be found out, and no certificate that you accepted is known to have been "
        + "signed with the same key" + (name.map { ". The issuer calls itself “\(shown($0))”." } ?? ".")
    case .unresolvedCA(let name):
      "Who answers for its issuer could not be found out, so it can't be compared with those that you allow"
        + (name.map { ". The issuer calls itself “\(shown($0))”." } ?? ".")
    case .otherCA(let ca, let before):
      "It comes from \(shown(ca))"
        + (before.isEmpty
          ? ", which never issued a certificate for this domain that you accepted."
          : "; all certificates that you accepted for this domain came from \(list(before)).")
    default: oddity
    }
  }

  private var oddity: String {
    switch self {
    case .newName(let names): "No certificate that you accepted is for \(list(names))."
    case .wildcardWhereNone(let names):
      "It is a wildcard certificate, for \(list(names)); no certificate that you accepted is."
    case .newIssuer(let ca):
      "\(shown(ca)) signed it with a key that is on none of the certificates that you accepted."
    case .newKey: "Its key is on none of the certificates that you accepted."
    case .otherSetOfNames(let isOne):
      isOne
        ? "You accepted certificates with this name among others, but none for it alone."
        : "You accepted certificates for each of these names, but none for just these together."
    case .otherCAForNames(let before):
      before.isEmpty
        ? "Where the certificates for just these names came from before is not known."
        : "Certificates for just these names came from \(list(before)) before."
    case .unusualTime(let end):
      "No certificate for these names was due for renewal" + (end.map { "; the latest one ends on \(day($0))." } ?? ".")
    case .alreadyRenewed(let time):
      "The certificate that was due for renewal was renewed on \(day(time)) already. If this one is yours, look at that "
        + "one again."
    case .longerLifetime(let days, let before):
      "It is good for \(counted(days, "day", "days")); the certificates that you accepted for these names were "
        + "good for \(before) at most."
    case .oddDates: "Its dates can't be read, or do not agree with when it was seen."
    case .caaUnconfirmed(let ca):
      "The CAA records as last seen allow \(shown(ca)), but you have not confirmed them."
    case .caaChanged(let ca):
      "The CAA records as last seen do not allow \(shown(ca)) any more; those that you confirmed do."
    case .noBaseline:
      "You have not yet confirmed which certificates are in use for this domain, so there is nothing to compare it with."
    default: ""
    }
  }
}

/// A sentence whose last name may have a full stop of its own.
private func finished(_ sentence: String) -> String { String(sentence.dropLast()).withFullStop }

/// A name with all that can't be seen spelt out.
private func escaped(_ name: String) -> String {
  var result = ""
  for scalar in name.unicodeScalars.prefix(300) {
    if scalar.isDeceptive {
      result += "\\u{\(String(scalar.value, radix: 16))}"
    } else {
      result.unicodeScalars.append(scalar)
    }
  }
  return result
}

/// The day of a time in seconds since 1970, in UTC.
private func day(_ seconds: Int64) -> String {
  Timestamp(milliseconds: UInt64(clamping: max(0, min(seconds, 1 << 40))) * 1000).description.split(separator: "T")
    .first.map(String.init) ?? ""
}

/// Up to five of several texts.
private func list(_ texts: [String]) -> String {
  let first = texts.prefix(5).map(shown)
  if texts.count > 5 { return first.joined(separator: ", ") + " and \(texts.count - 5) more" }
  guard first.count > 1, let last = first.last else { return first.first ?? "nothing" }
  return first.dropLast().joined(separator: ", ") + " and " + last
}

/// A text of anybody's making, on one line, of bounded length, and without what could deceive a reader.
private func shown(_ text: String) -> String {
  var result = String.UnicodeScalarView()
  for scalar in text.unicodeScalars {
    if result.count >= 253 {
      result.append("…")
      break
    }
    result.append(scalar.isDeceptive ? "\u{fffd}" : scalar)
  }
  return String(result)
}
