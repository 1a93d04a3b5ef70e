/* A failing disk below SQLite: preloaded (LD_PRELOAD) into a process, it lets chosen writes and syncs of one file fail.
 *
 * DISK_SHIM_FILE is part of the names of the files that it troubles, DISK_SHIM_PLAN a file of three 32-bit numbers that
 * the test maps into its memory too: how many operations still pass, how many fail after them, and how they fail.
 * Each operation that is counted or fails is a write, a sync or a truncation. Nothing else of the process is touched.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum fault { IO_ERROR, NO_SPACE, TORN };
struct plan { volatile int32_t passing, failing, fault; };

static struct plan *plan(void) {
    static struct plan *mapped;
    const char *path = getenv("DISK_SHIM_PLAN");
    if (!mapped && path) {
        int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
        int fd = real(path, O_RDWR);
        void *memory = mmap(NULL, sizeof *mapped, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        mapped = memory == MAP_FAILED ? NULL : memory;
        close(fd);
    }
    return mapped;
}

static int troubled(int fd) {
    char link[64], name[4096];
    const char *wanted = getenv("DISK_SHIM_FILE");
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, name, sizeof name - 1);
    if (!wanted || length < 0) return 0;
    name[length] = 0;
    return strstr(name, wanted) != NULL;
}

/* The fault that this operation meets, or -1. */
static int met(int fd) {
    struct plan *now = plan();
    if (!now || !now->failing || !troubled(fd)) return -1;
    if (now->passing > 0) { now->passing--; return -1; }
    now->failing--;
    return now->fault;
}

static ssize_t written(int fd, const void *bytes, size_t count, off64_t at, int fault) {
    ssize_t (*real)(int, const void *, size_t, off64_t) = dlsym(RTLD_NEXT, "pwrite64");
    if (fault == TORN) { ssize_t half = real(fd, bytes, count / 2, at); (void)half; }
    if (fault >= 0) { errno = fault == NO_SPACE ? ENOSPC : EIO; return -1; }
    return real(fd, bytes, count, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) { return written(fd, bytes, count, at, met(fd)); }
ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) { return written(fd, bytes, count, at, met(fd)); }

static int synced(int fd, const char *name) {
    int (*real)(int) = dlsym(RTLD_NEXT, name);
    if (met(fd) >= 0) { errno = EIO; return -1; }
    return real(fd);
}

int fsync(int fd) { return synced(fd, "fsync"); }
int fdatasync(int fd) { return synced(fd, "fdatasync"); }

static int cut(int fd, off64_t length) {
    int (*real)(int, off64_t) = dlsym(RTLD_NEXT, "ftruncate64");
    if (met(fd) >= 0) { errno = EIO; return -1; }
    return real(fd, length);
}

int ftruncate64(int fd, off64_t length) { return cut(fd, length); }
int ftruncate(int fd, off_t length) { return cut(fd, length); }
