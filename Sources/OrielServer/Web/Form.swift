import OrielVerdicts

/// The fields of a form, or of what stands behind the question mark (`application/x-www-form-urlencoded`), and the files
/// that came with them (`multipart/form-data`).
struct Form: Sendable {
  private var fields: [String: [String]] = [:]
  private var sentFiles: [String: [FormFile]] = [:]

  /// A little more than the longest list of checkboxes.
  private static let mostFields = 2500

  init() {}

  init(_ bytes: some Collection<UInt8>) {
    for pair in bytes.split(separator: UInt8(ascii: "&"), maxSplits: Form.mostFields).prefix(Form.mostFields) {
      let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = parts.first else { continue }
      fields[Form.decode(name), default: []].append(parts.count > 1 ? Form.decode(parts[1]) : "")
    }
  }

  /// - Throws: ``WebProblem`` for a body that is not what its type says.
  init(_ bytes: [UInt8], contentType: String?) throws {
    guard let boundary = contentType.flatMap(Multipart.boundary) else {
      self.init(bytes)
      return
    }
    self.init()
    for part in try Multipart(bytes, boundary: boundary, most: Form.mostFields).parts {
      if let name = part.fileName {
        // Where no file was chosen, browsers send one without a name.
        if !name.isEmpty || !part.bytes.isEmpty {
          sentFiles[part.name, default: []].append(FormFile(name: name, bytes: part.bytes))
        }
      } else {
        fields[part.name, default: []].append(String(decoding: part.bytes, as: UTF8.self))
      }
    }
  }

  /// The value of a field; nil if it is empty.
  subscript(name: String) -> String? {
    guard let value = fields[name]?.first, !value.isEmpty else { return nil }
    return value
  }

  var names: Set<String> { Set(fields.keys) }

  func all(_ name: String) -> [String] { fields[name] ?? [] }

  func files(_ name: String) -> [FormFile] { sentFiles[name] ?? [] }

  /// In bytes. What is longer was not typed, and need not come back.
  private static let longestShownAgain = 2 << 10

  /// The value of a field to show again as it was typed; but no private key is sent back.
  func typed(_ name: String) -> String? {
    guard let text = fields[name]?.first, text.utf8.count <= Form.longestShownAgain, !text.contains("PRIVATE KEY"),
      !CertificateFile.holdsSecret(Array(text.utf8))
    else { return nil }
    return text
  }

  /// All fields to show again, for templates.
  var values: Values { Values(fields.keys.map { ($0, typed($0) as Any?) }) }

  /// The fields in the form of a query, without some, with others.
  func query(without names: Set<String>, adding more: [(String, String)] = []) -> String {
    let own = fields.filter { !names.contains($0.key) }.sorted { $0.key < $1.key }
      .flatMap { name, values in values.filter { !$0.isEmpty }.map { (name, $0) } }
    return (own + more).map { Form.encode($0) + "=" + Form.encode($1) }.joined(separator: "&")
  }

  private static func decode(_ bytes: some Collection<UInt8>) -> String {
    var (result, rest) = ([UInt8](), Array(bytes)[...])
    result.reserveCapacity(rest.count)
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "+") {
        result.append(0x20)
      } else if byte == UInt8(ascii: "%"), rest.count >= 2, let high = hexDigit(rest[rest.startIndex]),
        let low = hexDigit(rest[rest.startIndex + 1])
      {
        result.append(high << 4 | low)
        rest = rest.dropFirst(2)
      } else {
        result.append(byte)
      }
    }
    return String(decoding: result, as: UTF8.self)
  }

  private static func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  private static func encode(_ text: String) -> String {
    var result = ""
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
        result.unicodeScalars.append(Unicode.Scalar(byte))
      default: result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
      }
    }
    return result
  }
}
