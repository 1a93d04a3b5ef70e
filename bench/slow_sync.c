/* Makes this machine's disk as slow as a till's: every sync takes DELAY_US longer, for whoever is preloaded with this. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

static int slowed(const char *name, int fd) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    const char *delay = getenv("DELAY_US");
    long us = delay ? atol(delay) : 0;
    struct timespec wait = {us / 1000000, us % 1000000 * 1000};
    prctl(PR_SET_TIMERSLACK, 1UL);
    nanosleep(&wait, NULL);
    return real(fd);
}

int fdatasync(int fd) { return slowed("fdatasync", fd); }
int fsync(int fd) { return slowed("fsync", fd); }
