/* Has the file system of a directory fail as a test asks: see broken_disk.rs. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

/* Whether the file that the test writes says so, and the file is in the test's directory. */
static int fails(int fd, char how) {
    const char *control = getenv("TEST_DISK_CONTROL"), *directory = getenv("TEST_DISK");
    char said = 0, link[64], path[PATH_MAX];
    if (!control || !directory) return 0;
    int file = open(control, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    ssize_t n = read(file, &said, 1);
    close(file);
    if (n != 1 || said != how) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof path - 1);
    if (n < 0) return 0;
    path[n] = 0;
    return strncmp(path, directory, strlen(directory)) == 0;
}

#define REAL(name) dlsym(RTLD_NEXT, #name)
#define SYNC(name)                                              \
    int name(int fd) {                                          \
        if (fails(fd, 's')) { errno = EIO; return -1; }         \
        int (*real)(int) = REAL(name);                          \
        return real(fd);                                        \
    }
#define PWRITE(name, offset)                                            \
    ssize_t name(int fd, const void *from, size_t n, offset at) {       \
        if (fails(fd, 'f')) { errno = ENOSPC; return -1; }              \
        ssize_t (*real)(int, const void *, size_t, offset) = REAL(name);\
        return real(fd, from, n, at);                                   \
    }

SYNC(fsync)
SYNC(fdatasync)
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

ssize_t write(int fd, const void *from, size_t n) {
    if (fails(fd, 'f')) { errno = ENOSPC; return -1; }
    ssize_t (*real)(int, const void *, size_t) = REAL(write);
    return real(fd, from, n);
}
