import CertificateTransparency

extension Reason {
  /// Who is meant by the owner's words.
  private enum Voice {
    /// Oriel speaks to the owner.
    case toOwner
    /// The owner speaks to others.
    case ofOwner

    var you: String { self == .toOwner ? "you" : "we" }
    var capital: String { self == .toOwner ? "You" : "We" }
    var your: String { self == .toOwner ? "your" : "our" }
    var yours: String { self == .toOwner ? "yours" : "ours" }
  }

  /// The reason for a person to read. What comes from certificates is shown so that it can't pose as something else.
  package var sentence: String { finished(words(.toOwner)) }

  /// The same as the owner tells it to a CA; nil for what is nobody else's business.
  package var statement: String? {
    switch self {
    case .noBaseline, .caaUnconfirmed: nil
    case .alreadyRenewed(let time): "The certificate that was due for renewal was renewed on \(day(time)) already."
    default: finished(words(.ofOwner))
    }
  }

  private func words(_ the: Voice) -> String {
    switch self {
    case .claimed: "\(the.capital) said of this very certificate that it is \(the.yours)."
    case .toldCertificate(let source): "This very certificate is in \(the.your) inventory, from \(shown(source))."
    case .keyBoundToNames(let names, let source):
      "Its key is in \(the.your) inventory, from \(shown(source)), for \(list(names))."
    case .caAllowed(let ca): "\(shown(ca)) is on \(the.your) list of allowed certificate authorities."
    case .caaAllows(let ca, let domain, let parameters):
      "The CAA records that \(the.you) confirmed allow \(shown(ca)), as \(shown(domain))."
        + (parameters.isEmpty
          ? "" : " They also set \(list(parameters)); whether that was kept to does not show in a certificate.")
    case .sameCA(let ca):
      "Earlier certificates that \(the.you) accepted for this domain came from \(shown(ca)) as well."
    case .sameNames(let since):
      "A certificate\(since.map { " of \(day($0))" } ?? "") that \(the.you) accepted is for the same names."
    case .sameKeyRenewal(let since, let isTold):
      "Its key is the one of a certificate\(since.map { " of \(day($0))" } ?? "") "
        + (isTold
          ? "that \(the.you) told Oriel is \(the.yours)."
          : "that was expected, but that \(the.you) never said is \(the.yours).")
    case .usualRhythm(let end, let days):
      days >= 0
        ? "It renews the certificate that ends on \(day(end)), \(counted(days, "day", "days")) before that; this is when "
          + "renewals come here."
        : "It renews the certificate that ended on \(day(end))."
    case .caChangeAnnounced(let ca, let time):
      "\(the.capital) announced \(shown(ca)) by the CAA records that \(the.you) confirmed on \(day(time)), and this is "
        + "the first certificate from there in place of one for the same names."
    default: warning(the)
    }
  }

  private func warning(_ the: Voice) -> String {
    switch self {
    case .denied: "\(the.capital) said of this very certificate that it is not \(the.yours)."
    case .keyDenied: "Its key is that of a certificate of which \(the.you) said that it is not \(the.yours)."
    case .caNotAllowed(let ca, let allowed):
      "It comes from \(shown(ca)), which \(the.you) do not allow; \(the.you) allow \(list(allowed))."
    case .caaForbids(let ca, let allowed):
      "The CAA records that \(the.you) confirmed do not allow \(shown(ca)) to issue for these names"
        + (allowed.isEmpty ? "." : "; they name \(list(allowed)).")
    case .notInInventory(let certificates, let keys):
      "Neither it nor its key for these names is in the inventory that \(the.you) gave, which holds "
        + "\(counted(certificates, "certificate", "certificates")) and \(counted(keys, "key", "keys"))."
    case .keyForOtherNames(let names): "Its key is in \(the.your) inventory, but not for \(list(names))."
    case .unreadable(let problems):
      "It can't be read in full, so it may be good for names that do not show"
        + (problems.isEmpty ? "." : ": \(problems.prefix(3).map(shown).joined(separator: "; ")).")
    case .impossibleName(let names):
      "It has what can't be the name of a host: \(list(names.map(escaped)))".withFullStop
        + (names.contains { $0.utf8.contains(0) }
          ? " A program that stops reading at the zero byte takes that for another name." : "")
    case .unknownIssuer(let name):
      "Who answers for its issuer could not be found out, and no certificate that \(the.you) accepted was signed with "
        + "the same key" + (name.map { ". The issuer calls itself “\(shown($0))”." } ?? ".")
    case .unresolvedCA(let name):
      "Who answers for its issuer could not be found out, so it can't be compared with those that \(the.you) allow"
        + (name.map { ". The issuer calls itself “\(shown($0))”." } ?? ".")
    case .otherCA(let ca, let before):
      "It comes from \(shown(ca))"
        + (before.isEmpty
          ? ", which never issued a certificate for this domain that \(the.you) accepted."
          : "; all certificates that \(the.you) accepted for this domain came from \(list(before)).")
    default: oddity(the)
    }
  }

  private func oddity(_ the: Voice) -> String {
    switch self {
    case .newName(let names): "No certificate that \(the.you) accepted is for \(list(names))."
    case .wildcardWhereNone(let names):
      "It is a wildcard certificate, for \(list(names)); no certificate that \(the.you) accepted is."
    case .newIssuer(let ca):
      "\(shown(ca)) signed it with a key that is on none of the certificates that \(the.you) accepted."
    case .newKey: "Its key is on none of the certificates that \(the.you) accepted."
    case .otherSetOfNames(let isOne):
      isOne
        ? "\(the.capital) accepted certificates with this name among others, but none for it alone."
        : "\(the.capital) accepted certificates for each of these names, but none for just these together."
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
      "It is good for \(counted(days, "day", "days")); the certificates that \(the.you) accepted for these names were "
        + "good for \(before) at most."
    case .oddDates: "Its dates can't be read, or do not agree with when it was seen."
    case .caaUnconfirmed(let ca):
      "The CAA records as last seen allow \(shown(ca)), but \(the.you) have not confirmed them."
    case .caaChanged(let ca):
      "The CAA records as last seen do not allow \(shown(ca)) any more; those that \(the.you) confirmed do."
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
