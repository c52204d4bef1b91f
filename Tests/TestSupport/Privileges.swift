#if canImport(Glibc)
  import Glibc

  /// Linux: the user by whose rights the calling thread reaches files.
  @_silgen_name("setfsuid") private func setfsuid(_ user: uid_t) -> CInt
#endif

/// Runs `body` with the rights of an ordinary user over files, where the tests run as root.
///
/// They are the calling thread's: `body` must not hand work to another.
public func withoutPrivileges<Value>(_ body: () throws -> Value) rethrows -> Value {
  #if canImport(Glibc)
    guard geteuid() == 0 else { return try body() }
    _ = setfsuid(65534)
    defer { _ = setfsuid(0) }
  #endif
  return try body()
}
