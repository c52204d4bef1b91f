package import CertificateTransparency
import Foundation
import Synchronization

/// Fetches what stands at a URL; expected to bound size and time, and to keep away from addresses within one's own net.
package typealias Fetch = @Sendable (_ url: String) async throws -> [UInt8]

/// Where CCADB's reports are: paths of files, or URLs.
package struct CADataSource: Hashable, Sendable {
  package var records: [String]
  package var certificates: [String]
  package var caaIdentifiers: [String]
  package var mechanisms: [String]

  package init(
    records: [String] = [], certificates: [String] = [], caaIdentifiers: [String] = [], mechanisms: [String] = []
  ) {
    self.records = records
    self.certificates = certificates
    self.caaIdentifiers = caaIdentifiers
    self.mechanisms = mechanisms
  }

  /// CCADB itself.
  package static let published = CADataSource(
    records: [ccadb + "AllCertificateRecordsCSVFormatV5"],
    certificates: ["2010", "2020"].map { ccadb + "AllCertificatePEMsCSVFormat?NotBeforeDecade=" + $0 },
    caaIdentifiers: [ccadb + "AllCAAIdentifiersReportCSVV2"], mechanisms: [ccadb + "AllProblemReportingMechanismsCSV"])

  private static let ccadb = "https://ccadb.my.salesforce-sites.com/ccadb/"
}

/// Keeps CCADB's data for whoever asks, and takes in newer ones. Does without them until they come.
package final class CADirectory: Sendable {
  package enum Refresh: Hashable, Sendable {
    case loaded(certificates: Int, malformed: Int)
    /// What was there before still is.
    case failed(reason: String)
  }

  private let source: CADataSource
  private let fetch: Fetch
  private let state = Mutex<(owners: CAOwners?, failure: String?)>((nil, nil))

  package init(_ source: CADataSource, fetch: @escaping Fetch) {
    self.source = source
    self.fetch = fetch
  }

  /// The newest data; nil where none have been read.
  package var owners: CAOwners? { state.withLock { $0.owners } }

  /// One sentence on what there is, how old it is, and what went wrong last.
  package func summary(at now: Timestamp) -> String {
    let (owners, failure) = state.withLock { $0 }
    let trouble = failure.map { " The last attempt to read them failed: \($0)".withFullStop } ?? ""
    guard let owners else { return "CA owners are not known: no CCADB data have been read." + trouble }
    let hours = max(0, owners.age(at: now).components.seconds / 3600)
    let age = hours < 48 ? counted(hours, "hour", "hours") : "\(hours / 24) days"
    return "\(counted(owners.certificateCount, "CA certificate", "CA certificates")) from CCADB, \(age) old." + trouble
  }

  /// Reads all reports anew. They replace what there is only if every one can be read, and there is not much less in
  /// them than before.
  package func refresh(now: Timestamp) async -> Refresh {
    do {
      let loaded = try await load(now: now)
      let before = owners?.certificateCount ?? 0
      guard loaded.certificateCount > before / 2 || source.records.isEmpty else {
        throw Problem("there are \(loaded.certificateCount) CA certificates in them, \(before) before")
      }
      state.withLock { $0 = (loaded, nil) }
      return .loaded(certificates: loaded.certificateCount, malformed: loaded.malformedCount)
    } catch {
      let reason = "\(error)".cleaned(limit: 400)
      state.withLock { $0.failure = reason }
      return .failed(reason: reason)
    }
  }

  private func load(now: Timestamp) async throws -> CAOwners {
    var reader = CAOwnersReader()
    var oldest = now
    let parts: [([String], (inout CAOwnersReader, [UInt8]) throws -> Void)] = [
      (source.records, { try $0.addRecords($1) }), (source.certificates, { try $0.addCertificates($1) }),
      (source.caaIdentifiers, { try $0.addCAAIdentifiers($1) }), (source.mechanisms, { try $0.addMechanisms($1) }),
    ]
    for (places, add) in parts {
      for place in places {
        do {
          try add(&reader, try await bytes(at: place, oldest: &oldest))
        } catch { throw Problem("\(place): \(error)") }
      }
    }
    return reader.finish(asOf: oldest)
  }

  private struct Problem: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
  }

  private func bytes(at place: String, oldest: inout Timestamp) async throws -> [UInt8] {
    if place.hasPrefix("https://") || place.hasPrefix("http://") { return try await fetch(place) }
    let facts = try FileManager.default.attributesOfItem(atPath: place)
    guard facts[.type] as? FileAttributeType == .typeRegular else { throw Problem("not a file") }
    let size = (facts[.size] as? NSNumber)?.intValue ?? 0
    guard size <= CSVReader.byteLimit else { throw CSVError.tooLarge(bytes: size, limit: CSVReader.byteLimit) }
    if let date = facts[.modificationDate] as? Date, date.timeIntervalSince1970 > 0 {
      oldest = min(oldest, Timestamp(milliseconds: UInt64(date.timeIntervalSince1970 * 1000)))
    }
    return [UInt8](try Data(contentsOf: URL(filePath: place)))
  }
}
