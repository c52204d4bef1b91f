#include <sys/types.h>
#include <sys/uio.h>

// glibc declares it to GNU sources alone.
ssize_t preadv2(int file, const struct iovec *pieces, int count, off_t offset, int flags);
