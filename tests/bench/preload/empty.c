/* SPDX-License-Identifier: MIT */
/* What interposition costs by itself: wrappers that do nothing but to make the call. */
/* Context: preloaded into a program of tests/bench, to have something to hold the shim's figures against. */
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static ssize_t (*real_read)(int, void *, size_t);
static ssize_t (*real_write)(int, const void *, size_t);
static int (*real_close)(int);
static int (*real_accept4)(int, struct sockaddr *, socklen_t *, int);

static void *find(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);

    if (!found)
        abort();
    return found;
}

static void __attribute__((constructor)) start(void)
{
    real_read = find("read");
    real_write = find("write");
    real_close = find("close");
    real_accept4 = find("accept4");
}

/* Something is done behind the call: it can't become a jump. */
#define BEHIND(result)                                                                             \
    __typeof__(result) kept = (result);                                                            \
    __asm__ volatile("" : "+r"(kept));                                                             \
    return kept

ssize_t read(int fd, void *bytes, size_t size)
{
    BEHIND(real_read(fd, bytes, size));
}

ssize_t write(int fd, const void *bytes, size_t size)
{
    BEHIND(real_write(fd, bytes, size));
}

int close(int fd)
{
    BEHIND(real_close(fd));
}

int accept4(int fd, struct sockaddr *address, socklen_t *size, int flags)
{
    BEHIND(real_accept4(fd, address, size, flags));
}
