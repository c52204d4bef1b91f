public import Foundation
public import Testing

/// The collected real-world material that tests read in place.
///
/// It is found beside a checkout (`../shared/testdata`) or where `ORIEL_TESTDATA` points; tests that need it carry the
/// trait ``Testing/Trait/needsTestData`` and are skipped, by name, where it is absent.
public enum TestData {
  /// The folder, or nil where there is none.
  public static let root: URL? = {
    let environment = ProcessInfo.processInfo.environment["ORIEL_TESTDATA"]
    let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let candidates = [environment.map { URL(filePath: $0) }, package.appending(path: "../shared/testdata")]
    return candidates.compactMap { $0 }.first {
      FileManager.default.fileExists(atPath: $0.appending(path: "MANIFEST.json").path)
    }
  }()

  public static var isPresent: Bool { root != nil }

  public struct Absent: Error {}

  /// The URL of a file or folder inside the material.
  public static func url(_ path: String) throws -> URL {
    guard let root else { throw Absent() }
    return root.appending(path: path)
  }

  public static func data(_ path: String) throws -> Data { try Data(contentsOf: url(path)) }

  public static func bytes(_ path: String) throws -> [UInt8] { [UInt8](try data(path)) }

  public static func text(_ path: String) throws -> String { String(decoding: try data(path), as: UTF8.self) }

  /// The paths (relative to the root, sorted) of all files below a folder; empty where the material is absent.
  public static func files(in folder: String, withExtension ext: String? = nil) -> [String] {
    guard let root else { return [] }
    let base = root.appending(path: folder)
    let names = (try? FileManager.default.subpathsOfDirectory(atPath: base.path)) ?? []
    return names.filter { name in
      if let ext, !name.hasSuffix("." + ext) { return false }
      var isFolder: ObjCBool = false
      return FileManager.default.fileExists(atPath: base.appending(path: name).path, isDirectory: &isFolder)
        && !isFolder.boolValue
    }.sorted().map { folder + "/" + $0 }
  }

  /// The DER of each block of a PEM file with the given label.
  public static func pem(_ path: String, label: String = "CERTIFICATE") throws -> [[UInt8]] {
    let text = try text(path)
    var blocks: [[UInt8]] = []
    var rest = text[...]
    while let begin = rest.range(of: "-----BEGIN \(label)-----"),
      let end = rest.range(of: "-----END \(label)-----", range: begin.upperBound..<rest.endIndex)
    {
      let base64 = rest[begin.upperBound..<end.lowerBound].filter { !$0.isWhitespace }
      if let data = Data(base64Encoded: String(base64)) { blocks.append([UInt8](data)) }
      rest = rest[end.upperBound...]
    }
    return blocks
  }
}

extension Trait where Self == ConditionTrait {
  /// Skips a test where the collected material is absent.
  public static var needsTestData: Self {
    .enabled(if: TestData.isPresent, "needs the collected test data (set ORIEL_TESTDATA to its folder)")
  }
}
