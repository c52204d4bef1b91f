import ArgumentParser
import CertificateTransparency
import Foundation
import OrielCheck
import OrielProbe

/// The options that say what is looked at.
struct CheckLooking: ParsableArguments {
  @Option(help: ArgumentHelp("A file of hosts, one a line; # begins a comment.", valueName: "FILE"))
  var hosts: String?

  @Option(help: ArgumentHelp("The name that a client asks for, of certificates in files.", valueName: "NAME"))
  var host: String?

  @Option(help: ArgumentHelp("The server name to send instead of the host; empty for none.", valueName: "NAME"))
  var sni: String?

  @Option(
    help: ArgumentHelp(
      "Connect to this address; `all` looks at each address, and at RSA and ECDSA certificates.", valueName: "IP|all"))
  var address: String?

  @Option(help: ArgumentHelp("Begin with this protocol: smtp, imap, pop3, postgres.", valueName: "PROTOCOL"))
  var starttls: String?

  @Option(help: ArgumentHelp("Seconds for one look.", valueName: "SECONDS"))
  var timeout = 15

  @Option(help: ArgumentHelp("An OCSP response (DER) that goes with a certificate in a file.", valueName: "FILE"))
  var ocsp: String?

  @Option(
    help: ArgumentHelp("The content of TLS extension 18 that goes with a certificate in a file.", valueName: "FILE"))
  var sctList: String?

  func validate() throws {
    if let starttls, StartTLS(rawValue: starttls) == nil {
      let known = StartTLS.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("--starttls takes \(known); not '\(starttls)'.")
    }
    if let address, address != "all", SocketAddress(address, port: 443) == nil {
      throw ValidationError("--address takes an IP address or `all`; not '\(address)'.")
    }
    guard (1...600).contains(timeout) else { throw ValidationError("--timeout takes 1 to 600 seconds.") }
  }

  /// The hosts of `--hosts`.
  func hostsInFile() throws -> [String] {
    guard let hosts else { return [] }
    guard let data = FileManager.default.contents(atPath: hosts) else {
      throw CommandFailure("the file of hosts \(hosts) can't be read", .badData)
    }
    return String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline).compactMap { line in
      let text = line.prefix { $0 != "#" }.trimmingCharacters(in: .whitespaces)
      return text.isEmpty ? nil : text
    }
  }

  /// The content of a file or of standard input; nil if a host is meant. Folders are often called like the host whose
  /// certificate they hold, so that a folder is none unless it is written as a path.
  static func file(_ target: String) throws -> [UInt8]? {
    if target == "-" {
      return [UInt8](try FileHandle.standardInput.read(upToCount: CertificateFile.maximumByteCount + 1) ?? Data())
    }
    var isFolder: ObjCBool = false
    let isThere = FileManager.default.fileExists(atPath: target, isDirectory: &isFolder)
    let isPath = target.contains("/") || [".pem", ".crt", ".cer", ".der"].contains(where: target.hasSuffix)
    guard (isThere && !isFolder.boolValue) || (isPath && !target.contains("://")) else { return nil }
    guard !isFolder.boolValue else { throw CommandFailure("this is a folder; give a file in it", .badData) }
    guard isThere, let handle = FileHandle(forReadingAtPath: target) else {
      throw CommandFailure("there is no such file, or it can't be read", .badData)
    }
    defer { try? handle.close() }
    return [UInt8](try handle.read(upToCount: CertificateFile.maximumByteCount + 1) ?? Data())
  }

  func subject(_ name: String, _ bytes: [UInt8]) throws -> CheckSubject {
    let name = name == "-" ? "standard input" : name
    let file = try CertificateFile(bytes, name: name)
    return CheckSubject(
      name: name, host: try host.map(SiteAddress.name), certificates: file.certificates,
      ocspResponse: try ocsp.map(CheckLooking.bytes), sctList: try sctList.map(CheckLooking.bytes))
  }

  static func bytes(_ file: String) throws -> [UInt8] {
    guard let data = FileManager.default.contents(atPath: file) else {
      throw CommandFailure("\(file) can't be read", .badData)
    }
    return [UInt8](data)
  }

  // MARK: Sites

  func site(_ text: String) async throws -> [Result<CheckSubject, CheckTrouble>] {
    var target = try ProbeTarget(
      try SiteAddress.normalised(text), startTLS: starttls.flatMap(StartTLS.init(rawValue:)))
    if let sni { target.serverName = sni.isEmpty ? .none : .name(try SiteAddress.name(sni)) }
    var options = ProbeOptions()
    options.totalTimeout = .seconds(timeout)
    options.connectTimeout = .seconds(min(timeout, 5))
    let probe = SiteProbe(options)
    guard address == "all" else {
      if let address { target.address = SocketAddress(address, port: target.port) }
      return [.success(CheckSubject(name: text, host: target.host, try await probe.look(at: target)))]
    }
    let sightings = try await probe.lookEverywhere(at: target)
    let groups = SiteProbe.groups(sightings)
    if groups.count > 1 {
      Terminal.note("oriel: \(text.safeLine) shows \(groups.count) different things, depending on address and kind")
    }
    var results: [Result<CheckSubject, CheckTrouble>] = groups.map { group in
      let places = group.seen.map { "\($0.address.map { "\($0)" } ?? "?") \($0.kind.rawValue)" }
      return .success(
        CheckSubject(name: "\(text) (\(places.joined(separator: ", ")))", host: target.host, group.handshake))
    }
    results += failures(sightings, of: text)
    return results
  }

  /// A server need not have both kinds of certificate; an address that shows neither is in trouble.
  private func failures(
    _ sightings: [SiteProbe.Sighting], of text: String
  ) -> [Result<CheckSubject, CheckTrouble>] {
    var told = Set(sightings.filter { (try? $0.result.get()) != nil }.map(\.address))
    return sightings.compactMap { sighting in
      guard case .failure(let error) = sighting.result, told.insert(sighting.address).inserted else { return nil }
      return .failure(CheckTrouble("\(text) at \(sighting.address.map { "\($0)" } ?? "?")", error))
    }
  }
}
