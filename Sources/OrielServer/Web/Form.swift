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

  /// For templates, to show again what was typed; but no private key is sent back.
  var values: Values {
    fields.reduce(into: [:] as Values) { values, field in
      guard let text = field.value.first, !text.contains("PRIVATE KEY"), !CertificateFile.holdsSecret(Array(text.utf8))
      else { return }
      values[field.key] = text
    }
  }

  /// The fields in the form of a query, without some, with others.
  func query(without names: Set<String>, adding more: [(String, String)] = []) -> String {
    let own = fields.filter { !names.contains($0.key) }.sorted { $0.key < $1.key }
      .flatMap { name, values in values.filter { !$0.isEmpty }.map { (name, $0) } }
    return (own + more).map { Form.encode($0) + "=" + Form.encode($1) }.joined(separator: "&")
  }

  private static func decode(_ bytes: some Collection<UInt8>) -> String {
    var (result, rest) = ([UInt8](), Array(bytes)[...])
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "+") {
        result.append(0x20)
      } else if byte == UInt8(ascii: "%"), rest.count >= 2,
        let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
      {
        result.append(value)
        rest = rest.dropFirst(2)
      } else {
        result.append(byte)
      }
    }
    return String(decoding: result, as: UTF8.self)
  }

  private static func encode(_ text: String) -> String {
    text.utf8.map { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
        String(decoding: [byte], as: UTF8.self)
      default: "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
      }
    }.joined()
  }
}
