package import CertificateTransparency

/// Where an entry is in its log.
package struct LogPlace: Hashable, Sendable {
  package let index: UInt64
  package let timestamp: Timestamp

  package init(index: UInt64, timestamp: Timestamp) {
    self.index = index
    self.timestamp = timestamp
  }
}
