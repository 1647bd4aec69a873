/* LD_PRELOAD recorder: writes every change below BERTH_RECORD_ROOT into BERTH_RECORD_LOG, in one global order.
 *
 * The log is a MAP_SHARED file. A record's position is reserved by an atomic add on `tail`, so it is also the
 * record's number, and it is taken after the system call returned. `begin` is the tail before the call: a sync
 * covers exactly the changes numbered below its own `begin`, for those had returned when the sync started.
 * The harness adds its requests and acknowledgements to the same log through record_note (by ctypes).
 *
 * Not seen: writes through mmap (SQLite's -shm, which is rebuilt), stdio's buffered writes, io_uring. replay.py
 * compares a full replay with the real folder and refuses a recording that missed something. */
#include "common.h"

#include <dirent.h>
#include <dlfcn.h>

enum kind {
  K_OPEN = 1,
  K_CLOSE,
  K_WRITE,
  K_TRUNCATE,
  K_ALLOCATE,
  K_RENAME,
  K_LINK,
  K_UNLINK,
  K_RMDIR,
  K_MKDIR,
  K_SYNC,
  K_NOTE,
  K_DUP,
  K_SYNC_ALL
};

struct log_head {
  char magic[8];
  uint64_t capacity;
  _Atomic uint64_t tail;
  uint64_t unused[5];
};

struct record {
  _Atomic uint32_t size; /* whole record with padding; written last, 0 = never completed */
  uint16_t kind, path_length;
  int32_t pid, fd;
  uint64_t begin, a, b;
  uint32_t path2_length, data_length;
};

static struct log_head* head;

static void map_log(const char* path) {
  if (head != NULL || path == NULL) return;
  const int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
  struct stat status;
  if (fd < 0 || fstat(fd, &status) != 0) return;
  void* mapped = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  syscall(SYS_close, fd);
  if (mapped == MAP_FAILED) return;
  head = mapped;
  if (head->capacity == 0) {
    memcpy(head->magic, "BERTHREC", 8);
    head->capacity = (uint64_t)status.st_size;
    atomic_store(&head->tail, sizeof *head);
  }
}

__attribute__((constructor)) static void start_recording(void) {
  set_root(getenv("BERTH_RECORD_ROOT"));
  map_log(getenv("BERTH_RECORD_LOG"));
}

static uint64_t now(void) { return head == NULL ? 0 : atomic_load(&head->tail); }

struct change {
  enum kind kind;
  int fd;
  uint64_t begin, a, b;
  const char *path, *path2;
  const struct iovec* pieces;
  int piece_count;
  uint64_t data_length;
};

static uint64_t put(struct change c) {
  if (head == NULL) return 0;
  const int saved = errno;
  const size_t path_length = c.path ? strlen(c.path) : 0, path2_length = c.path2 ? strlen(c.path2) : 0;
  const uint64_t size = (sizeof(struct record) + path_length + path2_length + c.data_length + 7) / 8 * 8;
  const uint64_t at = atomic_fetch_add(&head->tail, size);
  if (at + size > head->capacity) return 0; /* the reader sees tail > capacity and refuses the log */
  struct record* r = (struct record*)((char*)head + at);
  r->kind = (uint16_t)c.kind, r->pid = (int32_t)getpid(), r->fd = c.fd;
  r->begin = c.begin, r->a = c.a, r->b = c.b;
  r->path_length = (uint16_t)path_length, r->path2_length = (uint32_t)path2_length;
  r->data_length = (uint32_t)c.data_length;
  char* to = (char*)(r + 1);
  if (path_length) memcpy(to, c.path, path_length), to += path_length;
  if (path2_length) memcpy(to, c.path2, path2_length), to += path2_length;
  uint64_t left = c.data_length;
  for (int i = 0; i < c.piece_count && left > 0; i++) {
    const uint64_t part = c.pieces[i].iov_len < left ? c.pieces[i].iov_len : left;
    memcpy(to, c.pieces[i].iov_base, part), to += part, left -= part;
  }
  atomic_store_explicit(&r->size, (uint32_t)size, memory_order_release);
  errno = saved;
  return at;
}

/* For the harness: opens the log and adds a note; returns its number. */
EXPORT void record_open(const char* path) { map_log(path); }
EXPORT uint64_t record_note(const char* text, uint64_t length) {
  const struct iovec piece = {(void*)text, length};
  return put(
      (struct change){.kind = K_NOTE, .begin = now(), .pieces = &piece, .piece_count = 1, .data_length = length});
}

static int opened(int fd, int flags, uint64_t begin) {
  char path[PATH_MAX];
  if (fd < 0 || fd >= FD_MAX || head == NULL || !below_root(path_of_fd(fd, path))) return fd;
  atomic_store(&watched[fd], 1);
  put((struct change){.kind = K_OPEN, .fd = fd, .begin = begin, .a = (uint64_t)flags, .path = path});
  return fd;
}

EXPORT int openat(int dirfd, const char* path, int flags, ...) {
  MODE_ARGUMENT(flags)
  const uint64_t begin = now();
  return opened((int)syscall(SYS_openat, dirfd, path, flags, mode), flags, begin);
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
EXPORT int creat(const char* path, mode_t mode) { return openat(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
EXPORT int __open_2(const char* path, int flags) { return openat(AT_FDCWD, path, flags); }
EXPORT int __open64_2(const char* path, int flags) { return openat(AT_FDCWD, path, flags); }
EXPORT int __openat_2(int dirfd, const char* path, int flags) { return openat(dirfd, path, flags); }
EXPORT int __openat64_2(int dirfd, const char* path, int flags) { return openat(dirfd, path, flags); }

/* C++ streams open by fopen, then write by write(2) on the descriptor. Streams close it inside libc, unseen, so
 * fclose and closedir forget it first: the number may come back as a socket. */
static FILE* stream(const char* path, const char* mode) {
  int flags = mode[0] == 'r' ? O_RDONLY : mode[0] == 'a' ? O_WRONLY | O_CREAT | O_APPEND : O_WRONLY | O_CREAT | O_TRUNC;
  if (strchr(mode, '+')) flags = (flags & ~O_ACCMODE) | O_RDWR;
  if (strchr(mode, 'x')) flags |= O_EXCL;
  const int fd = openat(AT_FDCWD, path, flags | O_CLOEXEC, 0666);
  return fd < 0 ? NULL : fdopen(fd, mode);
}
EXPORT FILE* fopen(const char* path, const char* mode) { return stream(path, mode); }
EXPORT FILE* fopen64(const char* path, const char* mode) { return stream(path, mode); }

static void forget(int fd) {
  if (!is_watched(fd)) return;
  atomic_store(&watched[fd], 0);
  put((struct change){.kind = K_CLOSE, .fd = fd, .begin = now()});
}
EXPORT int close(int fd) {
  forget(fd); /* before the number can be used again */
  return (int)syscall(SYS_close, fd);
}

EXPORT int fclose(FILE* file) {
  static int (*next)(FILE*);
  if (next == NULL) next = (int (*)(FILE*))dlsym(RTLD_NEXT, "fclose");
  forget(fileno(file));
  return next(file);
}
EXPORT int closedir(DIR* folder) {
  static int (*next)(DIR*);
  if (next == NULL) next = (int (*)(DIR*))dlsym(RTLD_NEXT, "closedir");
  forget(dirfd(folder));
  return next(folder);
}

static int duplicated(int fd, int copy) {
  if (copy >= 0 && copy < FD_MAX && is_watched(fd)) {
    atomic_store(&watched[copy], 1);
    put((struct change){.kind = K_DUP, .fd = fd, .begin = now(), .a = (uint64_t)copy});
  }
  return copy;
}
EXPORT int dup(int fd) { return duplicated(fd, (int)syscall(SYS_dup, fd)); }
EXPORT int dup3(int fd, int to, int flags) {
  if (fd != to) forget(to);
  return duplicated(fd, (int)syscall(SYS_dup3, fd, to, flags));
}
EXPORT int dup2(int fd, int to) { return fd == to ? to : dup3(fd, to, 0); }

static ssize_t wrote(int fd, const struct iovec* pieces, int count, int64_t offset, uint64_t begin, ssize_t result) {
  if (result <= 0 || !is_watched(fd)) return result;
  if (offset < 0) offset = syscall(SYS_lseek, fd, 0, SEEK_CUR) - result;
  put((struct change){.kind = K_WRITE,
                      .fd = fd,
                      .begin = begin,
                      .a = (uint64_t)offset,
                      .pieces = pieces,
                      .piece_count = count,
                      .data_length = (uint64_t)result});
  return result;
}
EXPORT ssize_t write(int fd, const void* data, size_t size) {
  const struct iovec piece = {(void*)data, size};
  const uint64_t begin = now();
  return wrote(fd, &piece, 1, -1, begin, syscall(SYS_write, fd, data, size));
}
EXPORT ssize_t writev(int fd, const struct iovec* pieces, int count) {
  const uint64_t begin = now();
  return wrote(fd, pieces, count, -1, begin, syscall(SYS_writev, fd, pieces, count));
}
EXPORT ssize_t pwrite(int fd, const void* data, size_t size, off_t offset) {
  const struct iovec piece = {(void*)data, size};
  const uint64_t begin = now();
  return wrote(fd, &piece, 1, offset, begin, syscall(SYS_pwrite64, fd, data, size, offset));
}
EXPORT ssize_t pwrite64(int fd, const void* data, size_t size, off_t offset) { return pwrite(fd, data, size, offset); }
EXPORT ssize_t pwritev(int fd, const struct iovec* pieces, int count, off_t offset) {
  const uint64_t begin = now();
  return wrote(fd, pieces, count, offset, begin, syscall(SYS_pwritev, fd, pieces, count, offset, 0));
}
EXPORT ssize_t pwritev64(int fd, const struct iovec* p, int count, off_t offset) {
  return pwritev(fd, p, count, offset);
}

#define DONE(CALL, ...)                                               \
  const uint64_t begin = now();                                       \
  const int result = (int)(CALL);                                     \
  if (result == 0) put((struct change){.begin = begin, __VA_ARGS__}); \
  return result;

EXPORT int ftruncate(int fd, off_t size) {
  if (!is_watched(fd)) return (int)syscall(SYS_ftruncate, fd, size);
  DONE(syscall(SYS_ftruncate, fd, size), .kind = K_TRUNCATE, .fd = fd, .a = (uint64_t)size)
}
EXPORT int ftruncate64(int fd, off_t size) { return ftruncate(fd, size); }
EXPORT int truncate(const char* path, off_t size) {
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  const int result = ftruncate(fd, size);
  close(fd);
  return result;
}
EXPORT int truncate64(const char* path, off_t size) { return truncate(path, size); }
EXPORT int fallocate(int fd, int mode, off_t offset, off_t size) {
  if (!is_watched(fd) || (mode & FALLOC_FL_KEEP_SIZE)) return (int)syscall(SYS_fallocate, fd, mode, offset, size);
  DONE(syscall(SYS_fallocate, fd, mode, offset, size), .kind = K_ALLOCATE, .fd = fd, .a = (uint64_t)(offset + size),
       .b = (uint64_t)mode)
}
EXPORT int fallocate64(int fd, int mode, off_t offset, off_t size) { return fallocate(fd, mode, offset, size); }
EXPORT int posix_fallocate(int fd, off_t offset, off_t size) { return fallocate(fd, 0, offset, size) == 0 ? 0 : errno; }
EXPORT int posix_fallocate64(int fd, off_t offset, off_t size) { return posix_fallocate(fd, offset, size); }

static int sync_call(long number, int fd) {
  if (!is_watched(fd)) return (int)syscall(number, fd);
  DONE(syscall(number, fd), .kind = K_SYNC, .fd = fd)
}
EXPORT int fsync(int fd) { return sync_call(SYS_fsync, fd); }
EXPORT int fdatasync(int fd) { return sync_call(SYS_fdatasync, fd); }
EXPORT int syncfs(int fd) { DONE(syscall(SYS_syncfs, fd), .kind = K_SYNC_ALL, .fd = fd) }

#include "record_names.h"
