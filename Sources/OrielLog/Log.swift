package import CertificateTransparency
import MerkleTree

/// A Certificate Transparency log (static-ct-api), without the server in front of it.
///
/// Call ``tick()`` once per period, and ``tidy()`` now and then.
package final class Log: Sendable {
  package let identity: LogIdentity
  package let admission: Admission
  package let storage: any BlobStore
  private let sequencer: Sequencer
  private let clock: LogClock

  /// Creates an empty log in an empty directory and enters it in the lock: once in the life of the log.
  ///
  /// - Throws: ``LogError/alreadyCreated(origin:)``.
  package static func create(
    _ identity: LogIdentity, storage: any BlobStore, lock: any CheckpointLock, anchor: (any CheckpointAnchor)? = nil,
    clock: LogClock
  ) async throws {
    let loader = LogLoader(identity: identity, storage: storage, lock: lock, anchor: anchor)
    try await loader.create(at: clock.now())
  }

  /// Opens a log, and finishes what it was about when it ended.
  ///
  /// - Parameters:
  ///   - anchor: keeps what was signed last where no restored snapshot reaches it; nil for none.
  ///   - known: the checkpoint that somebody else serves as this log's, where it could be fetched: it tells when lock and
  ///     directory were restored from a backup together.
  /// - Throws: ``LogError`` if lock and directory do not belong together, or not to what is anchored or known.
  package init(
    _ identity: LogIdentity, admission: Admission, storage: any BlobStore, lock: any CheckpointLock,
    anchor: (any CheckpointAnchor)? = nil, table: any EntryTable, clock: LogClock,
    settings: SequencerSettings = SequencerSettings(), known: [UInt8]? = nil
  ) async throws {
    self.identity = identity
    self.admission = admission
    self.storage = storage
    self.clock = clock
    sequencer = try await Sequencer(
      identity, storage: storage, lock: lock, anchor: anchor, table: table, clock: clock, settings: settings,
      known: known)
  }

  /// Takes the body of add-chain or add-pre-chain, and answers once the entry is in the published tree.
  ///
  /// - Throws: ``Rejection``.
  @concurrent
  package func submit(_ body: [UInt8], as kind: LogEntryKind) async throws -> SignedCertificateTimestamp {
    try await submit(try admission.admit(body, as: kind, at: clock.now()))
  }

  /// Logs an entry that was admitted.
  @concurrent
  package func submit(_ entry: PendingEntry) async throws -> SignedCertificateTimestamp {
    let place = try await sequencer.place(of: entry)
    let signature: DigitallySigned
    do {
      signature = try await identity.key.sign(entry.signatureInput(at: place))
    } catch {
      // The entry is logged; whoever submits it again gets the SCT once the signer works.
      throw Rejection.unavailable
    }
    return SignedCertificateTimestamp(
      logID: identity.logID, timestamp: place.timestamp, extensions: PendingEntry.extensions(index: place.index),
      signature: signature)
  }

  /// Publishes what was submitted since the last call.
  ///
  /// - Throws: why it could not be; the submitters were told.
  package func tick() async throws { try await sequencer.tick() }

  /// Does what can wait.
  package func tidy() async throws { try await sequencer.tidy() }

  /// Compares the tree with a checkpoint that somebody else serves as this log's; see ``Sequencer/compare(with:)``.
  package func compare(with known: [UInt8]) async throws { try await sequencer.compare(with: known) }

  /// The last head; nil while the log is stopped.
  package var head: LogHead? { get async { await sequencer.head } }

  /// Why the log is stopped; nil while it runs.
  package var reasonForStop: (any Error)? { get async { await sequencer.reasonForStop } }
}
