/// What decided a verdict, by a name that never changes.
public enum VerdictCode: String, Hashable, Sendable, Codable, CaseIterable {
  case complies = "CT-OK-1"
  case notRequired = "CT-OK-2"
  case staleList = "CT-LIST-1"
  case futureList = "CT-LIST-2"
  case noSCTs = "CT-NONE-1"
  case tooFewLogs = "CT-COUNT-1"
  case oneOperator = "CT-OPERATORS-1"
  case noClassicLog = "CT-CLASSIC-1"
  case noGoogleLog = "CT-GOOGLE-1"
  case unknownLog = "CT-LOG-1"
  case mimicLog = "CT-LOG-2"
  case onlyRetiredLogs = "CT-RETIRED-1"
  case afterRetirement = "CT-RETIRED-2"
  case afterReadOnly = "CT-READONLY-1"
  case outsideShard = "CT-SHARD-1"
  case noLeafIndex = "CT-INDEX-1"
  case futureSCT = "CT-TIME-1"
  case sourceIgnored = "CT-OCSP-1"
  case mixedRoutes = "CT-MIXED-1"
  case wrongIssuer = "CT-ISSUER-1"
  case badSignature = "CT-SIGNATURE-1"
  case differsFromPrecertificate = "CT-SIGNATURE-2"
  case wrongEntryType = "CT-SIGNATURE-3"
  case otherCertificate = "CT-SIGNATURE-4"
  case malformedList = "CT-FORMAT-1"
  case malformedSCT = "CT-FORMAT-2"
  case trailingBytes = "CT-FORMAT-3"
  case unreadableCertificate = "CT-FORMAT-4"

  /// One line, without a full stop.
  public var summary: String { texts.summary }

  /// What it means, and why it is so: some sentences.
  public var explanation: String { texts.explanation }

  private var texts: (summary: String, explanation: String) { verdictTexts[self] ?? ("", "") }
}

private let verdictTexts: [VerdictCode: (summary: String, explanation: String)] = [
  .complies: (
    "the SCTs are enough",
    "Enough logs of enough operators promised to publish the certificate, and the policy counts their promises."
  ),
  .notRequired: (
    "no SCT is asked for",
    "The certificate is from before the day on which the policy began to ask for SCTs of certificates like it."
  ),
  .staleList: (
    "the log list is too old to judge by",
    "A policy enforces nothing by a list of logs that it calls too old (60 days for Apple, 70 for the others), since a "
      + "log may have been added or removed since. Browsers then let every certificate pass. Update the list, or the "
      + "browser."
  ),
  .futureList: (
    "the log list is dated ahead of the clock",
    "Android enforces nothing by a log list that is later than its clock, nor where the list dates the state of a log "
      + "later whose SCT is there: it takes its clock to be wrong, and lets the certificate pass. Other platforms do "
      + "not look at this."
  ),
  .noSCTs: (
    "there is no SCT, in the certificate, OCSP or TLS",
    "No log promised to publish the certificate, or the server keeps the promises to itself. Public CAs embed SCTs "
      + "unless told not to; ask for a new certificate with them, or deliver SCTs in the TLS extension."
  ),
  .tooFewLogs: (
    "too few logs for the certificate's lifetime",
    "The SCTs that count are of fewer logs than the lifetime asks for: for most policies two, and three for lifetimes of "
      + "more than 180 days (one second is enough). Embedded SCTs can't be added; the certificate has to be reissued."
  ),
  .oneOperator: (
    "the SCTs that count are all of one operator",
    "An operator could withhold what it promised to publish. Policies ask for logs of two operators, so that no single "
      + "one can. Chrome takes the operator at the time of the SCT, others the one of today."
  ),
  .noClassicLog: (
    "no SCT is of an RFC 6962 log",
    "The policy asks for one SCT of a log that is read by RFC 6962, beside those of tiled logs. Chrome dropped this rule "
      + "on 15 April 2026, Firefox and Android in the same spring; Apple's page still has it, its code does not."
  ),
  .noGoogleLog: (
    "the SCTs are not of both Google's logs and others",
    "Until 15 April 2022 Chrome asked for one SCT of a log that Google runs, and for one of a log that somebody else "
      + "runs."
  ),
  .unknownLog: (
    "SCTs are of logs that the list does not know",
    "SCTs count only if they are of a log that the browser's list has as qualified, usable, read-only or retired. The "
      + "log may be newer than the list, a test log, pending, or rejected."
  ),
  .mimicLog: (
    "SCTs are of a mimic log, whose private key is public",
    "Google's lists for libraries that enforce by them have two logs that do not exist and whose private keys are "
      + "published. Anybody can make such SCTs; they prove nothing. The certificate was not logged by them."
  ),
  .onlyRetiredLogs: (
    "all SCTs that could count are of retired logs",
    "An embedded SCT of a retired log still counts towards the number, but one log has to be in service at the time of "
      + "check, and SCTs of TLS and OCSP count only of such logs."
  ),
  .afterRetirement: (
    "an SCT is of a log that was retired before",
    "An SCT of a retired log counts only if it is embedded, and if it and the certificate are from before the log was "
      + "retired. The age of the certificate is that of its earliest SCT."
  ),
  .afterReadOnly: (
    "an SCT is later than the day its log became read-only",
    "A log that takes nothing more can't have published what it promised afterwards. Of the policies only Apple's "
      + "rejects such SCTs."
  ),
  .outsideShard: (
    "the certificate expires outside the interval of the log",
    "Many logs take only certificates that expire within an interval. Apple rejects SCTs of others; the remaining "
      + "policies do not look."
  ),
  .noLeafIndex: (
    "an SCT of a tiled log does not tell its index",
    "Tiled logs (static-ct-api) write the index of the entry into the extensions of the SCT. Chrome and Firefox drop SCTs "
      + "without exactly one such entry; Firefox wants exactly five bytes."
  ),
  .futureSCT: (
    "an SCT is from the future",
    "Either the log's clock is fast, or that of the client is slow. The SCT counts once its time has come; Android does "
      + "not look."
  ),
  .sourceIgnored: (
    "SCTs in OCSP responses are ignored",
    "Chrome no longer looks at SCTs that are delivered in stapled OCSP responses (since version 148). Deliver them in the "
      + "TLS extension, or use a certificate that embeds them."
  ),
  .mixedRoutes: (
    "embedded and delivered SCTs are not added up",
    "There would be enough SCTs together, but the policy counts either the embedded ones, or those of TLS and OCSP. "
      + "Chrome and Apple add them up, Firefox and Android do not."
  ),
  .wrongIssuer: (
    "the issuer's certificate is missing or out of place",
    "Embedded SCTs are signed over the key of the issuer. Without the issuer's certificate next to the leaf they can't be "
      + "verified: send the whole chain, in order."
  ),
  .badSignature: (
    "the signature of an SCT is no signature of the log",
    "It does not have the form of a signature, or names algorithms that the log's key does not have. Or other SCTs in "
      + "the certificate are right, so that this one was damaged on its way in, or is of another precertificate."
  ),
  .differsFromPrecertificate: (
    "an SCT's signature is wrong: the certificate differs from its precertificate",
    "An embedded SCT is issued for a precertificate, from which the certificate may differ in nothing but the SCTs. As "
      + "nothing else explains the signature, and no embedded SCT is right, the CA changed something in between, or "
      + "the SCT was tampered with."
  ),
  .wrongEntryType: (
    "an SCT is for the other kind of entry",
    "SCTs for a precertificate belong into the certificate, SCTs for the certificate into TLS or OCSP. One in the wrong "
      + "place never verifies."
  ),
  .otherCertificate: (
    "an SCT in TLS or OCSP is not for this certificate",
    "SCTs that are delivered beside the certificate have to be replaced with it. Servers that keep the file of an earlier "
      + "one are the usual cause; an SCT that was damaged looks the same."
  ),
  .malformedList: (
    "a list of SCTs can't be read",
    "An empty list, an empty SCT in it, or bytes that are too many or too few spoil the whole list."
  ),
  .malformedSCT: (
    "an SCT can't be read, or is of another version",
    "The other SCTs of its list still count. Firefox also drops an SCT whose extensions can't be decoded, or have two "
      + "indexes."
  ),
  .trailingBytes: (
    "bytes follow the signature of an SCT",
    "Chromium passes over them; Apple rejects the SCT."
  ),
  .unreadableCertificate: (
    "the certificate can't be read",
    "Its structure or its dates are not those of a certificate, so that neither its lifetime nor its precertificate can be "
      + "told."
  ),
]
