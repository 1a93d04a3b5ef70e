/* Lets a named pipe pass for the kernel's input device: preloaded (LD_PRELOAD) into the process that runs the real
 * evdev library, so that recorded struct input_event bytes reach the driver where there is no /dev/input.
 *
 * Only descriptors of named pipes opened by path are touched. The pipe's end of file is the unplugging (ENODEV);
 * EVIOCGRAB is an flock on the pipe, which two processes cannot both have; VID:PID come from EVDEV_SHIM_USB.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/input.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static char is_device[1024];

static int mine(int fd) { return fd >= 0 && fd < (int)sizeof is_device && is_device[fd]; }

static int open_any(const char *symbol, const char *path, int flags, mode_t mode) {
    int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, symbol);
    struct stat status;
    int pipe = stat(path, &status) == 0 && S_ISFIFO(status.st_mode);
    /* Opened for writing too, the pipe would never end. */
    int fd = real(path, pipe ? (flags & ~O_ACCMODE) | O_RDONLY : flags, mode);
    if (pipe && fd >= 0 && fd < (int)sizeof is_device) is_device[fd] = 1;
    return fd;
}

int open(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = va_arg(rest, mode_t);
    va_end(rest);
    return open_any("open", path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = va_arg(rest, mode_t);
    va_end(rest);
    return open_any("open64", path, flags, mode);
}

int close(int fd) {
    int (*real)(int) = dlsym(RTLD_NEXT, "close");
    if (mine(fd)) is_device[fd] = 0;
    return real(fd);
}

ssize_t read(int fd, void *into, size_t size) {
    ssize_t (*real)(int, void *, size_t) = dlsym(RTLD_NEXT, "read");
    ssize_t count = real(fd, into, size);
    if (count == 0 && mine(fd)) {
        errno = ENODEV;
        return -1;
    }
    return count;
}

int ioctl(int fd, unsigned long request, ...) {
    va_list rest;
    va_start(rest, request);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    if (!mine(fd)) {
        int (*real)(int, unsigned long, ...) = dlsym(RTLD_NEXT, "ioctl");
        return real(fd, request, argument);
    }
    if (request == EVIOCGRAB) {
        if (flock(fd, argument ? LOCK_EX | LOCK_NB : LOCK_UN) == 0) return 0;
        errno = EBUSY;
        return -1;
    }
    if (request == EVIOCGID) {
        struct input_id *id = argument;
        unsigned vendor = 0, product = 0;
        sscanf(getenv("EVDEV_SHIM_USB"), "%x:%x", &vendor, &product);
        *id = (struct input_id){.bustype = BUS_USB, .vendor = vendor, .product = product, .version = 0x111};
        return 0;
    }
    if (_IOC_TYPE(request) != 'E' || _IOC_DIR(request) != _IOC_READ) {
        errno = EINVAL;
        return -1;
    }
    memset(argument, 0, _IOC_SIZE(request)); /* no keys held, no capabilities told */
    if (_IOC_NR(request) == _IOC_NR(EVIOCGNAME(0))) strcpy(argument, "Recorded Scanner");
    return _IOC_SIZE(request);
}
