/// The root of the complete subtree of 2^level leaves that starts at leaf index · 2^level, wherever it is kept: what
/// proofs are made from.
public typealias SubtreeHashes<Failure: Error> = (_ level: Int, _ index: UInt64) throws(Failure) -> SHA256Hash
