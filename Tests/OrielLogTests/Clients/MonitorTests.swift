import CertificateTransparency
import Foundation
import TestSupport
import TestWorld
import Testing

@testable import OrielLog

/// Monitors follow a log over HTTP, verify it, and find a certificate in it.
@Suite("Monitors that follow a log", .serialized)
struct MonitorTests {
  /// What there is to find.
  private struct Watched {
    let precertificate: UInt64
    let certificate: UInt64
    let serial: String

    init(in log: ServedLog) async throws {
      let pending = try log.authority.begin(CertificateRequest(["www.watched.example"]))
      let pair = try pending.finish()
      precertificate = try ServedLog.Promise(
        try await log.submit(pair, precertificate: true), pair.precertificateEntry, log.key
      ).index
      certificate = try ServedLog.Promise(
        try await log.submit(pair, precertificate: false), pair.certificateEntry, log.key
      ).index
      serial = try #require(CertificateFacts(certificate: pair.certificate).serialNumber)
    }
  }

  private struct State: Decodable {
    struct Position: Decodable { let size: UInt64 }
    let verified_position: Position
  }

  @Test("certspotter verifies the tree by RFC 6962's endpoints, and finds the certificate", .needs("certspotter"))
  func certspotter() async throws {
    try await ServedLog.run { log in
      _ = try await log.fill(300)
      let watched = try await Watched(in: log)
      let size = try await log.head().treeSize
      let folder = try TemporaryFolder()
      let list = try folder.write(try log.list(.rfc6962(url: log.url)), to: "list.json")
      let watchList = try folder.write(".watched.example\n", to: "watchlist")
      let script = try folder.write(
        "#!/bin/sh\necho \"$EVENT $WATCH_ITEM $ENTRY_INDEX $SERIAL\" >> \"$0.told\"\n", to: "tell")
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: script)
      let spotter = try Command(
        [
          "-logs", list, "-watchlist", watchList, "-state_dir", folder.path + "/state", "-script", script, "-no_save",
          "-verbose",
        ], program: try #require(Programs.path("certspotter")),
        environment: ["CERTSPOTTER_CONFIG_DIR": folder.path, "HOME": folder.path])
      func states() -> [State] {
        TestFiles.below(folder.path + "/state/logs", named: "state.json").compactMap { file in
          try? JSONDecoder().decode(State.self, from: Data(contentsOf: file))
        }
      }
      // It writes its state when it has verified the tree, and runs on.
      while !states().contains(where: { $0.verified_position.size == size }), spotter.isRunning {
        try await Task.sleep(for: .milliseconds(20))
      }
      spotter.send(SIGTERM)
      _ = try await spotter.finish()
      #expect(states().map(\.verified_position.size) == [size], "\(spotter.errors)")
      let told = try String(contentsOfFile: script + ".told", encoding: .utf8).split(separator: "\n")
      let expected = [watched.precertificate, watched.certificate].map { index in
        "discovered_cert .watched.example \(index) \(watched.serial)"
      }
      #expect(Set(told.map(String.init)) == Set(expected))
    }
  }

  private struct WatchLine: Decodable {
    struct Sighting: Decodable { let index: UInt64 }
    let dns_names: [String]
    let sightings: [Sighting]
  }

  @Test("oriel watch follows it through both faces", arguments: [true, false])
  func orielWatch(byTiles: Bool) async throws {
    try await ServedLog.run { log in
      _ = try await log.fill(300)
      let watched = try await Watched(in: log)
      let folder = try TemporaryFolder()
      let kind: LogDescription.Kind =
        byTiles
        ? .staticCT(submission: log.folder.entry.submissionURL, monitoring: log.url) : .rfc6962(url: log.url)
      let list = try folder.write(try log.list(kind), to: "list.json")
      let arguments = [
        "watch", "--once", "--json", "--from", "start", "--log-list", list, "--data-dir", folder.path + "/data",
        "watched.example",
      ]
      let result = try await Command.run(arguments)
      #expect(result.status == 0, "\(result.errors)")
      let lines = try result.lines.map { try JSONDecoder().decode(WatchLine.self, from: Data($0.utf8)) }
      #expect(Set(lines.flatMap(\.dns_names)) == ["www.watched.example"])
      #expect(Set(lines.flatMap(\.sightings).map(\.index)) == [watched.precertificate, watched.certificate])
      // It goes on from there.
      _ = try await log.fill(2, from: 300)
      let again = try await Command.run(arguments)
      #expect(again.status == 0 && again.output.isEmpty, "\(again.output)\(again.errors)")
    }
  }
}

enum TestFiles {
  /// The files of a name below a folder.
  static func below(_ folder: String, named name: String) -> [URL] {
    let paths = (try? FileManager.default.subpathsOfDirectory(atPath: folder)) ?? []
    return paths.filter { $0 == name || $0.hasSuffix("/" + name) }.sorted().map { URL(filePath: folder + "/" + $0) }
  }
}
