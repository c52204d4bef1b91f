/// When a listed CA exempts the certificates below it: the conditions on organisations that keep an exemption for an
/// enterprise CA from sparing CT to all customers of a public one.
///
/// Chromium asks that the leaf name an organisation before it looks at the CA, and compares after normalising. Apple's
/// code (Security-61901) has no such first question, and compares the text as it stands.
struct OrganisationRule {
  let platform: PolicyPlatform
  let leaf: ChainCertificate

  /// What is compared; nil if the certificate can't be read well enough.
  private func organisations(_ certificate: ChainCertificate) -> [OrganisationName]? {
    platform == .apple ? certificate.organisations : certificate.normalisedOrganisations
  }

  private func agree(_ left: [OrganisationName], _ right: [OrganisationName]) -> Bool {
    guard platform == .apple else { return left == right }
    return left.map { Array($0.text.utf8) } == right.map { Array($0.text.utf8) }
  }

  /// Why a listed CA exempts the leaf; nil if it does not.
  func exemption(below authority: ChainCertificate) -> Exemption.Reason? {
    let named = organisations(leaf)
    if platform != .apple, named?.isEmpty != false || authority.constraint == .unreadable { return nil }
    if authority.constraint == .permitsOrganisation, platform == .apple || organisations(authority) != nil {
      return .constrainedAuthority(subject: authority.label)
    }
    guard let named, !named.isEmpty, let own = organisations(authority), agree(own, named) else { return nil }
    return .sameOrganisation(subject: authority.label)
  }

  /// What a listed CA lacks.
  func miss(below authority: ChainCertificate) -> (NearestMiss.Code, String) {
    let listed = "the key of \(authority.label) is listed, but "
    guard let named = organisations(leaf) else {
      return (.unreadableCertificate, listed + "the subject of the certificate can't be read")
    }
    guard !named.isEmpty else {
      return (.leafWithoutOrganisation, listed + "the certificate has no organisation (O) in its subject")
    }
    guard let own = organisations(authority), platform == .apple || authority.constraint != .unreadable else {
      return (.unreadableCertificate, listed + "that CA can't be read")
    }
    var reason = listed + "O differs: \(text(authority)) in the CA, \(text(leaf)) in the certificate"
    if own.count == named.count, Set(own) == Set(named) {
      reason += " (the order counts)"
    } else if own.map(\.bytes) == named.map(\.bytes) {
      reason += " (the string types count: \(tags(own)) and \(tags(named)))"
    }
    if authority.constraint == .other { reason += "; its name constraints permit no named organisation" }
    return (.organisationDiffers, reason)
  }

  private func text(_ certificate: ChainCertificate) -> String {
    let names = certificate.organisations ?? []
    return names.isEmpty ? "none" : names.map { "\"\($0)\"" }.joined(separator: ", ")
  }

  private func tags(_ names: [OrganisationName]) -> String {
    names.map { String($0.stringTag) }.joined(separator: ", ")
  }
}
