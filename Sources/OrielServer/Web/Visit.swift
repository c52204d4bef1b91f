import HTTPTypes
import OrielAccounts

/// One request, and who makes it.
struct Visit: Sendable {
  let path: String
  let query: Form
  var form = Form()
  let parameters: [String: String]
  /// The network address that attempts are counted by.
  let client: String
  /// What the browser says it is.
  let userAgent: String
  /// What the codes of forms are made from: the session's secret, or a visitor's.
  let formSecret: Secret
  var session: Secret?
  var actor: Actor?
  var memberships: [Membership] = []
  var address = ""
  /// How things stood before the page was made.
  var news: News?
  /// Why the form of this visit was not taken.
  var refusal: Refusal?

  struct Refusal: Sendable {
    let form: String
    let field: String
    let reason: String
  }

  var occupant: Occupant { Occupant(address: client, account: actor?.account, session: session) }

  /// - Throws: ``AccountError/signedOut`` where nobody is.
  func someone() throws -> Actor {
    guard let actor else { throw AccountError.signedOut }
    return actor
  }

  /// A part of the path that names something.
  ///
  /// - Throws: ``AccountError/notFound`` if it can't.
  func id<Kind>(_ name: String, _: Kind.Type = Kind.self) throws -> ID<Kind> {
    guard let id = parameters[name].flatMap({ ID<Kind>($0) }) else { throw AccountError.notFound }
    return id
  }

  var domain: DomainID { get throws { try id("domain") } }
}

/// A page that was made, before it is filled in.
struct Page {
  let template: String
  var title: String
  var values: Values
  var status = 200
  var cookies: [String] = []
  /// Run when the page has been sent.
  var afterwards: (@Sendable () -> Void)?

  init(_ template: String, title: String, _ values: Values, status: Int = 200) {
    self.template = template
    self.title = title
    self.values = values
    self.status = status
  }
}

/// What a form that was taken leads to.
enum Outcome {
  case redirect(String, cookies: [String] = [])
  case page(Page)
}
