import CertificateTransparency

/// The registrar of a domain name, and how it takes reports of abuse. All texts come from strangers and are cleaned.
package struct RegistrarContact: Hashable, Sendable {
  package private(set) var domain: String
  package private(set) var name: String?
  /// IANA's number for the registrar.
  package private(set) var ianaID: String?
  package private(set) var abuseAddresses: [ContactAddress] = []
  package private(set) var abusePhones: [String] = []
  /// Forms for reports of abuse.
  package private(set) var abusePages: [WebPage] = []
  /// The registrar's own addresses, for where it names none for abuse.
  package private(set) var generalAddresses: [ContactAddress] = []
  package private(set) var pages: [WebPage] = []
  /// The registrar's own answer on the domain.
  private(set) var related: WebPage?

  package enum Refusal: Error, Hashable, Sendable, CustomStringConvertible {
    case notRDAP
    case serverError(String)
    case otherDomain(String)

    package var description: String {
      switch self {
      case .notRDAP: "the answer is no RDAP answer about a domain"
      case .serverError(let text): "the RDAP server answered with an error: \(text)"
      case .otherDomain(let name): "the RDAP server answered about another domain: \(name)"
      }
    }
  }

  /// Reads an RDAP answer (RFC 9083) about a domain, with contacts as jCard (RFC 7095) or JSContact (RFC 9553).
  package init(json: [UInt8], domain: String) throws(Refusal) {
    guard let document = JSONValue.read(json), case .object = document else { throw .notRDAP }
    if document["errorCode"] != nil {
      let words = [document["title"]?.text] + (document["description"]?.texts.prefix(2).map { $0 } ?? [])
      throw .serverError(words.compactMap { $0 }.joined(separator: ": ").cleaned())
    }
    guard document["objectClassName"]?.text == "domain" else { throw .notRDAP }
    if let answered = document["ldhName"]?.text, !RegistrarContact.isSame(answered, domain) {
      throw .otherDomain(answered.cleaned(limit: 253))
    }
    self.domain = domain
    var rest = RegistrarContact.mostEntities
    for entity in document["entities"]?.members ?? [] { read(entity, isRegistrars: false, depth: 0, &rest) }
    related = document["links"]?.elements.prefix(32).lazy.compactMap(RegistrarContact.related).first
  }

  /// Fills gaps from the registrar's own answer.
  mutating func add(_ other: RegistrarContact) {
    if name == nil { name = other.name }
    if ianaID == nil { ianaID = other.ianaID }
    if abuseAddresses.isEmpty { abuseAddresses = other.abuseAddresses }
    if abusePhones.isEmpty { abusePhones = other.abusePhones }
    if abusePages.isEmpty { abusePages = other.abusePages }
    if generalAddresses.isEmpty { generalAddresses = other.generalAddresses }
    if pages.isEmpty { pages = other.pages }
  }

  private static func isSame(_ answered: String, _ asked: String) -> Bool {
    var answered = answered.lowercased()
    if answered.hasSuffix(".") { answered.removeLast() }
    return answered == asked.lowercased()
  }

  private static func related(_ link: JSONValue) -> WebPage? {
    guard link["rel"]?.text?.lowercased() == "related", let page = link["href"]?.text.flatMap({ WebPage($0) }),
      page.isSecure, link["type"]?.text.map({ $0.lowercased().hasPrefix("application/rdap+json") }) ?? true
    else { return nil }
    return page
  }

  private static let mostEntities = 128
  private static let deepest = 4

  /// Abuse contacts stand in the registrar's entity, at any depth; some registries have them beside it.
  ///
  /// - Parameters:
  ///   - isRegistrars: whether it stands in the registrar's entity.
  ///   - rest: how many entities may still be read.
  private mutating func read(_ entity: JSONValue, isRegistrars: Bool, depth: Int, _ rest: inout Int) {
    guard rest > 0 else { return }
    rest -= 1
    let roles = entity["roles"]?.texts.map { $0.lowercased() } ?? []
    let card = Card(entity)
    let isRegistrar = depth == 0 && roles.contains("registrar")
    if roles.contains("abuse"), depth == 0 || isRegistrars {
      for address in card.addresses { OrielContacts.add(address, to: &abuseAddresses, limit: 4) }
      for phone in card.phones { OrielContacts.add(phone, to: &abusePhones, limit: 4) }
      for page in card.contactPages { OrielContacts.add(page, to: &abusePages, limit: 4) }
    }
    if isRegistrar {
      name = name ?? card.name ?? card.organisation
      for id in entity["publicIds"]?.elements.prefix(8) ?? []
      where id["type"]?.text?.lowercased().contains("registrar id") ?? false {
        ianaID = ianaID ?? id["identifier"]?.text.map { $0.cleaned(limit: 20) }
      }
      for address in card.addresses { OrielContacts.add(address, to: &generalAddresses, limit: 4) }
      for page in card.contactPages + card.pages { OrielContacts.add(page, to: &pages, limit: 4) }
    }
    guard isRegistrar || isRegistrars, depth < RegistrarContact.deepest else { return }
    for inner in entity["entities"]?.members ?? [] { read(inner, isRegistrars: true, depth: depth + 1, &rest) }
  }
}

/// What one contact card says, in either of its forms.
private struct Card {
  var name: String?
  var organisation: String?
  var addresses: [ContactAddress] = []
  var phones: [String] = []
  var pages: [WebPage] = []
  /// Those that are there to get in touch (RFC 8605).
  var contactPages: [WebPage] = []

  init(_ entity: JSONValue) {
    if let rows = entity["vcardArray"]?.elements.dropFirst().first { readRows(rows.elements.prefix(200)) }
    for key in ["jscard", "jscard_0", "jsCard", "jscontact_card"] {
      if let card = entity[key] { readJSContact(card) }
    }
  }

  private static func said(_ text: String?) -> String? {
    text.map { $0.cleaned() }.flatMap { $0.isEmpty ? nil : $0 }
  }

  private mutating func readRows(_ rows: ArraySlice<JSONValue>) {
    var numbers: [String] = []
    for row in rows {
      let cells = row.elements
      guard cells.count >= 4, let property = cells[0].text?.lowercased() else { continue }
      let texts = cells[3...].flatMap(\.texts)
      switch property {
      case "fn": name = name ?? Card.said(texts.first)
      case "org": organisation = organisation ?? Card.said(texts.first)
      case "email": addAddresses(texts)
      case "contact-uri":
        addAddresses(texts.filter(Card.isMailURI))
        texts.compactMap { WebPage($0) }.forEach { add($0, to: &contactPages, limit: 4) }
      case "url": texts.compactMap { WebPage($0) }.forEach { add($0, to: &pages, limit: 4) }
      case "tel":
        let kinds = cells[1]["type"]?.texts.map { $0.lowercased() } ?? []
        if !kinds.contains("fax") { numbers += texts }
      default: break
      }
    }
    addPhones(numbers)
  }

  private mutating func readJSContact(_ card: JSONValue) {
    name = name ?? Card.said(card["name"]?["full"]?.text ?? card["fullName"]?.text ?? card["name"]?.text)
    organisation =
      organisation ?? Card.said(card["organizations"]?.members.lazy.compactMap { $0["name"]?.text }.first)
    addAddresses((card["emails"]?.members ?? []).compactMap { $0["address"]?.text ?? $0["email"]?.text })
    let phones = (card["phones"]?.members ?? []).filter { $0["features"]?["fax"] == nil }
    addPhones(phones.compactMap { $0["number"]?.text ?? $0["phone"]?.text })
    (card["links"]?.members ?? []).compactMap { ($0["uri"]?.text).flatMap { WebPage($0) } }
      .forEach { add($0, to: &pages, limit: 4) }
  }

  private static func isMailURI(_ text: String) -> Bool { text.lowercased().hasPrefix("mailto:") }

  /// Addresses alone, as URIs, with names (`Name <a@b>`), and several in one text.
  private mutating func addAddresses(_ texts: [String]) {
    for text in texts.prefix(8) where text.utf8.count <= 2000 && !text.unicodeScalars.contains(where: \.isDeceptive) {
      // What else a URI asks for, such as a subject, is nobody's business.
      let plain = Card.isMailURI(text) ? text.dropFirst(7).prefix { $0 != "?" } : text[...]
      for part in plain.split(whereSeparator: { $0 == "," || $0 == ";" }).prefix(8) {
        if let address = Card.address(part) { add(address, to: &addresses, limit: 4) }
      }
    }
  }

  private static func address(_ text: Substring) -> ContactAddress? {
    if let open = text.lastIndex(of: "<"), let close = text[open...].firstIndex(of: ">") {
      return ContactAddress(text[text.index(after: open)..<close].filter { $0 != " " })
    }
    let words = text.split(separator: " ")
    // Words before an address are no part of it.
    if words.count(where: { $0.contains("@") }) == 1, let word = words.first(where: { $0.contains("@") }),
      let address = ContactAddress(word)
    {
      return address
    }
    return ContactAddress(words.joined())
  }

  /// Numbers in digits. A number that is too short is put together with what follows: some servers make a row of each
  /// of its parts.
  private mutating func addPhones(_ texts: [String]) {
    var numbers: [String] = []
    for text in texts.prefix(16) {
      let plain = text.lowercased().hasPrefix("tel:") ? text.dropFirst(4) : text[...]
      let number = String(plain.prefix { $0 != ";" }.prefix(40).filter { "+0123456789.- ".contains($0) })
      guard number.contains(where: { ("0"..."9").contains($0) }) else { continue }
      let isOpen = numbers.last.map { $0.hasPrefix("+") && $0.count(where: \.isNumber) < 7 } ?? false
      if isOpen, !number.hasPrefix("+"), let last = numbers.popLast() {
        numbers.append(last + " " + number)
      } else {
        numbers.append(number)
      }
    }
    for number in numbers { add(number, to: &phones, limit: 4) }
  }
}
