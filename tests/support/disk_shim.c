/* Stands between a process and its disk: notes every fsync and fdatasync, counts what the process does to its files, and
 * lets the n-th of these operations fail, or end the process.
 *
 * SHIM_LOG    a file that gets one line per event: "sync <path>", "full <path>", "kill <path>"
 * SHIM_MATCH  only files whose path holds this text are looked at
 * SHIM_ARM    while this file exists, operations are counted
 * SHIM_AT     from this one on (from 1) they fail with ENOSPC
 * SHIM_ONCE   set: only that one fails
 * SHIM_OPS    which operations are counted: w writes, s syncs, t truncations, u removals; "w" by itself
 * SHIM_FILE   only files whose path ends with this are counted
 * SHIM_DO     what happens instead of a plain failure:
 *               eio       it fails with EIO
 *               short     a write takes half of its bytes
 *               torn      a write takes half of its bytes, and what follows fails
 *               before, half, after   SIGKILL before it, in the middle of it, after it
 * SHIM_TRACE  a file that gets every operation that was done, in its order, with what it wrote: a line
 *             "<kind> disk<ending> <offset or size> <bytes>", and the bytes
 * SHIM_COUNTS a file that gets one line per kind and ending when the process ends: "<kind> <ending> <count>"
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum verdict { GO, FAIL, SHORT, KILL_BEFORE, KILL_HALF, KILL_AFTER };

static long operations;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct { char kind; char ending[16]; long count; } counts[64];

static int path_of(int fd, char *path, size_t size) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, size - 1);
    path[length < 0 ? 0 : length] = 0;
    return length >= 0;
}

static int watched(const char *path) {
    const char *match = getenv("SHIM_MATCH");
    return match && strstr(path, match) != NULL;
}

static void append(const char *file, const char *line, int length) {
    int fd = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return;
    syscall(SYS_write, fd, line, length);
    syscall(SYS_close, fd);
}

static void note(const char *what, const char *path) {
    char line[4200];
    const char *log = getenv("SHIM_LOG");
    if (log) append(log, line, snprintf(line, sizeof line, "%s %s\n", what, path));
}

/* What follows the matched text: "" for the database, "-wal" for its log. */
static const char *ending_of(const char *path) {
    const char *match = getenv("SHIM_MATCH");
    const char *found = strstr(path, match);
    return found + strlen(match);
}

static void count(char kind, const char *path) {
    if (!getenv("SHIM_COUNTS")) return;
    const char *ending = ending_of(path);
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        if (!counts[i].kind) {
            counts[i].kind = kind;
            snprintf(counts[i].ending, sizeof counts[i].ending, "%s", ending);
        }
        if (counts[i].kind == kind && !strncmp(counts[i].ending, ending, sizeof counts[i].ending - 1)) {
            counts[i].count++;
            break;
        }
    }
    pthread_mutex_unlock(&lock);
}

__attribute__((destructor)) static void tell_counts(void) {
    char line[64];
    const char *file = getenv("SHIM_COUNTS");
    for (size_t i = 0; file && i < sizeof counts / sizeof *counts && counts[i].kind; i++)
        append(file, line, snprintf(line, sizeof line, "%c disk%s %ld\n", counts[i].kind, counts[i].ending, counts[i].count));
}

/* One append per operation, so that those of other writers stand before or after it. */
static void trace(char kind, const char *path, const void *bytes, ssize_t count, off_t at) {
    const char *file = getenv("SHIM_TRACE");
    if (!file || !watched(path) || count < 0) return;
    char *record = malloc(count + 128);
    int head = snprintf(record, 128, "%c disk%s %lld %zd\n", kind, ending_of(path), (long long)at, count);
    memcpy(record + head, bytes, count);
    append(file, record, head + count);
    free(record);
}

static int ends_with(const char *path, const char *ending) {
    size_t whole = strlen(path), part = strlen(ending);
    return whole >= part && !strcmp(path + whole - part, ending);
}

static enum verdict what_to_do(void) {
    const char *what = getenv("SHIM_DO");
    errno = ENOSPC;
    if (!what) return FAIL;
    if (!strcmp(what, "short")) return SHORT;
    if (!strcmp(what, "before")) return KILL_BEFORE;
    if (!strcmp(what, "half")) return KILL_HALF;
    if (!strcmp(what, "after")) return KILL_AFTER;
    if (strcmp(what, "full")) errno = EIO;
    return FAIL;
}

static enum verdict judge(char kind, const char *path) {
    struct stat info;
    const char *arm = getenv("SHIM_ARM"), *at = getenv("SHIM_AT");
    const char *kinds = getenv("SHIM_OPS"), *file = getenv("SHIM_FILE"), *what = getenv("SHIM_DO");
    if (!watched(path)) return GO;
    count(kind, path);
    if (!arm || !at || stat(arm, &info) != 0 || !strchr(kinds ? kinds : "w", kind)) return GO;
    if (file && !ends_with(path, file)) return GO;
    long number = __sync_add_and_fetch(&operations, 1), first = atol(at);
    if (number < first || (getenv("SHIM_ONCE") && number > first)) return GO;
    if (what && !strcmp(what, "torn") && number == first) {
        note("full", path);
        return SHORT;
    }
    enum verdict verdict = what_to_do();
    int code = errno;
    note(verdict >= KILL_BEFORE ? "kill" : "full", path);
    errno = code;
    return verdict;
}

static void end_here(void) {
    syscall(SYS_kill, getpid(), SIGKILL);
    for (;;) pause();
}

static ssize_t put(int fd, const char *path, const void *bytes, size_t count, off_t offset) {
    off_t at = offset < 0 ? syscall(SYS_lseek, fd, 0, SEEK_CUR) : offset;
    ssize_t written = offset < 0 ? syscall(SYS_write, fd, bytes, count) : syscall(SYS_pwrite64, fd, bytes, count, offset);
    int code = errno;
    trace('w', path, bytes, written, at);
    errno = code;
    return written;
}

static ssize_t judged_write(int fd, const void *bytes, size_t count, off_t offset) {
    char path[4096];
    if (!path_of(fd, path, sizeof path) || !watched(path))
        return offset < 0 ? syscall(SYS_write, fd, bytes, count) : syscall(SYS_pwrite64, fd, bytes, count, offset);
    enum verdict verdict = judge('w', path);
    size_t half = count > 1 ? count / 2 : count;
    if (verdict == FAIL) return -1;
    if (verdict == SHORT) return put(fd, path, bytes, half, offset);
    if (verdict == KILL_BEFORE) end_here();
    ssize_t written = put(fd, path, bytes, verdict == KILL_HALF ? half : count, offset);
    if (verdict == KILL_HALF || verdict == KILL_AFTER) end_here();
    return written;
}

static int judged(char kind, const char *path, long number, long first, long second) {
    enum verdict verdict = judge(kind, path);
    if (verdict == FAIL || verdict == SHORT) {
        if (verdict == SHORT) errno = EIO;
        return -1;
    }
    if (verdict == KILL_BEFORE || verdict == KILL_HALF) end_here();
    int answer = syscall(number, first, second), code = errno;
    if (verdict == KILL_AFTER) end_here();
    if (!answer) trace(kind, path, "", 0, second);
    errno = code;
    return answer;
}

static int judged_sync(int fd, long number) {
    char path[4096];
    if (!path_of(fd, path, sizeof path)) return syscall(number, fd);
    if (watched(path)) note("sync", path);
    return judged('s', path, number, fd, 0);
}

static int judged_truncate(int fd, off_t size) {
    char path[4096];
    if (!path_of(fd, path, sizeof path)) return syscall(SYS_ftruncate, fd, size);
    return judged('t', path, SYS_ftruncate, fd, size);
}

int fsync(int fd) {
    return judged_sync(fd, SYS_fsync);
}

int fdatasync(int fd) {
    return judged_sync(fd, SYS_fdatasync);
}

ssize_t write(int fd, const void *bytes, size_t count) {
    return judged_write(fd, bytes, count, -1);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) {
    return judged_write(fd, bytes, count, offset);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) {
    return judged_write(fd, bytes, count, offset);
}

int ftruncate64(int fd, off64_t size) {
    return judged_truncate(fd, size);
}

int ftruncate(int fd, off_t size) {
    return judged_truncate(fd, size);
}

int unlink(const char *path) {
    char whole[4096];
    if (!realpath(path, whole)) snprintf(whole, sizeof whole, "%s", path);
    enum verdict verdict = judge('u', whole);
    if (verdict == FAIL || verdict == SHORT) return -1;
    if (verdict == KILL_BEFORE || verdict == KILL_HALF) end_here();
    int answer = syscall(SYS_unlinkat, AT_FDCWD, path, 0), code = errno;
    if (!answer) trace('u', whole, "", 0, 0);
    errno = code;
    if (verdict == KILL_AFTER) end_here();
    return answer;
}
