/* Three small stores that the power-cut simulation must tell apart:
 *   good      write, sync, rename, sync the folder, then acknowledge
 *   nosync    acknowledges bytes it never synced
 *   nodirsync syncs the bytes, never the folder: right only where any sync makes names durable
 * usage: selftest MODE FOLDER, under the recorder. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc != 3 || chdir(argv[2]) != 0) return 2;
  uint64_t (*note)(const char*, uint64_t) = (uint64_t (*)(const char*, uint64_t))dlsym(RTLD_DEFAULT, "record_note");
  if (note == NULL) return 3;
  const int folder = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  for (int i = 0; i < 20; i++) {
    char name[32], text[2048];
    memset(text, 'a' + i, sizeof text);
    snprintf(name, sizeof name, "item-%d", i);
    const int fd = open("new", O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
    if (fd < 0 || write(fd, text, sizeof text) != (ssize_t)sizeof text) return 4;
    if (strcmp(argv[1], "nosync") != 0 && fsync(fd) != 0) return 5;
    close(fd);
    if (rename("new", name) != 0) return 6;
    if (strcmp(argv[1], "nodirsync") != 0 && fsync(folder) != 0) return 7;
    note(name, strlen(name));
  }
  return 0;
}
