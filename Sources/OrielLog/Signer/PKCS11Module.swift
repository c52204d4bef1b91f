import CPKCS11
import Foundation

/// The shared library of a security module (PKCS #11 2.40), and one session with a token.
///
/// Libraries stay loaded: several logs may have keys in one. Every call blocks.
struct PKCS11Module: ~Copyable {
  private let functions: UnsafePointer<CK_FUNCTION_LIST>
  private var session: CK_SESSION_HANDLE?

  /// DER of the name of P-256.
  private static let curve: [UInt8] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]

  init(_ path: String) throws(HSMError) {
    guard let library = dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
      throw .module(dlerror().map { String(cString: $0) } ?? path)
    }
    guard let symbol = dlsym(library, "C_GetFunctionList") else {
      throw .module("\(path) is no PKCS #11 library: it has no C_GetFunctionList")
    }
    typealias Lister = @convention(c) (UnsafeMutablePointer<CK_FUNCTION_LIST_PTR?>?) -> CK_RV
    let list = unsafeBitCast(symbol, to: Lister.self)
    var found: CK_FUNCTION_LIST_PTR?
    guard list(&found) == CKR_OK, let found else { throw .module("\(path) does not name its functions") }
    functions = UnsafePointer(found)
  }

  deinit { if let session { _ = functions.pointee.C_CloseSession?(session) } }

  private func call(_ name: String, _ result: CK_RV?, allowing allowed: CK_RV = CKR_OK) throws(HSMError) {
    guard let result else { throw .module("it lacks \(name)") }
    switch result {
    case CKR_OK, allowed: return
    case CK_RV(CKR_PIN_INCORRECT), CK_RV(CKR_PIN_LOCKED), CK_RV(CKR_PIN_EXPIRED): throw .pin
    default: throw .call(name, code: result)
    }
  }

  /// Begins a session with a token, in place of an older one.
  mutating func logIn(token label: String, pin: [UInt8]) throws(HSMError) {
    if let session { _ = functions.pointee.C_CloseSession?(session) }
    session = nil
    var arguments = CK_C_INITIALIZE_ARGS()
    arguments.flags = CK_FLAGS(CKF_OS_LOCKING_OK)
    // Another log of this process may have done it, and may be logged in.
    try call(
      "C_Initialize", functions.pointee.C_Initialize?(&arguments), allowing: CK_RV(CKR_CRYPTOKI_ALREADY_INITIALIZED))
    let slot = try slot(ofToken: label)
    var handle: CK_SESSION_HANDLE = 0
    let flags = CK_FLAGS(CKF_SERIAL_SESSION | CKF_RW_SESSION)
    try call("C_OpenSession", functions.pointee.C_OpenSession?(slot, flags, nil, nil, &handle))
    session = handle
    var pin = pin
    try call(
      "C_Login", functions.pointee.C_Login?(handle, CK_USER_TYPE(CKU_USER), &pin, CK_ULONG(pin.count)),
      allowing: CK_RV(CKR_USER_ALREADY_LOGGED_IN))
  }

  private func slot(ofToken label: String) throws(HSMError) -> CK_SLOT_ID {
    var slots = [CK_SLOT_ID](repeating: 0, count: 256)
    var count = CK_ULONG(slots.count)
    try call("C_GetSlotList", functions.pointee.C_GetSlotList?(1, &slots, &count))
    let wanted = Array(label.utf8) + [UInt8](repeating: 0x20, count: max(0, 32 - label.utf8.count))
    let found = slots.prefix(Int(count)).filter { slot in
      var facts = CK_TOKEN_INFO()
      guard functions.pointee.C_GetTokenInfo?(slot, &facts) == CKR_OK else { return false }
      return withUnsafeBytes(of: facts.label) { $0.elementsEqual(wanted) }
    }
    guard let slot = found.first, found.count == 1 else { throw .token(label: label, count: found.count) }
    return slot
  }

  private func handle() throws(HSMError) -> CK_SESSION_HANDLE {
    guard let session else { throw .call("C_OpenSession", code: UInt(CKR_SESSION_HANDLE_INVALID)) }
    return session
  }

  // MARK: - Keys

  enum Half: UInt {
    case publicKey = 2
    case privateKey = 3
  }

  /// The P-256 key with a label; nil if there is none.
  func find(_ half: Half, label: String) throws(HSMError) -> CK_OBJECT_HANDLE? {
    let session = try handle()
    var template = AttributeList()
    template.add(CKA_CLASS, half.rawValue)
    template.add(CKA_KEY_TYPE, CKK_EC)
    template.add(CKA_LABEL, Array(label.utf8))
    try call(
      "C_FindObjectsInit", template.use { functions.pointee.C_FindObjectsInit?(session, $0, $1) })
    var found = [CK_OBJECT_HANDLE](repeating: 0, count: 2)
    var count: CK_ULONG = 0
    let result = functions.pointee.C_FindObjects?(session, &found, 2, &count)
    try call("C_FindObjectsFinal", functions.pointee.C_FindObjectsFinal?(session))
    try call("C_FindObjects", result)
    guard count <= 1 else { throw .key(label: label, "there are several") }
    return count == 1 ? found[0] : nil
  }

  /// The point of a public key on P-256 (X9.63).
  func point(of key: CK_OBJECT_HANDLE, label: String) throws(HSMError) -> [UInt8] {
    guard try attribute(CKA_EC_PARAMS, of: key) == PKCS11Module.curve else {
      throw .key(label: label, "it is not on the curve P-256")
    }
    let value = try attribute(CKA_EC_POINT, of: key)
    // An OCTET STRING, which some modules leave out.
    return value.count == 67 && value.starts(with: [0x04, 0x41]) ? Array(value[2...]) : value
  }

  private func attribute(_ type: UInt, of key: CK_OBJECT_HANDLE) throws(HSMError) -> [UInt8] {
    let session = try handle()
    var value = [UInt8](repeating: 0, count: 256)
    var result: CK_RV?
    let count = value.withUnsafeMutableBytes { bytes in
      var wanted = CK_ATTRIBUTE(type: type, pValue: bytes.baseAddress, ulValueLen: CK_ULONG(bytes.count))
      result = functions.pointee.C_GetAttributeValue?(session, key, &wanted, 1)
      return Int(clamping: wanted.ulValueLen)
    }
    try call("C_GetAttributeValue", result)
    return Array(value.prefix(count))
  }

  /// Makes a key pair that never leaves the token.
  func generate(label: String) throws(HSMError) {
    let session = try handle()
    var (open, hidden) = (AttributeList(), AttributeList())
    open.add(CKA_TOKEN, true)
    open.add(CKA_VERIFY, true)
    open.add(CKA_EC_PARAMS, PKCS11Module.curve)
    open.add(CKA_LABEL, Array(label.utf8))
    open.add(CKA_ID, Array(label.utf8))
    hidden.add(CKA_TOKEN, true)
    hidden.add(CKA_PRIVATE, true)
    hidden.add(CKA_SENSITIVE, true)
    hidden.add(CKA_EXTRACTABLE, false)
    hidden.add(CKA_SIGN, true)
    hidden.add(CKA_LABEL, Array(label.utf8))
    hidden.add(CKA_ID, Array(label.utf8))
    var mechanism = CK_MECHANISM(mechanism: CKM_EC_KEY_PAIR_GEN, pParameter: nil, ulParameterLen: 0)
    var (publicKey, privateKey): (CK_OBJECT_HANDLE, CK_OBJECT_HANDLE) = (0, 0)
    let result = open.use { first, firstCount in
      hidden.use { second, secondCount in
        functions.pointee.C_GenerateKeyPair?(
          session, &mechanism, first, firstCount, second, secondCount, &publicKey, &privateKey)
      }
    }
    try call("C_GenerateKeyPair", result)
  }

  /// Signs a digest: the two numbers of ECDSA, one after the other.
  func sign(_ digest: [UInt8], with key: CK_OBJECT_HANDLE) throws(HSMError) -> [UInt8] {
    let session = try handle()
    var mechanism = CK_MECHANISM(mechanism: CKM_ECDSA, pParameter: nil, ulParameterLen: 0)
    try call("C_SignInit", functions.pointee.C_SignInit?(session, &mechanism, key))
    var digest = digest
    var signature = [UInt8](repeating: 0, count: 256)
    var count = CK_ULONG(signature.count)
    try call("C_Sign", functions.pointee.C_Sign?(session, &digest, CK_ULONG(digest.count), &signature, &count))
    return Array(signature.prefix(Int(clamping: count)))
  }
}

/// Attributes of an object, with their values in one piece of memory.
private struct AttributeList {
  private var entries: [(type: UInt, range: Range<Int>)] = []
  private var bytes: [UInt8] = []

  mutating func add(_ type: UInt, _ value: [UInt8]) {
    entries.append((type, bytes.count..<(bytes.count + value.count)))
    bytes += value
  }

  mutating func add(_ type: UInt, _ value: UInt) { add(type, withUnsafeBytes(of: value) { Array($0) }) }

  mutating func add(_ type: UInt, _ value: Bool) { add(type, [value ? 1 : 0]) }

  mutating func use<Result>(_ body: (UnsafeMutablePointer<CK_ATTRIBUTE>?, CK_ULONG) -> Result) -> Result {
    let entries = entries
    return bytes.withUnsafeMutableBytes { bytes in
      var list = entries.map { entry in
        CK_ATTRIBUTE(
          type: entry.type, pValue: bytes.baseAddress.map { $0 + entry.range.lowerBound },
          ulValueLen: CK_ULONG(entry.range.count))
      }
      return list.withUnsafeMutableBufferPointer { body($0.baseAddress, CK_ULONG($0.count)) }
    }
  }
}
