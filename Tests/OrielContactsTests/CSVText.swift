import Foundation
import TestSupport

/// CCADB's records as CSV in the way that CCADB writes it: every field in quotes.
func csv(_ rows: [[String: String]], columns: [String], lineEnd: String = "\n", tail: String = "") -> [UInt8] {
  let quoted = { (text: String) in "\"" + text.replacingOccurrences(of: "\"", with: "\"\"") + "\"" }
  let lines = [columns] + rows.map { row in columns.map { row[$0] ?? "" } }
  return Array(lines.map { $0.map(quoted).joined(separator: ",") + tail }.joined(separator: lineEnd).utf8)
}

/// The sample of CCADB's records, as objects of texts.
func sampleRecords() throws -> [[String: String]] {
  try TestData.files(in: "ccadb", withExtension: "json").filter { $0.contains("/records_") }.flatMap { path in
    let all = try JSONSerialization.jsonObject(with: TestData.data(path)) as? [[String: Any]] ?? []
    return all.map { row in
      row.mapValues { value in (value as? [String])?.joined(separator: "\n") ?? (value as? String) ?? "" }
    }
  }
}

/// The columns that matter among others, as versions 2, 4 and 5 have them.
let recordColumns = [
  "CA Owner", "Salesforce Record ID", "Certificate Name", "Certificate Record Type", "Subordinate CA Owner",
  "SHA-256 Fingerprint", "Parent SHA-256 Fingerprint", "Subject Key Identifier", "Audits Same as Parent?",
  "Policy Documentation", "JSON Array of Partitioned CRLs", "Country",
]
