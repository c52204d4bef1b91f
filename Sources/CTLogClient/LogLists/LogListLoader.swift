public import CertificateTransparency
import Foundation

/// Fetches log lists, verifies their signatures, and keeps the last good copy of each for when the next can't be had.
public struct LogListLoader: Sendable {
  private static let largestSignature = 16 << 10

  private let transport: HTTPTransport
  private let cache: LogListCache?

  /// - Parameter directory: where copies are kept; made when needed. With nil nothing is kept.
  public init(transport: HTTPTransport, directory: String?) {
    self.transport = transport
    cache = directory.map { LogListCache(directory: $0) }
  }

  /// Whatever of a source's list can be had, flagged for what it is: the list as it is now, or the kept copy.
  ///
  /// A list without the signature that it ought to have is returned only if there is no kept copy, and is never kept.
  ///
  /// - Throws: ``FetchError``, `FormatError` or ``InflateError`` if the list can't be had and there is no kept copy;
  ///   `CancellationError`.
  public func load(_ source: LogListSource, now: Timestamp) async throws -> LoadedLogList {
    let kept = cache?.copy(of: source).flatMap { copy in
      read(copy, of: source, now: now, isKept: true).map { (copy: copy, loaded: $0) }
    }
    do {
      let fresh = try await fetch(source, kept: kept?.copy, now: now)
      guard case .invalid(let reason) = fresh.loaded.signature, let kept else {
        guard fresh.loaded.signature.isGood else { return fresh.loaded }
        do {
          try cache?.keep(fresh.copy, of: source)
          return fresh.loaded
        } catch {
          return fresh.loaded.because("it could not be kept: \(error)")
        }
      }
      return kept.loaded.because("the signature is no good: \(reason)")
    } catch let error as CancellationError {
      throw error
    } catch {
      guard let kept else { throw error }
      return kept.loaded.because("\(error)")
    }
  }

  /// The kept copy of a source's list, nothing fetched; nil if there is none that is good.
  public func kept(_ source: LogListSource, now: Timestamp) -> LoadedLogList? {
    cache?.copy(of: source).flatMap { read($0, of: source, now: now, isKept: true) }
  }

  /// A kept copy, if it is still good.
  private func read(_ copy: LogListCache.Copy, of source: LogListSource, now: Timestamp, isKept: Bool) -> LoadedLogList?
  {
    let bytes = [UInt8](copy.list)
    let signature = verify(bytes, copy.signature.map { [UInt8]($0) }, of: source)
    guard signature.isGood, let list = try? LogList(json: bytes) else { return nil }
    return LoadedLogList(
      list: list, source: source, fetchedAt: Timestamp(milliseconds: copy.fetchedAt), signature: signature, now: now,
      fromCache: isKept)
  }

  private func fetch(
    _ source: LogListSource, kept: LogListCache.Copy?, now: Timestamp
  ) async throws -> (copy: LogListCache.Copy, loaded: LoadedLogList) {
    var last: (copy: LogListCache.Copy, loaded: LoadedLogList)?
    // List and signature are two files: between reading one and the other, both may have been replaced.
    for _ in 1...2 {
      var body: [UInt8] = []
      let head = try await transport.get(
        source.url, limit: LogList.maximumByteCount, into: &body, acceptsGzip: true,
        entityTag: last == nil ? kept?.etag : nil)
      if head.status == 304, var copy = kept {
        copy.fetchedAt = now.milliseconds
        if let loaded = read(copy, of: source, now: now, isKept: false) { return (copy, loaded) }
      }
      try Inflater.inflateIfGzip(&body, limit: LogList.maximumByteCount)
      let signature = try await fetchSignature(source)
      let status = verify(body, signature, of: source)
      let copy = LogListCache.Copy(
        url: source.url, etag: head.etag, fetchedAt: now.milliseconds, list: Data(body),
        signature: signature.map { Data($0) })
      let loaded = LoadedLogList(
        list: try LogList(json: body), source: source, fetchedAt: now, signature: status, now: now)
      last = (copy, loaded)
      if status.isGood { return (copy, loaded) }
    }
    guard let last else { throw FetchError(url: source.url, reason: .badURL("no list")) }
    return last
  }

  private func fetchSignature(_ source: LogListSource) async throws -> [UInt8]? {
    guard let signature = source.signature else { return nil }
    var bytes: [UInt8] = []
    try await transport.get(signature.url, limit: LogListLoader.largestSignature, into: &bytes)
    return bytes
  }

  private func verify(_ list: [UInt8], _ signature: [UInt8]?, of source: LogListSource) -> LoadedLogList.Signature {
    guard let key = source.signature?.key else { return .unsigned }
    guard let signature else { return .invalid(reason: "there is none") }
    return key.verify(signature, over: list) ? .verified : .invalid(reason: "not made over this list by the pinned key")
  }
}

extension LoadedLogList.Signature {
  var isGood: Bool { self == .verified || self == .unsigned }
}

extension LoadedLogList {
  /// The same list, with what is the matter.
  fileprivate func because(_ trouble: String) -> LoadedLogList {
    var copy = self
    copy.trouble = trouble
    return copy
  }
}
