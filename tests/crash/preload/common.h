/* Shared by both shims: raw system calls (so nothing here can call itself) and which files are watched. */
#pragma once
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define FD_MAX 65536

/* File descriptors opened below the watched folder; 0 = not watched. */
static atomic_uchar watched[FD_MAX];
static char watched_root[PATH_MAX];
static size_t watched_root_len;

static inline int is_watched(int fd) {
  return fd >= 0 && fd < FD_MAX && atomic_load_explicit(&watched[fd], memory_order_acquire);
}

static inline int below_root(const char* path) {
  return watched_root_len > 0 && strncmp(path, watched_root, watched_root_len) == 0 &&
         (path[watched_root_len] == '/' || path[watched_root_len] == '\0');
}

static inline void set_root(const char* root) {
  if (root == NULL || strlen(root) >= sizeof watched_root) return;
  strcpy(watched_root, root);
  watched_root_len = strlen(root);
}

/* The absolute path behind a descriptor; empty when it has none. */
static inline const char* path_of_fd(int fd, char* out) {
  char link[40];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const long length = syscall(SYS_readlinkat, AT_FDCWD, link, out, PATH_MAX - 1);
  out[length > 0 ? length : 0] = '\0';
  return out;
}

/* Joins what an *at call was given into an absolute path, as text: the last component may be missing or gone. */
static inline const char* resolve(int dirfd, const char* path, char* out) {
  if (path == NULL) path = "";
  if (path[0] == '/') {
    snprintf(out, PATH_MAX, "%s", path);
    return out;
  }
  char folder[PATH_MAX] = "";
  if (dirfd == AT_FDCWD) {
    if (syscall(SYS_getcwd, folder, sizeof folder) < 0) folder[0] = '\0';
  } else {
    path_of_fd(dirfd, folder);
  }
  const size_t used = strlen(folder);
  snprintf(out, PATH_MAX, "%s", folder);
  if (used + 1 + strlen(path) < PATH_MAX && path[0] != '\0') {
    out[used] = '/';
    strcpy(out + used + 1, path);
  }
  return out;
}

static inline int wants_mode(int flags) { return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE; }

/* The optional third argument of open and friends. */
#define MODE_ARGUMENT(flags)                    \
  mode_t mode = 0;                              \
  if (wants_mode(flags)) {                      \
    va_list arguments;                          \
    va_start(arguments, flags);                 \
    mode = (mode_t)va_arg(arguments, unsigned); \
    va_end(arguments);                          \
  }
