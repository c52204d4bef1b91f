import Synchronization
import X509

/// The intermediates of one handshake, with a limit to how often they are searched.
///
/// The verifier tries every path. Certificates that all certify each other would keep it busy for hours, and to make
/// some costs a hostile server nothing.
struct BoundedIntermediates: CustomCertificateStore {
  private final class Budget: Sendable {
    /// Each search is one step of one path.
    let left = Mutex(32)
  }

  private var certificates: [Certificate]
  private let budget = Budget()

  init(_ certificates: [Certificate]) { self.certificates = certificates }

  subscript(subject: DistinguishedName) -> [Certificate]? {
    get async {
      let isExhausted = budget.left.withLock { left in
        left -= 1
        return left < 0
      }
      return isExhausted ? nil : certificates.filter { $0.subject == subject }
    }
  }

  func contains(_ certificate: Certificate) async -> Bool { certificates.contains(certificate) }

  mutating func append(contentsOf certificates: some Sequence<Certificate>) { self.certificates += certificates }

  static func == (left: Self, right: Self) -> Bool { left.certificates == right.certificates }
  func hash(into hasher: inout Hasher) { hasher.combine(certificates) }
}
