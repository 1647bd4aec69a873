/* LD_PRELOAD fault injector for files below BERTH_FAULT_ROOT. The harness arms it at run time through the shared
 * file BERTH_FAULT_CONTROL: the n-th matching call fails with the given errno, once or from then on.
 * ENOSPC on a write behaves as a filling disk does: the n-th call writes half, the next one fails. */
#include "common.h"

#include <dirent.h>
#include <dlfcn.h>
#include <sys/sendfile.h>

enum kind {
  WRITES = 1,
  SYNCS = 2,
  RENAMES = 4,
  CREATES = 8,
  READS = 16,
  UNLINKS = 32,
  TRUNCATES = 64,
  ALLOCATES = 128
};
enum area { DATABASE = 1, FILES = 2 };

/* The harness writes kinds last and clears it first. Little endian, see harness/faults.py. */
struct control {
  _Atomic uint32_t kinds, area, error, sticky;
  _Atomic int64_t countdown;
  _Atomic uint64_t hits;
};

static struct control* control;
static struct control disarmed;

__attribute__((constructor)) static void start(void) {
  control = &disarmed;
  set_root(getenv("BERTH_FAULT_ROOT"));
  const char* path = getenv("BERTH_FAULT_CONTROL");
  const int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0) : -1;
  if (fd < 0) return;
  void* mapped = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  syscall(SYS_close, fd);
  if (mapped != MAP_FAILED) control = mapped;
}

static enum area area_of(const char* path) {
  const char* name = strrchr(path, '/');
  return strncmp(name ? name + 1 : path, "meta.db", 7) == 0 ? DATABASE : FILES;
}

/* 0 = go on, 1 = do half of it, else the errno to fail with. */
static int fault(enum kind kind, enum area area) {
  if (control == NULL || (atomic_load(&control->kinds) & kind) == 0 || (atomic_load(&control->area) & area) == 0)
    return 0;
  const int64_t left = atomic_fetch_sub(&control->countdown, 1) - 1;
  const int error = (int)atomic_load(&control->error), half = error == ENOSPC && kind == WRITES;
  if (left > 0) return 0;
  if (left < (half ? -1 : 0) && !atomic_load(&control->sticky)) return 0;
  atomic_fetch_add(&control->hits, 1);
  return half && left == 0 ? 1 : error;
}

static int fault_at(enum kind kind, int dirfd, const char* path) {
  char whole[PATH_MAX];
  return atomic_load(&control->kinds) & kind && below_root(resolve(dirfd, path, whole)) ? fault(kind, area_of(whole))
                                                                                        : 0;
}

#define FAIL_IF(EXPRESSION)          \
  do {                               \
    const int error_ = (EXPRESSION); \
    if (error_ > 1) {                \
      errno = error_;                \
      return -1;                     \
    }                                \
  } while (0)
#define FD_FAULT(kind, fd) (is_watched(fd) ? fault(kind, (enum area)watched[fd]) : 0)

EXPORT int openat(int dirfd, const char* path, int flags, ...) {
  MODE_ARGUMENT(flags)
  if (flags & O_CREAT) FAIL_IF(fault_at(CREATES, dirfd, path));
  const int fd = (int)syscall(SYS_openat, dirfd, path, flags, mode);
  char whole[PATH_MAX];
  if (fd >= 0 && fd < FD_MAX) atomic_store(&watched[fd], below_root(path_of_fd(fd, whole)) ? area_of(whole) : 0);
  return fd;
}
EXPORT int open(const char* path, int flags, ...) {
  MODE_ARGUMENT(flags)
  return openat(AT_FDCWD, path, flags, mode);
}
EXPORT int open64(const char* path, int flags, ...) {
  MODE_ARGUMENT(flags)
  return openat(AT_FDCWD, path, flags, mode);
}
EXPORT int openat64(int dirfd, const char* path, int flags, ...) {
  MODE_ARGUMENT(flags)
  return openat(dirfd, path, flags, mode);
}
EXPORT int close(int fd) {
  if (is_watched(fd)) atomic_store(&watched[fd], 0);
  return (int)syscall(SYS_close, fd);
}
EXPORT int closedir(DIR* folder) {
  static int (*next)(DIR*);
  if (next == NULL) next = (int (*)(DIR*))dlsym(RTLD_NEXT, "closedir");
  if (is_watched(dirfd(folder))) atomic_store(&watched[dirfd(folder)], 0);
  return next(folder);
}

EXPORT ssize_t write(int fd, const void* data, size_t size) {
  const int error = FD_FAULT(WRITES, fd);
  FAIL_IF(error);
  return syscall(SYS_write, fd, data, error == 1 && size > 1 ? size / 2 : size);
}
EXPORT ssize_t pwrite(int fd, const void* data, size_t size, off_t offset) {
  const int error = FD_FAULT(WRITES, fd);
  FAIL_IF(error);
  return syscall(SYS_pwrite64, fd, data, error == 1 && size > 1 ? size / 2 : size, offset);
}
EXPORT ssize_t pwrite64(int fd, const void* data, size_t size, off_t offset) { return pwrite(fd, data, size, offset); }
EXPORT ssize_t writev(int fd, const struct iovec* pieces, int count) {
  FAIL_IF(FD_FAULT(WRITES, fd));
  return syscall(SYS_writev, fd, pieces, count);
}
EXPORT ssize_t pwritev(int fd, const struct iovec* pieces, int count, off_t offset) {
  FAIL_IF(FD_FAULT(WRITES, fd));
  return syscall(SYS_pwritev, fd, pieces, count, offset, 0);
}

EXPORT ssize_t read(int fd, void* data, size_t size) {
  FAIL_IF(FD_FAULT(READS, fd));
  return syscall(SYS_read, fd, data, size);
}
EXPORT ssize_t pread(int fd, void* data, size_t size, off_t offset) {
  FAIL_IF(FD_FAULT(READS, fd));
  return syscall(SYS_pread64, fd, data, size, offset);
}
EXPORT ssize_t pread64(int fd, void* data, size_t size, off_t offset) { return pread(fd, data, size, offset); }
EXPORT ssize_t sendfile(int out, int in, off_t* offset, size_t size) {
  FAIL_IF(FD_FAULT(READS, in));
  return syscall(SYS_sendfile, out, in, offset, size);
}
EXPORT ssize_t sendfile64(int out, int in, off64_t* offset, size_t size) { return sendfile(out, in, offset, size); }

EXPORT int fsync(int fd) {
  FAIL_IF(FD_FAULT(SYNCS, fd));
  return (int)syscall(SYS_fsync, fd);
}
EXPORT int fdatasync(int fd) {
  FAIL_IF(FD_FAULT(SYNCS, fd));
  return (int)syscall(SYS_fdatasync, fd);
}
EXPORT int ftruncate(int fd, off_t size) {
  FAIL_IF(FD_FAULT(TRUNCATES, fd));
  return (int)syscall(SYS_ftruncate, fd, size);
}
EXPORT int ftruncate64(int fd, off_t size) { return ftruncate(fd, size); }
EXPORT int fallocate(int fd, int mode, off_t offset, off_t size) {
  FAIL_IF(FD_FAULT(ALLOCATES, fd));
  return (int)syscall(SYS_fallocate, fd, mode, offset, size);
}
EXPORT int fallocate64(int fd, int mode, off_t offset, off_t size) { return fallocate(fd, mode, offset, size); }
EXPORT int posix_fallocate(int fd, off_t offset, off_t size) { return fallocate(fd, 0, offset, size) == 0 ? 0 : errno; }

EXPORT int renameat2(int from_dir, const char* from, int to_dir, const char* to, unsigned flags) {
  FAIL_IF(fault_at(RENAMES, from_dir, from));
  return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}
EXPORT int renameat(int a, const char* from, int b, const char* to) { return renameat2(a, from, b, to, 0); }
EXPORT int rename(const char* from, const char* to) { return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0); }
EXPORT int unlinkat(int dirfd, const char* path, int flags) {
  FAIL_IF(fault_at(UNLINKS, dirfd, path));
  return (int)syscall(SYS_unlinkat, dirfd, path, flags);
}
EXPORT int unlink(const char* path) { return unlinkat(AT_FDCWD, path, 0); }
