/// The version of this program, as it tells people and logs.
package enum OrielVersion {
  package static let text = "0.1.0"
}
