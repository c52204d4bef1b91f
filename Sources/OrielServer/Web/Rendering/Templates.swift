import CertificateTransparency
import Mustache

/// All pages' templates. Whatever they show is escaped for HTML, and cleaned of what could deceive a reader.
struct Templates: Sendable {
  private let library: MustacheLibrary
  /// Where pages say why a form's field was refused: the element's ID, by template, form and field.
  private let places: [String: String]

  /// - Throws: if a template has a mistake in it.
  init() throws {
    MustacheContentTypes.register(SafeHTML(), named: SafeHTML.name)
    var library = MustacheLibrary()
    var places: [String: String] = [:]
    for (name, source) in Templates.sources {
      for place in source.matches(of: #/{{#(refused\.[a-z.-]+)}}<p class="error" id="([a-z-]+)"/#) {
        places["\(name) \(place.1)"] = String(place.2)
      }
      try library.register("{{% CONTENT_TYPE:\(SafeHTML.name)}}" + source, named: name)
    }
    self.library = library
    self.places = places
  }

  /// Nil where the page has no place of its own for the reason.
  func place(of refusal: Visit.Refusal, in template: String) -> String? {
    places["\(template) refused.\(refusal.form).\(refusal.field)"]
  }

  func render(_ name: String, _ values: Values) -> String { library.render(values, withTemplate: name) ?? "" }

  static let sources: [String: String] = [
    "layout": layoutTemplate, "code": codeTemplate, "guard": guardTemplate, "judgement": judgementTemplate,
    "facts": factsTemplate,
    "domain-head": domainHeadTemplate, "problem": problemTemplate, "sign-in": signInTemplate, "sent": sentTemplate,
    "link": linkTemplate, "confirmed": confirmedTemplate, "unsubscribe": unsubscribeTemplate,
    "overview": overviewTemplate, "domains": domainsTemplate, "domain": domainTemplate, "current": currentTemplate,
    "public": publicTemplate,
    "domain-settings": domainSettingsTemplate, "lookalikes": lookalikesTemplate,
    "lookalike-settings": lookalikeSettingsTemplate, "inventory": inventoryTemplate, "first-day": firstDayTemplate,
    "issuance": issuanceTemplate, "inclusion": inclusionTemplate,
    "action": actionTemplate, "settings": settingsTemplate, "logs": logsTemplate, "log": logTemplate,
    "feed": feedTemplate, "alerts": alertsTemplate, "search": searchTemplate, "viewer": viewerTemplate,
  ]
}

/// Text in HTML, in elements and in quoted attributes alike.
struct SafeHTML: MustacheContentType {
  static let name = "ORIEL"

  func escapeText(_ text: String) -> String {
    var result = ""
    result.reserveCapacity(text.utf8.count)
    // By scalars: a quotation mark with an accent on it is one character, and would still end an attribute.
    for scalar in text.unicodeScalars {
      switch scalar {
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "&": result += "&amp;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      case "\n", "\t": result.unicodeScalars.append(scalar)
      case "\r": break
      // No characters at all; in XML they are mistakes.
      case "\u{fffe}", "\u{ffff}": result += "\u{fffd}"
      default: result.unicodeScalars.append(scalar.isDeceptive ? "\u{fffd}" : scalar)
      }
    }
    return result
  }
}
