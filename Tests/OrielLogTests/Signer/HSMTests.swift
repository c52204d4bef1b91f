import CPKCS11
import CertificateTransparency
import Crypto
import Foundation
import MerkleTree
import TestSupport
import TestWorld
import Testing

@testable import OrielLog

@Suite("A log's key in a security module", .needsSoftHSM)
struct HSMTests {
  @Test("The key is made on the token, signs what the log says, and is found again")
  func generated() async throws {
    let token = try await Token()
    let log = try await OperatedLog(try token.options, environment: token.environment)
    #expect(!FileManager.default.fileExists(atPath: log.path + "/key.pem"))
    let submitter = Submitter(log.authority, try log.folder.entry.key)
    for _ in 0..<2 {
      let (command, http) = try await log.serve(["--period", "20"], environment: token.environment)
      // Each SCT is verified with the key in log.json.
      #expect(try await submitter.submit(20, to: try #require(http, "\(command.errors)")))
      command.send(SIGTERM)
      #expect(try await command.finish().status == 0)
    }
    #expect(submitter.promises.count == 40 && submitter.refusals == [])
    let checkpoint = try Data(contentsOf: URL(filePath: log.path + "/public/checkpoint"))
    try await log.check(try log.folder.publicIdentity.head(reading: [UInt8](checkpoint)), submitter.promises, [])
    // Whoever checks a log needs no token.
    #expect(try await log.fsck().status == 0)
  }

  @Test("A key that is on the token already becomes the log's")
  func present() async throws {
    let token = try await Token()
    let key = P256.Signing.PrivateKey()
    let file = try token.temporary.write(key.pemRepresentation, to: "key.pem")
    try await token.run(
      "--import", file, "--token", token.access.label, "--label", "key", "--id", "A1", "--pin", token.access.pin)
    let log = try await OperatedLog(try token.options, environment: token.environment)
    #expect(try log.folder.entry.key == LogSigner(key).publicKey)
  }

  @Test("What is wrong with module, token, key or PIN is told")
  func mistakes() async throws {
    let token = try await Token()
    let log = try await OperatedLog(try token.options, environment: token.environment)
    let settings = try log.folder.settings
    func refused(_ reason: String, _ change: (inout HSMSettings) throws -> Void) async throws {
      var wrong = settings
      var hsm = try #require(settings.hsm)
      try change(&hsm)
      wrong.hsm = hsm
      try wrong.json.write(to: URL(filePath: log.path + "/log.json"))
      let (command, http) = try await log.serve(environment: token.environment)
      let result = try await command.finish()
      #expect(http == nil && result.status == 78 && result.errors.contains(reason), "\(result.errors)")
      #expect(!result.errors.contains(token.access.pin))
    }
    try await refused("the security module can't be loaded") { $0.module = "/nonexistent.so" }
    try await refused("it has no C_GetFunctionList") { $0.module = "libc.so.6" }
    try await refused("0 tokens are labelled 'other'") { $0.token = "other" }
    try await refused("there is no public key") { $0.key = "other" }
    try await refused("the token refuses the PIN") { $0.pinFile = try token.pinFile("wrong", mode: 0o600) }
    try await refused("others may read it, mode 644") {
      $0.pinFile = try token.pinFile(token.access.pin, mode: 0o644)
    }
    try await refused("there is no PIN in its first line") { $0.pinFile = try token.pinFile("\n", mode: 0o600) }
    let text = String(decoding: try settings.json, as: UTF8.self).replacing("pin_file", with: "pinfile")
    try Data(text.utf8).write(to: URL(filePath: log.path + "/log.json"))
    #expect(throws: LogFolderError.self) { try LogFolder(log.path) }
    // Another pair under another label, which the log can't take for its own.
    let other = log.temporary.path + "/other"
    let options = try token.options.map { $0 == "key" ? "second" : $0 }
    #expect(
      try await OperatedLog.make(other, log.authority, log.temporary, options, token.environment).status == 0)
    try await refused("it is the key of log") { $0.key = "second" }
    let partial = try await OperatedLog.make(
      log.temporary.path + "/partial", log.authority, log.temporary, ["--hsm-token", "x"], token.environment)
    #expect(partial.status == 64 && partial.errors.contains("go together"), "\(partial.errors)")
  }

  @Test("Sessions that the token dropped are begun anew; a wrong PIN is tried once")
  func sessions() async throws {
    let token = try await Token()
    // In a process of its own: the module reads the environment.
    await #expect(processExitsWith: .success) { [token = token.access as Token.Access] in
      setenv("SOFTHSM2_CONF", token.configuration, 1)
      let settings = HSMSettings(module: token.module, token: token.label, key: "key", pinFile: "")
      let key = try PKCS11Key(settings, pin: Array(token.pin.utf8), generating: true)
      let verifier = try P256.Signing.PublicKey(derRepresentation: key.publicKey.derRepresentation)
      func sign(_ text: String) async throws -> Bool {
        let signature = try await key.sign(Array(text.utf8)).signature
        return verifier.isValidSignature(
          try P256.Signing.ECDSASignature(derRepresentation: signature), for: Data(text.utf8))
      }
      try #require(try await sign("one"))
      try Token.closeSessions(token.module)
      try #require(try await sign("two"))
      try Token.finalise(token.module)
      try #require(try await sign("three"))
      // Somebody changes the PIN, and takes that back too late.
      try Token.changePIN(token, from: token.pin, to: "000000")
      await #expect(throws: HSMError.pin) { try await sign("four") }
      try Token.changePIN(token, from: "000000", to: token.pin)
      await #expect(throws: HSMError.pin) { try await sign("five") }
      #expect(throws: HSMError.pin) { try PKCS11Key(settings, pin: Array("wrong".utf8)) }
      let second = try PKCS11Key(settings, pin: Array(token.pin.utf8))
      try await withThrowingTaskGroup(of: Bool.self) { group in
        for number in 0..<50 { group.addTask { try await second.sign([UInt8(number)]).signature.count > 60 } }
        for try await isSigned in group { try #require(isSigned) }
      }
    }
  }
}

/// A token of SoftHSM in a folder of its own.
final class Token: Sendable {
  /// What another process needs to use it.
  struct Access: Codable, Sendable {
    let module: String
    let label: String
    let pin: String
    let configuration: String
  }

  let temporary: TemporaryFolder
  let access: Access

  static let library = ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so"]
    .first { FileManager.default.fileExists(atPath: $0) }
  static let tool = "/usr/bin/softhsm2-util"

  var environment: [String: String] { ["SOFTHSM2_CONF": access.configuration] }

  /// Of `oriel log init`.
  var options: [String] {
    get throws {
      [
        "--hsm-module", access.module, "--hsm-token", access.label, "--hsm-key", "key",
        "--hsm-pin-file", try pinFile(access.pin, mode: 0o600),
      ]
    }
  }

  init() async throws {
    temporary = try TemporaryFolder()
    try FileManager.default.createDirectory(atPath: temporary.path + "/tokens", withIntermediateDirectories: true)
    access = Access(
      module: try #require(Token.library), label: "oriel test", pin: "734511",
      configuration: try temporary.write(
        "directories.tokendir = \(temporary.path)/tokens\nobjectstore.backend = file\nlog.level = ERROR\n",
        to: "softhsm2.conf"))
    try await run("--init-token", "--free", "--label", access.label, "--so-pin", "118822", "--pin", access.pin)
  }

  func run(_ arguments: String...) async throws {
    let tool = try Command(arguments, program: URL(filePath: Token.tool), environment: environment)
    let result = try await tool.finish()
    try #require(result.status == 0, "\(result.output)\(result.errors)")
  }

  func pinFile(_ text: String, mode: Int) throws -> String {
    let path = try temporary.write(text, to: "pin-\(UUID().uuidString)")
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    return path
  }

  /// The functions of a module that is loaded already.
  static func functions(_ module: String) throws -> CK_FUNCTION_LIST {
    typealias Lister = @convention(c) (UnsafeMutablePointer<CK_FUNCTION_LIST_PTR?>?) -> CK_RV
    let symbol = try #require(dlsym(dlopen(module, RTLD_NOW), "C_GetFunctionList"))
    var list: CK_FUNCTION_LIST_PTR?
    try #require(unsafeBitCast(symbol, to: Lister.self)(&list) == CKR_OK)
    return try #require(list).pointee
  }

  /// The slot of the first token.
  private static func slot(_ functions: CK_FUNCTION_LIST) throws -> CK_SLOT_ID {
    var slots = [CK_SLOT_ID](repeating: 0, count: 16)
    var count = CK_ULONG(slots.count)
    try #require(functions.C_GetSlotList?(1, &slots, &count) == CKR_OK)
    return slots[0]
  }

  /// What a token does that is restarted.
  static func closeSessions(_ module: String) throws {
    let functions = try functions(module)
    try #require(functions.C_CloseAllSessions?(try slot(functions)) == CKR_OK)
  }

  static func changePIN(_ token: Access, from old: String, to new: String) throws {
    let functions = try functions(token.module)
    try closeSessions(token.module)
    var session: CK_SESSION_HANDLE = 0
    let flags = CK_FLAGS(CKF_SERIAL_SESSION | CKF_RW_SESSION)
    try #require(functions.C_OpenSession?(try slot(functions), flags, nil, nil, &session) == CKR_OK)
    var (old, new) = (Array(old.utf8), Array(new.utf8))
    let (oldCount, newCount) = (CK_ULONG(old.count), CK_ULONG(new.count))
    try #require(functions.C_Login?(session, CK_USER_TYPE(CKU_USER), &old, oldCount) == CKR_OK)
    try #require(functions.C_SetPIN?(session, &old, oldCount, &new, newCount) == CKR_OK)
    try closeSessions(token.module)
  }

  /// What a module does that loses its device.
  static func finalise(_ module: String) throws { try #require(try functions(module).C_Finalize?(nil) == CKR_OK) }
}

extension Trait where Self == ConditionTrait {
  /// The test needs SoftHSM, a security module in software.
  fileprivate static var needsSoftHSM: Self {
    .enabled(
      if: Token.library != nil && FileManager.default.isExecutableFile(atPath: Token.tool),
      "needs SoftHSM (apt-get install softhsm2)")
  }
}
