/// A name in a certificate by its place in the buffer: what the hot path passes on in place of a ``FoundName``.
package struct NameRange: Hashable, Sendable {
  package let source: FoundName.Source
  package let stringTag: UInt8
  package let start: Int32
  package let end: Int32

  @inline(__always)
  init(_ source: FoundName.Source, tag: UInt8 = 0, _ range: Range<Int>) {
    self.source = source
    stringTag = tag
    start = Int32(truncatingIfNeeded: range.lowerBound)
    end = Int32(truncatingIfNeeded: range.upperBound)
  }

  package var range: Range<Int> { Int(start)..<Int(end) }
}

/// Finds every name in a certificate: each subjectAltName extension there is, each commonName and e-mail address of the
/// subject, whatever their string type.
///
/// Nothing is decoded and nothing allocated (once `found` has grown): names are ranges of the buffer. Where anything that
/// may hold a name can't be read, the walk goes on with the rest and says so, for such a certificate may cover any name.
package enum NameWalk {
  /// More names than this in one certificate are not listed; it then counts as unreadable.
  package static let maximumNames = 100_000

  /// Appends the names of the certificate with these fields to `found`.
  ///
  /// - Returns: whether all that may hold names could be read.
  package static func find(_ fields: CertificateFields, in bytes: Span<UInt8>, into found: inout [NameRange]) -> Bool {
    let subject = findInSubject(fields.subject, in: bytes, into: &found)
    let extensions = findInExtensions(fields.extensions, in: bytes, into: &found)
    return fields.isComplete && subject && extensions && found.count < maximumNames
  }

  private static func findInSubject(
    _ range: Range<Int>, in bytes: Span<UInt8>, into found: inout [NameRange]
  ) -> Bool {
    guard let name = DERElement.read(bytes, at: range.lowerBound, limit: range.upperBound, tag: DERTag.sequence)
    else { return false }
    var offset = name.contentStart
    while offset < name.end {
      guard let relative = DERElement.read(bytes, at: offset, limit: name.end, tag: DERTag.set) else { return false }
      var inner = relative.contentStart
      while inner < relative.end {
        guard let pair = DERElement.read(bytes, at: inner, limit: relative.end, tag: DERTag.sequence),
          let type = DERElement.read(bytes, at: pair.contentStart, limit: pair.end, tag: DERTag.objectIdentifier),
          let value = DERElement.read(bytes, at: type.end, limit: pair.end)
        else { return false }
        if isCommonName(type.content, in: bytes) {
          append(NameRange(.commonName, tag: value.tag, value.content), to: &found)
        } else if type.content.count == 9, bytes.equals(type.content, OID.emailAddress) {
          append(NameRange(.email, tag: value.tag, value.content), to: &found)
        }
        inner = pair.end
      }
      offset = relative.end
    }
    return true
  }

  @inline(__always)
  private static func isCommonName(_ range: Range<Int>, in bytes: Span<UInt8>) -> Bool {
    range.count == 3 && bytes[range.lowerBound] == 0x55 && bytes[range.lowerBound + 1] == 0x04
      && bytes[range.lowerBound + 2] == 0x03
  }

  private static func findInExtensions(
    _ range: Range<Int>, in bytes: Span<UInt8>, into found: inout [NameRange]
  ) -> Bool {
    var offset = range.lowerBound
    var readable = true
    while offset < range.upperBound {
      guard let element = DERElement.read(bytes, at: offset, limit: range.upperBound) else { return false }
      offset = element.end
      // Only what may be a subjectAltName needs to be well formed: look at the identifier first.
      guard
        let identifier = DERElement.read(
          bytes, at: element.contentStart, limit: element.end, tag: DERTag.objectIdentifier)
      else {
        readable = false
        continue
      }
      let start = identifier.contentStart
      guard identifier.end - start == 3, bytes[start] == 0x55, bytes[start + 1] == 0x1d, bytes[start + 2] == 0x11
      else { continue }
      guard let alternative = ExtensionFields(bytes, at: element.start, limit: element.end),
        findInAlternativeName(alternative.value, in: bytes, into: &found)
      else {
        readable = false
        continue
      }
    }
    return readable
  }

  private static func findInAlternativeName(
    _ range: Range<Int>, in bytes: Span<UInt8>, into found: inout [NameRange]
  ) -> Bool {
    guard let names = DERElement.read(bytes, at: range.lowerBound, limit: range.upperBound, tag: DERTag.sequence)
    else { return false }
    var readable = true
    var offset = names.contentStart
    while offset < names.end {
      guard let name = DERElement.read(bytes, at: offset, limit: names.end) else { return false }
      switch name.tag {
      case 0x82: append(NameRange(.dnsName, name.content), to: &found)
      case 0x87: append(NameRange(.ipAddress, name.content), to: &found)
      case 0x81: append(NameRange(.email, name.content), to: &found)
      case 0x86: append(NameRange(.uri, name.content), to: &found)
      case 0xa0: if !findInOtherName(name.content, in: bytes, into: &found) { readable = false }
      case 0x80, 0x83, 0xa3, 0xa4, 0x84, 0xa5, 0x85, 0x88: break
      // A constructed string (BER), or a tag that no GeneralName has.
      default: readable = false
      }
      offset = name.end
    }
    // Some CAs have sent one zero byte behind the names; nothing can hide in it.
    let rest = range.upperBound - names.end
    return readable && (rest == 0 || (rest == 1 && bytes[names.end] == 0))
  }

  private static func findInOtherName(
    _ range: Range<Int>, in bytes: Span<UInt8>, into found: inout [NameRange]
  ) -> Bool {
    guard
      let type = DERElement.read(
        bytes, at: range.lowerBound, limit: range.upperBound, tag: DERTag.objectIdentifier),
      let wrapper = DERElement.read(bytes, at: type.end, limit: range.upperBound)
    else { return false }
    let isService = bytes.equals(type.content, OID.srvName)
    guard isService || bytes.equals(type.content, OID.smtpUTF8Mailbox) else { return true }
    guard let value = DERElement.read(bytes, at: wrapper.contentStart, limit: wrapper.end) else { return false }
    append(NameRange(isService ? .srvName : .smtpUTF8Mailbox, tag: value.tag, value.content), to: &found)
    return true
  }

  @inline(__always)
  private static func append(_ name: NameRange, to found: inout [NameRange]) {
    if found.count < maximumNames { found.append(name) }
  }
}
