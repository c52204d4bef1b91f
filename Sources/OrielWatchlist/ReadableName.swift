import CertificateTransparency

/// Internationalised names as people read them.
package enum ReadableName {
  /// What a name stands for whose labels are A-labels: `münchen.example` for `xn--mnchen-3ya.example`; nil where there is
  /// nothing else to show, and where what there is could be taken for something else.
  package static func unicode(of name: String) -> String? {
    guard name.utf8.count <= 255, name.utf8.allSatisfy({ $0 < 0x80 }) else { return nil }
    let labels = name.split(separator: ".", omittingEmptySubsequences: false)
    var isOther = false
    var readable: [String] = []
    for label in labels {
      let bytes = Array(label.utf8)
      guard ConfusableLetters.isALabel(bytes) else {
        readable.append(String(label))
        continue
      }
      guard let text = ConfusableLetters.shared.plain(bytes.map { lowercased($0) }) else { return nil }
      readable.append(text)
      isOther = true
    }
    return isOther ? readable.joined(separator: ".") : nil
  }
}
