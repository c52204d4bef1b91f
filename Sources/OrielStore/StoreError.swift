/// Why the state can't be opened or kept.
package enum StoreError: Error, Hashable, CustomStringConvertible {
  case inUse(directory: String)
  case unwritable(directory: String, reason: String)
  case corrupt(file: String, reason: String)
  case newer(file: String, version: Int64, known: Int64)
  case older(file: String, version: Int64, known: Int64)
  case foreign(file: String)
  case full(file: String)
  /// Another process writes to it for longer than there was patience.
  case busy(file: String)
  /// A service that is older than the program runs on it.
  case outdatedService(file: String, version: Int64, known: Int64)
  /// Not a backup, or not a whole one.
  case noBackup(file: String, reason: String)
  /// A file that was to be made is there, or can't be made.
  case unmade(file: String, reason: String)

  package var description: String {
    switch self {
    case .inUse(let directory):
      "data directory \(directory) is in use by another oriel process: stop that one, or use another data directory"
    case .unwritable(let directory, let reason):
      "data directory \(directory) can't be written: \(reason)"
    case .corrupt(let file, let reason):
      """
      the database \(file) is damaged (\(reason)). It has not been touched. To begin anew, keeping it for later: \
      mv '\(file)' '\(file).damaged' and move its -wal and -shm files, if there are any, along with it
      """
    case .newer(let file, let version, let known):
      "the database \(file) is of version \(version), this oriel knows up to \(known): use a newer oriel"
    case .older(let file, let version, let known):
      "the database \(file) is of version \(version), this oriel reads \(known): run `oriel serve` or `oriel watch` first"
    case .foreign(let file):
      "\(file) is a database of another program: use another data directory"
    case .full(let file):
      "no space left for \(file): free some and start again, nothing that was committed is lost"
    case .busy(let file): "another process has been writing to \(file) for a while: try again"
    case .outdatedService(let file, let version, let known):
      """
      the service that runs on \(file) is of an older version (the database is of version \(version), this oriel's is \
      \(known)): restart `oriel serve`, then try again. Nothing was changed
      """
    case .noBackup(let file, let reason):
      """
      \(file) is no whole backup of Oriel's (\(reason)): nothing was changed. Give a file that `oriel backup` made; one \
      that came over a network may have been cut off
      """
    case .unmade(let file, let reason): "\(file) can't be written: \(reason)"
    }
  }
}
