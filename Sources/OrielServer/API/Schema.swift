import CertificateTransparency
import Foundation
import MerkleTree

/// What a value of the API may be: what requests are read by, and what the document says.
indirect enum Schema: Sendable {
  case text(most: Int)
  case choice([String])
  /// The number of something, as text.
  case id
  /// A SHA-256 in hexadecimal.
  case hash
  /// RFC 3339.
  case time
  case integer(ClosedRange<Int64>)
  case number
  case flag
  case list(Schema, most: Int)
  case object([Field])
  case nullable(Schema)
  /// An object that the document describes once.
  case named(String, [Field])

  /// Whatever fits: for texts that only the one who reads them can judge.
  static let text = Schema.text(most: 1 << 20)
  static let count = Schema.integer(0...Int64.max)

  static func choice<Value: RawRepresentable<String>>(_ values: [Value]) -> Schema { .choice(values.map(\.rawValue)) }
  static func list(_ element: Schema) -> Schema { .list(element, most: 100_000) }

  /// A page of a list.
  static func page(_ element: Schema, _ more: [Field] = []) -> Schema {
    .object(
      [
        Field("items", .list(element), "newest first, unless the operation says otherwise"),
        Field("next", .text, "to give as `after`, if there is more", isRequired: false),
      ] + more)
  }
}

/// A field of an object, or of a query.
struct Field: Sendable {
  let name: String
  let schema: Schema
  let about: String
  let isRequired: Bool

  init(_ name: String, _ schema: Schema, _ about: String, isRequired: Bool = true) {
    self.name = name
    self.schema = schema
    self.about = about
    self.isRequired = isRequired
  }

  /// One that may be left out.
  static func optional(_ name: String, _ schema: Schema, _ about: String) -> Field {
    Field(name, schema, about, isRequired: false)
  }
}

/// Why a field can't be taken.
struct FieldError: Hashable, Sendable {
  let field: String
  let reason: String
}

// MARK: - Reading JSON

/// A JSON text, read by a schema: nothing else of it is looked at.
struct Document: Decodable {
  let value: JSON?
  let errors: [FieldError]

  private static let schema = CodingUserInfoKey(rawValue: "schema")

  init(from decoder: any Decoder) throws {
    var reader = DocumentReader()
    value = Document.schema.flatMap { decoder.userInfo[$0] as? Schema }.flatMap { reader.read($0, decoder, "") }
    errors = reader.errors
  }

  /// - Throws: if it is no JSON.
  static func read(_ bytes: [UInt8], by schema: Schema) throws -> Document {
    let decoder = JSONDecoder()
    if let key = Document.schema { decoder.userInfo[key] = schema }
    return try decoder.decode(Document.self, from: Data(bytes))
  }
}

private struct DocumentReader {
  /// Nobody reads more.
  private static let mostErrors = 20

  private(set) var errors: [FieldError] = []

  private struct Name: CodingKey {
    let stringValue: String
    let intValue: Int? = nil
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { return nil }
  }

  private mutating func refuse(_ path: String, _ reason: String) -> JSON? {
    if errors.count < DocumentReader.mostErrors { errors.append(FieldError(field: path, reason: reason)) }
    return nil
  }

  mutating func read(_ schema: Schema, _ decoder: any Decoder, _ path: String) -> JSON? {
    guard let container = try? decoder.singleValueContainer() else { return refuse(path, "can't be read") }
    switch schema {
    case .text, .choice, .id, .hash, .time:
      guard let text = try? container.decode(String.self) else { return refuse(path, "write a text") }
      return check(text, schema, path)
    case .integer(let range):
      guard let value = try? container.decode(Int64.self) else { return refuse(path, "write a whole number") }
      return range.contains(value) ? .integer(value) : refuse(path, Schema.words(range))
    case .number:
      return (try? container.decode(Double.self)).map { .number($0) } ?? refuse(path, "write a number")
    case .flag:
      return (try? container.decode(Bool.self)).map { .flag($0) } ?? refuse(path, "write true or false")
    case .nullable(let inner): return container.decodeNil() ? .null : read(inner, decoder, path)
    case .list(let element, let most): return list(element, most, decoder, path)
    case .object(let fields), .named(_, let fields): return object(fields, decoder, path)
    }
  }

  private mutating func check(_ text: String, _ schema: Schema, _ path: String) -> JSON? {
    do { return try schema.value(of: text) } catch { return refuse(path, error.reason) }
  }

  private mutating func list(_ element: Schema, _ most: Int, _ decoder: any Decoder, _ path: String) -> JSON? {
    guard var container = try? decoder.unkeyedContainer() else { return refuse(path, "write a list") }
    var values: [JSON] = []
    while !container.isAtEnd {
      guard values.count < most else { return refuse(path, "at most \(most), please") }
      guard let inner = try? container.superDecoder(), let value = read(element, inner, "\(path)[\(values.count)]")
      else { return nil }
      values.append(value)
    }
    return .list(values)
  }

  private mutating func object(_ fields: [Field], _ decoder: any Decoder, _ path: String) -> JSON? {
    guard let container = try? decoder.container(keyedBy: Name.self) else { return refuse(path, "write an object") }
    let prefix = path.isEmpty ? "" : path + "."
    let known = Set(fields.map(\.name))
    for key in container.allKeys.map(\.stringValue).sorted() where !known.contains(key) {
      _ = refuse(prefix + String(key.prefix(100)), "there is no such field")
    }
    var values: [String: JSON] = [:]
    for field in fields {
      let key = Name(stringValue: field.name)
      if container.contains(key), let inner = try? container.superDecoder(forKey: key) {
        values[field.name] = read(field.schema, inner, prefix + field.name)
      } else if field.isRequired {
        _ = refuse(prefix + field.name, "this is needed")
      }
    }
    return .object(values)
  }
}

// MARK: - Texts

extension Schema {
  struct Misfit: Error {
    let reason: String
  }

  static func words(_ range: ClosedRange<Int64>) -> String {
    range.upperBound == .max
      ? "at least \(range.lowerBound), please" : "between \(range.lowerBound) and \(range.upperBound), please"
  }

  /// The value that a text stands for, in a query or as a JSON string.
  func value(of text: String) throws(Misfit) -> JSON {
    switch self {
    case .text(let most):
      guard text.utf8.count <= most else { throw Misfit(reason: "at most \(most) bytes, please") }
      return .text(text)
    case .choice(let values):
      guard values.contains(text) else { throw Misfit(reason: "one of: " + values.joined(separator: ", ")) }
      return .text(text)
    case .id:
      guard let number = Int64(text), number > 0 else { throw Misfit(reason: "write an id, as the API gives them") }
      return .text(String(number))
    case .hash:
      guard let hash = SHA256Hash(hex: text.lowercased().filter { $0 != ":" && $0 != " " }) else {
        throw Misfit(reason: "a SHA-256 has 64 hexadecimal digits")
      }
      return .text(hash.hex)
    case .time:
      guard Timestamp(rfc3339: text) != nil else { throw Misfit(reason: "write a time, as 2026-01-31T00:00:00Z") }
      return .text(text)
    case .integer(let range):
      guard let value = Int64(text) else { throw Misfit(reason: "write a whole number") }
      guard range.contains(value) else { throw Misfit(reason: Schema.words(range)) }
      return .integer(value)
    case .flag:
      guard text == "true" || text == "false" else { throw Misfit(reason: "write true or false") }
      return .flag(text == "true")
    case .nullable(let inner): return try inner.value(of: text)
    case .number, .list, .object, .named: throw Misfit(reason: "can't be written as a text")
    }
  }

  // MARK: The document

  /// As JSON Schema, 2020-12.
  var json: JSON {
    switch self {
    case .text(let most): most >= 1 << 20 ? ["type": "string"] : ["type": "string", "maxLength": .integer(Int64(most))]
    case .choice(let values): ["type": "string", "enum": .texts(values)]
    case .id: ["type": "string", "pattern": "^[1-9][0-9]{0,18}$"]
    case .hash: ["type": "string", "pattern": "^[0-9a-f]{64}$"]
    case .time: ["type": "string", "format": "date-time"]
    case .integer(let range):
      [
        "type": "integer", "minimum": .integer(range.lowerBound),
        "maximum": range.upperBound == .max ? nil : .integer(range.upperBound),
      ]
    case .number: ["type": "number"]
    case .flag: ["type": "boolean"]
    case .list(let element, let most):
      ["type": "array", "items": element.json, "maxItems": most >= 100_000 ? nil : .integer(Int64(most))]
    case .nullable(let inner): ["anyOf": [inner.json, ["type": "null"]]]
    case .named(let name, _): ["$ref": .text("#/components/schemas/\(name)")]
    case .object(let fields): Schema.json(fields)
    }
  }

  static func json(_ fields: [Field]) -> JSON {
    let required = fields.filter(\.isRequired).map(\.name)
    return [
      "type": "object", "additionalProperties": false, "required": required.isEmpty ? nil : .texts(required),
      "properties": .object(
        Dictionary(fields.map { ($0.name, $0.described) }, uniquingKeysWith: { first, _ in first })),
    ]
  }

  /// The objects in it that are described once.
  var names: [String: [Field]] {
    switch self {
    case .list(let inner, _), .nullable(let inner): inner.names
    case .object(let fields): Schema.names(fields)
    case .named(let name, let fields): Schema.names(fields).merging([name: fields]) { first, _ in first }
    default: [:]
    }
  }

  private static func names(_ fields: [Field]) -> [String: [Field]] {
    fields.reduce(into: [:]) { $0.merge($1.schema.names) { first, _ in first } }
  }
}

extension Field {
  /// With what it is for.
  fileprivate var described: JSON {
    guard case .object(var fields) = schema.json, !about.isEmpty else { return schema.json }
    fields["description"] = .text(about)
    return .object(fields)
  }
}
