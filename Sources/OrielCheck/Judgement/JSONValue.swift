import MerkleTree

/// A JSON value, written out by hand: Foundation's encoder takes as long for a report as all of its signatures do.
enum JSONValue: ExpressibleByDictionaryLiteral, ExpressibleByStringLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByIntegerLiteral
{
  case text(String)
  case integer(Int)
  case flag(Bool)
  case list([JSONValue])
  case object([(name: String, value: JSONValue)])

  /// Members without a value are left out.
  init(dictionaryLiteral members: (String, JSONValue?)...) {
    self = .object(members.compactMap { name, value in value.map { (name, $0) } })
  }

  init(stringLiteral value: String) { self = .text(value) }
  init(booleanLiteral value: Bool) { self = .flag(value) }
  init(integerLiteral value: Int) { self = .integer(value) }

  static func texts(_ values: [String]) -> JSONValue { .list(values.map { .text($0) }) }

  /// The value on one line.
  var line: String {
    var output: [UInt8] = []
    output.reserveCapacity(1 << 13)
    write(to: &output)
    return String(decoding: output, as: UTF8.self)
  }

  private func write(to output: inout [UInt8]) {
    switch self {
    case .text(let text): JSONValue.write(text, to: &output)
    case .integer(let number): output += String(number).utf8
    case .flag(let flag): output += (flag ? "true" : "false").utf8
    case .list(let values):
      output.append(UInt8(ascii: "["))
      for (index, value) in values.enumerated() {
        if index > 0 { output.append(UInt8(ascii: ",")) }
        value.write(to: &output)
      }
      output.append(UInt8(ascii: "]"))
    case .object(let members):
      output.append(UInt8(ascii: "{"))
      for (index, member) in members.enumerated() {
        if index > 0 { output.append(UInt8(ascii: ",")) }
        JSONValue.write(member.name, to: &output)
        output.append(UInt8(ascii: ":"))
        member.value.write(to: &output)
      }
      output.append(UInt8(ascii: "}"))
    }
  }

  private static func write(_ text: String, to output: inout [UInt8]) {
    let quote = UInt8(ascii: "\"")
    let backslash = UInt8(ascii: "\\")
    output.append(quote)
    for byte in text.utf8 {
      if byte == quote || byte == backslash {
        output += [backslash, byte]
      } else if byte < 0x20 {
        output += (byte < 0x10 ? "\\u000" : "\\u00").utf8
        output += String(byte, radix: 16).utf8
      } else {
        output.append(byte)
      }
    }
    output.append(quote)
  }
}
