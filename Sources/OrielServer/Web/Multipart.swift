/// A file that came with a form.
struct FormFile: Sendable {
  /// As the browser names it; anything may stand in it.
  let name: String
  let bytes: [UInt8]
}

/// The parts of a `multipart/form-data` body (RFC 7578): what browsers send where a form has a field for files.
struct Multipart {
  struct Part {
    let name: String
    /// Nil for a field that is no file.
    let fileName: String?
    let bytes: [UInt8]
  }

  private static let longestBoundary = 70
  private static let longestHead = 8 << 10

  let parts: [Part]

  /// The boundary that a Content-Type names; nil if it is of another kind.
  static func boundary(of contentType: String) -> String? {
    let fields = parameters(of: contentType)
    guard fields.first?.name == "multipart/form-data" else { return nil }
    // One that can't be used is a boundary that never comes.
    return fields.first { $0.name == "boundary" }?.value ?? ""
  }

  /// - Throws: ``WebProblem`` if the body is cut off, or of more than `most` parts.
  init(_ body: [UInt8], boundary: String, most: Int) throws {
    guard (1...Multipart.longestBoundary).contains(boundary.utf8.count) else { throw WebProblem.damagedForm }
    let delimiter = Array("\r\n--\(boundary)".utf8)
    // The first one may stand at the very beginning, without a line end.
    var place: Int
    if body.starts(with: delimiter.dropFirst(2)) {
      place = delimiter.count - 2
    } else {
      guard let first = Multipart.find(delimiter, in: body, from: 0) else { throw WebProblem.damagedForm }
      place = first + delimiter.count
    }
    var parts: [Part] = []
    while !body[place...].starts(with: "--".utf8) {
      guard parts.count < most, let start = Multipart.find([0x0d, 0x0a], in: body, from: place),
        let end = Multipart.find(delimiter, in: body, from: start)
      else { throw WebProblem.damagedForm }
      parts.append(try Multipart.part(body, start + 2, end))
      place = end + delimiter.count
    }
    self.parts = parts
  }

  /// Reads a part: its head, an empty line, its content.
  private static func part(_ body: [UInt8], _ start: Int, _ end: Int) throws -> Part {
    guard start <= end, let blank = find([0x0d, 0x0a, 0x0d, 0x0a], in: body, from: start), blank + 4 <= end,
      blank - start <= longestHead
    else { throw WebProblem.damagedForm }
    for line in String(decoding: body[start..<blank], as: UTF8.self).split(separator: "\r\n") {
      let pair = line.split(separator: ":", maxSplits: 1)
      guard pair.count == 2, pair[0].lowercased() == "content-disposition" else { continue }
      let fields = parameters(of: String(pair[1]))
      guard fields.first?.name == "form-data", let name = fields.first(where: { $0.name == "name" })?.value else {
        break
      }
      let fileName = fields.first { $0.name == "filename" }?.value
      return Part(name: name, fileName: fileName, bytes: Array(body[(blank + 4)..<end]))
    }
    throw WebProblem.damagedForm
  }

  /// The parts of a header's value between semicolons, names in lower case; the first has no value.
  private static func parameters(of text: String) -> [(name: String, value: String)] {
    var fields: [(name: String, value: String)] = []
    var (name, value) = (String.UnicodeScalarView(), String.UnicodeScalarView())
    var (isValue, isQuoted, isEscaped) = (false, false, false)
    func finish() {
      let name = String(name).filter { !$0.isWhitespace }.lowercased()
      if !name.isEmpty { fields.append((name, String(value))) }
    }
    for scalar in text.unicodeScalars {
      switch scalar {
      case _ where isQuoted && isEscaped:
        value.append(scalar)
        isEscaped = false
      case "\\" where isQuoted: isEscaped = true
      case "\"" where isValue: isQuoted.toggle()
      case ";" where !isQuoted:
        finish()
        (name, value, isValue) = (.init(), .init(), false)
      case "=" where !isValue: isValue = true
      case _ where isValue: if isQuoted || scalar != " " { value.append(scalar) }
      default: name.append(scalar)
      }
    }
    finish()
    return fields
  }

  private static func find(_ wanted: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
    guard let first = wanted.first else { return nil }
    var place = start
    while place + wanted.count <= bytes.count, let next = bytes[place...].firstIndex(of: first) {
      if bytes[next...].starts(with: wanted) { return next }
      place = next + 1
    }
    return nil
  }
}
