/// The number of a row, typed by what the row is.
package struct ID<Kind>: Hashable, Sendable, CustomStringConvertible, LosslessStringConvertible {
  package let value: Int64

  package init(_ value: Int64) { self.value = value }

  package init?(_ description: String) {
    guard let value = Int64(description), value > 0 else { return nil }
    self.init(value)
  }

  package var description: String { String(value) }
}

package typealias AccountID = ID<Account>
package typealias MemberID = ID<Member>
package typealias DomainID = ID<Domain>
package typealias RecipientID = ID<Recipient>
package typealias TokenID = ID<APIToken>
package typealias SessionID = ID<Session>
package typealias InventoryID = ID<InventoryEntry>
package typealias MuteID = ID<Mute>

/// Something that nobody may read by accident: shown as `***` wherever it is printed.
package struct Secret: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  package let text: String

  package init(_ text: String) { self.text = text }

  package var description: String { "***" }
  package var debugDescription: String { "***" }
  package var customMirror: Mirror { Mirror(self, children: [:]) }
}
