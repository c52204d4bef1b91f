/// What a mail says, before it is text or HTML: both are made from this, so that both say the same.
///
/// All strings are safe to show: whoever makes a letter has escaped the words of strangers.
struct Letter {
  /// A piece of knowledge under its label, one line or several.
  struct Fact {
    let label: String
    let lines: [String]
    /// Of fixed width: hashes, serials.
    var isCode = false
  }

  struct Section {
    let heading: String
    let paragraphs: [String]
  }

  struct Link {
    let text: String
    let url: String
  }

  var subject: String
  /// The one sentence that a tired person reads.
  var lead: String
  var facts: [Fact] = []
  /// Lines of a list, such as the certificates of a digest.
  var rows: [String] = []
  var sections: [Section] = []
  var links: [Link] = []
  var attachments: [RenderedAttachment] = []
  /// How it looks: red where somebody must act, green where all is well.
  var tone = Tone.notice

  enum Tone {
    case notice, alarm, well
  }
}

package struct RenderedAttachment: Hashable, Sendable {
  package let filename: String
  package let contentType: String
  package let bytes: [UInt8]
}

/// An alert as a mail has it.
package struct RenderedAlert: Sendable {
  package let subject: String
  package let text: String
  package let html: String
  package let attachments: [RenderedAttachment]
}
