#if canImport(CAllocator)
  import CAllocator
#endif

/// How the allocator treats the large buffers that are fetched into: given back when they go, and grown in place.
enum Memory {
  static func configure() {
    #if canImport(CAllocator)
      _ = mallopt(M_ARENA_MAX, 2)
      _ = mallopt(M_MMAP_THRESHOLD, 128 << 10)
      _ = mallopt(M_TRIM_THRESHOLD, 128 << 10)
    #endif
  }

  /// Gives back what a large piece of work, done once, left behind.
  static func release() {
    #if canImport(CAllocator)
      _ = malloc_trim(0)
    #endif
  }
}
