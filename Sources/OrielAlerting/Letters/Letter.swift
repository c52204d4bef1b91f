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
    var rows: [Row] = []
  }

  /// A line of a list, and where there is more about it.
  struct Row {
    let text: String
    var url: String?
  }

  /// A letter within the letter, to be sent on.
  struct Quote {
    let heading: String
    let note: String
    /// Whom it is for, and what about.
    let head: [String]
    let lines: [String]
  }

  struct Link {
    let text: String
    let url: String
  }

  var subject: String
  /// Whether it goes on from an earlier mail with the same subject.
  var isReply = false
  /// The one sentence that a tired person reads.
  var lead: String
  var facts: [Fact] = []
  /// Lines of a list, such as the certificates of a digest.
  var rows: [Row] = []
  var sections: [Section] = []
  var links: [Link] = []
  var attachments: [RenderedAttachment] = []
  var quote: Quote?
  /// The page where the reader can say that it was enough.
  var leave: String?
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
