/// One thing to do about a certificate, whom to turn to, and what to write.
package struct ActionStep: Hashable, Sendable {
  package enum Kind: String, Hashable, Sendable, CaseIterable {
    case reportToCA = "report-to-ca"
    case reportToRegistrar = "report-to-registrar"
    case restrictIssuance = "restrict-issuance"
    case warnVisitors = "warn-visitors"
    case tellBrowsers = "tell-browsers"
  }

  package enum Fit: String, Hashable, Sendable {
    case yes, perhaps, no
  }

  package let kind: Kind
  package let title: String
  package let fits: Fit
  /// Why it fits, or does not.
  package let why: String
  /// Who takes it, as CCADB or the registry names them; nil where that is not known or nobody in particular.
  package var addressee: String?
  package var addresses: [ContactAddress] = []
  package var pages: [WebPage] = []
  package var phones: [String] = []
  /// What else to know, in sentences; a CA's own words on how to report among them.
  package var notes: [String] = []
  package var report: Report?
}
