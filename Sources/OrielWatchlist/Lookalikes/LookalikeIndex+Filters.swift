/// What the scanner asks before it asks for more: each of these says no only where there is nothing alike.
extension LookalikeIndex {
  /// Whether a label may be like a brand, whatever stands beside it.
  @inline(__always)
  func mayBeLike(_ label: Span<UInt8>, _ hash: LabelHash, isRegistrable: Bool) -> Bool {
    if names.contains(KeyKind.brand.key(hash.shape)) { return true }
    let count = label.count
    guard count > 3 else { return false }
    if isRegistrable, hasBrands(near: count), mayBeSlip(label, hash) { return true }
    return words.visitParts(of: label) { range in
      guard range.count > (isRegistrable ? 2 : 4) else { return false }
      let shape = LabelHash(label.extracting(range)).shape
      return names.contains((isRegistrable ? KeyKind.brand : .anywhere).key(shape))
    }
  }

  @inline(__always)
  private func mayBeSlip(_ label: Span<UInt8>, _ hash: LabelHash) -> Bool {
    var found = typos.mayContainBit(KeyKind.typo.quickKey(hash.letters))
    _ = hash.visitDeletions(of: label) {
      found |= typos.mayContainBit(KeyKind.typo.quickKey($0))
      return false
    }
    return found != 0
  }

  @inline(never)
  func mayBeLike(international label: Span<UInt8>, isRegistrable: Bool) -> Bool {
    let letters = ConfusableLetters.shared.letters(of: label.array)
    return mayBeLike(letters.span, LabelHash(letters), isRegistrable: isRegistrable)
  }

  /// Whether a name of regular bytes may imitate a domain, going from the right.
  @inline(never)
  func mayImitate(_ name: Span<UInt8>) -> Bool {
    var end = name.count
    while end > 0, name[end &- 1] == 0x2E { end &-= 1 }
    var (position, next, isCountry) = (0, 0 as UInt64, false)
    while end > 0 {
      var start = end
      while start > 0, name[start &- 1] != 0x2E { start &-= 1 }
      let label = name.extracting(start..<end)
      // A label that is too long makes all of the name none.
      guard label.count <= 63 else { return false }
      let hash = LabelHash(label)
      if position == 0 {
        isCountry = label.isCountry
      } else {
        let isRegistrable = position == 1 || position == 2 && isCountry
        let letters = label.isALabel ? ConfusableLetters.shared.letters(of: label.array) : nil
        let isSuspect =
          letters.map { letters in
            visitKeys(
              of: letters.span, LabelHash(letters), next: next, isRegistrable: isRegistrable, isLower: position > 1
            ) { $0.contains($1) }
          }
          ?? visitKeys(of: label, hash, next: next, isRegistrable: isRegistrable, isLower: position > 1) {
            $0.contains($1)
          }
        if isSuspect { return true }
      }
      next = hash.shape
      position &+= 1
      end = start &- 1
    }
    return false
  }
}
