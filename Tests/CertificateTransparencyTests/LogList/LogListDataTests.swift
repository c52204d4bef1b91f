import CertificateTransparency
import Foundation
import MerkleTree
import TestSupport
import Testing

/// The collected lists, against what an independent reader counted in them.
@Suite(.needsTestData) struct LogListDataTests {
  struct Manifest: Decodable {
    struct Entry: Decodable {
      let path: String
      let expected: Expected?
    }

    /// What is expected of a list; of other files it is something else.
    struct Expected: Decodable {
      let members: [String: Value]

      init(from decoder: any Decoder) throws {
        members = (try? decoder.singleValueContainer().decode([String: Value].self)) ?? [:]
      }
    }

    /// The manifest's members have many types; the ones read here are these.
    enum Value: Decodable {
      case number(Int)
      case text(String)
      case counts([String: Int])
      case flag(Bool)
      case other

      init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let value = try? container.decode(Bool.self) {
          self = .flag(value)
        } else if let value = try? container.decode(Int.self) {
          self = .number(value)
        } else if let value = try? container.decode(String.self) {
          self = .text(value)
        } else if let value = try? container.decode([String: Int].self) {
          self = .counts(value)
        } else {
          self = .other
        }
      }

      var number: Int? { if case .number(let value) = self { value } else { nil } }
      var text: String? { if case .text(let value) = self { value } else { nil } }
      var counts: [String: Int]? { if case .counts(let value) = self { value } else { nil } }
    }

    let entries: [Entry]
  }

  private static let lists: [(path: String, expected: [String: Manifest.Value])] = {
    guard let data = try? TestData.data("MANIFEST.json"),
      let manifest = try? JSONDecoder().decode(Manifest.self, from: data)
    else { return [] }
    return manifest.entries.compactMap { entry in
      guard entry.path.hasPrefix("loglists/"), entry.path.hasSuffix(".json"), let expected = entry.expected?.members,
        (expected["rfc6962_logs"]?.number ?? 0) > 0
      else { return nil }
      return (entry.path, expected)
    }
  }()

  @Test("there are lists of all three programs")
  func coverage() {
    for program in ["chrome", "apple", "all_logs"] {
      #expect(Self.lists.count { $0.path.hasPrefix("loglists/\(program)/") } >= 6)
    }
  }

  @Test("lists are read whole, without a problem", arguments: lists.map(\.path))
  func counts(path: String) throws {
    let expected = try #require(Self.lists.first { $0.path == path }?.expected)
    let bytes = try TestData.bytes(path)
    let list = try LogList(json: bytes)
    #expect(list.problems == [])
    #expect(list.operators.count == expected["operators"]?.number)
    let tiled = list.logs.count { if case .staticCT = $0.kind { true } else { false } }
    #expect(tiled == expected["tiled_logs"]?.number)
    #expect(list.logs.count - tiled == expected["rfc6962_logs"]?.number)
    #expect(list.timestamp?.description == expected["log_list_timestamp"]?.text)
    let states = Dictionary(list.logs.map { ($0.state?.name ?? "none", 1) }, uniquingKeysWith: +)
    #expect(states == expected["states"]?.counts)
    let again = try LogList(json: try list.json())
    #expect(again.problems == [])
    #expect(Set(again.logs) == Set(list.logs))
  }

  @Test(
    "lists of earlier schemas are refused whole",
    arguments: [
      "loglists/apple/apple_oss_2021-10-06_a169443.json", "loglists/legacy/log_list_v1_2018-03-03.json",
      "loglists/apple/apple_oss_2021-10-06_2de04ed.json", "loglists/apple/apple_oss_2021-10-06_d168421.json",
    ])
  func oldSchemas(path: String) throws {
    let bytes = try TestData.bytes(path)
    #expect(throws: FormatError.self) { try LogList(json: bytes) }
  }

  @Test(
    "Google's signatures verify with the pinned key, over exactly the bytes of the list",
    arguments: TestData.files(in: "loglists/chrome", withExtension: "sig"))
  func signatures(path: String) throws {
    let signature = try TestData.bytes(path)
    let list = try TestData.bytes(path.replacing(".sig", with: ".json"))
    #expect(LogListKey.google.verify(signature, over: list))
    #expect(!LogListKey.google.verify(signature, over: list + [0x0a]))
    #expect(!LogListKey.google.verify(Array(signature.dropLast()), over: list))
    #expect(!LogListKey.google.verify([], over: list))
  }

  @Test("the pinned key is the published one")
  func pinned() throws {
    let key = try LogListKey(pemRepresentation: try TestData.text("loglists/google_log_list_pubkey.pem"))
    #expect(LogListKey.google.derRepresentation == key.derRepresentation)
    #expect(
      SHA256Hash.hash(key.derRepresentation).hex == "f1d8b68e50210d8e73d9a3e97f571773c52d7f28c0b1a71beee81d8562e6fd85")
    #expect(throws: FormatError.self) { try LogListKey(derRepresentation: LogSigner().publicKey.derRepresentation) }
  }

  @Test("a list that is cut off is refused whole")
  func incomplete() throws {
    let bytes = try TestData.bytes("loglists/negative/appmattus_log_list_incomplete.json")
    #expect(throws: FormatError.self) { try LogList(json: bytes) }
  }

  @Test("a list with members of old is read")
  func membersOfOld() throws {
    let old = try LogList(json: try TestData.bytes("loglists/negative/appmattus_log_list_valid_until.json"))
    #expect(old.problems == [])
    #expect(old.logs.map(\.state) == [.usable, .usable, .qualified, .retired])
    let list = try TestData.bytes("loglists/negative/appmattus_log_list.json")
    #expect(try LogList(json: list).logs.count == 29)
    let signature = try TestData.bytes("loglists/negative/appmattus_log_list.sig")
    #expect(LogListKey.google.verify(signature, over: list))
    let other = try TestData.bytes("loglists/negative/appmattus_log_list_valid_until.json")
    #expect(!LogListKey.google.verify(signature, over: other))
  }
}
