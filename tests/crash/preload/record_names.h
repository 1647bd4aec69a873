/* The part of the recorder that changes names: rename, link, unlink, mkdir. */
#pragma once

EXPORT int renameat2(int from_dir, const char* from, int to_dir, const char* to, unsigned flags) {
  char a[PATH_MAX], b[PATH_MAX];
  if (!below_root(resolve(to_dir, to, b)) && !below_root(resolve(from_dir, from, a)))
    return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
  resolve(from_dir, from, a);
  DONE(syscall(SYS_renameat2, from_dir, from, to_dir, to, flags), .kind = K_RENAME, .path = a, .path2 = b, .a = flags)
}
EXPORT int renameat(int from_dir, const char* from, int to_dir, const char* to) {
  return renameat2(from_dir, from, to_dir, to, 0);
}
EXPORT int rename(const char* from, const char* to) { return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0); }

EXPORT int linkat(int from_dir, const char* from, int to_dir, const char* to, int flags) {
  char a[PATH_MAX], b[PATH_MAX];
  if (!below_root(resolve(to_dir, to, b))) return (int)syscall(SYS_linkat, from_dir, from, to_dir, to, flags);
  resolve(from_dir, from, a);
  DONE(syscall(SYS_linkat, from_dir, from, to_dir, to, flags), .kind = K_LINK, .path = a, .path2 = b)
}
EXPORT int link(const char* from, const char* to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }

EXPORT int unlinkat(int dirfd, const char* path, int flags) {
  char a[PATH_MAX];
  if (!below_root(resolve(dirfd, path, a))) return (int)syscall(SYS_unlinkat, dirfd, path, flags);
  const enum kind kind = (flags & AT_REMOVEDIR) ? K_RMDIR : K_UNLINK;
  DONE(syscall(SYS_unlinkat, dirfd, path, flags), .kind = kind, .path = a)
}
EXPORT int unlink(const char* path) { return unlinkat(AT_FDCWD, path, 0); }
EXPORT int rmdir(const char* path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }
EXPORT int remove(const char* path) {
  const int result = unlink(path);
  return result != 0 && errno == EISDIR ? rmdir(path) : result;
}

EXPORT int mkdirat(int dirfd, const char* path, mode_t mode) {
  char a[PATH_MAX];
  if (!below_root(resolve(dirfd, path, a))) return (int)syscall(SYS_mkdirat, dirfd, path, mode);
  DONE(syscall(SYS_mkdirat, dirfd, path, mode), .kind = K_MKDIR, .path = a)
}
EXPORT int mkdir(const char* path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

/* Copies inside the kernel would pass unseen: refuse them, so that the caller falls back to read and write. */
EXPORT ssize_t copy_file_range(int in, off64_t* in_at, int out, off64_t* out_at, size_t size, unsigned flags) {
  if (is_watched(out)) {
    errno = EXDEV;
    return -1;
  }
  return syscall(SYS_copy_file_range, in, in_at, out, out_at, size, flags);
}
