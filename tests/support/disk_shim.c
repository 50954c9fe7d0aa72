/* Stands between a process and its disk: notes every fsync and fdatasync, and lets writes fail as on a full disk.
 *
 * SHIM_LOG    a file that gets one line per event: "sync <path>" or "full <path>"
 * SHIM_MATCH  only files whose path holds this text are looked at
 * SHIM_ARM    while this file exists, writes are counted; from SHIM_AT on (from 1) they fail with ENOSPC
 * SHIM_ONCE   set: only that one write fails
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static long writes;

static int watched(int fd, char *path, size_t size) {
    char link[64];
    const char *match = getenv("SHIM_MATCH");
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, size - 1);
    if (length < 0 || !match) return 0;
    path[length] = 0;
    return strstr(path, match) != NULL;
}

static void note(const char *what, const char *path) {
    char line[4200];
    const char *log = getenv("SHIM_LOG");
    if (!log) return;
    int fd = open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    int length = snprintf(line, sizeof line, "%s %s\n", what, path);
    if (fd >= 0) {
        syscall(SYS_write, fd, line, length);
        syscall(SYS_close, fd);
    }
}

static void note_sync(int fd) {
    char path[4096];
    if (watched(fd, path, sizeof path)) note("sync", path);
}

static int full(int fd) {
    char path[4096];
    struct stat info;
    const char *arm = getenv("SHIM_ARM"), *at = getenv("SHIM_AT");
    if (!arm || !at || stat(arm, &info) != 0 || !watched(fd, path, sizeof path)) return 0;
    long number = __sync_add_and_fetch(&writes, 1);
    if (number < atol(at) || (getenv("SHIM_ONCE") && number > atol(at))) return 0;
    note("full", path);
    errno = ENOSPC;
    return 1;
}

int fsync(int fd) {
    note_sync(fd);
    return syscall(SYS_fsync, fd);
}

int fdatasync(int fd) {
    note_sync(fd);
    return syscall(SYS_fdatasync, fd);
}

ssize_t write(int fd, const void *bytes, size_t count) {
    return full(fd) ? -1 : syscall(SYS_write, fd, bytes, count);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) {
    return full(fd) ? -1 : syscall(SYS_pwrite64, fd, bytes, count, offset);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) {
    return full(fd) ? -1 : syscall(SYS_pwrite64, fd, bytes, count, offset);
}
