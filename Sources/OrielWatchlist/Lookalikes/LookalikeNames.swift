/// The domains whose imitations are sought, and the other names of the same owners, which imitate nothing.
package struct LookalikeNames: Hashable, Sendable {
  package var watched: [LookalikeIndex.OwnedDomain]
  package var own: [LookalikeIndex.OwnedDomain]

  package init(watched: [LookalikeIndex.OwnedDomain] = [], own: [LookalikeIndex.OwnedDomain] = []) {
    self.watched = watched
    self.own = own
  }

  package static func + (left: LookalikeNames, right: LookalikeNames) -> LookalikeNames {
    LookalikeNames(watched: left.watched + right.watched, own: left.own + right.own)
  }

  package var index: LookalikeIndex {
    watched.isEmpty ? .empty : LookalikeIndex(watching: watched, allowed: own)
  }
}
