/// A mailbox: an address in plain ASCII, and perhaps the name of who reads it (RFC 5322, section 3.4).
///
/// Only addresses that can stand unquoted on an SMTP command line can be made, so that none can carry a command.
package struct MailAddress: Hashable, Sendable, CustomStringConvertible {
  package let name: String?
  /// `local@domain`, as given.
  package let address: String

  /// - Throws: ``MailAddressError`` for an address that can't be used, or a name with control characters.
  package init(name: String? = nil, address: String) throws {
    try Self.check(address)
    if let name, name.unicodeScalars.contains(where: \.isControl) {
      throw MailAddressError(text: name, problem: .controlCharacter)
    }
    self.name = name.flatMap { $0.isEmpty ? nil : $0 }
    self.address = address
  }

  /// Reads `a@b.example`, `Name <a@b.example>` or `"Name, quoted" <a@b.example>`.
  package init(_ text: String) throws {
    if let control = text.unicodeScalars.first(where: \.isControl) {
      throw MailAddressError(text: text, problem: control.value < 0x80 ? .controlCharacter : .notASCII)
    }
    let trimmed = text.trimmingSpaces
    guard trimmed.last == ">", let open = trimmed.lastIndex(of: "<") else {
      try self.init(address: String(trimmed))
      return
    }
    let inside = trimmed[trimmed.index(after: open)...].dropLast()
    try self.init(name: Self.unquoted(trimmed[..<open].trimmingSpaces), address: String(inside))
  }

  package var description: String { name.map { "\($0) <\(address)>" } ?? address }

  private static func unquoted(_ name: Substring) -> String {
    guard name.count >= 2, name.first == "\"", name.last == "\"" else { return String(name) }
    var result = ""
    var escaped = false
    for character in name.dropFirst().dropLast() {
      if character == "\\", !escaped {
        escaped = true
      } else {
        result.append(character)
        escaped = false
      }
    }
    return result
  }

  private static func check(_ address: String) throws {
    func fail(_ problem: MailAddressError.Problem) -> MailAddressError { .init(text: address, problem: problem) }
    let bytes = address.utf8
    guard bytes.count <= 254 else { throw fail(.tooLong) }
    guard !bytes.contains(where: { $0 < 0x20 || $0 == 0x7F }) else { throw fail(.controlCharacter) }
    guard let at = bytes.lastIndex(of: UInt8(ascii: "@")) else { throw fail(.noAt) }
    let local = bytes[..<at]
    let domain = bytes[bytes.index(after: at)...]
    guard !local.contains(where: { $0 >= 0x80 }) else { throw fail(.notASCII) }
    guard !domain.contains(where: { $0 >= 0x80 }) else { throw fail(.domainNotASCII) }
    guard (1...64).contains(local.count), local.allSatisfy({ $0.isAtomText || $0 == UInt8(ascii: ".") }) else {
      throw fail(.localPart)
    }
    let labels = domain.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard
      labels.allSatisfy({ label in
        (1...63).contains(label.count) && label.allSatisfy { $0.isLetterOrDigit || $0 == UInt8(ascii: "-") }
          && label.first != UInt8(ascii: "-") && label.last != UInt8(ascii: "-")
      })
    else { throw fail(.domain) }
  }
}

/// Why a text is not a mail address that can be used.
package struct MailAddressError: Error, Equatable, CustomStringConvertible {
  package enum Problem: Sendable {
    case controlCharacter, noAt, tooLong, notASCII, domainNotASCII, localPart, domain
  }

  package let text: String
  package let problem: Problem

  package var description: String {
    let shown = String(text.withoutControls.prefix(80))
    let reason =
      switch problem {
      case .controlCharacter: "it holds a control character"
      case .noAt: "there is no @ in it"
      case .tooLong: "it is longer than 254 bytes"
      case .notASCII: "the part before the @ may hold ASCII only"
      case .domainNotASCII: "write the domain in its ASCII form (xn--…)"
      case .localPart: "the part before the @ is empty, too long, or holds a space or a special character"
      case .domain: "the part after the @ is not a host name"
      }
    return "“\(shown)” can't be used as a mail address: \(reason)"
  }
}
